#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace quire::base {

/// The standard errors of the API (content-library-api.md §1.8.1), plus the two transport facts that only the HTTP
/// layer tells apart. How each looks on a wire stands in one table per wire.
enum class ErrorKind {
  already_exists,
  already_in_desired_state,
  canceled,
  concurrent_change,
  error,
  feature_in_use,
  internal_server_error,
  invalid_argument,
  invalid_element_configuration,
  invalid_element_type,
  invalid_request,
  not_allowed_in_current_state,
  not_found,
  operation_not_found,
  resource_busy,
  resource_in_use,
  resource_inaccessible,
  service_unavailable,
  timed_out,
  unable_to_allocate_resource,
  unauthenticated,
  unauthorized,
  unexpected_input,
  unsupported,
  unverified_peer,
};

inline constexpr std::size_t error_kind_count = static_cast<std::size_t>(ErrorKind::unverified_peer) + 1;

/// Every kind, in the order above; for tables and tests that visit all of them.
const std::vector<ErrorKind>& all_error_kinds();

/// `not_found`, as in `com.vmware.vapi.std.errors.not_found`.
std::string_view name_of(ErrorKind kind);

/// The argument of a message, by name; the wires show it in `params` (§1.8.2).
struct MessageParam {
  std::string name;
  std::variant<std::string, std::int64_t, Time> value;
  bool operator==(const MessageParam&) const = default;
};

/// A text for people in the shape of `com.vmware.vapi.std.localizable_message`.
struct Message {
  std::string id;               ///< key of the text, `quire.…` or one seen on real servers (§1.8.3)
  std::string default_message;  ///< English, arguments filled in; holds no '%' (Ansible formats it again)
  std::vector<MessageParam> params;
  bool operator==(const Message&) const = default;

  /// The positional arguments: the values of `params` as text, in order.
  std::vector<std::string> args() const;
};

/// Fills `{name}` in `text` with the params' values. Every placeholder must have a param; extra params are allowed.
Message make_message(std::string id, std::string_view text, std::vector<MessageParam> params = {});

/// Why an operation did not happen. `messages` go to the client, outermost first; `cause` goes to the log only and may
/// name paths and library errors.
///
/// A class with constructors and no aggregate: g++ 12 miscompiles aggregate temporaries in coroutines.
class Error {
 public:
  Error(ErrorKind kind, Message message, std::string cause = {})
      : kind_(kind), messages_{std::move(message)}, cause_(std::move(cause)) {}
  Error(ErrorKind kind, std::string id, std::string_view text, std::vector<MessageParam> params = {})
      : Error(kind, make_message(std::move(id), text, std::move(params))) {}

  ErrorKind kind() const { return kind_; }
  const std::vector<Message>& messages() const { return messages_; }
  const std::string& cause() const { return cause_; }
  /// The outermost message's text.
  const std::string& text() const { return messages_.front().default_message; }

  /// The same error with a further message below, the reason of the ones before.
  Error because(Message reason) const;
  Error with_cause(std::string cause) const;

 private:
  ErrorKind kind_;
  std::vector<Message> messages_;
  std::string cause_;
};

/// A failure that nobody asked for: library errors, broken files. The client learns only that it happened.
Error internal_error(std::string cause);

}  // namespace quire::base
