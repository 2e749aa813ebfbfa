#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "client/key_check.h"

using CURL = void;

namespace quire::client {

/// What all connections of a command share. Any thread.
struct Transport {
  KeyCheck keys;
  const std::atomic<bool>* stop = nullptr;  ///< set by a signal; every exchange ends soon after
  base::Duration connect_timeout = std::chrono::seconds(15);
  base::Duration stall_timeout = std::chrono::seconds(30);  ///< without a byte while bytes are due
  base::Duration answer_timeout =
      std::chrono::minutes(10);  ///< from the last byte of a request to the first of its answer

  std::atomic<std::int64_t> round_trip_us = -1;  ///< of the last connection that was made; -1: none was yet

  bool stopped() const { return stop != nullptr && stop->load(); }
};

/// The first part of an answer; names of fields in lower case.
struct HttpHead {
  int status = 0;
  std::map<std::string, std::string, std::less<>> fields;

  std::optional<std::string> find(std::string_view name) const;
  bool is_success() const { return status >= 200 && status < 300; }
};

struct HttpResponse : HttpHead {
  std::string body;  ///< empty when a sink has taken it
};

/// Where the bytes of a request come from.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// How many bytes it gave, 0 at the end. Called by the exchange's thread.
  virtual base::Result<std::size_t> read(std::span<char> into) = 0;
  /// From the first byte again, for a kept connection that turned out to be closed. False: it cannot.
  virtual bool rewind() { return false; }
};

/// Takes the bytes of a successful answer as they come; an Error ends the exchange and comes back from it.
using BodySink = std::function<base::Result<void>(const HttpHead& head, std::span<const char> bytes)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;                    ///< sent when there is no source and it is not empty
  BodySource* source = nullptr;        ///< a body that streams
  std::optional<std::int64_t> length;  ///< of the source, if it is known; else it goes in chunks
  BodySink sink;                       ///< of a successful answer; else it is collected
  std::string user;                    ///< with `password`, Basic credentials
  std::string password;
  std::optional<base::Duration> quiet_for;      ///< an answer that may pause so long; default is the stall time-out
  std::optional<base::Duration> answer_within;  ///< in the place of the answer time-out
  std::optional<base::Duration> whole_within;
};

/// One connection after another to servers, kept open between requests. One thread.
class HttpClient {
 public:
  explicit HttpClient(Transport& transport);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends a request and reads its answer, whatever its status. Errors: network_error() when the connection cannot be
  /// made, breaks or stalls; unverified_peer when the server's key is not trusted; interrupted(); those of source and
  /// sink. Redirects are not followed.
  base::Result<HttpResponse> send(const HttpRequest& request);

 private:
  struct Exchange;
  KeyCheck::Place* place_of(const std::string& url);

  Transport& transport_;
  CURL* const easy_;
  std::map<std::string, std::unique_ptr<KeyCheck::Place>> places_;  ///< TLS contexts of kept connections point to them
};

/// The text of `url` up to its path: two with the same one are on the same server.
std::string origin_of(std::string_view url);

}  // namespace quire::client
