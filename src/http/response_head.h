#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "wire/request/message.h"

namespace quire::http {

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
std::string http_date(base::Time time);

/// The head of an answer, empty line included. Adds Date, Server, Connection and, unless the status forbids it,
/// Content-Length. A 204 loses its Content-Type. Line ends inside of values become blanks.
std::string response_head(int status, const wire::Headers& headers, std::uint64_t content_length, bool keep_alive,
                          base::Time now);
/// The same for a body that ends with the connection (RFC 9112 §6.3).
std::string endless_response_head(int status, const wire::Headers& headers, base::Time now);

}  // namespace quire::http
