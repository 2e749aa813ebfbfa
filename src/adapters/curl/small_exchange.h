#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/curl/certificate_check.h"
#include "adapters/curl/http_url.h"
#include "base/time.h"
#include "content/address_policy.h"

namespace quire::adapters::curl {

/// A request that fits into memory, with its answer.
struct SmallRequest {
  const HttpUrl& url;
  bool is_post = false;  ///< else a GET, without a body
  const std::vector<std::pair<std::string, std::string>>& headers;
  const std::string& body;
  std::size_t answer_bytes_max = 0;  ///< of the answer's body; 0: it is not read, the head decides
};

struct SmallAnswer {
  std::optional<int> status;  ///< unset when no answer came, or none that is whole and short enough
  std::string body;
  std::string problem;  ///< exactly without a status: why; a sentence without secrets of the URL
};

struct SmallExchangeOptions {
  const content::AddressPolicy* policy = nullptr;  ///< nullptr: whoever chose the URL may reach every address
  base::Duration timeout{};                        ///< name and connection included
  const std::string& user_agent;                   ///< empty: the header is not sent
  std::vector<std::string> pins = {};              ///< thumbprints that the host may present
};

/// One exchange on a connection of its own: HTTP/1.1, no redirects, no cookies. Address policy and proxies as in
/// make_curl_fetcher(). One thread; `stop` set from another ends it within about a second. After set_up_libcurl().
SmallAnswer exchange_small(const SmallRequest& request, const SmallExchangeOptions& options,
                           CertificateCheck& certificate_check, const std::atomic<bool>& stop);

}  // namespace quire::adapters::curl
