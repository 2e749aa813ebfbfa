#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "api/type.h"
#include "base/result.h"
#include "wire/codec/input_errors.h"
#include "wire/request/request_target.h"

namespace quire::wire {

/// The two REST forms: `/rest` and `/api` (content-library-api.md §1.2, §1.3). Their values differ in maps only: a list
/// of
/// `{"key","value"}` pairs, or an object.
enum class RestForm { legacy, current };

/// Reads `value` into `target`, a fresh value of `type`. Unknown members are ignored; null and a missing member mean
/// unset. InvalidArgument by path: `create_spec.library_item_id is required`. `target` is then partly filled.
base::Result<void> decode_rest(const boost::json::value& value, const api::Type& type, void* target, RestForm form,
                               const InputPath& path);

/// Unset members are left out. All of the value lies in `memory`, which must outlive it.
boost::json::value encode_rest(const api::Type& type, const void* value, RestForm form,
                               boost::json::storage_ptr memory = {});

/// Reads a member named `name` from query parameters (wire-protocols.md §3.2): `name=value`; lists as repeated names or
/// as `name.1=…`; members of structures as `name.member`. Marks every parameter it reads in `used`, which has the size
/// of `query`. InvalidArgument as decode_rest.
base::Result<void> decode_query(const std::vector<QueryParameter>& query, const std::string& name,
                                const api::Type& type, void* target, std::vector<bool>& used);

}  // namespace quire::wire
