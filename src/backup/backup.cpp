#include "backup/backup.h"

#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>

#include "adapters/files/file_blob_store.h"
#include "adapters/files/file_lock.h"
#include "adapters/sql/sql_catalog.h"
#include "base/digest.h"
#include "doctor/blob_check.h"

namespace quire::backup {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;
using content::Blob;
using content::BlobId;
using content::BlobStore;
using content::CatalogReader;
using content::CatalogWriter;

constexpr std::size_t chunk_bytes = 1U << 20U;
constexpr std::size_t batch_blobs = 500;
constexpr std::size_t batch_sessions = 100;
/// How often a snapshot is taken anew because something it names was deleted before it was copied. Each further one
/// copies only what is new; eight were too few where writers replace items without a pause and processors are busy.
constexpr int snapshots_max = 200;

std::string named(const Blob& blob) { return "blob " + blob.id.text(); }

/// Why bytes were not taken over; nullopt when they were.
enum class Copied { whole, source_missing, source_damaged };

/// From one store to another, compared with size and digest on the way.
Result<Copied> copy_blob(BlobStore& from, BlobStore& to, const Blob& blob) {
  const auto source = from.open(blob.id);
  if (!source) return source.error().kind() == ErrorKind::not_found ? Copied::source_missing : Copied::source_damaged;
  if ((*source)->size() != blob.size) return Copied::source_damaged;
  QUIRE_ASSIGN_OR_RETURN(const auto target, to.create(blob.id, blob.size));
  base::Hasher hasher(base::DigestAlgorithm::SHA256);
  std::vector<std::byte> chunk(chunk_bytes);
  for (std::int64_t offset = 0; offset < blob.size;) {
    const auto got = (*source)->read(offset, chunk);
    if (!got || *got == 0) return Copied::source_damaged;
    const auto bytes = std::span(std::as_const(chunk)).first(*got);
    hasher.update(bytes);
    QUIRE_RETURN_IF_ERROR(target->append(bytes));
    offset += static_cast<std::int64_t>(*got);
  }
  if (hasher.finish().hex != blob.sha256) return Copied::source_damaged;
  QUIRE_RETURN_IF_ERROR(target->commit());
  return Copied::whole;
}

/// Whether the store has all bytes of the blob; `read` compares them all with the digest.
bool has(BlobStore& store, const Blob& blob, bool read) {
  return !(read ? doctor::check_digest(store, blob, [](std::int64_t) { return true; })
                : doctor::check_size(store, blob));
}

/// The blobs of one storage whose bytes do not lie in the catalog itself.
Result<std::vector<Blob>> blobs_of(content::Catalog& catalog, const content::StorageId& storage) {
  std::vector<Blob> all;
  BlobId after;
  for (bool more = true; more;) {
    QUIRE_RETURN_IF_ERROR(catalog.read([&](CatalogReader& reader) -> Result<void> {
      auto batch = reader.blobs_after(storage, after, batch_blobs);
      more = !batch.empty();
      if (more) after = batch.back().id;
      for (auto& blob : batch)
        if (!blob.in_catalog) all.push_back(std::move(blob));
      return {};
    }));
  }
  return all;
}

struct Wanted {
  const content::Storage* storage;
  std::vector<Blob> blobs;
};

Result<std::vector<Wanted>> wanted_blobs(content::Catalog& catalog, const content::Storages& storages) {
  std::vector<Wanted> all;
  for (const auto& storage : storages.all()) {
    QUIRE_ASSIGN_OR_RETURN(auto blobs, blobs_of(catalog, storage.id));
    all.push_back({&storage, std::move(blobs)});
  }
  return all;
}

std::int64_t bytes_of(const std::vector<Wanted>& all) {
  std::int64_t bytes = 0;
  for (const auto& wanted : all)
    for (const auto& blob : wanted.blobs) bytes += blob.size;
  return bytes;
}

/// One backup on its way.
class Backup {
 public:
  Backup(const Original& original, const fs::path& folder, BlobStore& saved, bool verify_all, const Progress& progress)
      : original_(original), folder_(folder), saved_(saved), verify_all_(verify_all), progress_(progress) {}

  Result<Summary> run() {
    const auto snapshot = folder_ / "catalog.sqlite.unfinished";
    for (int taken = 1;; ++taken) {
      QUIRE_RETURN_IF_ERROR(original_.copy_catalog(snapshot));
      QUIRE_ASSIGN_OR_RETURN(const bool complete, save_blobs_of(snapshot));
      if (complete || taken == snapshots_max) break;
    }
    QUIRE_RETURN_IF_ERROR(adapters::sql::copy_sqlite_catalog(snapshot, folder_ / "catalog.sqlite"));
    remove_sqlite(snapshot);
    QUIRE_RETURN_IF_ERROR(remove_old_blobs());
    return std::move(summary_);
  }

 private:
  /// False when something was missing that the snapshot names: it may have been deleted since.
  Result<bool> save_blobs_of(const fs::path& snapshot) {
    QUIRE_ASSIGN_OR_RETURN(const auto catalog, adapters::sql::open_sqlite_catalog(snapshot, {.readers = 1}));
    QUIRE_ASSIGN_OR_RETURN(const auto storages, original_.open_storages(*catalog));
    QUIRE_ASSIGN_OR_RETURN(const auto all, wanted_blobs(*catalog, storages));
    const auto copied_blobs = summary_.copied_blobs;
    const auto copied_bytes = summary_.copied_bytes;
    summary_ = {};
    summary_.copied_blobs = copied_blobs;
    summary_.copied_bytes = copied_bytes;
    summary_.bytes = bytes_of(all);
    named_.clear();
    bool complete = true;
    std::int64_t done = 0;
    for (const auto& [storage, blobs] : all)
      for (const auto& blob : blobs) {
        QUIRE_ASSIGN_OR_RETURN(const bool there, save(*storage, blob));
        complete = complete && there;
        progress_(done += blob.size, summary_.bytes);
      }
    return complete;
  }

  Result<bool> save(const content::Storage& storage, const Blob& blob) {
    ++summary_.blobs;
    named_.insert(blob.id);
    const bool verified_before = !verified_.insert(blob.id).second;
    if (has(saved_, blob, verify_all_ && !verified_before)) return true;
    QUIRE_RETURN_IF_ERROR(saved_.remove(blob.id));
    QUIRE_ASSIGN_OR_RETURN(const auto copied, copy_blob(*storage.blobs, saved_, blob));
    if (copied == Copied::whole) {
      ++summary_.copied_blobs;
      summary_.copied_bytes += blob.size;
      return true;
    }
    const bool missing = copied == Copied::source_missing;
    summary_.losses.push_back({named(blob) + " on storage " + storage.name,
                               missing ? "Its bytes are not there." : "Its bytes are not those that arrived."});
    return !missing;
  }

  Result<void> remove_old_blobs() {
    std::vector<BlobId> old;
    QUIRE_RETURN_IF_ERROR(saved_.list([&](const BlobId& id) {
      if (!named_.contains(id)) old.push_back(id);
    }));
    for (const auto& id : old) QUIRE_RETURN_IF_ERROR(saved_.remove(id));
    summary_.removed_blobs = static_cast<std::int64_t>(old.size());
    return {};
  }

  static void remove_sqlite(const fs::path& file) {
    std::error_code ignored;
    for (const auto* suffix : {"", "-wal", "-shm"}) fs::remove(file.string() + suffix, ignored);
  }

  const Original& original_;
  const fs::path& folder_;
  BlobStore& saved_;
  const bool verify_all_;
  const Progress& progress_;
  Summary summary_;
  std::unordered_set<BlobId> named_;
  std::unordered_set<BlobId> verified_;
};

/// Bytes that had arrived of uploads are no part of a backup: their files begin anew.
Result<void> forget_unfinished_uploads(content::Catalog& catalog) {
  content::UpdateSessionId after;
  for (bool more = true; more;) {
    QUIRE_RETURN_IF_ERROR(catalog.write([&](CatalogWriter& writer) -> Result<void> {
      const auto sessions = writer.active_update_sessions_after(after, batch_sessions);
      more = !sessions.empty();
      if (more) after = sessions.back();
      for (const auto& session : sessions)
        for (auto& file : writer.list<content::SessionFile>(session)) {
          if (!file.unfinished) continue;
          file.unfinished.reset();
          file.status = content::TransferStatus::WAITING_FOR_TRANSFER;
          file.bytes_transferred = 0;
          writer.put(session, file);
        }
      return {};
    }));
  }
  return {};
}

}  // namespace

Result<Summary> make_backup(const Original& original, const fs::path& folder, bool verify_all,
                            const Progress& progress) {
  QUIRE_ASSIGN_OR_RETURN(const auto saved,
                         adapters::files::open_file_blob_store(folder, {.storage_name = "the backup"}));
  QUIRE_ASSIGN_OR_RETURN([[maybe_unused]] const auto lock, adapters::files::lock_data_folder(folder));
  // What an earlier backup that was broken off had begun.
  QUIRE_RETURN_IF_ERROR(saved->remove_unfinished([](const BlobId&) { return false; }));
  return Backup(original, folder, *saved, verify_all, progress).run();
}

Result<Summary> restore_blobs(const fs::path& folder, content::Catalog& catalog, const content::Storages& storages,
                              const Progress& progress) {
  QUIRE_ASSIGN_OR_RETURN(const auto saved,
                         adapters::files::open_file_blob_store(folder, {.storage_name = "the backup"}));
  QUIRE_ASSIGN_OR_RETURN(const auto all, wanted_blobs(catalog, storages));
  Summary summary;
  summary.bytes = bytes_of(all);
  std::int64_t done = 0;
  for (const auto& [storage, blobs] : all)
    for (const auto& blob : blobs) {
      ++summary.blobs;
      QUIRE_ASSIGN_OR_RETURN(const auto copied, copy_blob(*saved, *storage->blobs, blob));
      if (copied == Copied::whole) {
        ++summary.copied_blobs;
        summary.copied_bytes += blob.size;
      } else {
        summary.losses.push_back({named(blob), copied == Copied::source_missing
                                                   ? "Its bytes are not in the backup."
                                                   : "Its bytes in the backup are not those that arrived."});
      }
      progress(done += blob.size, summary.bytes);
    }
  QUIRE_RETURN_IF_ERROR(forget_unfinished_uploads(catalog));
  return summary;
}

Result<void> raise_published_counters(content::Catalog& catalog) {
  constexpr std::int64_t library_step = 1'000'000;
  constexpr std::int64_t item_step = 1'000;
  return catalog.write([&](content::CatalogWriter& writer) -> Result<void> {
    for (const auto& id : writer.libraries({})) {
      auto library = writer.find<content::Library>(id);
      if (!library || library->generation == 0) continue;
      library->generation += library_step;
      writer.update(*library);
      content::ItemFilter in_library;
      in_library.library_id = id;
      for (const auto& item_id : writer.items(in_library)) {
        auto item = writer.find<content::Item>(item_id);
        if (!item) continue;
        item->metadata_version += item_step;
        writer.update(*item);
      }
    }
    return {};
  });
}

}  // namespace quire::backup
