#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/operation.h"
#include "base/result.h"
#include "wire/codec/rest_codec.h"
#include "wire/request/message.h"
#include "wire/request/request_target.h"

/// What requests and answers of the two REST forms have in common.
namespace quire::wire {

/// The answer to a failed request, under the error's own status or under `status`. With a `challenge`, Unauthenticated
/// carries it (content-library-api.md §1.7).
Response rest_failure(RestForm form, const base::Error& error, std::string_view challenge = {});
Response rest_failure(RestForm form, int status, const base::Error& error);

/// The value of the query parameter `name` that says which action of a path is meant (`~action` in /rest, `action` in
/// /api), as the operations write it; nullopt when there is none.
std::optional<std::string> action_of(const RequestTarget& target, std::string_view name);

/// 405; `allowed` is the value of Allow.
Response method_not_allowed(RestForm form, std::string_view method, std::string allowed);

/// The answer to an operation that succeeded (§1.2, §1.3); `output` is nullptr for void.
Response rest_success(RestForm form, const api::Operation& operation, const void* output);

/// A request's body.
struct RestBody {
  std::optional<boost::json::value> object;  ///< unset when the body is empty, blank or null
  std::optional<Response> refusal;           ///< the answer, when it is not JSON (415, 400) or no object (400)
};
RestBody read_body(RestForm form, const Request& request);

/// Reads one member of the operation's input from the body's member of that name. Without a body, `optional_body`
/// leaves it as it is. InvalidArgument when it is missing or wrong.
base::Result<void> decode_body_member(RestForm form, const api::Operation& operation, const RestBody& body,
                                      const api::Field& field, void* input);

}  // namespace quire::wire
