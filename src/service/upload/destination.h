#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "service/upload/session_entry.h"

namespace quire::service {

/// Where the bytes of one body go: stored as one blob, or unpacked as an archive. Made for one FileUpload, which checks
/// what the body promises and sees to it that one thread at a time calls, in this order: start(), then append() and
/// record(), then finish() or break_off(). Errors of start(), append() and sync() are the storage's (or InvalidArgument
/// for bytes that cannot be what they are to be): the caller says what becomes of the file. Others are final.
class Destination {
 public:
  virtual ~Destination() = default;
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  /// ConcurrentChange when these bytes cannot be had for this upload; NotFound when what had arrived is gone.
  virtual base::Result<void> start() = 0;
  /// As Upload::append() says of `bytes` and `owner`.
  virtual base::Result<void> append(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) = 0;

  /// Whether others can go on from what has been recorded here.
  virtual bool keeps_partial() const = 0;
  /// Makes durable what record() is to tell. `all`: also what was held in memory to be stored in one go.
  virtual base::Result<void> sync(bool all) = 0;
  /// The catalog learns what has arrived, where it is kept; in any case that bytes come, which is activity.
  virtual base::Result<void> record() = 0;

  /// The body ends here, as it should. The file is READY when it is whole now.
  virtual base::Result<UploadState> finish() = 0;
  /// The body broke off: what has arrived stays, where it is kept.
  virtual base::Result<UploadState> break_off() = 0;

  /// Nothing of what has arrived is needed any more, neither of this body nor of others.
  virtual void drop() = 0;

  /// A promise was broken: nothing stays, file and session end in ERROR. The Error to answer.
  base::Error fail(const base::Message& reason) {
    drop();
    return entry_.fail(reason);
  }
  /// The bytes could not be taken: nothing stays, and the file waits again. Gives back `error`.
  base::Error reset_to_waiting(const base::Error& error) {
    drop();
    return entry_.reset_to_waiting(error);
  }

 protected:
  explicit Destination(SessionEntry& entry) : entry_(entry) {}
  SessionEntry& entry() const { return entry_; }

 private:
  SessionEntry& entry_;
};

}  // namespace quire::service
