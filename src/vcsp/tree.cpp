#include "vcsp/tree.h"

#include <charconv>

#include "base/uri.h"
#include "vcsp/json_pieces.h"
#include "vcsp/reader.h"

namespace quire::vcsp {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::string_view index_prefix = "items-";
constexpr std::string_view index_suffix = ".json";

Error not_as_written(const std::string& path) {
  return {ErrorKind::error,
          "quire.vcsp.not_as_written",
          "{path} was written and is not as it should be; does something else write there?",
          {{"path", path}}};
}

Result<void> check_files(TreeFolder& folder, const Item& item) {
  for (const auto& file : item.files) {
    const auto path = path_of(file.hrefs.front());
    QUIRE_ASSIGN_OR_RETURN(const auto size, folder.size_of(path));
    if (size != file.size) return not_as_written(path);
  }
  return {};
}

}  // namespace

std::string index_name(std::int64_t version) {
  return std::string(index_prefix) + std::to_string(version) + std::string(index_suffix);
}

std::optional<std::int64_t> version_of_index(std::string_view name) {
  if (!name.starts_with(index_prefix) || !name.ends_with(index_suffix)) return std::nullopt;
  name.remove_prefix(index_prefix.size());
  if (name.size() <= index_suffix.size()) return std::nullopt;
  name.remove_suffix(index_suffix.size());
  std::int64_t version = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (failed != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return version;
}

std::string path_of(std::string_view href) { return base::percent_decode(href).value_or(std::string(href)); }

std::vector<std::string> paths_of(const Item& item) {
  std::vector<std::string> paths{path_of(item.self_href)};
  for (const auto& file : item.files) paths.push_back(path_of(file.hrefs.front()));
  return paths;
}

std::set<std::string> Tree::paths() const {
  std::set<std::string> all;
  for (const auto& text : items)
    if (const auto item = read_item(text))
      for (auto& path : paths_of(*item)) all.insert(std::move(path));
  return all;
}

Result<std::optional<Tree>> read_tree(TreeFolder& folder) {
  QUIRE_ASSIGN_OR_RETURN(const auto text, folder.read(std::string(library_file)));
  if (!text) return std::optional<Tree>();
  Tree tree;
  QUIRE_ASSIGN_OR_RETURN(tree.library, read_library(*text));
  QUIRE_ASSIGN_OR_RETURN(const auto index, folder.read(path_of(tree.library.items_href)));
  if (!index) return std::optional(std::move(tree));
  const auto problem = each_member(*index, [&](std::string_view key, std::string_view value) {
    if (key == R"("items")") each_element(value, [&](std::string_view item) { tree.items.emplace(item); });
  });
  if (problem) tree.items.clear();
  return std::optional(std::move(tree));
}

Result<void> show_tree(TreeFolder& folder, Library library, const std::vector<std::string_view>& items,
                       const std::vector<WrittenItem>& changed) {
  for (const auto& [item, text] : changed) {
    QUIRE_RETURN_IF_ERROR(check_files(folder, item));
    QUIRE_RETURN_IF_ERROR(folder.write(path_of(item.self_href), text));
  }
  library.items_href = index_name(library.version);
  IndexWriter writer(library.version, 0);
  for (const auto item : items) writer.add(item);
  const auto index = writer.finish();
  QUIRE_RETURN_IF_ERROR(folder.write(library.items_href, index));
  QUIRE_ASSIGN_OR_RETURN(const auto written, folder.read(library.items_href));
  if (written != index) return not_as_written(library.items_href);
  QUIRE_RETURN_IF_ERROR(folder.sync());
  QUIRE_RETURN_IF_ERROR(folder.write(std::string(library_file), write_library(library)));
  QUIRE_RETURN_IF_ERROR(folder.write(std::string(index_file), index));
  return folder.sync();
}

}  // namespace quire::vcsp
