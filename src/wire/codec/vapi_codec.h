#pragma once

#include <boost/json/value.hpp>

#include "api/type.h"
#include "base/result.h"
#include "wire/codec/input_errors.h"

/// The vAPI data model of JSON-RPC (wire-protocols.md §2.5): STRUCTURE, OPTIONAL, SECRET and maps as lists of
/// map-entry.
namespace quire::wire {

/// Reads `value` into `target`, a fresh value of `type`. Lenient (§2.6): missing optionals, optionals without their
/// wrapper, mandatory values with one, other structure names, unknown fields, secrets as plain text. InvalidArgument by
/// path.
base::Result<void> decode_vapi(const boost::json::value& value, const api::Type& type, void* target,
                               const InputPath& path);

/// Strict: every field of every structure is there, every optional wrapped.
boost::json::value encode_vapi(const api::Type& type, const void* value);

/// `{"STRUCTURE":{"<name>":{…}}}`: the fields, or nullptr when `value` is not of that shape. Any name will do.
const boost::json::object* structure_fields(const boost::json::value& value);

}  // namespace quire::wire
