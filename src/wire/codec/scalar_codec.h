#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "api/type.h"
#include "base/result.h"
#include "wire/codec/input_errors.h"

/// The values that look alike on all wires (content-library-api.md §1.6): boolean, integer, string, datetime, secret
/// and enumeration.
namespace quire::wire {

bool is_scalar(const api::Type& type);

/// Integers exactly: 5.0 and "5" are refused. Datetimes in any form of RFC 3339. InvalidArgument names `path`.
base::Result<void> decode_scalar(const boost::json::value& value, const api::Type& type, void* target,
                                 const InputPath& path);

/// The same from the text of a path segment or query parameter.
base::Result<void> decode_scalar(std::string_view text, const api::Type& type, void* target, const InputPath& path);

/// Secrets as plain text. The value lies in `memory`.
boost::json::value encode_scalar(const api::Type& type, const void* value, boost::json::storage_ptr memory = {});

}  // namespace quire::wire
