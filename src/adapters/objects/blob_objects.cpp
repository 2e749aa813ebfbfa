#include "adapters/objects/blob_objects.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/digest.h"
#include "base/error.h"

namespace quire::adapters::objects {
namespace {

using base::ErrorKind;
using base::Result;
using content::BlobId;

constexpr std::size_t removed_at_once = 1000;
constexpr int tries_of_reading = 2;
constexpr int tries_of_index = 2;

std::string sha256_of(std::span<const std::byte> bytes) {
  return base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex;
}

}  // namespace

std::uint64_t BlobObjects::next_order() {
  const std::lock_guard lock(mutex_);
  return ++order_;
}

/// The upper half counts the processes that have written here: what an earlier one has sent and nobody has seen yet
/// must not come behind what this one writes.
void BlobObjects::has_seen(std::uint64_t order) {
  constexpr std::uint64_t lower_half = 0xffff'ffffU;
  const std::lock_guard lock(mutex_);
  if (order > order_) order_ = order | lower_half;
}

void BlobObjects::count(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (used_bytes_) *used_bytes_ = std::max<std::int64_t>(*used_bytes_ + bytes, 0);
}

base::Error BlobObjects::damaged(const BlobId& blob, const std::string& key, const std::string& how) const {
  return base::Error(ErrorKind::internal_server_error, "quire.blob.damaged",
                     "The copy of blob {blob} on storage {storage} is damaged: it was read twice, and both times it "
                     "was not what had been stored. Restore it from a backup, or upload the file again.",
                     {{"blob", blob.text()}, {"storage", storage_name_}})
      .with_cause("object " + key + ": " + how);
}

Result<void> BlobObjects::put_segment(const BlobId& blob, const Segment& segment, std::span<const std::byte> bytes) {
  auto done = objects_->put(key_of(blob, segment.name()), bytes, segment.sha256);
  if (!done && done.error().kind() != ErrorKind::already_exists) return done;
  count(segment.size);
  return {};
}

Result<void> BlobObjects::get_segment(const BlobId& blob, const Segment& segment, std::span<std::byte> bytes) {
  if (files_ != nullptr && files_->read(segment, bytes)) return {};
  const auto key = key_of(blob, segment.name());
  std::string how;
  for (int tries = 0; tries < tries_of_reading; ++tries) {
    const auto got = objects_->get(key, 0, bytes);
    if (!got && got.error().kind() != ErrorKind::not_found) return got.error();
    if (!got) {
      how = "it is not there";
    } else if (*got != bytes.size()) {
      how = "it is too short";
    } else if (sha256_of(bytes) != segment.sha256) {
      how = "it does not have its SHA-256";
    } else {
      if (files_ != nullptr) files_->keep(segment, bytes);
      return {};
    }
  }
  return damaged(blob, key, how);
}

BlobObjects::PutIndex BlobObjects::put_index(const BlobId& blob, const BlobIndex& index) {
  const auto key = key_of(blob, index_name);
  const auto text = text_of(index);
  const auto bytes = std::as_bytes(std::span(text));
  const auto sha256 = sha256_of(bytes);
  Result<void> done;
  for (int tries = 0; tries < tries_of_index; ++tries) {
    done = objects_->put(key, bytes, sha256);
    if (!done) {
      const auto there = get_text(key);
      if (!there) return {Stored::unknown, done};
      if (!*there) return {Stored::no, done};
      if (**there != text) {  // of an earlier commit that failed, and arrived after that had been said
        if (const auto removed = objects_->remove(std::array{key}); !removed) return {Stored::unknown, removed};
        continue;
      }
    }
    count(static_cast<std::int64_t>(text.size()));
    return {Stored::yes, {}};
  }
  return {Stored::unknown, done};
}

Result<bool> BlobObjects::has_index(const BlobId& blob) {
  std::array<std::byte, 1> first{};
  const auto got = objects_->get(key_of(blob, index_name), 0, first);
  if (got) return true;
  if (got.error().kind() == ErrorKind::not_found) return false;
  return got.error();
}

/// nullopt when there is no such object.
Result<std::optional<std::string>> BlobObjects::get_text(const std::string& key) {
  constexpr std::size_t first_piece = 1U << 16U;
  std::string text;
  for (std::size_t done = 0;;) {
    text.resize(std::max(first_piece, 2 * done));
    const auto rest = std::as_writable_bytes(std::span(text)).subspan(done);
    const auto got = objects_->get(key, static_cast<std::int64_t>(done), rest);
    if (!got && got.error().kind() == ErrorKind::not_found) return std::optional<std::string>();
    if (!got) return got.error();
    done += *got;
    if (*got < rest.size()) {
      text.resize(done);
      return std::optional(std::move(text));
    }
  }
}

Result<std::optional<BlobIndex>> BlobObjects::get_index(const BlobId& blob) {
  const auto key = key_of(blob, index_name);
  std::string how;
  for (int tries = 0; tries < tries_of_reading; ++tries) {
    QUIRE_ASSIGN_OR_RETURN(const auto text, get_text(key));
    if (!text) return std::optional<BlobIndex>();
    auto index = blob_index_of(*text);
    if (index) return std::optional(*std::move(index));
    how = index.error().cause();
  }
  return damaged(blob, key, how);
}

Result<void> BlobObjects::remove_index(const BlobId& blob) {
  return objects_->remove(std::array{key_of(blob, index_name)});
}

Result<void> BlobObjects::visit_pages(std::string_view prefix,
                                      const std::function<void(const ObjectPlace&, std::int64_t size)>& visit) {
  std::string next;
  do {
    QUIRE_ASSIGN_OR_RETURN(auto page, objects_->list(prefix, next));
    for (const auto& object : page.objects) {
      const auto place = place_of_key(object.key);
      if (!place) continue;
      if (const auto segment = segment_of(place->name, object.size)) has_seen(segment->order);
      visit(*place, object.size);
    }
    next = std::move(page.next);
  } while (!next.empty());
  return {};
}

Result<BlobObjects::OfBlob> BlobObjects::list(const BlobId& blob) {
  OfBlob found;
  QUIRE_RETURN_IF_ERROR(visit_pages(key_of(blob, ""), [&](const ObjectPlace& place, std::int64_t size) {
    if (place.name == index_name)
      found.committed = true;
    else if (auto segment = segment_of(place.name, size))
      found.segments.push_back(*std::move(segment));
  }));
  return found;
}

Result<void> BlobObjects::remove(const BlobId& blob, std::span<const Segment> segments) {
  while (!segments.empty()) {
    const auto batch = segments.first(std::min(segments.size(), removed_at_once));
    std::vector<std::string> keys;
    std::int64_t bytes = 0;
    for (const auto& segment : batch) {
      keys.push_back(key_of(blob, segment.name()));
      bytes += segment.size;
      if (files_ != nullptr) files_->remove(segment);
    }
    QUIRE_RETURN_IF_ERROR(objects_->remove(keys));
    count(-bytes);
    segments = segments.subspan(batch.size());
  }
  return {};
}

Result<void> BlobObjects::list_all(const std::function<void(const ObjectPlace&, std::int64_t size)>& visit) {
  std::int64_t used = 0;
  QUIRE_RETURN_IF_ERROR(visit_pages("", [&](const ObjectPlace& place, std::int64_t size) {
    used += size;
    visit(place, size);
  }));
  const std::lock_guard lock(mutex_);
  used_bytes_ = used;
  return {};
}

Result<std::int64_t> BlobObjects::used_bytes() {
  {
    const std::lock_guard lock(mutex_);
    if (used_bytes_) return *used_bytes_;
  }
  QUIRE_RETURN_IF_ERROR(list_all([](const ObjectPlace&, std::int64_t) {}));
  const std::lock_guard lock(mutex_);
  return *used_bytes_;
}

}  // namespace quire::adapters::objects
