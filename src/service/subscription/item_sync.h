#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "service/subscription/item_fetch.h"
#include "service/subscription/source_item_rules.h"
#include "service/subscription/sync_slots.h"
#include "service/task/task_runner.h"

namespace quire::service {

/// The library that is synchronized, read again only when some library has changed: thousands of items ask for it. All
/// threads may call it.
class SyncedLibrary {
 public:
  SyncedLibrary(content::LibraryId id, content::SourceUrl url) : id_(std::move(id)), url_(std::move(url)) {}
  /// As find_synced_library().
  base::Result<content::Library> find(Context& context, const content::Caller& caller);

 private:
  const content::LibraryId id_;
  const content::SourceUrl url_;
  std::mutex mutex_;
  std::optional<std::uint64_t> version_;  ///< Catalog::libraries_version() that known_ is from
  content::Library known_;
};

/// What the threads of one synchronization share.
struct SyncWork {
  const TaskRun& run;
  SourceLibrary& source;
  content::LibraryId library;
  content::SourceUrl url;  ///< of the subscription that it began with
  SyncFlow& flow;
  SyncSlots& slots;
  std::size_t items_max;  ///< that are fetched at a time
  SyncedLibrary& synced;

  Context& context() const { return run.context(); }
};

struct NextContent;

/// What an item is to become, with its bytes on the storage; those that came for it are named by no row yet, so it goes
/// to make_item() and, unless that succeeded, to discard().
struct PreparedItem {
  SourceDocument document;
  std::shared_ptr<const NextContent> content;
};

/// Brings the content that `wanted` tells of, from the publisher or from where the same bytes are already. A document
/// that has become old meanwhile is read once more. nullopt when the item is as it should be. Waits for its turn to
/// fetch. Outside of transactions; any thread, but not two for one item.
///
/// Errors: of the item, which is as it was: ResourceInaccessible, UnableToAllocateResource, InvalidArgument; Canceled
/// when the task or the subscription is over; those of the catalog.
base::Result<std::optional<PreparedItem>> prepare_item(const SyncWork& work, const SourceDocument& wanted);

/// Makes the item of what was prepared; until the change is committed it is as it was. Errors as prepare_item();
/// AlreadyExists for its name.
base::Result<void> make_item(const SyncWork& work, Transaction& t, const PreparedItem& prepared);

/// make_item() failed because bytes that were here have gone meanwhile: preparing the item once more brings them.
bool have_bytes_gone(const base::Error& error);

/// Removes the bytes that came, after no change was made, or one that ended by `error`.
void discard(const SyncWork& work, const PreparedItem& prepared, const base::Error& error);

}  // namespace quire::service
