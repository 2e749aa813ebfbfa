#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "adapters/curl/http_url.h"
#include "adapters/curl/kept_links.h"
#include "adapters/s3/signature.h"
#include "base/time.h"

namespace quire::adapters::s3 {

/// One HTTP request as it goes out. What it refers to must outlive the exchange.
struct ServiceRequest {
  std::string method;               ///< GET, PUT or POST
  std::string target;               ///< path and query, encoded
  Fields headers;                   ///< all but Content-Length; `host` among them
  std::span<const std::byte> body;  ///< not of a GET
  std::span<std::byte> content;     ///< where the body of an answer 200 or 206 goes; empty: into `text` as all others
};

struct ServiceAnswer {
  int status = 0;                              ///< 0: no answer came, or none that is whole and as long as it may be
  std::string text;                            ///< the body, unless it went to `content`; 4 MiB at most
  std::size_t content_bytes = 0;               ///< how many went to `content`
  std::optional<std::int64_t> content_length;  ///< as the answer's head says
  std::string content_range;                   ///< of the answer's head; empty: none
  std::string bucket_region;                   ///< `x-amz-bucket-region`; empty: none
  base::Duration retry_after{};                ///< zero: the service does not say
  bool was_closed_meanwhile = false;           ///< no answer on a kept connection; nobody may have read the request
  bool was_sent = false;                       ///< the service may have got the request
  std::string problem;                         ///< exactly without a status: why, as the end of a sentence
  bool is_refusal = false;                     ///< certificate or proxy cannot be used: another try would not help
};

struct ConnectionOptions {
  base::Duration connect_timeout{};  ///< name, TCP and TLS together
  base::Duration stall_timeout{};    ///< without a byte in either direction; of whole seconds
  std::string extra_ca_file;         ///< PEM; roots beside the system's. Empty: none
  std::string user_agent;            ///< empty: the header is not sent
};

/// The connections to one service, on libcurl and OpenSSL. They are kept for a while after an exchange
/// (curl::KeptLinks). HTTP/1.1, no redirects, no `Expect: 100-continue`; proxies as in curl::make_curl_fetcher(), no
/// address policy: whoever set the storage up may reach every address. A request is sent once: libcurl's own second try
/// on a connection that turned out to be dead is an answer that did not come. All threads may call it. The process must
/// ignore SIGPIPE.
class ServiceConnections {
 public:
  ServiceConnections(curl::HttpUrl url, ConnectionOptions options);

  const curl::HttpUrl& url() const { return url_; }
  /// Takes `timeout` at most, the connection included.
  ServiceAnswer exchange(const ServiceRequest& request, base::Duration timeout);

 private:
  const curl::HttpUrl url_;
  const ConnectionOptions options_;
  curl::KeptLinks links_;
};

}  // namespace quire::adapters::s3
