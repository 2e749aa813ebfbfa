#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "wire/message.h"

namespace quire::http {

/// The head of a request (RFC 9112), with what its fields say about framing and the connection.
struct RequestHead {
  std::string method;
  std::string target;  ///< origin form, as sent; an absolute form has lost scheme and authority
  wire::Headers headers;
  std::string host;  ///< only characters of a host and port; empty when there was none
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

/// Reads a whole head, empty line included. Strict where leniency lets two readers see different requests: line ends
/// are CRLF, no folded fields, no space before a colon, one framing only.
std::variant<RequestHead, Refusal> parse_request_head(std::string_view head, std::size_t target_bytes_max);

/// True for text that may stand in the authority of a URL: name or address, with or without a port.
bool is_host(std::string_view text);

/// All of `text` as a decimal number; nullopt for anything else, a sign or an overflow.
std::optional<std::uint64_t> decimal(std::string_view text);

/// `text` without blanks and tabs at its ends.
std::string_view trimmed(std::string_view text);

}  // namespace quire::http
