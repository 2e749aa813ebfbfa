#include "adapters/curl/response_fields.h"

#include <gtest/gtest.h>

namespace quire::adapters::curl {
namespace {

TEST(ResponseFields, TellsStrongEtags) {
  for (const char* value : {"\"\"", "\"a\"", "\"a-b,c'\"", "\"\xC3\xA4\""}) EXPECT_TRUE(is_strong_etag(value)) << value;
  for (const char* value : {"", "\"", "a", "W/\"a\"", "w/\"a\"", "\"a", "a\"", "\"a\" ", "\"a\", \"b\"", "\"a b\""})
    EXPECT_FALSE(is_strong_etag(value)) << value;
}

TEST(ResponseFields, ReadsLengths) {
  EXPECT_EQ(parse_length("0"), 0);
  EXPECT_EQ(parse_length("9223372036854775807"), INT64_MAX);
  for (const char* value : {"", "-1", "+1", "1 ", " 1", "1a", "0x1", "9223372036854775808", "1,1"})
    EXPECT_FALSE(parse_length(value)) << value;
}

TEST(ResponseFields, ReadsContentRanges) {
  const auto range = parse_content_range("bytes 5-9/10");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 5);
  EXPECT_EQ(range->last, 9);
  EXPECT_EQ(range->whole, 10);
  EXPECT_EQ(parse_content_range("Bytes 0-0/1")->whole, 1);
  for (const char* value :
       {"", "bytes", "bytes ", "bytes */5", "bytes 0-0/*", "bytes 5/10", "bytes 5-/10", "bytes -5/10", "bytes 5-4/10",
        "bytes 5-10/10", "bytes 5-9", "bytes 5-9/", "bytes 5-9/-1", "bytes=5-9/10", "5-9/10",
        "bytes 5-9/99999999999999999999", "items 5-9/10", "bytes  5-9/10", "bytes 5/9-10"})
    EXPECT_FALSE(parse_content_range(value)) << value;
}

}  // namespace
}  // namespace quire::adapters::curl
