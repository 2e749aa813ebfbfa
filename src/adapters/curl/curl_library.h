#pragma once

#include <curl/curl.h>

#include <algorithm>

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

inline long in_milliseconds(base::Duration duration) {
  return static_cast<long>(std::max<std::int64_t>(1, duration.count()));
}

}  // namespace quire::adapters::curl
