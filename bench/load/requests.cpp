#include "load/requests.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "load/client.h"

namespace quire::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t body_bytes = 1024;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// One virtual user: says what to send next, and reads what came.
class Script {
 public:
  virtual ~Script() = default;
  virtual std::string next_request() = 0;
  /// True when a unit of work is done.
  virtual bool take(std::string_view body) = 0;
};

std::string request_text(const Calling& calling, const Url& base, std::string_view method, std::string_view path,
                         std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: ");
  text.append(base.host).append(":").append(std::to_string(base.port));
  text.append("\r\nvmware-api-session-id: ").append(calling.token);
  if (!calling.known.empty()) text.append("\r\nIf-None-Match: ").append(calling.known);
  if (method != "GET") {
    text.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
  }
  text.append("\r\n\r\n").append(body);
  return text;
}

class RepeatedGet final : public Script {
 public:
  RepeatedGet(const Calling& calling, const Url& base, const std::string& path)
      : request_(request_text(calling, base, "GET", path, {})) {}
  std::string next_request() override { return request_; }
  bool take(std::string_view) override { return true; }

 private:
  const std::string request_;
};

/// The text in quotes that follows `before`; all of it in quotes when `before` is empty.
std::string quoted_after(std::string_view body, std::string_view before) {
  const auto at = body.find(before);
  if (at == std::string_view::npos) throw LoadFailure("no " + std::string(before) + " in " + std::string(body));
  const auto open = body.find('"', at + before.size());
  const auto close = body.find('"', open + 1);
  if (close == std::string_view::npos) throw LoadFailure("no text in " + std::string(body));
  return std::string(body.substr(open + 1, close - open - 1));
}

class LifeCycle final : public Script {
 public:
  LifeCycle(const Calling& calling, const Url& base, std::size_t number)
      : calling_(calling), base_(base), names_("item-" + std::to_string(number) + "-") {}

  std::string next_request() override {
    switch (step_) {
      case Step::create_item:
        return create_item();
      case Step::create_session:
        return create_session();
      case Step::add_file:
        return add_file();
      case Step::put:
        return request_text(calling_, base_, "PUT", upload_path_, content());
      case Step::complete:
        break;
    }
    return complete();
  }

  bool take(std::string_view body) override {
    switch (step_) {
      case Step::create_item:
        item_ = id_in(body);
        step_ = Step::create_session;
        return false;
      case Step::create_session:
        session_ = id_in(body);
        step_ = Step::add_file;
        return false;
      case Step::add_file: {
        upload_path_ = Url(quoted_after(body, R"("uri":)")).path;
        step_ = Step::put;
        return false;
      }
      case Step::put:
        step_ = Step::complete;
        return false;
      case Step::complete:
        break;
    }
    if (body.find("\"error\"") != std::string_view::npos) throw LoadFailure("complete: " + std::string(body));
    step_ = Step::create_item;
    return true;
  }

 private:
  enum class Step { create_item, create_session, add_file, put, complete };

  bool rest() const { return calling_.binding == "rest"; }
  bool rpc() const { return calling_.binding == "rpc"; }

  /// Never the same twice: a server may store equal files once.
  std::string content() const {
    auto bytes = calling_.library + names_ + std::to_string(count_);
    bytes.resize(body_bytes, 'x');
    return bytes;
  }

  std::string create_item() {
    const auto name = names_ + std::to_string(++count_);
    const std::string plain = R"({"library_id":")" + calling_.library + R"(","name":")" + name + R"("})";
    if (rest()) return post("/api/content/library/item", plain);
    if (!rpc()) return post("/rest/com/vmware/content/library/item", R"({"create_spec":)" + plain + "}");
    return call("com.vmware.content.library.item", "create",
                R"({"create_spec":{"STRUCTURE":{"com.vmware.content.library.item_model":{"library_id":{"OPTIONAL":")" +
                    calling_.library + R"("},"name":{"OPTIONAL":")" + name + R"("}}}}})");
  }

  std::string create_session() {
    const std::string plain = R"({"library_item_id":")" + item_ + R"("})";
    if (rest()) return post("/api/content/library/item/update-session", plain);
    if (!rpc()) return post("/rest/com/vmware/content/library/item/update-session", R"({"create_spec":)" + plain + "}");
    return call("com.vmware.content.library.item.update_session", "create",
                R"({"create_spec":{"STRUCTURE":{"com.vmware.content.library.item.update_session_model":)"
                R"({"library_item_id":{"OPTIONAL":")" +
                    item_ + R"("}}}}})");
  }

  std::string add_file() {
    const std::string plain = R"({"name":"disk.iso","source_type":"PUSH"})";
    if (rest()) return post("/api/content/library/item/update-session/" + session_ + "/file", plain);
    if (!rpc())
      return post("/rest/com/vmware/content/library/item/updatesession/file/id:" + session_ + "?~action=add",
                  R"({"file_spec":)" + plain + "}");
    return call("com.vmware.content.library.item.updatesession.file", "add",
                R"({"update_session_id":")" + session_ +
                    R"(","file_spec":{"STRUCTURE":{"com.vmware.content.library.item.updatesession.file.add_spec":)"
                    R"({"name":"disk.iso","source_type":"PUSH"}}}})");
  }

  std::string complete() {
    if (rest()) return post("/api/content/library/item/update-session/" + session_ + "?action=complete", "");
    if (!rpc())
      return post("/rest/com/vmware/content/library/item/update-session/id:" + session_ + "?~action=complete", "");
    return call("com.vmware.content.library.item.update_session", "complete",
                R"({"update_session_id":")" + session_ + R"("})");
  }

  std::string post(const std::string& path, std::string_view body) const {
    return request_text(calling_, base_, "POST", path, body);
  }

  std::string call(std::string_view service, std::string_view operation, const std::string& input) const {
    std::string body = R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":{"serviceId":")";
    body.append(service).append(R"(","operationId":")").append(operation);
    body.append(R"(","input":{"STRUCTURE":{"operation-input":)").append(input).append("}},");
    body.append(R"("ctx":{"appCtx":{},"securityCtx":{"schemeId":"com.vmware.vapi.std.security.session_id",)");
    body.append(R"("sessionId":")").append(calling_.token).append(R"("}}}})");
    return post("/api", body);
  }

  std::string id_in(std::string_view body) const {
    if (rest()) return quoted_after(body, "");
    return quoted_after(body, rpc() ? R"("output":)" : R"("value":)");
  }

  const Calling& calling_;
  const Url& base_;
  const std::string names_;
  std::size_t count_ = 0;
  Step step_ = Step::create_item;
  std::string item_;
  std::string session_;
  std::string upload_path_;
};

/// A script and its connection.
struct User {
  std::unique_ptr<Script> script;
  int socket = -1;
  std::string received;
};

/// The whole answer at the front of `text`: where its body lies; nullopt while more must come.
struct Framed {
  std::size_t body_at = 0;
  std::size_t body_bytes = 0;
};
std::optional<Framed> framed_answer(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const auto head = text.substr(0, end + 2);
  const auto status = head.substr(head.find(' ') + 1, 3);
  if (!status.starts_with('2') && status != "304") throw LoadFailure("the server answered " + std::string(text));
  std::size_t length = 0;
  auto at = head.find("Content-Length: ");
  if (at == std::string_view::npos && head.find("chunked") != std::string_view::npos)
    throw LoadFailure("chunked answers are not measured: " + std::string(head));
  if (at != std::string_view::npos) {
    at += std::string_view("Content-Length: ").size();
    std::from_chars(head.data() + at, head.data() + head.size(), length);
  }
  if (text.size() < end + 4 + length) return std::nullopt;
  return Framed{end + 4, length};
}

void send_next(User& user) {
  const auto request = user.script->next_request();
  // Requests are small: the socket's buffer takes them whole.
  if (::send(user.socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    fail_with_errno("send");
}

/// Reads what is there; how many units of work it ended.
std::size_t serve(User& user) {
  std::array<char, 16 * 1024> space;
  const auto count = ::recv(user.socket, space.data(), space.size(), MSG_DONTWAIT);
  if (count == 0) throw LoadFailure("the server closed a connection");
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (count < 0) fail_with_errno("recv");
  user.received.append(space.data(), static_cast<std::size_t>(count));
  const auto answer = framed_answer(user.received);
  if (!answer) return 0;
  const bool done = user.script->take(std::string_view(user.received).substr(answer->body_at, answer->body_bytes));
  user.received.clear();
  send_next(user);
  return done ? 1 : 0;
}

/// One thread drives all users; units of work per second after the warm-up.
double run_users(const Calling& calling, const Url& base,
                 const std::function<std::unique_ptr<Script>(std::size_t)>& make) {
  const int poller = ::epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) fail_with_errno("epoll_create1");
  std::vector<User> users(calling.clients);
  for (std::size_t i = 0; i < users.size(); ++i) {
    users[i].script = make(i);
    users[i].socket = connect_to(base);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &users[i];
    if (::epoll_ctl(poller, EPOLL_CTL_ADD, users[i].socket, &event) != 0) fail_with_errno("epoll_ctl");
    send_next(users[i]);
  }
  const auto start = Clock::now();
  auto begun = start;
  bool warm = false;
  std::size_t done = 0;
  std::array<epoll_event, 256> events;
  while (true) {
    const auto now = Clock::now();
    if (!warm && seconds_between(start, now) >= calling.warm_up_seconds) {
      warm = true;
      begun = now;
      done = 0;
    }
    if (warm && seconds_between(begun, now) >= calling.seconds) break;
    constexpr int wait_ms = 100;
    const int count = ::epoll_wait(poller, events.data(), static_cast<int>(events.size()), wait_ms);
    for (int i = 0; i < count; ++i) done += serve(*static_cast<User*>(events[static_cast<std::size_t>(i)].data.ptr));
  }
  const auto rate = static_cast<double>(done) / seconds_between(begun, Clock::now());
  for (const auto& user : users) ::close(user.socket);
  ::close(poller);
  return rate;
}

bool input_has_ended() {
  pollfd input{};
  input.fd = STDIN_FILENO;
  input.events = POLLIN;
  return ::poll(&input, 1, 0) > 0;
}

}  // namespace

boost::json::object run_life_cycles(const Calling& calling) {
  const Url base(calling.base);
  const auto rate = run_users(calling, base, [&](std::size_t number) -> std::unique_ptr<Script> {
    return std::make_unique<LifeCycle>(calling, base, number);
  });
  return {{"cycles_per_second", rate}};
}

boost::json::object run_gets(const Calling& calling, const std::string& path) {
  const Url base(calling.base);
  const auto rate = run_users(calling, base, [&](std::size_t) -> std::unique_ptr<Script> {
    return std::make_unique<RepeatedGet>(calling, base, path);
  });
  return {{"requests_per_second", rate}};
}

boost::json::object probe(const Calling& calling, const std::string& path, double interval_ms) {
  const Url base(calling.base);
  Client client(base, "");
  const auto request = request_text(calling, base, "GET", path, {});
  std::vector<double> latencies;
  const auto start = Clock::now();
  auto next = start;
  while (calling.seconds > 0 ? seconds_between(start, Clock::now()) < calling.seconds : !input_has_ended()) {
    std::this_thread::sleep_until(next);
    const auto sent = Clock::now();
    client.send(request);
    const auto answer = client.receive(true);
    if (answer.status != 200) throw LoadFailure("the server answered " + answer.head);
    latencies.push_back(seconds_between(sent, Clock::now()) * 1000);
    // A late answer moves the later requests: they are sent one at a time.
    next = std::max(
        next + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(interval_ms)),
        Clock::now());
  }
  std::sort(latencies.begin(), latencies.end());
  if (latencies.empty()) throw LoadFailure("no request was sent");
  const auto at = [&](double part) {
    return latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))];
  };
  return {{"count", latencies.size()}, {"p50", at(0.5)}, {"p99", at(0.99)}, {"max", latencies.back()}};
}

}  // namespace quire::bench
