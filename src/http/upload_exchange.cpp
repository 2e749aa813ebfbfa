#include "http/upload_exchange.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/check.h"
#include "http/offload.h"
#include "http/transfer_activity.h"
#include "http/upload_request.h"

namespace quire::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t small_upload_bytes_max = 64 * 1024;
constexpr std::size_t alignment = 4096;
/// A chunk that takes longer than this part of the stall time-out, or than the activity interval, is handed over before
/// it is full, so that what arrives counts as activity of the session.
constexpr int slow_part_of_stall = 12;
/// How long an upload whose client sends nothing keeps its chunk, and how soon it sees that another one needs it.
constexpr base::Duration hold_idle_chunk = std::chrono::milliseconds(250);
constexpr base::Duration hold_wanted_chunk = std::chrono::milliseconds(10);

using Stored = base::Result<void>;
using Finished = base::Result<service::UploadState>;

/// Memory that the body is read into: a chunk of the common pool, or a small piece of its own.
class Chunk {
 public:
  explicit Chunk(TransferBuffer buffer) : pooled_(std::move(buffer)), bytes_(pooled_.bytes()) {}
  explicit Chunk(std::size_t size) {
    const auto whole = (size + alignment - 1) / alignment * alignment;
    own_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, whole)));
    QUIRE_CHECK(own_ != nullptr);
    bytes_ = std::span(own_.get(), size);
  }

  /// The first byte goes so far behind the start.
  void leave_out(std::size_t count) {
    begin_ = count;
    end_ = count;
  }

  std::span<const std::byte> filled() const { return bytes_.subspan(begin_, end_ - begin_); }
  std::span<std::byte> space() const { return bytes_.subspan(end_); }
  void add(std::size_t count) { end_ += count; }
  bool pooled() const { return static_cast<bool>(pooled_); }
  std::size_t into_page() const { return begin_ % alignment; }

  /// What is filled, without the last part of a page.
  std::span<const std::byte> whole_pages() const {
    const auto end = std::max(begin_, end_ / alignment * alignment);
    return bytes_.subspan(begin_, end - begin_);
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  TransferBuffer pooled_;
  std::unique_ptr<std::byte, Free> own_;
  std::span<std::byte> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class UploadExchange {
 public:
  UploadExchange(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                 const content::TransferToken& token)
      : connection_(std::move(connection)),
        parts_(parts),
        activity_(connection_->transport().socket().executor(), parts_,
                  [&transfers = parts_.transfers, token] { return transfers.touch_upload(token); }) {}

  asio::awaitable<void> run(const TransferTarget& target);

 private:
  using Call = OffloadedCall<Stored>;

  asio::awaitable<bool> begin(const TransferTarget& target);
  asio::awaitable<void> announce_resumption();
  asio::awaitable<void> receive();
  asio::awaitable<bool> take_first_chunk();
  asio::awaitable<bool> fill();
  asio::awaitable<bool> wait_with_chunk();
  asio::awaitable<bool> wait_without_chunk();
  asio::awaitable<bool> start_storing(std::span<const std::byte> part);
  asio::awaitable<bool> take_chunk();
  asio::awaitable<Stored> finish_storing();
  asio::awaitable<bool> hand_over();
  asio::awaitable<void> end(service::BodyEnd body_end);
  asio::awaitable<void> answer(const Finished& outcome, service::BodyEnd body_end);
  asio::awaitable<void> answer_success(const service::UploadState& state);
  asio::awaitable<void> answer_error(int status, const base::Error& error);
  std::string location() const;

  std::shared_ptr<HttpConnection> connection_;
  const ServerParts& parts_;
  UploadHead head_;
  std::shared_ptr<service::Upload> upload_;  ///< shared with the call that runs on the pool, never used by two at once
  std::shared_ptr<Chunk> filling_;
  std::vector<std::byte> carried_;     ///< between two chunks: less than a page
  std::size_t carried_into_page_ = 0;  ///< how far the carried bytes, or those to come, begin behind a page
  std::optional<Call> storing_call_;
  TransferActivity activity_;  ///< of bytes that are too few to be stored yet
  bool stalled_ = false;       ///< nothing came for too long
  service::CountedTransfer counted_{parts_.transfers.measurements().uploads};
  const std::shared_ptr<bool> live_ =
      std::make_shared<bool>(true);  ///< of the network thread; a stop that comes later is ignored
};

base::Error no_memory_in_time() {
  return base::Error(base::ErrorKind::service_unavailable, "quire.http.transfers_busy",
                     "Too many transfers are running. Send the file again later.");
}

wire::Response upload_refusal(const ApiHandler& api, const service::UploadRefusal& refusal) {
  const auto status = refusal.gone ? 410 : transfer_status(refusal.error.kind());
  auto response = api.transfer_error(status, refusal.error);
  if (!refusal.state) return response;
  const auto fields = upload_state_fields(*refusal.state);
  for (const auto& [name, value] : fields.all()) response.headers.add(name, value);
  return response;
}

base::Error stopped() {
  return base::Error(base::ErrorKind::not_found, "quire.http.upload_stopped",
                     "The update session of this upload has ended, so the file is no longer taken.");
}

asio::awaitable<void> UploadExchange::run(const TransferTarget& target) {
  const bool begun = co_await begin(target);
  if (!begun) co_return;
  connection_->transport().set_bulk(true);
  std::exception_ptr failure;
  try {
    co_await receive();
  } catch (...) {
    failure = std::current_exception();
  }
  connection_->transport().set_bulk(false);
  co_await activity_.finish();
  if (!failure) co_return;
  // A broken service: nothing may still use the chunks when they go.
  if (storing_call_) [[maybe_unused]]
    const auto unused = co_await storing_call_->wait();
  std::rethrow_exception(failure);
}

asio::awaitable<bool> UploadExchange::begin(const TransferTarget& target) {
  const auto& head = connection_->head();
  auto read = read_upload_head(head);
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    auto response = parts_.api.refuse(head.target, refusal->status(), refusal->message());
    if (refusal->status() == 415) {  // what would be taken (RFC 9110 §15.5.16)
      response.headers.add("Accept-Patch", "application/partial-upload");
      response.headers.add("Accept-Encoding", "identity");
    }
    co_await connection_->respond(response);
    co_return false;
  }
  head_ = std::get<UploadHead>(std::move(read));
  std::function<void()> on_stop = [weak = std::weak_ptr(connection_), live = live_] {
    if (const auto connection = weak.lock()) connection->interrupt_while(live);
  };
  auto call = [this, &target, on_stop] { return parts_.transfers.begin_upload(target.token, head_.request, on_stop); };
  auto begun = co_await offload(parts_.call_pool, call);
  if (begun.refusal) {
    const auto response = upload_refusal(parts_.api, *begun.refusal);
    co_await connection_->respond(response);
    co_return false;
  }
  upload_ = std::move(begun.upload);
  co_return true;
}

/// For clients that know what `104` is: they may go on here after whatever happens.
asio::awaitable<void> UploadExchange::announce_resumption() {
  const auto interim = "HTTP/1.1 104 Upload Resumption Supported\r\nLocation: " + location() + "\r\n\r\n";
  const std::string_view nothing;
  [[maybe_unused]] const bool written =
      co_await connection_->transport().write(interim, nothing, parts_.settings.limits.write_timeout);
}

std::string UploadExchange::location() const {
  const auto& base = parts_.settings.public_url;
  return (base.empty() ? connection_->base_url() : base) + connection_->head().target;
}

/// False after an error, which has been answered.
asio::awaitable<bool> UploadExchange::take_first_chunk() {
  const auto length = connection_->head().content_length;
  // A byte lies as far behind a page in memory as in the file, so that it can go to the disk from where it is.
  const auto into_page = static_cast<std::size_t>(head_.request.offset % static_cast<std::int64_t>(alignment));
  if (!length || *length > small_upload_bytes_max) {
    carried_into_page_ = into_page;
    const auto deadline = after(parts_.settings.limits.transfer_stall_timeout);
    const bool came = co_await connection_->wait_for_body(1, deadline);
    stalled_ = !came;
    const bool taken = co_await take_chunk();
    co_return taken;
  }
  filling_ = std::make_shared<Chunk>(into_page + std::max<std::size_t>(*length, 1));
  filling_->leave_out(into_page);
  co_return true;
}

asio::awaitable<void> UploadExchange::receive() {
  if (head_.wants_interim) co_await announce_resumption();
  if (connection_->body() == HttpConnection::Body::more) {
    const bool taken = co_await take_first_chunk();
    if (!taken) co_return;
  }
  while (connection_->body() == HttpConnection::Body::more) {
    bool going_on = co_await fill();
    if (!going_on) co_return;
    if (connection_->body() != HttpConnection::Body::more) break;
    going_on = co_await hand_over();
    if (!going_on) co_return;
  }
  const bool whole =
      connection_->body() == HttpConnection::Body::whole && !connection_->transport().socket().interrupted();
  co_await end(whole ? service::BodyEnd::whole : service::BodyEnd::broken);
}

/// Reads until the chunk is full, the body has ended or the chunk takes too long. False after an error, which has been
/// answered.
asio::awaitable<bool> UploadExchange::fill() {
  const auto stall = parts_.settings.limits.transfer_stall_timeout;
  const auto slow = after(std::min(stall / slow_part_of_stall, parts_.settings.limits.activity_interval));
  while (!filling_->space().empty()) {
    const bool coming = co_await wait_with_chunk();
    if (!coming && filling_->pooled()) {
      const bool going_on = co_await wait_without_chunk();
      if (!going_on) co_return false;
    }
    const auto now = std::chrono::steady_clock::now();
    const auto space = filling_->space();
    const auto deadline = stalled_ ? now : now + stall;
    const std::size_t count = co_await connection_->read_body(space, deadline);
    if (count == 0) co_return true;
    filling_->add(count);
    counted_.passed(count);
    [[maybe_unused]] const bool wanted =
        co_await activity_.still_wanted();  // if not, it is stopped or append() says so
    if (now > slow && !filling_->whole_pages().empty()) co_return true;
  }
  co_return true;
}

/// False when nothing comes for so long that the chunk should be given back.
asio::awaitable<bool> UploadExchange::wait_with_chunk() {
  const auto idle_at = after(hold_idle_chunk);
  while (true) {
    const bool wanted = parts_.buffers.wanted();
    const auto look_at = after(wanted ? base::Duration(0) : hold_wanted_chunk);
    const bool coming = co_await connection_->wait_for_body(filling_->space().size(), look_at);
    if (coming) co_return true;
    if (wanted || look_at >= idle_at) co_return false;
  }
}

/// An upload that waits for its client leaves its chunk to others meanwhile. False as fill().
asio::awaitable<bool> UploadExchange::wait_without_chunk() {
  const bool passed = co_await start_storing(filling_->whole_pages());
  if (!passed) co_return false;
  const auto deadline = after(parts_.settings.limits.transfer_stall_timeout);
  const bool came = co_await connection_->wait_for_body(1, deadline);
  const bool taken = co_await take_chunk();
  stalled_ = !came;
  co_return taken;
}

/// Waits for the chunk that is being stored, if any.
asio::awaitable<Stored> UploadExchange::finish_storing() {
  if (!storing_call_) co_return Stored();
  auto call = std::move(*storing_call_);
  storing_call_.reset();
  auto stored = co_await call.wait();
  co_return stored;
}

/// Gives `part` of the chunk to the pool, and with it the chunk; what is behind it is carried over. False after an
/// error, which has been answered.
asio::awaitable<bool> UploadExchange::start_storing(std::span<const std::byte> part) {
  auto stored = co_await finish_storing();
  if (!stored) {
    const Finished failed = stored.error();
    co_await answer(failed, service::BodyEnd::broken);
    co_return false;
  }
  auto chunk = std::exchange(filling_, nullptr);
  const auto rest = chunk->filled().subspan(part.size());
  carried_.assign(rest.begin(), rest.end());
  carried_into_page_ = part.empty() ? chunk->into_page() : 0;
  if (part.empty()) co_return true;
  activity_.told();
  auto call = [upload = upload_, part, chunk = std::move(chunk)] { return upload->append(part, chunk); };
  storing_call_.emplace(connection_->transport().socket().executor(), parts_.transfer_pool, std::move(call));
  co_return true;
}

/// An empty chunk, with what was carried over. The memory of this upload comes free without anybody's doing; who waited
/// before is served before. False after an error, which has been answered.
asio::awaitable<bool> UploadExchange::take_chunk() {
  auto buffer = parts_.buffers.try_take();
  if (!buffer && !connection_->transport().socket().interrupted()) {
    auto alarm = connection_->alarm();
    buffer = co_await parts_.buffers.take(std::move(alarm), parts_.settings.limits.transfer_stall_timeout);
  }
  if (!buffer) {
    filling_ = std::make_shared<Chunk>(carried_into_page_ + carried_.size() + 1);
  } else {
    filling_ = std::make_shared<Chunk>(std::move(buffer));
  }
  const bool got_one = filling_->pooled();
  filling_->leave_out(carried_into_page_);
  std::ranges::copy(carried_, filling_->space().begin());
  filling_->add(carried_.size());
  if (got_one) co_return true;
  co_await end(service::BodyEnd::broken);
  co_return false;
}

/// Gives the filled chunk to the pool and gets an empty one. False after an error, which has been answered.
asio::awaitable<bool> UploadExchange::hand_over() {
  // All of a slowly filled chunk but its last part of a page, which moves on: what is stored stays aligned.
  const auto part = filling_->space().empty() ? filling_->filled() : filling_->whole_pages();
  const bool passed = co_await start_storing(part);
  if (!passed) co_return false;
  const bool taken = co_await take_chunk();
  co_return taken;
}

/// Stores what is left, ends the upload and answers.
asio::awaitable<void> UploadExchange::end(service::BodyEnd body_end) {
  auto stored = co_await finish_storing();
  Finished outcome = service::UploadState();
  if (!stored) {
    outcome = stored.error();
  } else {
    const bool stopped_by_others = connection_->transport().socket().interrupted();
    const auto rest = stopped_by_others || !filling_ ? std::span<const std::byte>() : filling_->filled();
    auto call = [upload = std::move(upload_), chunk = filling_, rest, body_end]() mutable -> Finished {
      Stored last;
      if (!rest.empty()) last = upload->append(rest, chunk);
      Finished finished = last ? upload->finish(body_end) : Finished(last.error());
      upload.reset();  // here, because it may have bytes to remove
      return finished;
    };
    outcome = co_await offload(parts_.transfer_pool, std::move(call));
  }
  co_await answer(outcome, body_end);
}

asio::awaitable<void> UploadExchange::answer(const Finished& outcome, service::BodyEnd body_end) {
  filling_.reset();
  if (upload_) {
    auto release = [upload = std::move(upload_)]() mutable {
      upload.reset();
      return true;
    };
    co_await offload(parts_.transfer_pool, std::move(release));
  }
  auto& transport = connection_->transport();
  const bool interrupted = transport.socket().interrupted();
  *live_ = false;
  transport.socket().resume();
  if (!outcome) {
    const auto kind = outcome.error().kind();
    const auto status = kind == base::ErrorKind::not_found ? 410 : transfer_status(kind);
    co_await answer_error(status, outcome.error());
  } else if (body_end == service::BodyEnd::whole) {
    counted_.is_whole();
    co_await answer_success(*outcome);
  } else if (interrupted) {
    const auto error = stopped();
    co_await answer_error(410, error);
  } else if (connection_->body() == HttpConnection::Body::malformed) {
    const auto message = base::make_message("quire.http.chunks", "The body's chunks are not as HTTP has them.");
    const auto response = parts_.api.refuse(connection_->head().target, 400, message);
    co_await connection_->respond(response);
  } else if (connection_->body() == HttpConnection::Body::more) {
    const auto error = no_memory_in_time();
    co_await answer_error(503, error);
  } else if (transport.socket().end() == DeadlineSocket::End::timed_out) {
    const auto message = base::make_message("quire.http.transfer_stalled", "No byte of the file arrived for too long.");
    const auto response = parts_.api.refuse(connection_->head().target, 408, message);
    co_await connection_->respond(response);
  }
}

/// 200 when the file is whole; 201 for the first part of one that is created in parts, 204 for other parts.
asio::awaitable<void> UploadExchange::answer_success(const service::UploadState& state) {
  wire::Response done;
  done.headers = upload_state_fields(state);
  if (!state.complete) {
    done.status = head_.creates ? 201 : 204;
    if (head_.creates) done.headers.add("Location", location());
  }
  co_await connection_->respond(done);
}

asio::awaitable<void> UploadExchange::answer_error(int status, const base::Error& error) {
  const auto response = parts_.api.transfer_error(status, error);
  co_await connection_->respond(response);
}

}  // namespace

asio::awaitable<void> receive_upload(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                     const TransferTarget& target) {
  UploadExchange exchange(std::move(connection), parts, target.token);
  co_await exchange.run(target);
}

asio::awaitable<bool> answer_upload_state(HttpConnection& connection, const ServerParts& parts,
                                          const TransferTarget& target) {
  auto call = [&] { return parts.transfers.ask_upload(target.token); };
  const auto asked = co_await offload(parts.call_pool, call);
  if (asked.refusal) {
    if (!asked.refusal->gone && asked.refusal->error.kind() == base::ErrorKind::not_found) co_return false;
    const auto response = upload_refusal(parts.api, *asked.refusal);
    co_await connection.respond(response);
    co_return true;
  }
  wire::Response response;
  response.status = 204;
  response.headers = upload_state_fields(*asked.state);
  co_await connection.respond(response);
  co_return true;
}

asio::awaitable<void> discard_upload(HttpConnection& connection, const ServerParts& parts,
                                     const TransferTarget& target) {
  auto call = [&] { return parts.transfers.discard_upload(target.token); };
  const auto refusal = co_await offload(parts.call_pool, call);
  wire::Response response;
  response.status = 204;
  if (refusal) response = upload_refusal(parts.api, *refusal);
  co_await connection.respond(response);
}

}  // namespace quire::http
