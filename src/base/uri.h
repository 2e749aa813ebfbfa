#pragma once

#include <string>
#include <string_view>

namespace quire::base {

/// `text` as part of a URI path: everything but unreserved characters and slashes percent-encoded (RFC 3986).
std::string percent_encode_path(std::string_view text);

}  // namespace quire::base
