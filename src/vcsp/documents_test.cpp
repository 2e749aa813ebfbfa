#include "vcsp/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vcsp/reader.h"

namespace quire::vcsp {
namespace {

const base::Time created = *base::parse_time("2026-03-01T12:00:00.000Z");

Library library() {
  Library library;
  library.version = 5;
  library.name = "branch \"office\" Ä";
  library.description = "";
  library.id = "c0ffee00-1111-4222-8333-444455556666";
  library.created = created;
  library.items_href = "items.json";
  return library;
}

Item item() {
  Item item;
  item.id = "aaaa0001-0000-4000-8000-000000000001";
  item.name = "tiny-vm";
  item.type = ovf_type;
  item.version = 3;
  item.content_version = 2;
  item.created = created;
  item.self_href = "aaaa0001-0000-4000-8000-000000000001/item.json";
  item.metadata_version = 2;
  File file{"disk 1.vmdk", 10485760, "2", 2, {"aaaa0001-0000-4000-8000-000000000001/g2/disk%201.vmdk"}};
  file.sha256 = std::string(64, 'a');
  item.files = {file};
  return item;
}

TEST(Documents, OfALibraryHoldTheKeysOfBothDialects) {
  EXPECT_EQ(write_library(library()),
            R"({"vcspVersion":"2","version":"5","contentVersion":"1","name":"branch \"office\" Ä","description":"",)"
            R"("id":"urn:uuid:c0ffee00-1111-4222-8333-444455556666","created":"2026-03-01T12:00:00.000Z",)"
            R"("itemType":"vcsp.CatalogItem","capabilities":{"transferIn":["httpGet"],"transferOut":["httpGet"],)"
            R"("generateIds":true},"itemsHref":"items.json","metadata":[]})");
}

TEST(Documents, OfAnItemHoldTheKeysOfBothDialects) {
  EXPECT_EQ(write_item(item()),
            R"({"id":"urn:uuid:aaaa0001-0000-4000-8000-000000000001","name":"tiny-vm","description":"",)"
            R"("type":"vcsp.ovf","version":"3","contentVersion":"2","created":"2026-03-01T12:00:00.000Z",)"
            R"("selfHref":"aaaa0001-0000-4000-8000-000000000001/item.json","files":[{"name":"disk 1.vmdk",)"
            R"("size":10485760,"etag":"2","generationNum":2,)"
            R"("hrefs":["aaaa0001-0000-4000-8000-000000000001/g2/disk%201.vmdk"],"x-quire":{"sha256":")" +
                std::string(64, 'a') + R"("}}],"properties":{},"metadata":[],"x-quire":{"metadataVersion":"2"}})");
}

TEST(Documents, AreReadAsTheyWereWritten) {
  Remarks remarks;
  const auto read = read_library(write_library(library()), &remarks);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, library());
  const auto again = read_item(write_item(item()), &remarks);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*again, item());
  IndexWriter writer(5, 100);
  writer.add(write_item(item()));
  auto second = item();
  second.id = "aaaa0002-0000-4000-8000-000000000002";
  second.name = "another";
  writer.add(write_item(second));
  const auto index = read_index(writer.finish(), &remarks);
  ASSERT_TRUE(index) << index.error().text();
  EXPECT_EQ(index->version, 5);
  EXPECT_THAT(index->items, testing::ElementsAre(item(), second));
  EXPECT_THAT(remarks, testing::IsEmpty());
}

TEST(Documents, AnEmptyIndexHasAList) {
  const auto text = IndexWriter(1, 0).finish();
  EXPECT_EQ(text, "{\"itemType\":\"vcsp.CatalogItem\",\"version\":\"1\",\"items\":[]}\n");
  const auto index = read_index(text);
  ASSERT_TRUE(index);
  EXPECT_THAT(index->items, testing::IsEmpty());
}

TEST(Documents, TypesAgreeWithTheFiles) {
  EXPECT_EQ(type_of("ovf", {"a.vmdk", "a.OVF"}), ovf_type);
  EXPECT_EQ(type_of("OVF", {"a.ovf"}), ovf_type);
  EXPECT_EQ(type_of("ovf", {"a.ova"}), other_type) << "nobody takes it apart";
  EXPECT_EQ(type_of("iso", {"a.iso"}), iso_type);
  EXPECT_EQ(type_of("iso", {"a.iso", "read.me"}), other_type);
  EXPECT_EQ(type_of("", {"a.ovf"}), other_type) << "whoever made it says that it is no package";
  EXPECT_EQ(item_type_of(ovf_type), "ovf");
  EXPECT_EQ(item_type_of(iso_type), "iso");
  EXPECT_EQ(item_type_of(other_type), "");
}

}  // namespace
}  // namespace quire::vcsp
