#pragma once

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

/// The places where a subscriber looks for what `href` names, in this order, as absolute URLs (vcsp.md §2, §8): against
/// the library's root, and, where that could be meant too, against the item's own document. `library_url` is the
/// descriptor's, `self_href` the item's.
std::vector<std::string> resolve_href(std::string_view library_url, std::string_view self_href, std::string_view href);

/// The counter by which a subscriber tells whether the bytes of a file are new (vcsp.md §6.2): `generationNum`, else
/// `etag` where it is a number of 64 bits, else nothing: then a different etag means different bytes.
std::optional<std::int64_t> generation_of(const File& file);

}  // namespace quire::vcsp
