#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "service/context.h"

namespace quire::service {

/// How the body ended.
enum class BodyEnd {
  whole,   ///< every byte that the request announced, or the last chunk
  broken,  ///< the connection went away, stalled past its deadline, or the server stops
};

/// Bytes on their way to one file of an update session. Used by one thread at a time.
class Upload {
 public:
  virtual ~Upload() = default;

  /// Hashes and stores `bytes`, blocking. Best throughput for 1 MiB chunks at 4096-aligned addresses.
  /// After an Error the rest of the body need not be read and finish() must not be called: the Error is the answer.
  /// InvalidArgument: more than declared, bad archive; file and session are in ERROR already (400). ConcurrentChange: a
  /// later upload of this file won (409). NotFound: the session has ended (410). UnableToAllocateResource: the storage
  /// is full; the file waits again (507).
  virtual base::Result<void> append(std::span<const std::byte> bytes) = 0;

  /// Ends the transfer. whole: checks size and digests, makes the blob durable, then READY in one transaction;
  /// InvalidArgument when a promise was broken (file and session in ERROR); other errors as append(). broken: the file
  /// stays TRANSFERRING with what has arrived. Call at most once.
  virtual base::Result<void> finish(BodyEnd end) = 0;
};

/// An Error and whether it means "was there, is gone" (410) rather than "never was" (404).
struct UploadRefusal {
  base::Error error;
  bool gone = false;
};

/// The byte side of update sessions, for the HTTP layer and pulls. All threads may call it.
class Uploads {
 public:
  explicit Uploads(Context& context) : context_(context) {}

  struct Begun {
    std::unique_ptr<Upload> upload;        ///< set on success
    std::optional<UploadRefusal> refusal;  ///< else
  };

  /// Starts (over) the file behind `/cls/data/<token>/…`. `content_length` is the announced size, if any; one that
  /// contradicts the declared size is refused before any byte is read (file and session in ERROR, as §28.1 says of
  /// whole bodies). `on_stop` is called from another thread when the session ends meanwhile; it must only wake the
  /// transfer.
  Begun begin(const content::TransferToken& token, std::optional<std::int64_t> content_length,
              std::function<void()> on_stop);

  /// For pulls: the file cannot be had, so it and its session end in ERROR for `reason`. NotFound when the session has
  /// ended already.
  base::Result<void> fail(const content::TransferToken& token, const base::Message& reason);
  /// For pulls that wait before they try again: activity of the session and its login. NotFound when it has ended.
  base::Result<void> touch(const content::TransferToken& token);

  /// True when `token` belongs to an upload endpoint (of any state), so that a GET on it is 405 and not 404.
  base::Result<bool> is_upload_endpoint(const content::TransferToken& token);

 private:
  Context& context_;
};

}  // namespace quire::service
