#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/enumeration.h"
#include "content/ids.h"
#include "content/text.h"
#include "content/update_session.h"

namespace quire::content {

/// Spelled as stored.
QUIRE_ENUM(QuotaKind, LIBRARY, USER)

/// Whose items a quota bounds: those of a library, or those that a user made.
struct QuotaOwner {
  QuotaKind kind = QuotaKind::LIBRARY;
  std::string name;  ///< identifier of the library; name of the user without regard to case (fold_case)

  static QuotaOwner of_library(const LibraryId& id) { return {QuotaKind::LIBRARY, id.text()}; }
  static QuotaOwner of_user(std::string_view user) { return {QuotaKind::USER, fold_case(user)}; }
  bool operator==(const QuotaOwner&) const = default;
};

/// What counts for a quota.
struct QuotaUse {
  std::int64_t items = 0;
  std::int64_t bytes = 0;     ///< of the items' files, also of those stored once for several items
  std::int64_t reserved = 0;  ///< bytes: of active update sessions (reserved_bytes), and of copies that run

  std::int64_t all_bytes() const { return bytes + reserved; }
  QuotaUse operator-(const QuotaUse& other) const {
    return {items - other.items, bytes - other.bytes, reserved - other.reserved};
  }
  QuotaUse& operator+=(const QuotaUse& other) {
    items += other.items;
    bytes += other.bytes;
    reserved += other.reserved;
    return *this;
  }
  bool operator==(const QuotaUse&) const = default;
};

/// What somebody may use at most; an unset member is no limit.
struct QuotaLimits {
  std::optional<std::int64_t> items = {};
  std::optional<std::int64_t> bytes = {};  ///< of QuotaUse::all_bytes()

  bool any() const { return items || bytes; }
  bool operator==(const QuotaLimits&) const = default;
};

/// How much one owner may use, and does. One without limits only keeps the use, because the default quota of its kind
/// (default_quota.h) is its owner's. The catalog keeps the use up to date with every row that it writes, so a row
/// is to be put with the use that CatalogReader::use_of() tells in the same transaction.
struct Quota {
  QuotaKind kind = QuotaKind::LIBRARY;
  std::string owner;                      ///< QuotaOwner::name
  std::optional<std::int64_t> items_max;  ///< unset: as many as one likes
  std::optional<std::int64_t> bytes_max;  ///< likewise; of QuotaUse::all_bytes()
  std::int64_t items = 0;                 ///< these three: QuotaUse
  std::int64_t bytes = 0;
  std::int64_t reserved = 0;

  QuotaOwner of() const { return {kind, owner}; }
  QuotaUse use() const { return {items, bytes, reserved}; }
  QuotaLimits limits() const { return {items_max, bytes_max}; }
  void limit(const QuotaLimits& limits) {
    items_max = limits.items;
    bytes_max = limits.bytes;
  }
  bool operator==(const Quota&) const = default;
};

/// What an entry of an ACTIVE update session takes of a quota: what the item gets more by it once the session
/// completes, or as much of that as is known. Files that stay, and those that are not kept in storage, take nothing; an
/// archive takes its size until its members are there, which then take theirs.
std::int64_t reserved_bytes(const SessionFile& file);

}  // namespace quire::content
