#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quire::wire {

inline constexpr std::size_t path_segments_max = 32;
inline constexpr std::size_t query_parameters_max = 256;

struct QueryParameter {
  std::string name;
  std::string value;  ///< empty when there was no `=`
};

/// A request target taken apart. The path is split at `/` before its segments are decoded, so that an encoded slash
/// stays inside its segment (file names). All texts are UTF-8 without U+0000.
struct RequestTarget {
  std::vector<std::string> segments;  ///< `/api/session` is {api, session}; a trailing slash leaves an empty last one
  std::vector<QueryParameter> query;  ///< in order, repeated names kept; `+` stands for a space
};

/// InvalidRequest for a bad percent escape, bytes that are not UTF-8, or more parts than the limits allow.
base::Result<RequestTarget> parse_target(std::string_view target);

/// The part before the query, still encoded.
std::string_view path_of(std::string_view target);

}  // namespace quire::wire
