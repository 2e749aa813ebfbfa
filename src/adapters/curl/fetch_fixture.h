#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/curl/curl_fetcher.h"
#include "support/scripted_http_server.h"

namespace quire::adapters::curl {

using content::FetchFailure;
using content::FetchOutcome;
using test_support::ScriptedHttpServer;
using Connection = ScriptedHttpServer::Connection;
using Request = ScriptedHttpServer::Request;

/// Keeps what it is given.
class CollectingSink final : public content::FetchSink {
 public:
  base::Result<void> begin(const content::FetchResponse& response) override {
    EXPECT_TRUE(taken.empty());
    begun.push_back(response);
    if (refuses_begin) return base::Error(base::ErrorKind::error, "quire.test", "no room");
    return {};
  }
  base::Result<void> bytes(std::span<const std::byte> bytes) override {
    EXPECT_EQ(begun.size(), 1U);
    taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (on_bytes) on_bytes();
    if (taken.size() > limit) return base::Error(base::ErrorKind::error, "quire.test", "no more");
    return {};
  }

  std::vector<content::FetchResponse> begun;
  std::string taken;
  bool refuses_begin = false;
  std::size_t limit = 1UL << 30;
  std::function<void()> on_bytes;
};

/// Fetches from servers on 127.0.0.1, with short time-outs and no proxy in the environment.
class FetchTest : public ::testing::Test {
 protected:
  FetchTest() {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
                             "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"})
      unsetenv(name);
    const std::vector<std::string> loopback = {"127.0.0.0/8", "::1"};
    options_.policy = *content::AddressPolicy::make(loopback, {});
    options_.user_agent = "quire-test";
  }

  FetchOutcome fetch(const content::FetchRequest& request) {
    return make_curl_fetcher(options_)->fetch(request, sink_, stop_);
  }
  FetchOutcome fetch(const std::string& url) {
    content::FetchRequest request;
    request.url = url;
    return fetch(request);
  }
  FetchOutcome probe(const std::string& url) {
    content::FetchRequest request;
    request.url = url;
    return make_curl_fetcher(options_)->probe(request);
  }

  Options options_;
  CollectingSink sink_;
  std::atomic<bool> stop_{false};
};

/// A script that sends the same to everyone.
inline ScriptedHttpServer::Script always(std::string answer) {
  return [answer = std::move(answer)](const Request&, Connection& connection) { connection.send(answer); };
}

/// A whole answer with `body`; `lines` are further header lines, each with its end.
inline std::string ok(const std::string& body, const std::string& lines = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + lines + "\r\n" + body;
}

inline std::string redirect_to(const std::string& location, const std::string& status = "302 Found") {
  return "HTTP/1.1 " + status + "\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace quire::adapters::curl
