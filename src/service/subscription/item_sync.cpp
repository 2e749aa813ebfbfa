#include "service/subscription/item_sync.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/hex.h"
#include "base/utf8.h"
#include "content/update_session_rules.h"
#include "service/library/item_content.h"
#include "service/session/session_access.h"
#include "service/subscription/synced_items.h"
#include "service/transaction/find.h"
#include "service/trust/trusted_certificates.h"
#include "service/update_session/package_intake.h"

namespace quire::service {

/// A file of the content to be.
struct NextFile {
  vcsp::File wanted;
  content::PackageFile kind = content::PackageFile::other;
  std::optional<content::ContentFile> ready;  ///< its bytes are on the storage
  bool is_unchanged = false;                  ///< and have been the item's
  std::optional<ArrivedBlob> arrived;         ///< else they have come for it, and no row names them yet
  std::vector<base::Checksum> digests;
  std::vector<std::byte> metadata;  ///< bytes of a descriptor, manifest or certificate, until they have been read
  content::PackageFacts facts;      ///< of what is ready too, where it is unchanged
};

struct NextContent {
  const content::Storage* storage = nullptr;
  bool is_there = false;    ///< the item has this content
  bool is_applied = false;  ///< and is all else that the document says
  std::vector<NextFile> files;
};

namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::ContentFile;
using content::Library;
using content::PackageFile;

/// From this size on a file that has come is held by the task, so that it is not fetched again after a restart.
constexpr std::int64_t held_bytes_min = 16LL << 20U;

bool is_metadata(PackageFile kind) {
  return kind == PackageFile::descriptor || kind == PackageFile::manifest || kind == PackageFile::certificate;
}

const vcsp::File* file_named(const vcsp::Item& item, const std::string& name) {
  const auto found = std::ranges::find(item.files, name, &vcsp::File::name);
  return found == item.files.end() ? nullptr : &*found;
}

ContentFile new_file(const std::string& name, const content::Blob& blob) {
  return {name, SyncedContent::new_copy, blob.id, blob.size,
          base::Checksum{base::DigestAlgorithm::SHA256, blob.sha256}};
}

/// A blob of the bytes whose digest the publisher tells, where the library or its synchronization has brought it here:
/// to know the digest of what others have does not give anybody their bytes.
std::optional<content::Blob> known_blob(const SyncWork& work, View view, const content::Storage& storage,
                                        const vcsp::File& file) {
  auto blob = view->blob_with(storage.id, base::to_lower(*file.sha256), file.size);
  if (blob && (view->library_has_blob(work.library, blob->id) ||
               view->find<content::TaskBlob>({work.run.id(), blob->id.text()})))
    return blob;
  return std::nullopt;
}

/// What is here already of the content that `wanted` tells of.
Result<NextContent> plan_content(const SyncWork& work, View view, const Library& library, const vcsp::Item& wanted) {
  NextContent next;
  QUIRE_ASSIGN_OR_RETURN(next.storage, work.context().storages.get(library.receiving_storage()));
  const auto item = find_by_source(view, work.library, wanted.id);
  const auto source = item ? view->find<content::SourceItem>(item->id) : std::nullopt;
  std::optional<vcsp::Item> before;
  if (source && !source->content_document.empty()) {
    QUIRE_ASSIGN_OR_RETURN(before, read_stored(source->content_document));
    next.is_there = are_same_files(*before, wanted);
    next.is_applied = source->content_document == document_of(wanted).text;
  }
  const auto item_type = vcsp::item_type_of(wanted.type);
  const auto stored = item ? files_of(view, *item) : std::vector<ContentFile>();
  bool metadata_is_new = false;
  for (const auto& file : wanted.files) {
    NextFile one;
    one.wanted = file;
    one.kind = content::package_file(item_type, file.name);
    const auto* known = before ? file_named(*before, file.name) : nullptr;
    const auto had = std::ranges::find(stored, file.name, &ContentFile::name);
    if (known != nullptr && had != stored.end() && is_same_file(*known, file)) {
      one.ready = *had;
      one.is_unchanged = true;
      if (had->facts) one.facts = *had->facts;
    } else if (is_metadata(one.kind)) {
      metadata_is_new = true;
    } else if (file.sha256) {
      if (const auto blob = known_blob(work, view, *next.storage, file)) one.ready = new_file(file.name, *blob);
    }
    next.files.push_back(std::move(one));
  }
  // A signature is judged with the manifest that it is of, so these come together.
  if (metadata_is_new)
    for (auto& one : next.files)
      if (is_metadata(one.kind)) one.ready.reset();
  return next;
}

/// The digests by which a manifest that has come tells of the other files.
std::vector<base::DigestAlgorithm> algorithms_of(const std::vector<NextFile>& files) {
  std::set<base::DigestAlgorithm> algorithms;
  for (const auto& file : files)
    if (const auto* manifest = std::get_if<content::ManifestFacts>(&file.facts))
      for (const auto& entry : manifest->entries) algorithms.insert(entry.checksum.algorithm);
  return {algorithms.begin(), algorithms.end()};
}

/// Named by the task, and by nothing else yet.
Result<void> hold(const SyncWork& work, NextFile& file) {
  auto& context = work.context();
  content::BlobId id;
  auto held = work.run.change_besides([&](Transaction& t) -> Result<void> {
    id = adopt(t, *file.arrived);
    if (!t->find<content::TaskBlob>({work.run.id(), id.text()})) t->insert(work.run.id(), content::TaskBlob{id});
    return {};
  });
  if (!held) {
    remove_bytes_after_failure(context, held.error(), {file.arrived->blob});
    file.arrived.reset();
    return held;
  }
  const auto& blob = file.arrived->blob;
  file.ready = new_file(file.wanted.name, blob);
  file.ready->blob = id;
  file.arrived.reset();
  return {};
}

Result<void> fetch_one(const SyncWork& work, const vcsp::Item& item, const content::Storage& storage,
                       std::vector<base::DigestAlgorithm> algorithms, NextFile& file) {
  auto& context = work.context();
  const bool keep_bytes = is_metadata(file.kind) && file.wanted.size <= context.limits.metadata_file_bytes_max;
  if (keep_bytes) algorithms.assign(base::all_digest_algorithms.begin(), base::all_digest_algorithms.end());
  QUIRE_ASSIGN_OR_RETURN(
      auto arrived,
      fetch_file(context, work.source, {item, file.wanted, storage, std::move(algorithms), keep_bytes}, work.flow));
  file.arrived = std::move(arrived.blob);
  file.digests = std::move(arrived.digests);
  file.metadata = std::move(arrived.bytes);
  if (file.wanted.size >= held_bytes_min) return hold(work, file);
  return {};
}

/// What the metadata files say, once all of them are here.
void take_facts(std::vector<NextFile>& files) {
  const NextFile* manifest = nullptr;
  for (auto& file : files) {
    if (file.metadata.empty()) continue;
    if (file.kind == PackageFile::descriptor) file.facts = descriptor_facts(file.metadata);
    if (file.kind == PackageFile::manifest) {
      file.facts = manifest_facts(file.metadata);
      manifest = &file;
    }
  }
  if (manifest == nullptr) return;
  for (auto& file : files)
    if (file.kind == PackageFile::certificate && !file.metadata.empty())
      file.facts = signature_facts(file.metadata, manifest->wanted.name, manifest->metadata);
}

/// Many prepared items may wait to be made.
void forget_metadata(std::vector<NextFile>& files) {
  for (auto& file : files) file.metadata = {};
}

Result<void> fetch_missing(const SyncWork& work, const vcsp::Item& item, NextContent& next) {
  const auto slot = work.slots.begin_fetching(work.items_max, work.flow.stop);
  if (!slot) return synchronization_stopped();
  for (auto& file : next.files)
    if (!file.ready && is_metadata(file.kind)) QUIRE_RETURN_IF_ERROR(fetch_one(work, item, *next.storage, {}, file));
  take_facts(next.files);
  forget_metadata(next.files);
  const auto algorithms = algorithms_of(next.files);
  for (auto& file : next.files)
    if (!file.ready && !file.arrived) QUIRE_RETURN_IF_ERROR(fetch_one(work, item, *next.storage, algorithms, file));
  return {};
}

/// A file as the rules of packages look at one.
content::SessionFile as_entry(const NextFile& file) {
  if (file.ready && file.digests.empty()) return unchanged_entry(*file.ready);
  content::SessionFile entry;
  entry.name = file.wanted.name;
  entry.source_type = content::SourceType::PULL;
  entry.size = file.wanted.size;
  entry.digests = file.digests;
  entry.facts = file.facts;
  return entry;
}

/// Who vouches for the package. A publisher may have what could not be imported here; only bytes that are not those
/// which the manifest names are no copy of anything.
Result<content::CertificateVerification> judge_arrived(View view, base::Time now, const vcsp::Item& item,
                                                       const std::vector<NextFile>& files) {
  std::vector<content::SessionFile> entries;
  for (const auto& file : files) entries.push_back(as_entry(file));
  judge_signatures(view, now, entries);
  const auto verdict = content::judge_package(vcsp::item_type_of(item.type), entries);
  for (const auto& problem : verdict.invalid)
    if (problem.message.id == content::manifest_mismatch_id)
      return Error(ErrorKind::resource_inaccessible, problem.message);
  auto verification = content::verification_of(verdict, entries);
  if (verdict.signature != nullptr && !verdict.signature->signature_valid)
    verification.status = content::CertVerificationStatus::VERIFICATION_FAILURE;
  return verification;
}

constexpr std::string_view bytes_gone_id = "quire.subscription.bytes_gone";

Result<void> give_content(const SyncWork& work, Transaction& t, const SourceDocument& document,
                          const std::vector<NextFile>& files) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_synced_library(t, work.library, work.url));
  SyncedContent content;
  QUIRE_ASSIGN_OR_RETURN(const auto verification, judge_arrived(t, t.wall_time(), document.item, files));
  if (content::is_ovf(vcsp::item_type_of(document.item.type))) content.certificate_verification = verification;
  for (const auto& file : files) {
    if (file.ready) {
      if (!t->find<content::Blob>(file.ready->blob))
        return Error(ErrorKind::resource_inaccessible, std::string(bytes_gone_id),
                     "The bytes of file {file_name} were here, but have gone meanwhile; synchronize again.",
                     {{"file_name", base::displayable(file.wanted.name)}});
      content.files.push_back(*file.ready);
    } else {
      content.files.push_back(new_file(file.wanted.name, file.arrived->blob));
      content.files.back().blob = adopt(t, *file.arrived);
    }
    if (!file.is_unchanged || !file.digests.empty()) content.files.back().facts = file.facts;
  }
  return apply_content(t, library, document, content);
}

/// The same of an item that has the content already.
Result<void> give_metadata(const SyncWork& work, Transaction& t, const SourceDocument& document) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_synced_library(t, work.library, work.url));
  const auto item = find_by_source(t, work.library, document.item.id);
  if (!item) return {};
  store_document(t, item->id, document);
  return apply_document(t, library, item->id);
}

std::vector<content::Blob> blobs_without_row(const std::vector<NextFile>& files) {
  std::vector<content::Blob> blobs;
  for (const auto& file : files)
    if (file.arrived) blobs.push_back(file.arrived->blob);
  return blobs;
}

/// One try by one document.
Result<std::optional<PreparedItem>> prepare(const SyncWork& work, SourceDocument document) {
  auto& context = work.context();
  QUIRE_ASSIGN_OR_RETURN(const auto library, work.synced.find(context, work.run.caller()));
  QUIRE_ASSIGN_OR_RETURN(auto next, read(context, work.run.caller(),
                                         [&](View view) { return plan_content(work, view, library, document.item); }));
  if (next.is_applied) return std::optional<PreparedItem>();
  if (!next.is_there) {
    if (const auto fetched = fetch_missing(work, document.item, next); !fetched) {
      remove_bytes(context, blobs_without_row(next.files));
      return fetched.error();
    }
  }
  return std::optional(PreparedItem{std::move(document), std::make_shared<const NextContent>(std::move(next))});
}

}  // namespace

Result<Library> SyncedLibrary::find(Context& context, const content::Caller& caller) {
  const std::lock_guard lock(mutex_);
  const auto version = context.catalog.libraries_version();
  if (version && version == version_) return known_;
  version_.reset();
  QUIRE_ASSIGN_OR_RETURN(known_,
                         read(context, caller, [&](View view) { return find_synced_library(view, id_, url_); }));
  version_ = version;
  return known_;
}

Result<std::optional<PreparedItem>> prepare_item(const SyncWork& work, const SourceDocument& wanted) {
  auto prepared = prepare(work, wanted);
  if (prepared || !is_moved_on(prepared.error())) return prepared;
  QUIRE_ASSIGN_OR_RETURN(auto now, work.source.item(wanted.item));
  if (!now) return prepared;
  if (const auto problem = problem_of(*now, work.context().limits))
    return Error(ErrorKind::resource_inaccessible, *problem);
  return prepare(work, document_of(*std::move(now)));
}

Result<void> make_item(const SyncWork& work, Transaction& t, const PreparedItem& prepared) {
  if (prepared.content->is_there) return give_metadata(work, t, prepared.document);
  return give_content(work, t, prepared.document, prepared.content->files);
}

bool have_bytes_gone(const Error& error) { return error.messages().front().id == bytes_gone_id; }

void discard(const SyncWork& work, const PreparedItem& prepared, const Error& error) {
  remove_bytes_after_failure(work.context(), error, blobs_without_row(prepared.content->files));
}

}  // namespace quire::service
