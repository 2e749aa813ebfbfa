#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "adapters/curl/pinned_hosts.h"
#include "base/result.h"
#include "base/time.h"
#include "content/remote_subscriber.h"

namespace quire::adapters::curl {

/// Another server that may be asked, and what it knows this one by.
struct Peer {
  std::string host;   ///< `HOST[:PORT]`, as NamedHost reads it; without a port 443
  std::string token;  ///< of its API
};

struct RemoteSubscriberOptions {
  std::vector<Peer> peers;
  PinnedHosts pins;
  std::string extra_ca_file;                          ///< PEM; roots beside the system's. Empty: none
  base::Duration timeout = std::chrono::seconds(30);  ///< of one call, which may make the other server ask this one
  std::string user_agent;                             ///< empty: the header is not sent
};

/// The RemoteSubscriber on libcurl and OpenSSL: HTTPS only, a connection for each call, the token as
/// `vmware-api-session-id`. Every address may be reached, because the administrator has named the hosts; proxies as in
/// make_curl_fetcher(). The process must ignore SIGPIPE. InvalidArgument for a peer whose host cannot be read, or whose
/// token is no printable text.
base::Result<std::unique_ptr<content::RemoteSubscriber>> make_curl_remote_subscriber(RemoteSubscriberOptions options);

}  // namespace quire::adapters::curl
