#include "service/subscription/source_item_rules.h"

#include <gmock/gmock.h>

#include <limits>

namespace quire::service {
namespace {

constexpr auto int64_max = std::numeric_limits<std::int64_t>::max();
constexpr auto uuid_etag = "0a0b0c0d-1111-4222-8333-444455556666";

vcsp::File file(std::string etag, std::optional<std::int64_t> generation = {}) {
  return {"disk.vmdk", 10, std::move(etag), generation, {"i/disk.vmdk"}};
}
vcsp::Item item() {
  vcsp::Item item;
  item.id = "aaaaaaaa-0000-4000-8000-000000000001";
  item.name = "item";
  item.type = vcsp::other_type;
  item.self_href = "i/item.json";
  return item;
}

TEST(SourceItemRulesTest, AFileIsTheSameWhileItsGenerationIs) {
  EXPECT_TRUE(is_same_file(file("1", 7), file("2", 7)));
  EXPECT_FALSE(is_same_file(file("1", 7), file("1", 8)));
  EXPECT_FALSE(is_same_file(file("1", 8), file("1", 7)));
}

TEST(SourceItemRulesTest, AFileWithoutGenerationIsTheSameWhileItsEtagIs) {
  EXPECT_TRUE(is_same_file(file("12"), file("12")));
  EXPECT_FALSE(is_same_file(file("12"), file("13")));
  EXPECT_TRUE(is_same_file(file("d41d8cd98f00b204e9800998ecf8427e"), file("d41d8cd98f00b204e9800998ecf8427e")));
  EXPECT_FALSE(is_same_file(file("d41d8cd98f00b204e9800998ecf8427e"), file("e41d8cd98f00b204e9800998ecf8427e")));
  EXPECT_TRUE(is_same_file(file(uuid_etag), file(uuid_etag)));
  EXPECT_FALSE(is_same_file(file(uuid_etag), file("12")));
}

TEST(SourceItemRulesTest, AnotherNameSizeOrDigestIsAnotherFile) {
  auto other = file("1", 7);
  other.size = 11;
  EXPECT_FALSE(is_same_file(file("1", 7), other));
  other = file("1", 7);
  other.sha256 = std::string(64, 'a');
  EXPECT_FALSE(is_same_file(file("1", 7), other));
  other = file("1", 7);
  other.name = "disk2.vmdk";
  EXPECT_FALSE(is_same_file(file("1", 7), other));
  other = file("1", 7);
  other.hrefs = {"elsewhere"};
  EXPECT_TRUE(is_same_file(file("1", 7), other)) << "where it lies does not matter";
}

TEST(SourceItemRulesTest, ContentVersionsFollowThePublisherAndGrow) {
  content::Item here;
  here.content_version = 3;
  auto wanted = item();
  wanted.content_version = 7;
  EXPECT_EQ(next_content_version(here, wanted), 7);
  wanted.content_version = 2;
  EXPECT_EQ(next_content_version(here, wanted), 4);
  wanted.content_version.reset();
  wanted.version = 9;
  EXPECT_EQ(next_content_version(here, wanted), 9);
  wanted.content_version = 0;
  EXPECT_EQ(told_content_version(wanted), 1);
}

TEST(SourceItemRulesTest, VersionsLeaveRoomToGoOn) {
  content::Item here;
  auto wanted = item();
  wanted.content_version = int64_max;
  wanted.metadata_version = int64_max;
  here.content_version = next_content_version(here, wanted);
  set_metadata(here, wanted, {});
  const auto before = here;
  wanted.name = "renamed";
  set_metadata(here, wanted, {});
  EXPECT_GT(next_content_version(here, wanted), before.content_version);
  EXPECT_GT(here.metadata_version, before.metadata_version);
}

TEST(SourceItemRulesTest, MetadataVersionsFollowThePublisherAndGrow) {
  content::Item here;
  here.metadata_version = 0;
  auto wanted = item();
  wanted.metadata_version = 1;
  set_metadata(here, wanted, {});
  EXPECT_EQ(here.metadata_version, 1);
  EXPECT_TRUE(has_metadata(here, wanted, {}));
  wanted.name = "b";
  wanted.metadata_version = 2;
  EXPECT_FALSE(has_metadata(here, wanted, {}));
  set_metadata(here, wanted, {});
  EXPECT_EQ(here.metadata_version, 2);
  wanted.name = "a";
  wanted.metadata_version = 1;  // from a backup
  set_metadata(here, wanted, {});
  EXPECT_EQ(here.metadata_version, 3);
  EXPECT_TRUE(has_metadata(here, wanted, {}));
}

TEST(SourceItemRulesTest, TextsThatAreTooLongEndEarly) {
  content::Limits limits;
  limits.description_chars_max = 3;
  content::Item here;
  auto wanted = item();
  wanted.description = "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F";
  set_metadata(here, wanted, limits);
  EXPECT_EQ(here.description, "\xC3\xA4\xC3\xB6\xC3\xBC");
}

TEST(SourceItemRulesTest, ProblemsOfItems) {
  const content::Limits limits;
  EXPECT_EQ(problem_of(item(), limits), std::nullopt);
  auto named = item();
  named.name = std::string(80, 'n');
  EXPECT_EQ(problem_of(named, limits), std::nullopt);
  for (const std::string& bad : {std::string(81, 'n'), std::string(), std::string("  "), std::string("a\nb")}) {
    named.name = bad;
    EXPECT_NE(problem_of(named, limits), std::nullopt) << bad;
  }
  for (const std::string bad : {"../x", "/etc/passwd", "..", ".", "", "a\\b", "a\nb"}) {
    auto one = item();
    one.files = {file("1")};
    one.files.front().name = bad;
    EXPECT_NE(problem_of(one, limits), std::nullopt) << bad;
  }
  auto many = item();
  for (std::size_t i = 0; i < limits.files_per_item_max; ++i) {
    many.files.push_back(file("1"));
    many.files.back().name = std::to_string(i);
  }
  EXPECT_EQ(problem_of(many, limits), std::nullopt);
  many.files.push_back(file("1"));
  EXPECT_NE(problem_of(many, limits), std::nullopt);
  auto huge = item();
  huge.files = {file("1"), file("1")};
  huge.files[0].size = huge.files[1].size = int64_max;
  EXPECT_NE(problem_of(huge, limits), std::nullopt);
}

TEST(SourceItemRulesTest, DocumentsComeBack) {
  auto wanted = item();
  wanted.files = {file("1", 7)};
  wanted.metadata_version = 3;
  const auto document = document_of(wanted);
  const auto read = read_stored(document.text);
  ASSERT_TRUE(read);
  EXPECT_TRUE(are_same_files(*read, document.item));
  EXPECT_EQ(document_of(*read).text, document.text);
  EXPECT_FALSE(read_stored("garbage"));
}

}  // namespace
}  // namespace quire::service
