#include "wire/codec/json_text.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

namespace quire::wire {
namespace {

std::string again(std::string_view text) {
  const auto value = parse_json(text, rest_depth_max);
  return value ? boost::json::serialize(*value) : value.error().messages().front().id;
}

TEST(JsonText, ReadsWholeDocuments) {
  EXPECT_EQ(again(R"( {"a":[1,-2,9223372036854775807,1.5,true,null,"ä\n"],"b":{"a":{}}} )"),
            R"({"a":[1,-2,9223372036854775807,1.5E0,true,null,"ä\n"],"b":{"a":{}}})");
  EXPECT_EQ(again(R"([{"a":1},{"a":2}])"), R"([{"a":1},{"a":2}])");
}

TEST(JsonText, RefusesTheRest) {
  for (const std::string text :
       {"", " ", "{", "{}x", "{} {}", "{'a':1}", "{\"a\":1,}", "[1 2]", "nul", "\"\xff\"", "\"\\ud800\"",
        "\"\xed\xa0\x80\"", "\xef\xbb\xbf{}", "// c\n{}", "\"a\nb\"", "01", "NaN"})
    EXPECT_EQ(again(text), "quire.wire.not_json") << text;
}

TEST(JsonText, RefusesAMemberThatStandsTwice) {
  EXPECT_EQ(again(R"({"a":1,"b":{"c":1},"a":1})"), "quire.wire.json_member_twice");
  EXPECT_EQ(again(R"([{"x":{"c":1,"c":2}}])"), "quire.wire.json_member_twice");
  EXPECT_EQ(again(R"({"a":1,"\u0061":2})"), "quire.wire.json_member_twice");
  EXPECT_EQ(again(R"({"a":{"a":{"a":1}},"b":{"a":1}})"), R"({"a":{"a":{"a":1}},"b":{"a":1}})");
}

TEST(JsonText, LimitsTheDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(rest_depth_max), rest_depth_max));
  EXPECT_FALSE(parse_json(nested(rest_depth_max + 1), rest_depth_max));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '['), rest_depth_max));
}

}  // namespace
}  // namespace quire::wire
