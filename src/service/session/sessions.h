#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "service/transaction/context.h"

namespace quire::service {

/// What clients do in the same way with both kinds of sessions, content::UpdateSession and content::DownloadSession
/// (content-library-api.md §14, §16, §28.1). All threads may call it. Who may use one: its creator and administrators
/// of the library;
/// for others the session does not exist (NotFound). NotAllowedInCurrentState unless it is ACTIVE.
template <class Session>
class Sessions {
 public:
  using Id = decltype(Session::id);

  /// InvalidArgument for a progress outside 0–100; a smaller one than before leaves it.
  base::Result<void> keep_alive(const content::Caller& caller, const Id& id,
                                const std::optional<std::int64_t>& progress);
  base::Result<void> cancel(const content::Caller& caller, const Id& id);
  /// InvalidArgument for a message that is too long or not UTF-8.
  base::Result<void> fail(const content::Caller& caller, const Id& id,
                          const std::optional<std::string>& client_error_message);

 protected:
  explicit Sessions(Context& context) : context_(context) {}

  Context& context_;
};

}  // namespace quire::service
