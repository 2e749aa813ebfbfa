#include "http/transfer_target.h"

#include "base/uri.h"

namespace quire::http {

std::optional<TransferTarget> transfer_target(std::string_view target) {
  constexpr std::string_view prefix = "/cls/data/";
  if (!target.starts_with(prefix)) return std::nullopt;
  target.remove_prefix(prefix.size());
  target = target.substr(0, target.find('?'));
  const auto slash = target.find('/');
  const auto token = target.substr(0, slash);
  const auto name = slash == std::string_view::npos ? std::string_view() : target.substr(slash + 1);
  TransferTarget parts;
  parts.token = content::TransferToken(std::string(token));
  parts.name = base::percent_decode(name).value_or(std::string(name));
  return parts;
}

int transfer_status(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::invalid_argument:
    case base::ErrorKind::invalid_request:
    case base::ErrorKind::not_allowed_in_current_state:
      return 400;
    case base::ErrorKind::unauthenticated:
      return 401;
    case base::ErrorKind::unauthorized:
      return 403;
    case base::ErrorKind::not_found:
      return 404;
    case base::ErrorKind::concurrent_change:
      return 409;
    case base::ErrorKind::unable_to_allocate_resource:
      return 507;
    case base::ErrorKind::resource_busy:
    case base::ErrorKind::service_unavailable:
      return 503;
    default:
      return 500;
  }
}

}  // namespace quire::http
