#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/time.h"

namespace quire::adapters::curl {

/// Once in the process, and only with the OpenSSL that CertificateCheck uses. From any thread, before anything else.
void set_up_libcurl();

/// libcurl takes its options through `...`; this states that setting one cannot fail but by a mistake of ours.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  QUIRE_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

/// The header lines of a request.
class HeaderList {
 public:
  void add(const std::string& line) {
    auto* longer = curl_slist_append(lines_.get(), line.c_str());
    QUIRE_CHECK(longer != nullptr);
    if (lines_ == nullptr) lines_.reset(longer);  // longer lists keep their first node
  }
  /// Nothing may be added after this.
  curl_slist* get() const { return lines_.get(); }

 private:
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> lines_{nullptr, &curl_slist_free_all};
};

/// `proxy` is the one that was decided on, whatever the environment says; empty: none.
inline void set_proxy(CURL* easy, const std::string& proxy) {
  set(easy, CURLOPT_PROXY, proxy.c_str());
  set(easy, CURLOPT_NOPROXY, "");
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

/// For TLS whose certificates a CertificateCheck judges, which `on_context` installs: it looks at the name, where it
/// counts, and a resumed session would show no certificate.
inline void set_checked_tls(CURL* easy, curl_ssl_ctx_callback on_context, void* data) {
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  set(easy, CURLOPT_CAINFO, static_cast<char*>(nullptr));
  set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  set(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  set(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
  set(easy, CURLOPT_SSL_CTX_DATA, data);
}

inline long in_milliseconds(base::Duration duration) {
  return static_cast<long>(std::max<std::int64_t>(1, duration.count()));
}

}  // namespace quire::adapters::curl
