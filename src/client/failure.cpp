#include "client/failure.h"

#include <algorithm>

namespace quire::client {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view usage_id = "quire.client.usage";
constexpr std::string_view network_id = "quire.client.network";
constexpr std::string_view refused_id = "quire.client.content_refused";
constexpr std::string_view interrupted_id = "quire.client.interrupted";

Error with_text(ErrorKind kind, std::string_view id, const std::string& text) {
  return {kind, base::Message{std::string(id), text, {}}};
}

}  // namespace

const std::vector<ExitCodeRow>& exit_codes() {
  static const std::vector<ExitCodeRow> rows = {
      {ExitCode::done, "done, also when everything was there already"},
      {ExitCode::failed, "failed for another reason than those below"},
      {ExitCode::usage, "wrong use of the command line"},
      {ExitCode::not_found, "a library, item, file, session, user, … is not there"},
      {ExitCode::not_allowed, "not signed in, not allowed, or the server's key is not trusted"},
      {ExitCode::conflict, "conflict: held by another, in use, or there already"},
      {ExitCode::network, "the network or the server is gone; the same command goes on where it was"},
      {ExitCode::refused, "the content was refused, or is not what it should be"},
      {ExitCode::interrupted, "interrupted; the same command goes on where it was"},
  };
  return rows;
}

ExitCode exit_code(const Error& error) {
  const auto& id = error.messages().front().id;
  if (id == usage_id) return ExitCode::usage;
  if (id == network_id) return ExitCode::network;
  if (id == refused_id) return ExitCode::refused;
  if (id == interrupted_id) return ExitCode::interrupted;
  switch (error.kind()) {
    case ErrorKind::not_found:
      return ExitCode::not_found;
    case ErrorKind::unauthenticated:
    case ErrorKind::unauthorized:
    case ErrorKind::unverified_peer:
      return ExitCode::not_allowed;
    case ErrorKind::already_exists:
    case ErrorKind::already_in_desired_state:
    case ErrorKind::concurrent_change:
    case ErrorKind::feature_in_use:
    case ErrorKind::not_allowed_in_current_state:
    case ErrorKind::resource_busy:
    case ErrorKind::resource_in_use:
      return ExitCode::conflict;
    case ErrorKind::service_unavailable:
    case ErrorKind::timed_out:
      return ExitCode::network;
    default:
      return ExitCode::failed;
  }
}

Error usage_error(const std::string& text) { return with_text(ErrorKind::invalid_argument, usage_id, text); }
Error not_found(const std::string& text) { return with_text(ErrorKind::not_found, "quire.client.not_found", text); }
Error conflict(const std::string& text) { return with_text(ErrorKind::resource_busy, "quire.client.conflict", text); }
Error not_signed_in(const std::string& text) {
  return with_text(ErrorKind::unauthenticated, "quire.client.not_signed_in", text);
}
Error network_error(const std::string& text) { return with_text(ErrorKind::service_unavailable, network_id, text); }
Error content_refused(const std::string& text) { return with_text(ErrorKind::invalid_argument, refused_id, text); }
Error local_error(const std::string& text) { return with_text(ErrorKind::error, "quire.client.local", text); }
Error interrupted() { return with_text(ErrorKind::canceled, interrupted_id, "interrupted"); }

bool is_network_error(const Error& error) { return exit_code(error) == ExitCode::network; }
bool is_interrupted(const Error& error) { return exit_code(error) == ExitCode::interrupted; }

std::string full_text(const Error& error) {
  std::string text;
  for (const auto& message : error.messages()) {
    if (!text.empty()) text += ' ';
    text += message.default_message;
  }
  if (!error.cause().empty()) text += " (" + error.cause() + ')';
  return text;
}

}  // namespace quire::client
