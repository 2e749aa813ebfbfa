#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/enumeration.h"
#include "base/time.h"
#include "content/ids.h"
#include "content/subscription.h"

namespace quire::content {

/// Spelled as on the wire (content-library-api.md §4.2).
QUIRE_ENUM(LibraryType, LOCAL, SUBSCRIBED)
QUIRE_ENUM(LibraryState, ACTIVE, MAINTENANCE)
QUIRE_ENUM(StorageBackingType, DATASTORE, OTHER)

/// Where a library's content lies, as the client named it; `storage` of the library is what it resolved to.
struct StorageBacking {
  StorageBackingType type = StorageBackingType::DATASTORE;
  std::optional<std::string> datastore_id;
  std::optional<std::string> storage_uri;
  bool operator==(const StorageBacking&) const = default;
};

/// Where a library's bytes are being moved (§4.1).
struct Migration {
  StorageBacking backing;
  StorageId storage;
  bool operator==(const Migration&) const = default;
};

/// A named set of items (content-library-api.md §4). Names may repeat.
struct Library {
  LibraryId id;
  std::string name;
  std::string description;
  LibraryType type = LibraryType::LOCAL;
  base::Time creation_time;
  base::Time last_modified_time;  ///< of the library's own properties; items do not move it
  std::int64_t version = 2;       ///< §28.4: starts at 2
  StorageBacking backing;
  StorageId storage;
  bool optimize_remote_publishing = false;
  std::optional<std::string> security_policy_id = {};  ///< security_policy.h
  LibraryState state = LibraryState::ACTIVE;
  bool usage_protects_items = false;        ///< while somebody uses the library, its items cannot be deleted (§20)
  std::optional<Migration> migration = {};  ///< while it has not ended; single blobs lie on either storage

  // Publication of a local library (§23.9). What is not published now keeps its method, password and counter.
  bool published = false;
  AuthenticationMethod publish_authentication = AuthenticationMethod::NONE;
  std::string publish_password_hash = {};  ///< Argon2id in its text form; empty exactly with NONE
  /// The library's change counter as subscribers see it (vcsp.md §3): moves with each change that they can see, while
  /// the library is published, and when it becomes so. CatalogWriter::advance_generation() moves it for items.
  std::int64_t generation = 0;
  bool persist_json = false;  ///< while it is published, its storage has it as files too (library_folders.h)

  std::optional<Subscription> subscription = {};  ///< exactly of a SUBSCRIBED library

  /// Where new bytes go.
  const StorageId& receiving_storage() const { return migration ? migration->storage : storage; }
  bool operator==(const Library&) const = default;
};

/// Something outside uses the library and does not want it deleted (content-library-api.md §20).
struct LibraryUsage {
  UsageId id;
  std::string resource_urn;  ///< `urn:vmomi:vm:vm-12`; once in a library
  base::Time added;
  bool operator==(const LibraryUsage&) const = default;
};

/// Some of all libraries, told by naming these or the others.
struct LibrarySelection {
  bool all_but_named = true;
  std::vector<LibraryId> named;  ///< sorted; they need not exist
  bool is_every() const { return all_but_named && named.empty(); }
  bool contains(const LibraryId& id) const {
    return std::binary_search(named.begin(), named.end(), id) != all_but_named;
  }
};

struct LibraryFilter {
  std::optional<std::string> name;  ///< whole name, without regard to case
  std::optional<LibraryType> type;
  std::optional<StorageBacking> backing = {};  ///< as the library names it
  bool persisted = false;                      ///< only those that are published and have `persist_json`
  const LibrarySelection* among = nullptr;     ///< of these only; must outlive the call
};

}  // namespace quire::content
