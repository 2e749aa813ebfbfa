#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vcsp/documents.h"

/// A published library as files, which any web server can serve and which can be copied to another place:
///
///     lib.json                        names the index of one state; with its change all of that state is there at once
///     items-<version>.json            that index
///     items.json                      the same as the newest, for whoever does not follow `itemsHref`
///     <item>/item.json
///     <item>/g<generation>/<file>     never changes
///
/// Whoever has read an older `lib.json` finds its index and its files for as long as the writer lets them lie.
namespace quire::vcsp {

/// The folder of a tree; paths are relative to it, with slashes.
class TreeFolder {
 public:
  virtual ~TreeFolder() = default;
  /// nullopt when there is no such file.
  virtual base::Result<std::optional<std::string>> read(const std::string& path) = 0;
  virtual base::Result<std::optional<std::int64_t>> size_of(const std::string& path) = 0;
  /// Whoever reads meanwhile sees the old document or the new one.
  virtual base::Result<void> write(const std::string& path, std::string_view text) = 0;
  /// What was written so far survives a power cut.
  virtual base::Result<void> sync() = 0;
};

std::string index_name(std::int64_t version);
/// Of the name of an index of one state; nullopt for others.
std::optional<std::int64_t> version_of_index(std::string_view name);

/// Where `href` of such a tree leads.
std::string path_of(std::string_view href);
/// The files that the item, as it is written, has in its tree.
std::vector<std::string> paths_of(const Item& item);

/// What a tree shows.
struct Tree {
  Library library;
  std::set<std::string, std::less<>> items;  ///< as they are written in the index; none when that is gone

  /// The paths of all its items. What is no item any more is passed over.
  std::set<std::string> paths() const;
};

/// nullopt when the folder has no `lib.json`. InvalidArgument as of read_library().
base::Result<std::optional<Tree>> read_tree(TreeFolder& folder);

struct WrittenItem {
  Item item;
  std::string text;
};

/// Shows a state of the library. The files of all its items are there; `changed` are those of `items` whose documents
/// are to be written, and whose files are looked at once more. `items_href` is the tree's own. An Error leaves the
/// state before, unless the last document could not be written, which few read.
base::Result<void> show_tree(TreeFolder& folder, Library library, const std::vector<std::string_view>& items,
                             const std::vector<WrittenItem>& changed);

}  // namespace quire::vcsp
