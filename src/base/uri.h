#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quire::base {

/// `text` as part of a URI path: everything but unreserved characters and slashes percent-encoded (RFC 3986).
std::string percent_encode_path(std::string_view text);

/// The other way round; nullopt when an escape is broken. `+` stays what it is.
std::optional<std::string> percent_decode(std::string_view text);

/// What stands before the colon, in lower case; empty when there is none.
std::string uri_scheme(std::string_view uri);

/// What `reference` means where `base`, an absolute URI, was read (RFC 3986 5.2, strict): dot segments removed, the
/// base's query and fragment gone. Nothing is encoded or decoded; credentials of the base stay with its authority.
std::string resolve_reference(std::string_view base, std::string_view reference);

/// The href of a descriptor (DSP0243 7.1) as a relative reference: what no URI may hold is percent-encoded once, a `%`
/// that begins no escape too; escapes and slashes stay, and so does a query when a file name stands before it
/// (file_name.h). A `#` names no part of a file and is encoded. With a colon in its first segment it gets a leading
/// `./` (RFC 3986 4.2). Of an href that passes check_file_name it leads nowhere but beside its base and below.
std::string relative_reference(std::string_view href);

}  // namespace quire::base
