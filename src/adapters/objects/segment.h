#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "content/ids.h"

namespace quire::adapters::objects {

/// Bytes of a blob that stand in one object, in their order and without a gap. Its name says all of this but the size,
/// which every listing says: so a listing of a blob's objects is all that is needed to go on with it, or to commit it.
struct Segment {
  std::int64_t first = 0;   ///< position in the blob of the first byte
  std::int64_t size = 0;    ///< bytes; 0 only in a blob that has none
  std::uint64_t order = 0;  ///< of two segments that overlap, the one with the larger number holds
  std::string sha256;       ///< of the bytes, lower-case hexadecimal

  std::int64_t end() const { return first + size; }
  /// `<first>-<order>-<sha256>`, the numbers as 16 hexadecimal digits.
  std::string name() const;
  bool operator==(const Segment&) const = default;
};

/// nullopt when this is no name of a segment, or the segment would not fit in a blob.
std::optional<Segment> segment_of(std::string_view name, std::int64_t size);

/// What a blob takes from one segment: `length` bytes of its object from `offset` on.
struct Extent {
  Segment segment;
  std::int64_t offset = 0;
  std::int64_t length = 0;

  std::int64_t first() const { return segment.first + offset; }
  std::int64_t end() const { return first() + length; }
  bool operator==(const Extent&) const = default;
};

/// The bytes up to `end` that `segments` hold, in the order of their positions. Where segments overlap, the later order
/// wins for every byte. What none of them holds is left out.
std::vector<Extent> compose(std::vector<Segment> segments, std::int64_t end);

/// Behind the last byte that one of them holds.
std::int64_t end_of(const std::vector<Segment>& segments);

inline constexpr std::string_view index_name = "index";

/// The key of a blob's object: `<blob>/<name>`.
std::string key_of(const content::BlobId& blob, std::string_view name);

struct ObjectPlace {
  content::BlobId blob;
  std::string name;
};
/// What a key stands for; nullopt for keys of other things, which are left alone.
std::optional<ObjectPlace> place_of_key(std::string_view key);

}  // namespace quire::adapters::objects
