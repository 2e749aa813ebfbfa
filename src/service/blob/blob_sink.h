#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/digest.h"
#include "content/item.h"
#include "service/transfer/arriving_content.h"
#include "service/transfer/parallel_hasher.h"

namespace quire::service {

/// The one way in which bytes become a blob: from one position of an ArrivingContent on, hashed and written side by
/// side. What has arrived there before is compared and not written again. Digests are taken as long as the bytes
/// continue what has been hashed of the blob without a gap; others may close a gap later. One thread at a time.
///
/// Destroyed before commit() it leaves the content as it is recorded there; of a blob of its own, nothing.
class BlobSink {
 public:
  /// Called when bytes that had arrived turn out to be others, before they are replaced: those from `first` on must not
  /// count as arrived any more.
  using Differs = std::function<base::Result<void>(std::int64_t first)>;
  BlobSink(std::shared_ptr<ArrivingContent> content, std::int64_t position, Differs differs);
  ~BlobSink();
  BlobSink(const BlobSink&) = delete;
  BlobSink& operator=(const BlobSink&) = delete;

  /// A sink for all bytes of the new blob `id`, from the first one on. UnableToAllocateResource when `expected_bytes`
  /// cannot be reserved. SHA-256 is always among the digests.
  static base::Result<std::unique_ptr<BlobSink>> begin(content::BlobId id, const content::Storage& storage,
                                                       std::optional<std::int64_t> expected_bytes,
                                                       std::vector<base::DigestAlgorithm> algorithms);

  /// Call once, first. Errors as ArrivingContent::writer().
  base::Result<void> open(std::optional<std::int64_t> expected_bytes);
  /// As Upload::append() says of `bytes` and `owner`. After an Error nothing more may be appended.
  base::Result<void> append(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner = nullptr);
  std::int64_t position() const { return position_; }

  /// Makes what was appended durable, but possibly not the last bytes; returns the position up to which it is.
  base::Result<std::int64_t> sync();
  /// Makes everything durable and lets go of the file. More may be appended.
  base::Result<void> flush();
  /// Whether this sink hashes what it gets.
  bool has_digests() const { return hasher_ != nullptr; }
  /// Everything up to here is recorded: the digests come back to this when bytes behind it are not.
  void keep_digests();
  /// Gives the digests back as of the last keep_digests(), and hashes what others have brought behind them.
  void advance_digests();

  /// Whether commit() makes durable all of a file of `length` bytes, with its digests taken: all came through here.
  bool holds_all(std::int64_t length) const;
  /// The digests of all bytes of the blob, which has `length`. What they have not seen is read from the storage.
  base::Result<std::vector<base::Checksum>> digests(std::int64_t length);
  /// Makes the blob durable and complete. The row that may now name it.
  base::Result<content::Blob> commit(std::int64_t length, const std::vector<base::Checksum>& digests);

 private:
  base::Result<void> store(std::span<const std::byte> bytes);
  base::Result<void> write(std::span<const std::byte> bytes);
  base::Result<bool> is_there(std::span<const std::byte> bytes);
  void give_back_digests();
  base::Result<void> hash_stored(ParallelHasher& hasher, content::ByteRange range);

  const std::shared_ptr<ArrivingContent> content_;
  const Differs differs_;
  content::ReceivedRanges there_;  ///< had arrived before, where the bytes go
  const std::int64_t first_;
  std::int64_t position_;  ///< of the next byte
  std::shared_ptr<content::BlobWriter> writer_;
  std::int64_t writer_position_ = 0;
  std::unique_ptr<content::BlobReader> reader_;
  std::unique_ptr<ParallelHasher> hasher_;  ///< of the blob up to position_, borrowed
  PrefixDigests kept_;                      ///< to give back when bytes after them are not kept
};

/// The SHA-256 among `digests`; there must be one.
const std::string& sha256_among(const std::vector<base::Checksum>& digests);

}  // namespace quire::service
