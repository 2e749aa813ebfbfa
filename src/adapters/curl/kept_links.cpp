#include "adapters/curl/kept_links.h"

#include <poll.h>

#include <algorithm>
#include <iterator>
#include <list>
#include <utility>

#include "base/check.h"

namespace quire::adapters::curl {
namespace {

/// A server has nothing to say to who asks nothing: readable means that it has closed the connection, or that what
/// comes would be taken for the answer to the next request.
bool is_quiet(curl_socket_t socket) {
  pollfd waiting{socket, POLLIN, 0};
  return poll(&waiting, 1, 0) == 0;
}

}  // namespace

Link::Link(LinkPurpose its_purpose, CertificateCheck check)
    : purpose(std::move(its_purpose)),
      certificate_check(std::move(check)),
      multi(curl_multi_init(), &curl_multi_cleanup) {
  QUIRE_CHECK(multi != nullptr);
  QUIRE_CHECK(curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK);
}

std::unique_ptr<Link> KeptLinks::take(const LinkPurpose& purpose) {
  std::list<Idle> closed;  // after the lock is released: closing TLS takes its time
  const std::lock_guard lock(mutex_);
  closed = take_out_old();
  while (true) {
    const auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& one) { return one.link->purpose == purpose; });
    if (found == idle_.rend()) return nullptr;
    auto taken = std::move(*found);
    idle_.erase(std::next(found).base());
    if (is_quiet(taken.link->socket)) return std::move(taken.link);
    closed.push_back(std::move(taken));
  }
}

void KeptLinks::give(std::unique_ptr<Link> link) {
  if (link->socket == CURL_SOCKET_BAD) return;
  std::list<Idle> closed;
  const std::lock_guard lock(mutex_);
  idle_.push_back({std::move(link), std::chrono::steady_clock::now()});
  closed = take_out_old();
}

std::list<KeptLinks::Idle> KeptLinks::take_out_old() {
  const auto now = std::chrono::steady_clock::now();
  std::list<Idle> closed;
  for (auto one = idle_.begin(); one != idle_.end();) {
    const auto next = std::next(one);
    const bool is_old = now - one->since >= limits_.idle_time || now - one->link->made_at >= limits_.life_time;
    if (is_old || idle_.size() > limits_.most) closed.splice(closed.end(), idle_, one);
    one = next;
  }
  return closed;
}

}  // namespace quire::adapters::curl
