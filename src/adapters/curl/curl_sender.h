#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/time.h"
#include "content/address_policy.h"
#include "content/message_sender.h"

namespace quire::adapters::curl {

struct SenderOptions {
  content::AddressPolicy policy;
  base::Duration timeout = std::chrono::seconds(10);  ///< of one attempt, name and connection included
  std::string extra_ca_file;                          ///< PEM; roots beside the system's. Empty: none
  std::string user_agent;                             ///< empty: the header is not sent
};

/// The MessageSender on libcurl and OpenSSL. HTTP/1.1, a connection for each message, no redirects, no cookies, no user
/// and password. The answer's body is not read. Address policy and proxies as in make_curl_fetcher(). The process must
/// ignore SIGPIPE.
std::unique_ptr<content::MessageSender> make_curl_sender(SenderOptions options);

}  // namespace quire::adapters::curl
