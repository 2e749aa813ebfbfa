#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/enumeration.h"
#include "base/result.h"
#include "vcsp/documents.h"

/// Reads the documents of any publisher, of either dialect, with every quirk of vcsp.md §8. A publisher is a stranger:
/// nothing here trusts a size, a name or an href.
namespace quire::vcsp {

/// Who stumbles over what a publisher wrote; `nobody` is a deviation that all known readers take.
QUIRE_ENUM(Stumbling, nobody, vcenter, cloud_director, everybody)

/// Something that is not as vcsp.md has it, but could be read.
struct Remark {
  std::string where;  ///< `files[2].etag`, from the document's root
  std::string problem;
  Stumbling who = Stumbling::nobody;
  bool operator==(const Remark&) const = default;
};
using Remarks = std::vector<Remark>;

/// Errors are InvalidArgument, `quire.vcsp.invalid`, with `document`, `where` and `reason`: what a subscriber must not
/// guess at (vcsp.md §8: never read a broken version as 0). `remarks`, when given, gets what was tolerated.
base::Result<Library> read_library(std::string_view text, Remarks* remarks = nullptr);
base::Result<Index> read_index(std::string_view text, Remarks* remarks = nullptr);
base::Result<Item> read_item(std::string_view text, Remarks* remarks = nullptr);

/// An item that read_items() refuses.
struct UnusableItem {
  std::string id;    ///< as of an Item; empty when it cannot be read
  std::string name;  ///< for showing: at most 80 characters; empty when it cannot be read
  base::Error reason;
};

/// The index for a subscriber, item by item: one that cannot be used, or whose id was there before, goes to `refuse`,
/// and the others to `take`, in the order of the index. A stranger may have written any number of them. Returns the
/// index's `version` if it has one.
///
/// InvalidArgument as above, and then nothing was taken or refused, when the text is no object with a list of `items`,
/// is cut off, is nested too deep, or has a version that cannot be read. Otherwise what is beside those two is not
/// looked at. Memory beyond the text is needed for one item at a time, and for the ids.
base::Result<std::optional<std::int64_t>> read_items(std::string_view text, const std::function<void(Item&&)>& take,
                                                     const std::function<void(UnusableItem&&)>& refuse);

/// The places where a subscriber looks for what `href` names, in this order, as absolute URLs (vcsp.md §2, §8): against
/// the library's root, and, where that could be meant too, against the item's own document. `library_url` is the
/// descriptor's, `self_href` the item's.
std::vector<std::string> resolve_href(std::string_view library_url, std::string_view self_href, std::string_view href);

/// The counter by which a subscriber tells whether the bytes of a file are new (vcsp.md §6.2): `generationNum`, else
/// `etag` where it is a number of 64 bits, else nothing: then a different etag means different bytes.
std::optional<std::int64_t> generation_of(const File& file);

}  // namespace quire::vcsp
