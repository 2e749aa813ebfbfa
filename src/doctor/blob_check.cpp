#include "doctor/blob_check.h"

#include <span>
#include <vector>

#include "base/digest.h"

namespace quire::doctor {
namespace {

constexpr std::size_t read_at_once = 1U << 20U;

struct Opened {
  std::unique_ptr<content::BlobReader> reader;
  std::optional<BlobDamage> damage;
};

Opened open(content::BlobStore& blobs, const content::Blob& blob) {
  auto opened = blobs.open(blob.id);
  if (!opened)
    return {nullptr,
            opened.error().kind() == base::ErrorKind::not_found ? BlobDamage::MISSING : BlobDamage::UNREADABLE};
  const auto size = (*opened)->size();
  if (size < blob.size) return {nullptr, BlobDamage::CUT};
  if (size > blob.size) return {nullptr, BlobDamage::LONGER};
  return {*std::move(opened), std::nullopt};
}

}  // namespace

std::optional<BlobDamage> check_size(content::BlobStore& blobs, const content::Blob& blob) {
  return open(blobs, blob).damage;
}

std::optional<BlobDamage> check_digest(content::BlobStore& blobs, const content::Blob& blob,
                                       const ReadProgress& progress) {
  const auto opened = open(blobs, blob);
  if (opened.damage) return opened.damage;
  base::Hasher hasher(base::DigestAlgorithm::SHA256);
  std::vector<std::byte> chunk(read_at_once);
  for (std::int64_t offset = 0; offset < blob.size;) {
    const auto got = opened.reader->read(offset, chunk);
    if (!got) return BlobDamage::UNREADABLE;
    if (*got == 0) return BlobDamage::CUT;
    hasher.update(std::span(chunk).first(*got));
    offset += static_cast<std::int64_t>(*got);
    if (!progress(static_cast<std::int64_t>(*got))) return std::nullopt;
  }
  return hasher.finish().hex == blob.sha256 ? std::nullopt : std::optional(BlobDamage::CHANGED);
}

}  // namespace quire::doctor
