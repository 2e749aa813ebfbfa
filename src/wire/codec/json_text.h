#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace quire::wire {

inline constexpr std::size_t rest_depth_max = 32;
/// JSON-RPC wraps every structure in two objects and every optional in one.
inline constexpr std::size_t json_rpc_depth_max = 64;

/// Reads one JSON document (RFC 8259) and nothing after it. InvalidRequest, with the reason and the byte where it was
/// noticed, for anything else, for text that is not UTF-8, for a member that stands twice in one object
/// (content-library-api.md §28.4) and for arrays and objects nested deeper than `depth_max`.
base::Result<boost::json::value> parse_json(std::string_view text, std::size_t depth_max);

}  // namespace quire::wire
