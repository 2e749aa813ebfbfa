#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "content/received_ranges.h"
#include "service/transaction/context.h"

namespace quire::service {

/// How the body ended.
enum class BodyEnd {
  whole,   ///< every byte that the request announced, or the last chunk
  broken,  ///< the connection went away, stalled past its deadline, or the server stops
};

/// Where the body of a request belongs in its file (docs/uploads.md).
struct UploadRequest {
  enum class Place {
    start_over,  ///< from the first byte; what arrived before goes
    at_offset,   ///< any part of the file; several at once
    append,      ///< behind what has arrived without a gap
  };
  Place place = Place::start_over;
  std::int64_t offset = 0;                   ///< of the body's first byte
  std::optional<std::int64_t> body_length;   ///< as announced by the request's framing
  std::optional<std::int64_t> part_length;   ///< at_offset: what the body must have
  std::optional<std::int64_t> file_length;   ///< of the whole file, when the request tells it
  bool ends_file = true;                     ///< start_over, append: the file ends with this body
  std::vector<base::Checksum> body_digests;  ///< that the body must have

  /// A whole file, as clients send it that know of nothing else.
  static UploadRequest whole(std::optional<std::int64_t> length) {
    UploadRequest request;
    request.body_length = length;
    return request;
  }
};

/// What has arrived of a file, durably.
struct UploadState {
  std::int64_t offset = 0;             ///< bytes from the start without a gap
  bool complete = false;               ///< the file is whole and READY
  std::optional<std::int64_t> length;  ///< of the whole file, if it is known
  std::vector<content::ByteRange> received;
};

/// Bytes on their way to one file of an update session. Used by one thread at a time.
class Upload {
 public:
  virtual ~Upload() = default;

  /// Hashes and stores `bytes`, blocking. Without an `owner` they are no longer needed when this returns; with one they
  /// must not change until it has been let go of. Best throughput for 4 MiB chunks at addresses that lie as far behind
  /// a multiple of 4,096 as their place in the file. After an Error the rest of the body need not be read and finish()
  /// must not be called: the Error is the answer. InvalidArgument: more than declared, bad archive; file and session
  /// are in ERROR already (400); of a part: refused alone (400). ConcurrentChange: a later upload of these bytes won
  /// (409). NotFound: the session has ended (410). UnableToAllocateResource: the storage is full; a whole file waits
  /// again, of a part only its bytes go (507).
  virtual base::Result<void> append(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) = 0;
  base::Result<void> append(std::span<const std::byte> bytes) { return append(bytes, nullptr); }

  /// Ends the transfer. whole: makes the bytes durable; when the file is whole with them, checks size and digests and
  /// makes it READY in one transaction: InvalidArgument when a promise was broken (file and session in ERROR); other
  /// errors as append(). broken: the file stays TRANSFERRING with what has arrived. Call at most once.
  virtual base::Result<UploadState> finish(BodyEnd end) = 0;
};

/// An Error and whether it means "was there, is gone" (410) rather than "never was" (404).
struct UploadRefusal {
  base::Error error;
  bool gone = false;
  std::optional<UploadState> state = std::nullopt;  ///< of the file, where it is the reason
};

/// The byte side of update sessions, for the HTTP layer and pulls. All threads may call it.
class Uploads {
 public:
  explicit Uploads(Context& context) : context_(context) {}

  struct Begun {
    std::shared_ptr<Upload> upload;        ///< set on success
    std::optional<UploadRefusal> refusal;  ///< else
  };

  /// Starts taking a body for the file behind `/cls/data/<token>/…`. A whole body whose announced length contradicts
  /// the declared size is refused before any byte is read (file and session in ERROR, as §28.1 says of whole bodies); a
  /// part that fits nowhere is refused alone: InvalidArgument for lengths that contradict what is known,
  /// ConcurrentChange for an offset that is not the file's or a file that is complete. `on_stop` is called from another
  /// thread when the session ends meanwhile or others replace these bytes; it must only wake the transfer. Waits up to
  /// some seconds for another upload of the same bytes to go.
  Begun begin(const content::TransferToken& token, const UploadRequest& request, std::function<void()> on_stop);

  struct Asked {
    std::optional<UploadState> state;      ///< set on success
    std::optional<UploadRefusal> refusal;  ///< else
  };
  /// What has arrived; uploads that run record what they have first, so an append at the offset is accepted.
  Asked ask(const content::TransferToken& token);

  /// Lets go of what has arrived, whole or not: the file waits for its first byte again.
  std::optional<UploadRefusal> discard(const content::TransferToken& token);

  /// For pulls: the file cannot be had, so it and its session end in ERROR for `reason`. NotFound when the session has
  /// ended already.
  base::Result<void> fail(const content::TransferToken& token, const base::Message& reason);
  /// For pulls that wait before they try again: activity of the session and its login. NotFound when it has ended.
  base::Result<void> touch(const content::TransferToken& token);

  /// True when `token` belongs to an upload endpoint (of any state), so that a GET on it is 405 and not 404.
  base::Result<bool> is_upload_endpoint(const content::TransferToken& token);

 private:
  /// With `lost`: only if that blob still is what has arrived.
  std::optional<UploadRefusal> discard(const content::TransferToken& token, const std::optional<content::BlobId>& lost);

  Context& context_;
};

}  // namespace quire::service
