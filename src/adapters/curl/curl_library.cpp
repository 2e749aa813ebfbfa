#include "adapters/curl/curl_library.h"

#include <string_view>

namespace quire::adapters::curl {

void set_up_libcurl() {
  static const bool usable = [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return false;
    const auto* version = curl_version_info(CURLVERSION_NOW);
    return version->ssl_version != nullptr && std::string_view(version->ssl_version).starts_with("OpenSSL/3");
  }();
  QUIRE_CHECK(usable);
}

}  // namespace quire::adapters::curl
