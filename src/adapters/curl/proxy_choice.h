#pragma once

#include <functional>
#include <optional>
#include <string>

#include "adapters/curl/http_url.h"

namespace quire::adapters::curl {

/// The value of an environment variable, nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

/// The proxy that the environment names for `url`, by curl's rules: `http_proxy` (lower case only), `https_proxy`,
/// `all_proxy`, and not for hosts of `no_proxy` (names with all below them, addresses, networks, `*`).
/// Decided here and not by libcurl, because the address policy must know whether a proxy stands in between.
std::optional<std::string> proxy_for(const HttpUrl& url, const Environment& environment);

}  // namespace quire::adapters::curl
