#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace quire::content {

/// A store of whole objects, such as a bucket of an S3 service: each is written once under a key that is never used
/// again, so nothing is ever replaced. Keys are of `[a-z0-9/._-]`. All threads may call it; calls block, some for as
/// long as the store's time-outs and retries last.
///
/// Errors of all calls: ServiceUnavailable when the store does not answer, or not well, after retries, or refuses
/// (credentials, rights, no such bucket): the message says which. Never taken for an object that is not there.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Stores a new object; the store compares what arrives with `sha256`, the digest of `bytes` in lower-case
  /// hexadecimal digits. It is durable and can be read once this returns a value. After an Error it may be there
  /// nevertheless, whole: that is told by a later get() or list() only. AlreadyExists when another call stored an
  /// object under the key; UnableToAllocateResource when the store is full.
  virtual base::Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha256) = 0;

  /// Fills `buffer` with bytes of the object from `offset` on: as many as it holds, or as there are; returns how many.
  /// NotFound when there is no such object; an empty buffer asks for nothing and gives 0. What the store sends is not
  /// checked: only a digest tells that it is right.
  virtual base::Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) = 0;

  /// Removes objects; those that are not there count as removed. After an Error some may be gone.
  virtual base::Result<void> remove(std::span<const std::string> keys) = 0;

  struct Listed {
    std::string key;
    std::int64_t size = 0;
    base::Time modified = {};  ///< as the store's clock says
  };
  struct Page {
    std::vector<Listed> objects;  ///< in the order of their keys' bytes
    std::string next;             ///< where the next page begins; empty when this is the last one
  };
  /// Some of the objects whose keys begin with `prefix`, maybe none, from the page `next` of an earlier call on; empty:
  /// the first. What others have put there under names that are no keys is left out.
  virtual base::Result<Page> list(std::string_view prefix, std::string_view next) = 0;
};

}  // namespace quire::content
