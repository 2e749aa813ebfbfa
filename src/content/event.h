#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/enumeration.h"
#include "base/time.h"
#include "content/ids.h"

namespace quire::content {

// clang-format off
#define QUIRE_EVENT_KINDS(KIND)        \
  KIND(library, created)               \
  KIND(library, updated)               \
  KIND(library, deleted)               \
  KIND(library, published)             \
  KIND(library, unpublished)           \
  KIND(library, usage_added)           \
  KIND(library, usage_removed)         \
  KIND(library, synchronized)          \
  KIND(item, created)                  \
  KIND(item, updated)                  \
  KIND(item, deleted)                  \
  KIND(item, content_changed)          \
  KIND(item, evicted)                  \
  KIND(update_session, created)        \
  KIND(update_session, file_added)     \
  KIND(update_session, file_removed)   \
  KIND(update_session, file_ready)     \
  KIND(update_session, ended)          \
  KIND(download_session, created)      \
  KIND(download_session, ended)        \
  KIND(task, created)                  \
  KIND(task, ended)                    \
  KIND(subscription, created)          \
  KIND(subscription, updated)          \
  KIND(subscription, deleted)          \
  KIND(tag_category, created)          \
  KIND(tag_category, updated)          \
  KIND(tag_category, deleted)          \
  KIND(tag, created)                   \
  KIND(tag, updated)                   \
  KIND(tag, deleted)                   \
  KIND(tag, attached)                  \
  KIND(tag, detached)                  \
  KIND(configuration, updated)         \
  KIND(user, created)                  \
  KIND(user, updated)                  \
  KIND(user, password_set)             \
  KIND(user, deleted)                  \
  KIND(group, created)                 \
  KIND(group, updated)                 \
  KIND(group, deleted)                 \
  KIND(role, created)                  \
  KIND(role, updated)                  \
  KIND(role, deleted)                  \
  KIND(permission, set)                \
  KIND(permission, deleted)            \
  KIND(trusted_certificate, created)   \
  KIND(trusted_certificate, deleted)   \
  KIND(api_token, created)             \
  KIND(api_token, deleted)             \
  KIND(quota, set)                     \
  KIND(quota, deleted)                 \
  KIND(webhook, created)               \
  KIND(webhook, updated)               \
  KIND(webhook, deleted)               \
  KIND(login, created)                 \
  KIND(login, ended)                   \
  KIND(login, refused)                 \
  KIND(call, refused)
// clang-format on

/// Named with a dot: `EventKind::library_created` is `library.created`.
enum class EventKind {
#define QUIRE_EVENT_KIND(subject, change) subject##_##change,
  QUIRE_EVENT_KINDS(QUIRE_EVENT_KIND)
#undef QUIRE_EVENT_KIND
};

/// Something that was changed, told to whoever follows: stored in the transaction that makes the change, so there is
/// one for each change that was committed and none for another. With the attempts that were refused, in a transaction
/// of their own, they are the audit trail. Events go after a while (`--event-retention`).
struct Event {
  /// Given by the catalog, whatever stands here when the event is appended. Ascends in the order of commits, so who has
  /// read up to a number misses none; never used twice; numbers may be left out.
  std::int64_t number = 0;
  EventKind kind = EventKind::library_created;
  base::Time time;             ///< of the change, as the wall clock told it
  std::string actor;           ///< user name, or `system` with the name of its worker
  LibraryId library_id;        ///< that the subject belongs to or is; else empty
  ItemId item_id;              ///< that the subject belongs to or is; else empty
  std::string subject_id;      ///< of what the kind speaks of: library, item, session, task, role, certificate;
                               ///< group or principal; of a refusal, what the caller may not reach; empty for the
                               ///< configuration
  std::string details;         ///< what changed, a JSON object as text; empty when the kind says it all
  std::string operation = {};  ///< these three as in CallOrigin
  std::string address = {};
  std::string operation_id = {};
  std::string api_token = {};  ///< name of the API token that the actor used; empty for a login
  bool operator==(const Event&) const = default;
};

}  // namespace quire::content

template <>
inline constexpr auto quire::base::enumerators<quire::content::EventKind> =
    std::to_array<quire::base::EnumeratorName<quire::content::EventKind>>({
#define QUIRE_EVENT_KIND(subject, change) {quire::content::EventKind::subject##_##change, #subject "." #change},
        QUIRE_EVENT_KINDS(QUIRE_EVENT_KIND)
#undef QUIRE_EVENT_KIND
    });
