#include "doctor/examination.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/digest.h"
#include "content/blob_name.h"
#include "doctor/blob_check.h"

namespace quire::doctor {
namespace {

using base::Result;
using content::Blob;
using content::BlobId;
using content::CatalogReader;
using content::CatalogWriter;
using content::Storage;

constexpr std::size_t findings_of_kind_max = 1000;
constexpr std::size_t batch_blobs = 500;
constexpr std::size_t batch_sessions = 100;

/// What the catalog says about one storage.
struct Expected {
  std::vector<Blob> blobs;                ///< whose bytes should lie there
  std::unordered_set<BlobId> unfinished;  ///< what uploads can go on with
};

struct DamageText {
  std::string_view kind;
  std::string_view problem;
};
DamageText text_of(BlobDamage damage) {
  switch (damage) {
    case BlobDamage::MISSING:
      return {"blob_missing", "Its bytes are not on the storage."};
    case BlobDamage::UNREADABLE:
      return {"blob_unreadable", "Its bytes cannot be read."};
    case BlobDamage::CUT:
      return {"blob_cut", "Fewer bytes are on the storage than the catalog says."};
    case BlobDamage::LONGER:
      return {"blob_longer", "More bytes are on the storage than the catalog says."};
    case BlobDamage::CHANGED:
      return {"blob_changed", "Its bytes are not those that arrived: their SHA-256 is another."};
  }
  return {};
}

class Examiner {
 public:
  Examiner(content::Catalog& catalog, const content::Storages& storages, const Examination& examination)
      : catalog_(catalog), storages_(storages), examination_(examination) {}

  Result<Diagnosis> run() {
    QUIRE_RETURN_IF_ERROR(look_at_catalog());
    note(look_at_libraries(), "the libraries");
    note(learn_names(), "the items");
    note(look_at_small_blobs(), "the small files");
    std::vector<std::pair<const Storage*, Expected>> all;
    for (const auto& storage : storages_.all()) {
      QUIRE_ASSIGN_OR_RETURN(auto expected, expected_on(storage));
      for (const auto& blob : expected.blobs) diagnosis_.bytes += blob.size;
      all.emplace_back(&storage, std::move(expected));
    }
    for (const auto& [storage, expected] : all) QUIRE_RETURN_IF_ERROR(look_at_storage(*storage, expected));
    return std::move(diagnosis_);
  }

 private:
  /// What the catalog says in contradiction to itself; ended first, because what it names no more is extra on a
  /// storage.
  Result<void> look_at_catalog() {
    QUIRE_ASSIGN_OR_RETURN(const auto found,
                           catalog_.read([](CatalogReader& reader) -> Result<std::vector<content::Contradiction>> {
                             return reader.contradictions(findings_of_kind_max);
                           }));
    bool repaired = false;
    const bool any = std::any_of(found.begin(), found.end(), [](const auto& one) { return one.repairable; });
    if (examination_.repair && any) {
      QUIRE_RETURN_IF_ERROR(catalog_.write([](CatalogWriter& writer) -> Result<void> {
        writer.repair_contradictions();
        return {};
      }));
      repaired = true;
    }
    for (const auto& one : found)
      add({one.kind, one.object, one.problem, one.remedy, one.repairable, repaired && one.repairable});
    return {};
  }

  Result<void> look_at_libraries() {
    return catalog_.read([&](CatalogReader& reader) -> Result<void> {
      for (const auto& id : reader.libraries({})) {
        const auto library = reader.find<content::Library>(id);
        if (library && storages_.find(library->storage) == nullptr)
          add({"storage_unknown", "library " + id.text() + " (" + library->name + ")",
               "It lies on the storage " + library->storage.text() + ", which is not configured.",
               "Give the storage's name and folder again (setting storage)."});
      }
      return {};
    });
  }

  /// Which files of items have a blob: people know those.
  Result<void> learn_names() {
    return catalog_.read([&](CatalogReader& reader) -> Result<void> {
      for (const auto& id : reader.items({})) {
        const auto item = reader.find<content::Item>(id);
        if (!item || item->content.empty()) continue;
        for (const auto& file : reader.list<content::ContentFile>(item->content))
          names_[file.blob].push_back(file.name + " of item " + id.text() + " (" + item->name + ")");
      }
      return {};
    });
  }

  Result<void> look_at_small_blobs() {
    for (const auto& storage : storages_.all()) {
      QUIRE_RETURN_IF_ERROR(each_batch(storage, [&](CatalogReader& reader, const Blob& blob) {
        if (!blob.in_catalog) return;
        ++diagnosis_.blobs;
        const auto bytes = reader.blob_bytes(blob.id);
        if (!bytes) return;  // a contradiction, told there
        if (static_cast<std::int64_t>(bytes->size()) != blob.size ||
            base::digest_of(base::DigestAlgorithm::SHA256, *bytes).hex != blob.sha256)
          add({"small_blob_changed", name_of(blob.id), "Its bytes in the catalog are not those that arrived.",
               remedy_for_bytes(blob.id)});
      }));
    }
    return {};
  }

  template <class Visit>
  Result<void> each_batch(const Storage& storage, Visit visit) {
    BlobId after;
    for (bool more = true; more;) {
      QUIRE_RETURN_IF_ERROR(catalog_.read([&](CatalogReader& reader) -> Result<void> {
        const auto batch = reader.blobs_after(storage.id, after, batch_blobs);
        more = !batch.empty();
        if (more) after = batch.back().id;
        for (const auto& blob : batch) visit(reader, blob);
        return {};
      }));
    }
    return {};
  }

  Result<Expected> expected_on(const Storage& storage) {
    Expected expected;
    QUIRE_RETURN_IF_ERROR(each_batch(storage, [&](CatalogReader&, const Blob& blob) {
      if (!blob.in_catalog) expected.blobs.push_back(blob);
    }));
    content::UpdateSessionId after;
    for (bool more = true; more;) {
      QUIRE_RETURN_IF_ERROR(catalog_.read([&](CatalogReader& reader) -> Result<void> {
        const auto sessions = reader.active_update_sessions_after(after, batch_sessions);
        more = !sessions.empty();
        if (more) after = sessions.back();
        for (const auto& session : sessions)
          for (const auto& file : reader.list<content::SessionFile>(session))
            if (file.unfinished && file.unfinished->storage == storage.id) {
              expected.unfinished.insert(file.unfinished->blob);
              uploads_[file.unfinished->blob] = "file " + file.name + " of update session " + session.text();
            }
        return {};
      }));
    }
    return expected;
  }

  Result<void> look_at_storage(const Storage& storage, const Expected& expected) {
    for (const auto& blob : expected.blobs) {
      ++diagnosis_.blobs;
      if (!content::is_blob_name(blob.id.text())) {
        add({"blob_name", name_of(blob.id), "No blob has such an identifier.", remedy_for_bytes(blob.id)});
        continue;
      }
      const auto damage =
          examination_.digests ? check_digest(*storage.blobs, blob, count_) : check_size(*storage.blobs, blob);
      if (!damage) continue;
      const auto text = text_of(*damage);
      add({std::string(text.kind), name_of(blob.id) + " on storage " + storage.name, std::string(text.problem),
           remedy_for_bytes(blob.id)});
    }
    QUIRE_RETURN_IF_ERROR(look_for_extra_blobs(storage, expected));
    return look_at_unfinished(storage, expected);
  }

  Result<void> look_for_extra_blobs(const Storage& storage, const Expected& expected) {
    std::unordered_set<BlobId> known;
    for (const auto& blob : expected.blobs) known.insert(blob.id);
    std::vector<BlobId> extra;
    QUIRE_RETURN_IF_ERROR(storage.blobs->list([&](const BlobId& id) {
      if (!known.contains(id) && !expected.unfinished.contains(id)) extra.push_back(id);
    }));
    for (const auto& id : extra) {
      if (examination_.repair) QUIRE_RETURN_IF_ERROR(storage.blobs->remove(id));
      add({"blob_extra", "blob " + id.text() + " on storage " + storage.name, "The catalog does not know it.",
           "The next start of the server removes it, or quire doctor --repair. If the catalog is older than the "
           "storage, "
           "restore a newer one first.",
           true, examination_.repair});
    }
    return {};
  }

  Result<void> look_at_unfinished(const Storage& storage, const Expected& expected) {
    std::vector<BlobId> extra;
    std::unordered_set<BlobId> found;
    QUIRE_RETURN_IF_ERROR(storage.blobs->remove_unfinished([&](const BlobId& id) {
      found.insert(id);
      const bool wanted = expected.unfinished.contains(id);
      if (!wanted) extra.push_back(id);
      return wanted || !examination_.repair;
    }));
    for (const auto& id : extra)
      add({"upload_left_over", "blob " + id.text() + " on storage " + storage.name,
           "It is what an upload left that nobody can go on with.",
           "The next start of the server removes it, or quire doctor --repair.", true, examination_.repair});
    for (const auto& id : expected.unfinished)
      if (!found.contains(id) && !storage.blobs->open(id))
        add({"upload_missing", uploads_[id] + " on storage " + storage.name, "What had arrived of it is not there.",
             "Cancel the session and push the file in another one."});
    return {};
  }

  std::string name_of(const BlobId& id) const {
    const auto found = names_.find(id);
    if (found == names_.end()) return "blob " + id.text();
    const auto& files = found->second;
    auto name = "file " + files.front();
    if (files.size() > 1) name += " and " + std::to_string(files.size() - 1) + " more of the same bytes";
    return name;
  }

  std::string remedy_for_bytes(const BlobId& id) const {
    return names_.contains(id)
               ? "Push the file again (quire push), or restore its bytes from a backup (quire restore): blob " +
                     id.text() + "."
               : "Cancel the update session that has it, if any; no item is concerned.";
  }

  /// A row that cannot be read is a finding as well, and no reason to stop looking.
  void note(const Result<void>& looked, const std::string& at) {
    if (!looked)
      add({"row_unreadable", at, "A row of the catalog cannot be read: " + looked.error().cause() + ".",
           "Restore the catalog from a backup (quire restore)."});
  }

  void add(Finding finding) { diagnosis_.findings.push_back(std::move(finding)); }

  content::Catalog& catalog_;
  const content::Storages& storages_;
  const Examination& examination_;
  Diagnosis diagnosis_;
  std::int64_t read_ = 0;
  ReadProgress count_ = [this](std::int64_t bytes) {
    read_ += bytes;
    examination_.progress(read_, diagnosis_.bytes);
    return true;
  };
  std::unordered_map<BlobId, std::vector<std::string>> names_;
  std::unordered_map<BlobId, std::string> uploads_;
};

}  // namespace

Result<Diagnosis> examine(content::Catalog& catalog, const content::Storages& storages,
                          const Examination& examination) {
  return Examiner(catalog, storages, examination).run();
}

}  // namespace quire::doctor
