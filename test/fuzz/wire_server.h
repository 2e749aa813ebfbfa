#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "golden/golden_server.h"
#include "support/undoing_catalog.h"

/// For fuzzers of what comes in over the wires: requests in the text of an input, and a server that answers them.
namespace quire::fuzz {

/// An input is a request's first line as the golden transcripts show it, and then the body:
///
///     POST /api/content/library/item?action=find
///     {"library_id":"@library"}
struct RequestText {
  std::string line;
  std::string body;

  static RequestText of(std::string_view input) {
    const auto end = input.find('\n');
    if (end == std::string_view::npos) return {std::string(input), {}};
    return {std::string(input.substr(0, end)), std::string(input.substr(end + 1))};
  }
  std::string text() const { return line + "\n" + body; }
};

/// A whole server, where a request meets the same state every time: what the one before changed is rolled back, which
/// also costs less than a commit (some hundred requests a second with the sanitizers, all decoding and services
/// included). An input names what is there with `@`; see the constructor.
class WireServer {
 public:
  WireServer() {
    spdlog::set_level(spdlog::level::off);
    login_ = {{"Authorization", "Basic YWRtaW5pc3RyYXRvckB2c3BoZXJlLmxvY2FsOnNlY3JldA=="}};
    login_ = {{"vmware-api-session-id", make("session", "")}};
    const auto library = make("content/local-library", R"({"name":"library"})");
    const auto new_item = [&](const std::string& name) {
      return make("content/library/item", R"({"type":"iso","name":")" + name + R"(","library_id":")" + library + "\"}");
    };
    const auto item = new_item("item");
    const auto of_item = R"({"library_item_id":")" + item + "\"}";
    const auto completed = full_session(of_item);
    made(sessions + "/" + completed + "?action=complete", "");
    const auto upload = make(sessions, of_item);
    for (const auto* file :
         {R"({"name":"new.iso","source_type":"PUSH"})",
          R"({"name":"p","source_type":"PULL","source_endpoint":{"uri":"https://mirror.example/p"}})"})
      made(sessions + "/" + upload + "/file", file);
    const auto ready = full_session(R"({"library_item_id":")" + new_item("other") + "\"}");
    const auto download = make("content/library/item/download-session", of_item);
    const auto mirror = server_.add_subscribed_library();
    names_ = {{{"@library", library},
               {"@item", item},
               {"@upload", upload},
               {"@ready", ready},
               {"@completed", completed},
               {"@download", download},
               {"@mirror", mirror.library},
               {"@subscribed", mirror.item}}};
  }

  /// Calls `use` with the administrator's request that `text` stands for; then forgets what that did to the catalog.
  void with_request(RequestText text, const std::function<void(const wire::Request&)>& use) {
    for (const auto& [name, id] : names_)
      for (auto* part : {&text.line, &text.body}) replace_all(*part, name, id);
    const auto space = text.line.find(' ');
    if (space == std::string::npos) return;
    const auto request = request_of(text.line.substr(0, space), text.line.substr(space + 1), std::move(text.body));
    catalog_->undo([&] { use(request); });
  }

  wire::Response handle(const wire::Request& request) const { return server_.handle(request); }
  service::Services& services() { return server_.services(); }

 private:
  static void replace_all(std::string& text, std::string_view name, std::string_view by) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + by.size()))
      text.replace(at, name.size(), by);
  }

  wire::Request request_of(std::string method, std::string target, std::string body) const {
    wire::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.base_url = golden::GoldenServer::base_url;
    for (const auto& [name, value] : login_) request.headers.add(name, value);
    if (!request.body.empty()) request.headers.add("Content-Type", "application/json");
    return request;
  }

  /// An update session that waits for nothing but its completion.
  std::string full_session(std::string spec) {
    auto id = make(sessions, std::move(spec));
    const auto file =
        boost::json::parse(made(sessions + "/" + id + "/file", R"({"name":"disk.iso","source_type":"PUSH","size":5})"));
    QUIRE_CHECK(server_.upload(file.at("upload_endpoint").at("uri").as_string(), "bytes") == "stored");
    return id;
  }

  /// What a POST below `/api` answers.
  std::string made(const std::string& path, std::string body) const {
    auto response = server_.handle(request_of("POST", "/api/" + path, std::move(body)));
    QUIRE_CHECK(response.status < 300);
    return std::move(response.body);
  }
  std::string make(const std::string& path, std::string body) const {
    return std::string(boost::json::parse(made(path, std::move(body))).as_string());
  }

  inline static const std::string sessions = "content/library/item/update-session";

  test_support::UndoingCatalog* catalog_ = nullptr;
  golden::GoldenServer server_{[this](std::unique_ptr<content::Catalog> catalog) {
    auto undoing = std::make_unique<test_support::UndoingCatalog>(std::move(catalog));
    catalog_ = undoing.get();
    return undoing;
  }};
  std::vector<std::pair<std::string, std::string>> login_;
  std::array<std::pair<std::string, std::string>, 8> names_;
};

/// No value may break out of its header line.
inline void check_headers(const wire::Response& response) {
  for (const auto& [name, value] : response.headers.all())
    QUIRE_CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
}

}  // namespace quire::fuzz
