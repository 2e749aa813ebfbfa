#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "api/type.h"
#include "base/error.h"
#include "wire/codec/rest_codec.h"

/// How the standard errors look on the wires (content-library-api.md §1.8). Causes never appear here; they go to the
/// log.
namespace quire::wire {

int status_of(base::ErrorKind kind, RestForm form);

/// `com.vmware.vapi.std.errors.not_found`
std::string canonical_error_name(base::ErrorKind kind);

/// `NOT_FOUND`
std::string error_type(base::ErrorKind kind);

/// The error body of a REST form (§1.8.2). A non-empty `challenge` goes along in the current form.
boost::json::object rest_error_body(const base::Error& error, RestForm form, std::string_view challenge = {});

/// `{"ERROR":{"com.vmware.vapi.std.errors.not_found":{…}}}` (wire-protocols.md §2.7)
boost::json::object vapi_error(const base::Error& error);

/// An error that a value tells of, for the functions above.
base::Error error_of(const api::ErrorValue& value);

/// `com.vmware.vapi.std.localizable_message`
const api::Type& localizable_message_type();

}  // namespace quire::wire
