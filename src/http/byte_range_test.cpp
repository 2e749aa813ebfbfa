#include "http/byte_range.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/response_head.h"

namespace quire::http {
namespace {

DownloadPlan plan_of(std::string_view range, std::uint64_t size = 100) {
  return plan_download(size, "\"e\"", {.range = range, .if_range = {}, .if_none_match = {}});
}

TEST(ByteRange, Plans) {
  struct Case {
    const char* range;
    int status;
    std::vector<ByteRange> ranges;
  };
  const Case cases[] = {
      {"bytes=0-9", 206, {{0, 10}}},
      {"bytes=10-", 206, {{10, 90}}},
      {"bytes=-5", 206, {{95, 5}}},
      {"bytes=-500", 206, {{0, 100}}},
      {"bytes=90-500", 206, {{90, 10}}},
      {"Bytes= 0-0", 206, {{0, 1}}},
      {"bytes=99-99", 206, {{99, 1}}},
      {"bytes=0-1,5-6", 206, {{0, 2}, {5, 2}}},
      {"bytes=50-59 , -10, 0-0", 206, {{50, 10}, {90, 10}, {0, 1}}},
      {"bytes=0-9,10-19", 206, {{0, 10}, {10, 10}}},
      {"bytes=,0-1,,4-5,", 206, {{0, 2}, {4, 2}}},
      {"bytes=100-,0-1", 206, {{0, 2}}},
      {"bytes=100-", 416, {}},
      {"bytes=-0", 416, {}},
      {"bytes=-0,100-200", 416, {}},
      {"bytes=5-4", 200, {{0, 100}}},
      {"bytes=a-b", 200, {{0, 100}}},
      {"bytes=-", 200, {{0, 100}}},
      {"bytes=,", 200, {{0, 100}}},
      {"bytes=0-1,x", 200, {{0, 100}}},
      {"bytes=0-9,9-12", 200, {{0, 100}}},
      {"bytes=20-29,-100", 200, {{0, 100}}},
      {"lines=0-1", 200, {{0, 100}}},
      {"bytes", 200, {{0, 100}}},
      {"bytes=0-18446744073709551616", 200, {{0, 100}}},
  };
  for (const auto& c : cases) {
    const auto plan = plan_of(c.range);
    EXPECT_EQ(plan.status, c.status) << c.range;
    EXPECT_EQ(plan.ranges, c.ranges) << c.range;
  }
  EXPECT_EQ(plan_of("bytes=0-", 0).status, 416);
}

TEST(ByteRange, ManyRangesGetTheWhole) {
  std::string range = "bytes=0-0";
  for (std::size_t i = 1; i < ranges_max; ++i) range += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(plan_of(range).ranges.size(), ranges_max);
  EXPECT_EQ(plan_of(range + ",99-99").status, 200);
}

TEST(ByteRange, Conditions) {
  const auto status = [](std::optional<std::string_view> if_range, std::optional<std::string_view> if_none_match) {
    return plan_download(9, "\"e\"", {.range = "bytes=0-1", .if_range = if_range, .if_none_match = if_none_match})
        .status;
  };
  EXPECT_EQ(status("\"e\"", {}), 206);
  EXPECT_EQ(status("\"f\"", {}), 200);
  EXPECT_EQ(status("W/\"e\"", {}), 200);
  EXPECT_EQ(status("Sun, 06 Nov 1994 08:49:37 GMT", {}), 200);
  EXPECT_EQ(status({}, "\"a\", W/\"e\""), 304);
  EXPECT_EQ(status({}, "*"), 304);
  EXPECT_EQ(status({}, "\"a\""), 206);
}

TEST(ResponseHead, Form) {
  const auto time = *base::parse_time("1994-11-06T08:49:37.123Z");
  EXPECT_EQ(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  wire::Headers headers;
  headers.add("Content-Type", "application/json");
  headers.add("X", "a\r\nb");
  EXPECT_EQ(response_head(201, headers, 5, true, time),
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX: a  b\r\nContent-Length: 5\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Quire\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response_head(204, headers, 0, false, time),
            "HTTP/1.1 204 No Content\r\nX: a  b\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Quire\r\n"
            "Connection: close\r\n\r\n");
}

}  // namespace
}  // namespace quire::http
