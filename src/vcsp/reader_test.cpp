#include "vcsp/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

// What other publishers write (vcsp.md §8), and what nobody may make of it.

namespace quire::vcsp {
namespace {

namespace json = boost::json;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using std::string_literals::operator""s;

json::object library() {
  return json::object{
      {"vcspVersion", "2"},
      {"version", "41"},
      {"contentVersion", "1"},
      {"name", "golden-images"},
      {"description", ""},
      {"id", "urn:uuid:5f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10"},
      {"created", "2026-02-11T08:04:17.512Z"},
      {"itemType", "vcsp.CatalogItem"},
      {"capabilities", json::object{{"transferIn", json::array{"httpGet"}}, {"transferOut", json::array{"httpGet"}}}},
      {"itemsHref", "items.json"}};
}

json::object file() {
  return json::object{
      {"name", "a.iso"}, {"size", 2048}, {"etag", "6"}, {"generationNum", 6}, {"hrefs", json::array{"a/g6/a.iso"}}};
}

json::object item(const json::object& one_file) {
  return json::object{{"id", "urn:uuid:0b7a3f52-98a1-4f4a-9c8e-1a4c5a2c6f01"},
                      {"name", "a"},
                      {"description", ""},
                      {"type", "vcsp.iso"},
                      {"version", "9"},
                      {"contentVersion", "6"},
                      {"created", "2026-02-11T08:10:00.000Z"},
                      {"selfHref", "a/item.json"},
                      {"files", json::array{one_file}},
                      {"properties", json::object()}};
}

json::object item_with(std::string_view key, const json::value& value) {
  auto made = item(file());
  made[key] = value;
  return made;
}
json::object item_without(std::string_view key) {
  auto made = item(file());
  made.erase(key);
  return made;
}
json::object with_file(std::string_view key, const json::value& value) {
  auto made = file();
  made[key] = value;
  return item(made);
}

Remarks remarks_of(const json::object& one) {
  Remarks remarks;
  const auto read = read_item(json::serialize(one), &remarks);
  EXPECT_TRUE(read) << read.error().text();
  return remarks;
}

std::string refusal_of(const json::object& one) {
  const auto read = read_item(json::serialize(one));
  return read ? "none" : read.error().text();
}

TEST(Reader, AFaultlessItemGetsNoRemark) { EXPECT_THAT(remarks_of(item(file())), IsEmpty()); }

TEST(Reader, TakesEveryKnownQuirk) {
  EXPECT_EQ(read_item(json::serialize(item_with("version", 9)))->version, 9);
  EXPECT_EQ(read_item(json::serialize(item_with("description", nullptr)))->description, "");
  EXPECT_EQ(read_item(json::serialize(item_without("description")))->description, "");
  EXPECT_EQ(read_item(json::serialize(item_with("id", "0B7A3F52-98A1-4F4A-9C8E-1A4C5A2C6F01")))->id,
            "0b7a3f52-98a1-4f4a-9c8e-1a4c5a2c6f01");
  EXPECT_EQ(read_item(json::serialize(with_file("size", "2048")))->files.at(0).size, 2048);
  EXPECT_EQ(read_item(json::serialize(with_file("generationNum", "6")))->files.at(0).generation, 6);
  EXPECT_EQ(read_item(json::serialize(with_file("etag", 7)))->files.at(0).etag, "7");
  EXPECT_THAT(remarks_of(item_with("properties", json::array())), IsEmpty());
  for (const auto* time : {"2026-02-11T08:10Z", "2026-02-11T08:10:00.123456Z", "2026-02-11T08:10:00"}) {
    const auto read = read_item(json::serialize(item_with("created", time)));
    ASSERT_TRUE(read) << time;
    EXPECT_TRUE(read->created) << time;
  }
  const auto unreadable = read_item(json::serialize(item_with("created", "yesterday")));
  ASSERT_TRUE(unreadable);
  EXPECT_FALSE(unreadable->created) << "a time informs and decides nothing";
}

TEST(Reader, RefusesWhatASubscriberWouldHaveToGuess) {
  for (const auto* version : {"", "abc", "1.5", "-1", "99999999999999999999", " 1"})
    EXPECT_THAT(refusal_of(item_with("version", version)), HasSubstr("version")) << version;
  EXPECT_THAT(refusal_of(item_with("version", nullptr)), HasSubstr("version"));
  EXPECT_THAT(refusal_of(item_with("contentVersion", "x")), HasSubstr("contentVersion"));
  EXPECT_THAT(refusal_of(item_with("name", "")), HasSubstr("name"));
  EXPECT_THAT(refusal_of(item_with("id", "urn:uuid:none")), HasSubstr("id"));
  EXPECT_THAT(refusal_of(item_without("files")), HasSubstr("files"));
  EXPECT_THAT(refusal_of(item_without("selfHref")), HasSubstr("selfHref"));
  EXPECT_THAT(refusal_of(with_file("size", -1)), HasSubstr("files[0].size"));
  EXPECT_THAT(refusal_of(with_file("size", 1.5)), HasSubstr("files[0].size"));
  EXPECT_THAT(refusal_of(with_file("hrefs", json::array())), HasSubstr("files[0].hrefs"));
  EXPECT_THAT(refusal_of(with_file("generationNum", "f00")), HasSubstr("files[0].generationNum"));
  auto twice = item(file());
  twice["files"] = json::array{file(), file()};
  EXPECT_THAT(refusal_of(twice), HasSubstr("twice"));
}

TEST(Reader, RefusesNamesThatLeadElsewhere) {
  for (const auto& name : {""s, "."s, ".."s, "../a.iso"s, "a/b.iso"s, "a\\b.iso"s, "a\0b"s})
    EXPECT_THAT(refusal_of(with_file("name", json::value(name))), HasSubstr("bare name")) << name;
}

TEST(Reader, RefusesWhatIsNoDocument) {
  for (const auto* text : {"", "[]", "{", "null", "\xEF\xBB\xBF{}"}) {
    EXPECT_FALSE(read_library(text)) << text;
    EXPECT_FALSE(read_index(text)) << text;
    EXPECT_FALSE(read_item(text)) << text;
  }
  EXPECT_FALSE(read_index("{}")) << "a missing list is no empty one";
  EXPECT_FALSE(read_index(R"({"items":{}})"));
  auto dialect = library();
  dialect["vcspVersion"] = "3";
  EXPECT_FALSE(read_library(json::serialize(dialect)));
}

TEST(Reader, SaysWhoStumblesOverWhat) {
  const auto hexadecimal = [] {
    auto made = file();
    made.erase("generationNum");
    made["etag"] = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    return item(made);
  }();
  EXPECT_THAT(remarks_of(hexadecimal), Contains(Field(&Remark::who, Stumbling::everybody)));
  EXPECT_EQ(generation_of(read_item(json::serialize(hexadecimal))->files.at(0)), std::nullopt);
  EXPECT_THAT(remarks_of(with_file("etag", "3f1d2c4b-0000-4000-8000-00000000000a")),
              ElementsAre(Remark{"files[0].etag", "is no whole number of 64 bits", Stumbling::cloud_director}));
  EXPECT_THAT(remarks_of(item_with("type", "vcsp.ova")), Contains(Field(&Remark::who, Stumbling::everybody)));
  EXPECT_THAT(remarks_of(item_with("name", json::value(std::string(81, 'x')))),
              Contains(Field(&Remark::where, "name")));
  EXPECT_THAT(remarks_of(item_with("files", json::array())), Contains(Field(&Remark::where, "files")));

  Remarks remarks;
  auto without = library();
  without.erase("capabilities");
  ASSERT_TRUE(read_library(json::serialize(without), &remarks));
  EXPECT_THAT(remarks, Contains(Remark{"capabilities", "is missing: the library is then said not to exist",
                                       Stumbling::vcenter}));
  remarks.clear();
  auto second = item(file());
  second["id"] = "urn:uuid:0b7a3f52-98a1-4f4a-9c8e-1a4c5a2c6f02";
  ASSERT_TRUE(read_index(json::serialize(json::object{{"version", "1"}, {"items", json::array{item(file()), second}}}),
                         &remarks));
  EXPECT_THAT(remarks, Contains(Field(&Remark::who, Stumbling::vcenter))) << "two items of one name";
}

TEST(Reader, ReadsAFeedOfTheFirstDialect) {
  const auto index = read_index(R"({"itemType":"vcsp.CatalogItem","version":"3","items":[{"vcspVersion":"1",
      "version":"1","id":"urn:uuid:bbbb0001-0000-4000-8000-000000000001","name":"web-tier",
      "created":"2026-03-02T09:30:00.250Z","description":"two machines","type":"vcsp.ovf","files":[{
      "name":"descriptor.ovf","etag":"3f1d2c4b-0000-4000-8000-00000000000a","size":9114,
      "hrefs":["/vcsp/lib/x/item/y/file/descriptor.ovf"]}],"properties":{},"selfHref":"/vcsp/lib/x/item/y/",
      "metadata":[],"vms":[{"name":"web-1","metadata":[]}]}]})");
  ASSERT_TRUE(index) << index.error().text();
  EXPECT_EQ(index->version, 3);
  EXPECT_EQ(generation_of(index->items.at(0).files.at(0)), std::nullopt) << "different means changed";
}

// ---- the index, item by item ----

/// What read_items() made of a text.
struct Reading {
  explicit Reading(const std::string& text) {
    const auto read = read_items(
        text, [this](Item&& item) { taken.push_back(std::move(item)); },
        [this](UnusableItem&& item) { refused.push_back(std::move(item)); });
    if (read)
      version = *read;
    else
      failure = read.error().text();
  }
  std::vector<Item> taken;
  std::vector<UnusableItem> refused;
  std::optional<std::int64_t> version;
  std::string failure;
};

json::object numbered(int number) {
  auto made = item(file());
  made["id"] = "urn:uuid:0b7a3f52-98a1-4f4a-9c8e-1a4c5a2c6f0" + std::to_string(number);
  made["name"] = "item " + std::to_string(number);
  return made;
}

std::string index_of(const json::array& items) { return json::serialize(json::object{{"items", items}}); }

TEST(ReadItems, GivesWhatTheWholeIndexGives) {
  const auto text = json::serialize(json::object{
      {"items", json::array{numbered(1), numbered(2), numbered(3)}}, {"x", json::array{}}, {"version", "7"}});
  const auto whole = read_index(text);
  ASSERT_TRUE(whole);
  const Reading reading(text);
  EXPECT_EQ(reading.failure, "");
  EXPECT_EQ(reading.version, whole->version);
  EXPECT_EQ(reading.taken, whole->items);
  EXPECT_THAT(reading.refused, IsEmpty());
}

TEST(ReadItems, TheVersionStandsAnywhereOrNowhere) {
  EXPECT_EQ(Reading(R"({"version":"7","items":[]})").version, 7);
  EXPECT_EQ(Reading(R"({"items":[],"version":8})").version, 8);
  EXPECT_EQ(Reading(R"({"\u0076ersion":"9","\u0069\u0074\u0065\u006d\u0073":[]})").version, 9);
  const Reading without(R"( { "items" : [ ] } )");
  EXPECT_EQ(without.version, std::nullopt);
  EXPECT_EQ(without.failure, "");
  for (const char* version : {"\"\"", "\"x\"", "null", "-1", "1.5", "tru", "{}", "99999999999999999999"})
    EXPECT_THAT(Reading(R"({"items":[],"version":)" + std::string(version) + "}").failure, HasSubstr("version"))
        << version;
}

TEST(ReadItems, OneBadItemDoesNotSpoilTheOthers) {
  auto nameless = numbered(2);
  nameless["name"] = "";
  auto without_version = numbered(3);
  without_version["version"] = nullptr;
  auto unknown = numbered(4);
  unknown["id"] = "none";
  const Reading reading(index_of({numbered(1), nameless, without_version, 17, unknown, numbered(5)}));
  EXPECT_EQ(reading.failure, "");
  ASSERT_EQ(reading.taken.size(), 2U);
  EXPECT_EQ(reading.taken[0].name, "item 1");
  EXPECT_EQ(reading.taken[1].name, "item 5");
  ASSERT_EQ(reading.refused.size(), 4U);
  EXPECT_EQ(reading.refused[0].id, "0b7a3f52-98a1-4f4a-9c8e-1a4c5a2c6f02");
  EXPECT_EQ(reading.refused[0].name, "");
  EXPECT_THAT(reading.refused[0].reason.text(), HasSubstr("items[1].name"));
  EXPECT_EQ(reading.refused[1].id, "0b7a3f52-98a1-4f4a-9c8e-1a4c5a2c6f03");
  EXPECT_EQ(reading.refused[1].name, "item 3");
  EXPECT_THAT(reading.refused[1].reason.text(), HasSubstr("items[2].version"));
  EXPECT_EQ(reading.refused[2].id, "");
  EXPECT_THAT(reading.refused[2].reason.text(), HasSubstr("items[3]"));
  EXPECT_EQ(reading.refused[3].id, "");
  EXPECT_EQ(reading.refused[3].name, "item 4");
}

TEST(ReadItems, AnItemThatIsNoJsonDoesNotSpoilTheOthers) {
  const auto good = json::serialize(numbered(1));
  for (const std::string bad : {"{]}", "{\"id\" 1}", "tru", "{\"name\":\"\xFF\"}", "{\"name\":\"\\q\"}", "{,}"}) {
    if (bad == "{]}") {
      EXPECT_NE(Reading("{\"items\":[" + bad + "," + good + "]}").failure, "") << "where it ends is not to be known";
      continue;
    }
    const Reading reading("{\"items\":[" + bad + "," + good + "]}");
    EXPECT_EQ(reading.failure, "") << bad;
    EXPECT_EQ(reading.taken.size(), 1U) << bad;
    ASSERT_EQ(reading.refused.size(), 1U) << bad;
    EXPECT_EQ(reading.refused[0].reason.messages().front().id, "quire.vcsp.invalid");
  }
  const auto deep = "{\"x\":" + std::string(40, '[') + std::string(40, ']') + "}";
  EXPECT_EQ(Reading("{\"items\":[" + deep + "," + good + "]}").refused.size(), 1U);
}

TEST(ReadItems, TheSecondItemOfAnIdIsRefused) {
  auto again = numbered(1);
  again["name"] = "impostor";
  const Reading reading(index_of({numbered(1), again, numbered(2)}));
  EXPECT_EQ(reading.taken.size(), 2U);
  ASSERT_EQ(reading.refused.size(), 1U);
  EXPECT_EQ(reading.refused[0].name, "impostor");
  EXPECT_THAT(reading.refused[0].reason.text(), HasSubstr("twice"));

  auto bad = numbered(1);
  bad.erase("files");
  EXPECT_EQ(Reading(index_of({bad, numbered(1)})).taken.size(), 1U) << "one that is unusable takes no id";
}

TEST(ReadItems, ANameIsBoundedForShowing) {
  auto bad = numbered(1);
  bad.erase("files");
  std::string name;
  for (int i = 0; i < 1000; ++i) name += "\u00e4";
  bad["name"] = name;
  EXPECT_EQ(Reading(index_of({bad})).refused.at(0).name, name.substr(0, 160)) << "80 characters of two bytes";
  bad["name"] = std::string(80, 'x');
  EXPECT_EQ(Reading(index_of({bad})).refused.at(0).name, std::string(80, 'x'));
}

TEST(ReadItems, ABrokenDocumentGivesNothing) {
  const auto one = json::serialize(numbered(1));
  for (const auto& text :
       {""s, "[]"s, "{"s, "null"s, "{}"s, "\xEF\xBB\xBF{\"items\":[]}"s, R"({"items":{}})"s, R"({"items":null})"s,
        "{\"items\":[" + one + " " + one + "]}", "{\"items\":[" + one + ",]}", "{\"items\":[" + one + "]} x",
        "{\"items\":[" + one + "],\"x\":" + std::string(1'000'000, '[') + "}",
        "{\"items\":[" + one + "," + std::string(1'000'000, '{')}) {
    const Reading reading(text);
    EXPECT_THAT(reading.failure, HasSubstr("items.json")) << text.substr(0, 100);
    EXPECT_THAT(reading.taken, IsEmpty());
    EXPECT_THAT(reading.refused, IsEmpty());
  }
  const auto whole = json::serialize(json::object{{"items", json::array{numbered(1), numbered(2)}}, {"version", "7"}});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Reading reading(whole.substr(0, length));
    EXPECT_NE(reading.failure, "") << length;
    EXPECT_TRUE(reading.taken.empty() && reading.refused.empty()) << length;
  }
}

TEST(ReadItems, TheLastMemberOfANameCounts) {
  const auto text = R"({"version":"1","items":[1],"version":"2","items":[]})"s;
  EXPECT_EQ(Reading(text).version, 2);
  EXPECT_THAT(Reading(text).refused, IsEmpty());
  EXPECT_EQ(read_index(text)->version, 2);
}

TEST(Reader, ResolvesHrefs) {
  const std::string base = "https://host/cls/vcsp/lib/x/lib.json";
  EXPECT_THAT(resolve_href(base, "a/item.json", "a/g1/disk.vmdk"),
              ElementsAre("https://host/cls/vcsp/lib/x/a/g1/disk.vmdk"));
  EXPECT_THAT(resolve_href(base, "a/item.json", "disk.vmdk"),
              ElementsAre("https://host/cls/vcsp/lib/x/disk.vmdk", "https://host/cls/vcsp/lib/x/a/disk.vmdk"));
  EXPECT_THAT(resolve_href(base, "a/item.json", "/vcsp/disk.vmdk"), ElementsAre("https://host/vcsp/disk.vmdk"));
  EXPECT_THAT(resolve_href(base, "a/item.json", "http://other/disk.vmdk"), ElementsAre("http://other/disk.vmdk"));
}

}  // namespace
}  // namespace quire::vcsp
