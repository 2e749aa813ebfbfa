#include "service/library/library_migration.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "service/blob/blob_copy.h"
#include "service/library/library_rules.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Result;
using content::Blob;
using content::BlobId;
using content::ItemId;
using content::Library;
using content::LibraryId;
using content::Task;

constexpr std::size_t sessions_per_look = 100;
/// Of one change: what a crash makes a migration copy again.
constexpr std::size_t batch_blobs = 100;
constexpr std::int64_t batch_bytes = 64LL << 20U;

Result<Library> library_of_task(View view, const Task& task) {
  return find_library(view, LibraryId(task.target), content::Privilege::System_Read);
}

struct Move {
  ItemId item;
  Blob blob;
};

/// All that lies elsewhere, as it is at this moment.
Result<std::vector<Move>> look_for_work(TaskRun& run, const Library& library) {
  content::ItemFilter in_library;
  in_library.library_id = library.id;
  QUIRE_ASSIGN_OR_RETURN(const auto items,
                         read(run.context(), run.caller(),
                              [&](View view) -> Result<std::vector<ItemId>> { return view->items(in_library); }));
  std::vector<Move> work;
  for (const auto& item : items) {
    QUIRE_ASSIGN_OR_RETURN(auto blobs, read(run.context(), run.caller(), [&](View view) -> Result<std::vector<Blob>> {
                             return view->blobs_elsewhere(item, library.migration->storage);
                           }));
    for (auto& blob : blobs) work.push_back({item, std::move(blob)});
  }
  return work;
}

/// Some upload or pull may have been told the old storage before the migration began, and has not ended. Sessions that
/// were opened later know the new one.
Result<bool> bytes_come_to_the_old_storage(TaskRun& run, const Library& library) {
  content::UpdateSessionId after;
  for (;;) {
    QUIRE_ASSIGN_OR_RETURN(
        const auto sessions,
        read(run.context(), run.caller(), [&](View view) -> Result<std::vector<content::UpdateSessionId>> {
          return view->active_update_sessions_after(after, sessions_per_look);
        }));
    if (sessions.empty()) return false;
    after = sessions.back();
    for (const auto& id : sessions) {
      QUIRE_ASSIGN_OR_RETURN(
          const bool comes, read(run.context(), run.caller(), [&](View view) -> Result<bool> {
            const auto session = view->find<content::UpdateSession>(id);
            const auto item = session ? view->find<content::Item>(session->item_id) : std::nullopt;
            if (!item || item->library_id != library.id || session->created > *run.task().started) return false;
            for (const auto& file : view->list<content::SessionFile>(id))
              if (file.status != content::TransferStatus::READY && file.status != content::TransferStatus::ERROR)
                return true;
            return false;
          }));
      if (comes) return true;
    }
  }
}

/// Copies on the new storage and the change that names them.
class Batch {
 public:
  Batch(TaskRun& run, const content::Storage& target, std::int64_t left)
      : run_(run), target_(target), done_(run.task().completed), total_(run.task().completed + left) {}
  /// Nothing of the batch stays after an Error.
  Result<void> add(const Move& move) {
    const auto copies = needs_copy(move.blob);
    if (!copies) return abandon(copies.error());
    Entry entry{move, std::nullopt};
    if (*copies) {
      auto copy = copy_of(run_.context(), move.blob, target_,
                          [&](std::int64_t bytes) { return run_.progress(done_ + bytes_ + bytes, total_); });
      if (!copy) {
        if (!is_blob_gone(run_.context(), copy.error(), move.blob)) return abandon(copy.error());
        return {};  // it has moved by another item that has it too, or with its item
      }
      copied_.insert({move.blob.sha256, move.blob.size});
      entry.copy = *std::move(copy);
    }
    bytes_ += move.blob.size;
    entries_.push_back(std::move(entry));
    return entries_.size() < batch_blobs && bytes_ < batch_bytes ? Result<void>() : finish();
  }

  /// The files name what was copied, in one change, and the old bytes go with it unless something else needs them.
  Result<void> finish() {
    if (entries_.empty()) return {};
    const auto changed = run_.change([&](Transaction& t, Task& task) -> Result<void> {
      for (const auto& entry : entries_) repoint(t, entry);
      task.completed = done_ + bytes_;
      task.total = total_;
      return {};
    });
    if (!changed) return abandon(changed.error());
    done_ += bytes_;
    forget();
    return {};
  }

  /// What was copied and has come to no change goes; `error` is why.
  base::Error abandon(const base::Error& error) {
    remove_bytes_after_failure(run_.context(), error, copies());
    forget();
    return error;
  }

 private:
  struct Entry {
    Move move;
    std::optional<ArrivedBlob> copy;
  };

  /// False when the bytes are there, or will be with this batch.
  Result<bool> needs_copy(const Blob& blob) {
    if (copied_.contains({blob.sha256, blob.size})) return false;
    return read(run_.context(), run_.caller(),
                [&](View view) -> Result<bool> { return !view->blob_with(target_.id, blob.sha256, blob.size); });
  }

  void repoint(Transaction& t, const Entry& entry) {
    const auto& [item, blob] = entry.move;
    std::optional<BlobId> there;
    if (entry.copy) {
      there = adopt(t, *entry.copy);
    } else if (const auto same = t->blob_with(target_.id, blob.sha256, blob.size)) {
      there = same->id;
    }
    if (!there) return;  // gone since it was seen; the next look will tell
    if (!t->is_prepared_direct(blob.id)) t->replace_blob(item, blob.id, *there);
    t.release({blob.id, *there});
  }

  std::vector<Blob> copies() const {
    std::vector<Blob> made;
    for (const auto& entry : entries_)
      if (entry.copy) made.push_back(entry.copy->blob);
    return made;
  }
  void forget() {
    entries_.clear();
    copied_.clear();
    bytes_ = 0;
  }

  TaskRun& run_;
  const content::Storage& target_;
  std::int64_t done_;
  const std::int64_t total_;
  std::vector<Entry> entries_;
  std::set<std::pair<std::string, std::int64_t>> copied_;  ///< with this batch: SHA-256 and size
  std::int64_t bytes_ = 0;
};

/// Moves what can be moved. False when something was left to whoever reads it from its place on the storage.
Result<bool> move_all(TaskRun& run, const content::Storage& target, const std::vector<Move>& work) {
  std::int64_t left = 0;
  for (const auto& move : work) left += move.blob.size;
  Batch batch(run, target, left);
  bool all = true;
  for (const auto& move : work) {
    const auto stays = read(run.context(), run.caller(),
                            [&](View view) -> Result<bool> { return view->is_prepared_direct(move.blob.id); });
    if (!stays) return batch.abandon(stays.error());
    all = all && !*stays;
    if (!*stays) QUIRE_RETURN_IF_ERROR(batch.add(move));
  }
  QUIRE_RETURN_IF_ERROR(batch.finish());
  return all;
}

Result<void> finish_migration(Transaction& t, Task& task) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, library_of_task(t, task));
  Library moved = library;
  const auto migration = std::exchange(moved.migration, std::nullopt);
  if (!migration) return base::internal_error("library " + library.id.text() + " is in no migration");
  moved.backing = migration->backing;
  moved.storage = migration->storage;
  ++moved.version;
  moved.last_modified_time = t.wall_time();
  t->update(moved);
  record(t, content::EventKind::library_updated, moved,
         {{"name", moved.name}, {"storage", moved.storage.text()}, {"previous_storage", library.storage.text()}});
  task.total = task.completed;
  end_task(t, task, std::nullopt);
  return {};
}

Result<TaskOutcome> run_migration(TaskRun& run) {
  for (;;) {
    QUIRE_ASSIGN_OR_RETURN(const auto library, read(run.context(), run.caller(),
                                                    [&](View view) { return library_of_task(view, run.task()); }));
    if (!library.migration) return base::internal_error("library " + library.id.text() + " is in no migration");
    QUIRE_ASSIGN_OR_RETURN(const auto* target, run.context().storages.get(library.migration->storage));
    // In this order: what an upload has brought before it was seen to have ended is seen after.
    QUIRE_ASSIGN_OR_RETURN(const bool bytes_come, bytes_come_to_the_old_storage(run, library));
    QUIRE_ASSIGN_OR_RETURN(const auto work, look_for_work(run, library));
    if (work.empty() && !bytes_come) {
      QUIRE_RETURN_IF_ERROR(run.change(finish_migration));
      return TaskOutcome::ended;
    }
    QUIRE_ASSIGN_OR_RETURN(const bool moved_all, move_all(run, *target, work));
    if (!moved_all || work.empty()) return TaskOutcome::waits;
  }
}

/// The library stays where it was; new bytes go there again.
void undo_migration(Transaction& t, const Task& task) {
  auto library = t->find<Library>(LibraryId(task.target));
  if (!library) return;
  library->migration.reset();
  t->update(*library);
}

}  // namespace

TaskKind library_migration_tasks() { return {library_service, "migrate", run_migration, undo_migration}; }

}  // namespace quire::service
