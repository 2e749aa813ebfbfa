#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/digest.h"
#include "content/received_ranges.h"
#include "content/storage.h"
#include "content/update_session.h"
#include "service/transfer/transfer_board.h"

namespace quire::service {

/// The digests of a file's bytes from the first one on, without a gap.
struct PrefixDigests {
  std::vector<base::Hasher> hashers;
  std::int64_t end = 0;  ///< behind the last byte that they have seen
};

/// The bytes of one file of an update session while they arrive, by one upload or by several at once, in any order: one
/// unfinished blob, which bytes of it are there, and their digests as far as they could be taken. Lives on the
/// TransferBoard; what must survive the process stands in SessionFile::unfinished. All threads may call it.
class ArrivingContent {
 public:
  /// Content of `blob` that begins, or goes on from `recorded`, which names it. `attempt` is the file's; a blob that
  /// belongs to no upload has none. `algorithms`: digests to take. `storage` must outlive it.
  ArrivingContent(content::BlobId blob, const content::Storage& storage, std::vector<base::DigestAlgorithm> algorithms,
                  std::int64_t attempt = 0, const std::optional<content::UnfinishedContent>& recorded = std::nullopt);

  const content::BlobId& blob() const { return blob_; }
  const content::Storage& storage() const { return storage_; }
  std::int64_t attempt() const { return attempt_; }

  /// A writer from `position` on. Begins the blob when nothing has begun it, with `expected_bytes` reserved.
  /// UnableToAllocateResource; NotFound when what was recorded is no longer there.
  base::Result<std::shared_ptr<content::BlobWriter>> writer(std::int64_t position,
                                                            std::optional<std::int64_t> expected_bytes);
  /// Also when the blob has been committed meanwhile.
  base::Result<std::unique_ptr<content::BlobReader>> reader() const;

  /// `range` for one upload alone: transfers that write there are stopped first. False when one of them has not gone
  /// within `patience`, or the file is being finished.
  bool claim(content::ByteRange range, const std::shared_ptr<TransferProgress>& progress, base::Duration patience);
  void release(const std::shared_ptr<TransferProgress>& progress);

  content::ReceivedRanges received() const;
  /// These bytes are durable. With `length`, the whole file's: true when nothing is missing now and no earlier call has
  /// said so, which is when the caller has to finish the file.
  bool add(content::ByteRange range, std::optional<std::int64_t> length);
  /// What the whole file's length is, as one of the uploads that are running has told; with `told`, as this one has.
  std::optional<std::int64_t> learn_length(std::optional<std::int64_t> told);
  /// What the row said has arrived, by other servers too, when replacements() was `replacements`. Not taken when bytes
  /// have been replaced since: the row may have named them still.
  void add_recorded(const std::vector<content::ByteRange>& ranges, std::uint64_t replacements);
  /// How often bytes have been replaced.
  std::uint64_t replacements() const;
  /// These bytes are going to be replaced, and the row says so already; `has_digests`: the caller has borrowed the
  /// digests, up to the first of them. False when the file is being finished: then they stay.
  bool remove(content::ByteRange range, bool has_digests);
  /// The caller could not finish the file: the next one may.
  void finishing_failed();
  /// The catalog names the blob now, or may: it stays although this goes.
  void keep_blob();
  /// True once keep_blob() was called or the blob had been recorded before.
  bool is_kept() const;
  bool is_finishing() const;
  /// Nobody needs the blob: it goes unless it has been kept, and nobody goes on with it.
  void drop_blob();

  /// The file's row says that bytes have arrived here and some are missing: others may go on with them after all
  /// uploads of today have ended. Until ends().
  void goes_on();
  /// The file is READY or has lost what had arrived: whatever an upload has said before, nobody goes on.
  void ends();
  bool may_go_on() const;

  /// The digests for who writes or reads on from exactly `position`, for this caller alone until it gives them back.
  std::optional<PrefixDigests> borrow_digests(std::int64_t position);
  /// Those that have got furthest without a gap, whatever their end.
  std::optional<PrefixDigests> borrow_digests();
  void give_back(PrefixDigests digests);
  /// What the borrower had is lost; they begin anew.
  void lose_digests();

  /// The offset that somebody who asked was given last: who comes with it may go on from there.
  void advertise_offset(std::int64_t offset);
  bool is_advertised(std::int64_t offset) const;

 private:
  PrefixDigests fresh_digests() const;

  struct Claim {
    content::ByteRange range;
    std::shared_ptr<TransferProgress> progress;
  };

  const content::Storage& storage_;
  const std::int64_t attempt_;
  const std::vector<base::DigestAlgorithm> algorithms_;
  const content::BlobId blob_;

  mutable std::mutex mutex_;
  std::condition_variable released_;
  bool begun_;
  bool kept_;
  bool finishing_ = false;
  bool goes_on_ = false;
  bool ended_ = false;
  std::shared_ptr<content::BlobWriter> owner_;  ///< removes the blob unless it has been kept or committed
  content::ReceivedRanges received_;
  std::optional<std::int64_t> length_;
  std::uint64_t replacements_ = 0;
  std::vector<Claim> claims_;
  std::optional<PrefixDigests> digests_;  ///< none while they are lent
  bool lent_spoiled_ = false;             ///< bytes that the lent ones have seen were replaced
  std::optional<std::int64_t> advertised_;
};

}  // namespace quire::service
