#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/hex.h"
#include "wire/request/message.h"

namespace quire::http {

/// The head of a request (RFC 9112), with what its fields say about framing and the connection.
struct RequestHead {
  std::string method;
  std::string target;  ///< origin form, as sent, or `*`; an absolute form has lost scheme and authority
  wire::Headers headers;
  std::string host;  ///< of an absolute form, else of the Host field; is_host() unless empty, as an empty field says
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;  ///< what the client wants
  bool expects_continue = false;
};

/// Why the HTTP layer does not take a request: an answer of `status` (content-library-api.md §28.4).
class Refusal {
 public:
  Refusal(int status, base::Message message) : status_(status), message_(std::move(message)) {}
  int status() const { return status_; }
  const base::Message& message() const { return message_; }

 private:
  int status_;
  base::Message message_;
};

/// Position just behind the empty line that ends the head, looking from `searched` on; nullopt while it has not come.
std::optional<std::size_t> end_of_head(std::string_view input, std::size_t searched);

/// A line ends without CR, looking from `searched` on: the head will never end in order.
bool has_bare_line_feed(std::string_view input, std::size_t searched);

/// Reads a whole head, empty line included. Strict where RFC 9110 and 9112 let a server choose and leniency lets two
/// readers see different requests: line ends are CRLF, no folded fields, no space before a colon, one framing only
/// (docs/http-refusals.md).
std::variant<RequestHead, Refusal> parse_request_head(std::string_view head, std::size_t target_bytes_max);

/// True for a name or address, an IPv6 one in brackets, with or without a port; so it may stand in a URL. Names are of
/// unreserved characters (RFC 3986 §2.3) only.
bool is_host(std::string_view text);

/// A character of a token (RFC 9110 §5.6.2), as of field names, and of a field value (§5.5).
bool is_token_char(char c);
bool is_value_char(char c);

/// All of `text` as a decimal number; nullopt for anything else, a sign or an overflow.
std::optional<std::uint64_t> decimal(std::string_view text);

/// `text` without blanks and tabs at its ends.
std::string_view trimmed(std::string_view text);

/// Calls `visit` with each member of a comma-separated list (RFC 9110 §5.6.1), in lower case; empty ones are none.
template <class Visit>
void each_member(std::string_view list, Visit visit) {
  while (true) {
    const auto comma = list.find(',');
    const auto member = trimmed(list.substr(0, comma));
    if (!member.empty()) visit(base::to_lower(member));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace quire::http
