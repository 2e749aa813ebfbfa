#include "doctor/scrub.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace quire::doctor {
namespace {

using base::Result;
using content::CatalogReader;
using content::CatalogWriter;

constexpr std::size_t chunk_bytes = 1U << 20U;
constexpr std::int64_t step_bytes = 4096;  // what looking for the next blob counts as
constexpr std::int64_t bytes_between_positions = std::int64_t{1} << 30U;
constexpr std::string_view position_setting = "scrub.position";  // `<storage id> <blob id>`

}  // namespace

Result<void> Scrub::read_on(std::int64_t bytes) {
  if (!loaded_) QUIRE_RETURN_IF_ERROR(load_position());
  while (bytes > 0) {
    if (now_) {
      QUIRE_RETURN_IF_ERROR(read_chunk(bytes));
      continue;
    }
    bytes -= step_bytes;
    QUIRE_ASSIGN_OR_RETURN(const bool more, step());
    if (!more) return {};
  }
  return {};
}

Result<void> Scrub::load_position() {
  QUIRE_ASSIGN_OR_RETURN(const auto kept, catalog_.read([](CatalogReader& reader) -> Result<std::string> {
    return reader.setting(position_setting).value_or("");
  }));
  loaded_ = true;
  const auto blank = kept.find(' ');
  const auto& all = storages_.all();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& storage) { return storage.id.text() == kept.substr(0, blank); });
  if (blank == std::string::npos || found == all.end()) return {};
  storage_ = static_cast<std::size_t>(found - all.begin());
  after_ = content::BlobId(kept.substr(blank + 1));
  return {};
}

Result<void> Scrub::keep_position() {
  since_kept_ = 0;
  const auto position = storages_.all()[storage_].id.text() + " " + after_.text();
  return catalog_.write([&](CatalogWriter& writer) -> Result<void> {
    writer.put_setting(position_setting, position);
    return {};
  });
}

/// One step: to the next blob, or past one that has nothing to read, or to the next storage. False at the end of a
/// round.
Result<bool> Scrub::step() {
  const auto& storage = storages_.all()[storage_];
  QUIRE_ASSIGN_OR_RETURN(const auto next,
                         catalog_.read([&](CatalogReader& reader) -> Result<std::vector<content::Blob>> {
                           return reader.blobs_after(storage.id, after_, 1);
                         }));
  if (next.empty()) {
    after_ = {};
    storage_ = (storage_ + 1) % storages_.all().size();
    if (storage_ != 0) return true;
    ++rounds_;
    QUIRE_RETURN_IF_ERROR(keep_position());
    return false;
  }
  const auto& blob = next.front();
  after_ = blob.id;
  if (blob.in_catalog) return true;
  now_.emplace(Reading{blob, &storage, nullptr});
  auto opened = storage.blobs->open(blob.id);
  const bool fits = opened && (*opened)->size() == blob.size;
  if (!fits) {
    QUIRE_RETURN_IF_ERROR(damaged(opened ? "it has another size than the catalog says" : "its bytes cannot be read"));
    return true;
  }
  now_->reader = *std::move(opened);
  return true;
}

Result<void> Scrub::read_chunk(std::int64_t& budget) {
  auto& now = *now_;
  chunk_.resize(chunk_bytes);
  if (now.offset < now.blob.size) {
    const auto got = now.reader->read(now.offset, chunk_);
    if (!got || *got == 0) return damaged("its bytes cannot be read");
    now.hasher.update(std::span(std::as_const(chunk_)).first(*got));
    const auto count = static_cast<std::int64_t>(*got);
    now.offset += count;
    since_kept_ += count;
    budget -= count;
  }
  return now.offset < now.blob.size ? Result<void>() : finish();
}

Result<void> Scrub::finish() {
  if (now_->hasher.finish().hex != now_->blob.sha256)
    return damaged("its bytes are not those that arrived: their SHA-256 is another");
  now_.reset();
  return since_kept_ < bytes_between_positions ? Result<void>() : keep_position();
}

/// Unless the blob has gone meanwhile, which is no damage.
Result<void> Scrub::damaged(std::string_view problem) {
  const auto blob = now_->blob;
  const auto storage = now_->storage->name;
  now_.reset();
  QUIRE_ASSIGN_OR_RETURN(const auto still, catalog_.read([&](CatalogReader& reader) -> Result<bool> {
    return reader.find<content::Blob>(blob.id) == blob;
  }));
  if (!still) return {};
  return base::Error(base::ErrorKind::internal_server_error, "quire.blob.damaged",
                     "Blob {blob} on storage {storage} is damaged: {problem}. quire doctor --digests names the files "
                     "that have it and what repairs them.",
                     {{"blob", blob.id.text()}, {"storage", storage}, {"problem", std::string(problem)}});
}

}  // namespace quire::doctor
