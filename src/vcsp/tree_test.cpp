#include "vcsp/tree.h"

#include <gmock/gmock.h>

#include <map>

#include "vcsp/reader.h"

namespace quire::vcsp {
namespace {

using base::Result;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// In memory; `written` tells what happened in which order.
class MemoryTree final : public TreeFolder {
 public:
  Result<std::optional<std::string>> read(const std::string& path) override {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::optional<std::int64_t>> size_of(const std::string& path) override {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(static_cast<std::int64_t>(found->second.size()));
  }
  Result<void> write(const std::string& path, std::string_view text) override {
    if (path == refused) return base::internal_error("no room");
    files[path] = text;
    written.push_back(path);
    return {};
  }
  Result<void> sync() override {
    written.emplace_back("sync");
    return {};
  }

  std::map<std::string, std::string> files;
  std::vector<std::string> written;
  std::string refused;
};

constexpr auto library_id = "5f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10";
constexpr auto item_id = "0b7a3f52-98a1-4f4a-9c8e-1a4c5a2c6f01";

Library a_library(std::int64_t version) {
  Library library;
  library.version = version;
  library.name = "images";
  library.id = library_id;
  return library;
}

WrittenItem an_item(std::int64_t version) {
  Item item;
  item.id = item_id;
  item.name = "one";
  item.type = other_type;
  item.version = version;
  item.content_version = 2;
  item.self_href = item.id + "/item.json";
  item.files = {{"a b.txt", 3, "2", 2, {item.id + "/g2/a%20b.txt"}}};
  return {item, write_item(item)};
}

Result<void> show(MemoryTree& tree, std::int64_t version, const WrittenItem& item) {
  return show_tree(tree, a_library(version), {item.text}, {item});
}

TEST(Tree, ShowsAStateByItsDescriptorAtLast) {
  MemoryTree tree;
  const auto item = an_item(2);
  tree.files[std::string(item_id) + "/g2/a b.txt"] = "abc";
  ASSERT_TRUE(show(tree, 7, item));
  EXPECT_THAT(tree.written, ElementsAre(std::string(item_id) + "/item.json", "items-7.json", "sync", "lib.json",
                                        "items.json", "sync"));
  EXPECT_EQ(tree.files["items.json"], tree.files["items-7.json"]);
  const auto read = read_tree(tree);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->library.version, 7);
  EXPECT_EQ((*read)->library.items_href, "items-7.json");
  EXPECT_THAT((*read)->items, ElementsAre(item.text)) << "as it was written, to the byte";
  EXPECT_THAT((*read)->paths(),
              UnorderedElementsAre(std::string(item_id) + "/item.json", std::string(item_id) + "/g2/a b.txt"));
}

TEST(Tree, ShowsNothingWhenAFileIsMissingOrADocumentCannotBeWritten) {
  MemoryTree tree;
  EXPECT_FALSE(show(tree, 7, an_item(2))) << "the file is not there";
  tree.files[std::string(item_id) + "/g2/a b.txt"] = "too long";
  EXPECT_FALSE(show(tree, 7, an_item(2)));
  EXPECT_FALSE(tree.files.contains("lib.json"));
  tree.files[std::string(item_id) + "/g2/a b.txt"] = "abc";
  ASSERT_TRUE(show(tree, 7, an_item(2)));
  for (const std::string refused : {"items-8.json", "lib.json"}) {
    tree.refused = refused;
    EXPECT_FALSE(show(tree, 8, an_item(3)));
    const auto read = read_tree(tree);
    ASSERT_TRUE(read && *read);
    EXPECT_EQ((*read)->library.version, 7);
    EXPECT_THAT((*read)->items, ElementsAre(an_item(2).text));
  }
}

TEST(Tree, ReadsWhatIsLeftOfATree) {
  MemoryTree tree;
  const auto nothing = read_tree(tree);
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(*nothing);
  tree.files["lib.json"] = "{";
  EXPECT_FALSE(read_tree(tree));
  auto library = a_library(7);
  library.items_href = index_name(7);
  tree.files["lib.json"] = write_library(library);
  for (const std::string index : {"", "{", "{\"items\": [{\"id\": 1}", "{\"items\": 7}", "[]"}) {
    SCOPED_TRACE(index);
    tree.files["items-7.json"] = index;
    const auto read = read_tree(tree);
    ASSERT_TRUE(read && *read);
    EXPECT_THAT((*read)->items, IsEmpty());
  }
  tree.files["items-7.json"] = R"({"items": ["no item", )" + an_item(2).text + "]}";
  const auto read = read_tree(tree);
  ASSERT_TRUE(read && *read);
  EXPECT_THAT((*read)->paths(), testing::SizeIs(2)) << "of the one that is an item";
}

TEST(Tree, TellsIndexesOfStatesByTheirNames) {
  EXPECT_EQ(version_of_index(index_name(41)), 41);
  for (const auto* name : {"items.json", "items-.json", "items-4x.json", "items-x.json", "lib.json", "items-4.jso",
                           "items-99999999999999999999.json", ""})
    EXPECT_EQ(version_of_index(name), std::nullopt) << name;
}

}  // namespace
}  // namespace quire::vcsp
