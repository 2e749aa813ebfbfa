#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/enumeration.h"
#include "base/error.h"
#include "base/time.h"
#include "content/ids.h"

namespace quire::content {

/// Spelled as on the wire (content-library-api.md §16).
QUIRE_ENUM(DownloadSessionState, ACTIVE, CANCELED, ERROR)

/// How a file was prepared to be read; spelled as on the wire (§17).
QUIRE_ENUM(DownloadAccess, HTTPS, DIRECT)

/// The creator of the sessions by which the server keeps replaced content of published items for those who still read
/// it (decision 20).
inline constexpr std::string_view publication_user = "system:publication";

/// A lease on an item's content as it was when the session was created (content-library-api.md §16, §28.1).
struct DownloadSession {
  DownloadSessionId id;
  ItemId item_id;
  std::int64_t item_content_version = 1;
  ContentId content;  ///< pinned while the session exists and is ACTIVE; empty for an item without content
  std::string creator;
  LoginId login;
  TransferToken token;  ///< the secret of its download endpoints
  DownloadSessionState state = DownloadSessionState::ACTIVE;
  std::optional<base::Message> error_message;
  std::int64_t client_progress = 0;
  /// The item's content was not here at its creation: it has been asked for, and `content` is set when it comes.
  bool awaits_content = false;
  base::Time created;
  base::Time expires_at;
  bool operator==(const DownloadSession&) const = default;
};

/// A file that a download session has prepared.
struct PreparedFile {
  std::string name;
  DownloadAccess access = DownloadAccess::HTTPS;
  bool operator==(const PreparedFile&) const = default;
};

}  // namespace quire::content
