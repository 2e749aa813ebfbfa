#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "adapters/curl/pinned_hosts.h"
#include "base/time.h"
#include "content/address_policy.h"
#include "content/fetcher.h"

namespace quire::adapters::curl {

struct Options {
  content::AddressPolicy policy;
  base::Duration stall_timeout = std::chrono::seconds(60);    ///< longest wait for the next byte
  base::Duration connect_timeout = std::chrono::seconds(15);  ///< name, TCP and TLS together
  PinnedHosts pins;                                           ///< used where a request names no certificate
  std::string extra_ca_file;                                  ///< PEM; roots beside the system's. Empty: none
  std::string user_agent;                                     ///< empty: the header is not sent
};

/// The Fetcher on libcurl and OpenSSL (content-library-api.md §23.7, §28.3). HTTP/1.1 only. Nothing is logged.
///
/// A connection over which an answer came to its end is kept for a while (KeptLinks), and serves later fetches from the
/// same scheme, host and port, by the same proxy and with the same trust. Its address and certificate were judged when
/// it was made. When the other end has closed it meanwhile, the fetch makes a new one. Nothing else is kept: for each
/// new connection names are resolved and roots read anew.
///
/// What the port leaves open:
/// - `status` is set when the answer itself says no, or all went well. So `broken` with a status means that this answer
///   cannot be used to go on (416, a 206 of another part or version, a head that is garbled): ask again from 0.
///   `broken` without one is a transfer that ended early: go on from where it did.
/// - An offset without a strong validator is asked for from 0.
/// - Only a transfer without any length can end early unnoticed, when a plain http connection is closed.
/// - Content-Encoding is not undone: what is stored is what was sent.
/// - After a redirect to another scheme, host or port the request's credentials are dropped for the rest of the fetch;
///   credentials inside a Location are never used.
/// - Query strings are not shown in reasons, they often are credentials.
/// - `presented` is filled by probe() whenever a certificate was seen, by fetch() when it was not trusted.
/// - `body` is filled by fetch() with what came of it within two seconds, also when it is cut off then.
///
/// Address policy: asked about the very address that a socket is then connected to, so a name that changes its address
/// gains nothing. A host with allowed and refused addresses is reached by the allowed ones.
///
/// Proxies: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` of the environment as curl reads them, http and
/// socks ones. The proxy's own address is the administrator's choice and not judged. The proxy resolves the target's
/// name itself, so here the policy is a best effort: the name is resolved once before, and refused when any of its
/// addresses is; a name that does not resolve here is left to the proxy and its rules. The stop flag is
/// not looked at during that look-up.
///
/// The process must ignore SIGPIPE.
std::unique_ptr<content::Fetcher> make_curl_fetcher(Options options);

}  // namespace quire::adapters::curl
