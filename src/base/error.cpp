#include "base/error.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace quire::base {
namespace {

struct KindName {
  ErrorKind kind;
  std::string_view name;
};

constexpr std::array kind_names = {
    KindName{ErrorKind::already_exists, "already_exists"},
    KindName{ErrorKind::already_in_desired_state, "already_in_desired_state"},
    KindName{ErrorKind::canceled, "canceled"},
    KindName{ErrorKind::concurrent_change, "concurrent_change"},
    KindName{ErrorKind::error, "error"},
    KindName{ErrorKind::feature_in_use, "feature_in_use"},
    KindName{ErrorKind::internal_server_error, "internal_server_error"},
    KindName{ErrorKind::invalid_argument, "invalid_argument"},
    KindName{ErrorKind::invalid_element_configuration, "invalid_element_configuration"},
    KindName{ErrorKind::invalid_element_type, "invalid_element_type"},
    KindName{ErrorKind::invalid_request, "invalid_request"},
    KindName{ErrorKind::not_allowed_in_current_state, "not_allowed_in_current_state"},
    KindName{ErrorKind::not_found, "not_found"},
    KindName{ErrorKind::operation_not_found, "operation_not_found"},
    KindName{ErrorKind::resource_busy, "resource_busy"},
    KindName{ErrorKind::resource_in_use, "resource_in_use"},
    KindName{ErrorKind::resource_inaccessible, "resource_inaccessible"},
    KindName{ErrorKind::service_unavailable, "service_unavailable"},
    KindName{ErrorKind::timed_out, "timed_out"},
    KindName{ErrorKind::unable_to_allocate_resource, "unable_to_allocate_resource"},
    KindName{ErrorKind::unauthenticated, "unauthenticated"},
    KindName{ErrorKind::unauthorized, "unauthorized"},
    KindName{ErrorKind::unexpected_input, "unexpected_input"},
    KindName{ErrorKind::unsupported, "unsupported"},
    KindName{ErrorKind::unverified_peer, "unverified_peer"},
};

std::string text_of(const MessageParam& param) {
  if (const auto* number = std::get_if<std::int64_t>(&param.value)) return std::to_string(*number);
  if (const auto* time = std::get_if<Time>(&param.value)) return to_text(*time);
  return std::get<std::string>(param.value);
}

/// Ansible evaluates `default_message % args`; a percent sign in a user's file name must not break that (§1.8.2).
void append_without_percent(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '%')
      out += "\xEF\xBC\x85";  // U+FF05 FULLWIDTH PERCENT SIGN
    else
      out += c;
  }
}

}  // namespace

const std::vector<ErrorKind>& all_error_kinds() {
  static const std::vector<ErrorKind> kinds = [] {
    std::vector<ErrorKind> all;
    for (const auto& row : kind_names) all.push_back(row.kind);
    return all;
  }();
  return kinds;
}

std::string_view name_of(ErrorKind kind) {
  const auto* found =
      std::find_if(kind_names.begin(), kind_names.end(), [&](const auto& row) { return row.kind == kind; });
  QUIRE_CHECK(found != kind_names.end());
  return found->name;
}

std::vector<std::string> Message::args() const {
  std::vector<std::string> texts;
  texts.reserve(params.size());
  for (const auto& param : params) texts.push_back(text_of(param));
  return texts;
}

Message make_message(std::string id, std::string_view text, std::vector<MessageParam> params) {
  Message message;
  message.id = std::move(id);
  message.params = std::move(params);
  while (!text.empty()) {
    const auto open = text.find('{');
    append_without_percent(message.default_message, text.substr(0, open));
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    QUIRE_CHECK(close != std::string_view::npos);
    const auto name = text.substr(open + 1, close - open - 1);
    const auto param =
        std::find_if(message.params.begin(), message.params.end(), [&](const auto& p) { return p.name == name; });
    QUIRE_CHECK(param != message.params.end());
    append_without_percent(message.default_message, text_of(*param));
    text.remove_prefix(close + 1);
  }
  return message;
}

Error Error::because(Message reason) const {
  Error copy = *this;
  copy.messages_.push_back(std::move(reason));
  return copy;
}

Error Error::with_cause(std::string cause) const {
  Error copy = *this;
  copy.cause_ = std::move(cause);
  return copy;
}

Error internal_error(std::string cause) {
  return Error(ErrorKind::internal_server_error,
               make_message("quire.internal_error",
                            "The server could not do this because of a fault of its own. Its log says more."),
               std::move(cause));
}

}  // namespace quire::base
