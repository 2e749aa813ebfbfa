#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

/// The documents by which one library tells others what is in it (vcsp.md §3–§5), as values. Writing is here, reading
/// in reader.h; what is read was written by anybody and may lack more than what is written here.
namespace quire::vcsp {

/// Where a publisher serves its documents, below the library's root (vcsp.md §2).
inline constexpr std::string_view library_file = "lib.json";
inline constexpr std::string_view index_file = "items.json";
inline constexpr std::string_view item_file = "item.json";
/// The one user name of the protocol (vcsp.md §6.3).
inline constexpr std::string_view user_name = "vcsp";

inline constexpr std::string_view ovf_type = "vcsp.ovf";
inline constexpr std::string_view iso_type = "vcsp.iso";
inline constexpr std::string_view other_type = "vcsp.other";

/// A file of an item.
struct File {
  std::string name;  ///< bare: no directories
  std::int64_t size = 0;
  std::string etag;                        ///< a token; of ours, a decimal number that fits a long. Empty: none
  std::optional<std::int64_t> generation;  ///< `generationNum`: grows with the bytes of this file
  std::vector<std::string> hrefs;          ///< as written; resolved against the library's root
  std::optional<std::string> sha256 = {};  ///< lower-case hexadecimal; an addition of Quire's
  bool operator==(const File&) const = default;
};

struct Item {
  std::string id;  ///< UUID, lower case, without `urn:uuid:`
  std::string name;
  std::string description;
  std::string type;  ///< `vcsp.ovf`, `vcsp.iso`, `vcsp.other`
  std::int64_t version = 1;
  std::optional<std::int64_t> content_version;
  std::optional<base::Time> created;  ///< informs only: clocks and zones of publishers are what they are (vcsp.md §8)
  std::string self_href;
  std::vector<File> files;
  /// `metadata_version` of the API's item; an addition of Quire's, because `version` counts changes of content too.
  std::optional<std::int64_t> metadata_version = {};
  bool operator==(const Item&) const = default;
};

struct Library {
  std::int64_t dialect = 2;  ///< `vcspVersion`
  std::int64_t version = 1;  ///< grows with every change of library, items and files
  std::string name;
  std::string description;
  std::string id;  ///< as of an item
  std::optional<base::Time> created;
  std::string items_href;
  std::optional<std::string> maintenance_message = {};  ///< a sync is to fail with it
  bool operator==(const Library&) const = default;
};

/// The index. `version` is the library's when the two were written together (vcsp.md §4).
struct Index {
  std::optional<std::int64_t> version;
  std::vector<Item> items;
};

/// The descriptor in both dialects at once (vcsp.md §9.3).
std::string write_library(const Library& library);

/// An item; the same text stands in the index and in its own document (vcsp.md §5).
std::string write_item(const Item& item);

/// The index is written from items that are written already, because few of them change at a time.
class IndexWriter {
 public:
  IndexWriter(std::int64_t version, std::size_t bytes_expected);
  void add(std::string_view written_item);
  std::string finish();

 private:
  std::string text_;
  bool first_ = true;
};

/// The type that a publisher gives an item (vcsp.md §5.1): of `item_type`, which is the API's, where the files agree
/// with it, else `vcsp.other`, for which nobody expects more than files.
std::string_view type_of(std::string_view item_type, const std::vector<std::string>& file_names);

/// The type of the API's item that a `vcsp` type stands for.
std::string_view item_type_of(std::string_view type);

}  // namespace quire::vcsp
