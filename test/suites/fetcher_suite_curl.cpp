#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "adapters/curl/curl_fetcher.h"
#include "suites/fetcher_suite.h"
#include "support/scripted_http_server.h"

namespace quire::test_suites {
namespace {

using test_support::ScriptedHttpServer;

/// A decent web server: strong validators, ranges, HEAD.
class WebPlace final : public FetcherPlace {
 public:
  WebPlace()
      : server_([this](const ScriptedHttpServer::Request& request, ScriptedHttpServer::Connection& connection) {
          answer(request, connection);
        }) {
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
    adapters::curl::Options options;
    const std::vector<std::string> loopback = {"127.0.0.0/8"};
    options.policy = *content::AddressPolicy::make(loopback, {});
    fetcher_ = adapters::curl::make_curl_fetcher(std::move(options));
  }

  content::Fetcher& fetcher() override { return *fetcher_; }
  content::SourceUrl put(const std::string& name, const std::string& bytes) override {
    const std::lock_guard lock(mutex_);
    files_["/" + name] = {bytes, "\"" + std::to_string(++versions_) + "\""};
    return server_.url("/" + name);
  }
  content::SourceUrl missing() override { return server_.url("/nothing"); }
  std::optional<content::SourceUrl> forbidden() override { return server_.url("/forbidden"); }
  content::SourceUrl unusable() override { return "https:///nowhere"; }
  bool probes() const override { return true; }

 private:
  struct File {
    std::string bytes;
    std::string etag;
  };

  void answer(const ScriptedHttpServer::Request& request, ScriptedHttpServer::Connection& connection) {
    const auto file = find(request.target);
    if (!file) {
      const std::string status = request.target == "/forbidden" ? "403 Forbidden" : "404 Not Found";
      connection.send("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const auto range = request.header("Range");
    std::size_t offset = 0;
    if (range && request.header("If-Range") == file->etag) offset = std::stoul(range->substr(6));
    const auto& bytes = file->bytes;
    std::string head = offset == 0
                           ? "HTTP/1.1 200 OK\r\n"
                           : "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(offset) + "-" +
                                 std::to_string(bytes.size() - 1) + "/" + std::to_string(bytes.size()) + "\r\n";
    head += "ETag: " + file->etag + "\r\nContent-Length: " + std::to_string(bytes.size() - offset) + "\r\n\r\n";
    connection.send(request.method == "HEAD" ? head : head + bytes.substr(offset));
  }
  std::optional<File> find(const std::string& target) {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(target);
    return found == files_.end() ? std::nullopt : std::optional(found->second);
  }

  std::mutex mutex_;
  std::map<std::string, File> files_;
  int versions_ = 0;
  ScriptedHttpServer server_;  // answers from what stands above
  std::unique_ptr<content::Fetcher> fetcher_;
};

INSTANTIATE_TEST_SUITE_P(Curl, FetcherSuite,
                         testing::Values(FetcherAdapter{"Http", [] { return std::make_unique<WebPlace>(); }}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace quire::test_suites
