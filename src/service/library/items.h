#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/session/session_access.h"
#include "service/transaction/context.h"

namespace quire::service {

/// Members of item_model that create, copy and update read; unset = default or unchanged.
struct ItemSpec {
  std::optional<std::string> library_id;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> type;
  std::optional<std::string> version;
  std::optional<std::string> source_id;
};

/// A file of an item where it lies (content-library-api.md §13).
struct StoredFile {
  content::ContentFile file;
  content::StorageBacking backing;
  std::string uri;
};

/// An item with who changes it, for lists that people look at.
struct ItemSummary {
  content::Item item;
  std::optional<content::UpdateSession> held_by;  ///< its ACTIVE update session; `created` as the wall clock tells it
};

/// Library items and their committed files (content-library-api.md §11–§13). All threads may call it. Each call needs
/// its privilege (§1.9): what the caller may not read is NotFound and in no list, what may not be done is Unauthorized.
class Items {
 public:
  explicit Items(Context& context) : context_(context) {}

  /// NotFound: no such library; InvalidArgument; InvalidElementType: subscribed library; AlreadyExists: name taken.
  base::Result<content::ItemId> create(const content::Caller& caller, const ItemSpec& spec,
                                       const std::optional<std::string>& client_token);
  /// A new item with the source's content as it is now. The bytes are shared within a storage and copied to another
  /// one: few (Settings::copy_in_call_bytes_max) before the call returns, more by a task, until whose end the item is
  /// empty. As create, and NotFound for the source; NotAllowedInCurrentState when that itself is still being copied.
  base::Result<content::ItemId> copy(const content::Caller& caller, const content::ItemId& source,
                                     const ItemSpec& destination, const std::optional<std::string>& client_token);
  base::Result<std::vector<content::ItemId>> list(const content::Caller& caller,
                                                  const content::LibraryId& library);  ///< NotFound
  /// The same, with what they are: all in one transaction. NotFound.
  base::Result<std::vector<ItemSummary>> summaries(const content::Caller& caller, const content::LibraryId& library);
  base::Result<std::vector<content::ItemId>> find(const content::Caller& caller, const content::ItemFilter& filter);
  base::Result<content::Item> get(const content::Caller& caller, const content::ItemId& id);  ///< NotFound
  /// NotFound; InvalidArgument, also for a `version` that is not current; AlreadyExists.
  base::Result<void> update(const content::Caller& caller, const content::ItemId& id, const ItemSpec& spec);
  /// Sessions on it end and go with it (§28.1). NotFound.
  base::Result<void> remove(const content::Caller& caller, const content::ItemId& id);

  /// Those of an item that is not cached have no blob and size 0. NotFound.
  base::Result<std::vector<content::ContentFile>> files(const content::Caller& caller, const content::ItemId& id);
  base::Result<content::ContentFile> file(const content::Caller& caller, const content::ItemId& id,
                                          const std::string& name);
  base::Result<std::vector<StoredFile>> stored_files(const content::Caller& caller, const content::ItemId& id);
  base::Result<StoredFile> stored_file(const content::Caller& caller, const content::ItemId& id,
                                       const std::string& name);

  /// The item's history, oldest change first (§19). NotFound.
  base::Result<std::vector<content::Change>> changes(const content::Caller& caller, const content::ItemId& id);
  /// The change that made the content version. NotFound: no such item, or no change of that version.
  base::Result<content::Change> change(const content::Caller& caller, const content::ItemId& id,
                                       const std::string& version);

 private:
  Context& context_;
};

/// Removes the item, its sessions and its content.
void remove_item_with_sessions(Transaction& t, const content::Item& item);

}  // namespace quire::service
