#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "adapters/curl/certificate_check.h"
#include "base/time.h"
#include "content/fetcher.h"

namespace quire::adapters::curl {

/// What a connection is made and judged for. It serves nothing else.
struct LinkPurpose {
  std::string origin;  ///< scheme, host and port
  std::string proxy;   ///< empty: none
  content::FetchTrust trust;
  bool operator==(const LinkPurpose&) const = default;
};

/// At most one connection, and what its TLS refers to as long as it stands. Used by one thread at a time.
struct Link {
  using SteadyTime = std::chrono::steady_clock::time_point;
  using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;

  Link(LinkPurpose its_purpose, CertificateCheck check);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const LinkPurpose purpose;
  const SteadyTime made_at = std::chrono::steady_clock::now();
  CertificateCheck certificate_check;
  bool closing_announced = false;          ///< by the other end's TLS
  curl_socket_t socket = CURL_SOCKET_BAD;  ///< of the connection that libcurl has left open; owned by `multi`
  Multi multi;                             ///< goes first: it closes the connection
};

/// Connections that no fetch uses at the moment. All threads may call it. What is too old is closed when a link is next
/// taken or given; nothing watches the time in between.
class KeptLinks {
 public:
  struct Limits {
    std::size_t most = 32;                                ///< of all purposes together
    base::Duration idle_time = std::chrono::seconds(60);  ///< since it was given
    base::Duration life_time = std::chrono::minutes(10);  ///< since it was made, as names and roots may change
  };

  KeptLinks() = default;
  explicit KeptLinks(const Limits& limits) : limits_(limits) {}

  /// The link of this purpose that was given last, or nullptr when there is none whose connection still seems to stand.
  std::unique_ptr<Link> take(const LinkPurpose& purpose);
  /// Keeps a link, or closes it when it has no open connection. The one that waits longest makes room.
  void give(std::unique_ptr<Link> link);

 private:
  struct Idle {
    std::unique_ptr<Link> link;
    Link::SteadyTime since;
  };

  std::list<Idle> take_out_old();

  const Limits limits_;
  std::mutex mutex_;
  std::list<Idle> idle_;  ///< the oldest first
};

}  // namespace quire::adapters::curl
