#include "wire/request/request_target.h"

#include <gmock/gmock.h>

namespace quire::wire {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> query_of(std::string_view target) {
  std::vector<std::string> pairs;
  const auto parsed = parse_target(target);
  if (!parsed) return {parsed.error().messages().front().id};
  for (const auto& parameter : parsed->query) pairs.push_back(parameter.name + "=" + parameter.value);
  return pairs;
}

TEST(RequestTarget, SplitsBeforeItDecodes) {
  EXPECT_THAT(parse_target("/api/session")->segments, ElementsAre("api", "session"));
  EXPECT_THAT(parse_target("/a/disks%2Fone.vmdk?x")->segments, ElementsAre("a", "disks/one.vmdk"));
  EXPECT_THAT(parse_target("/a/id%3Ax:y")->segments, ElementsAre("a", "id:x:y"));
  EXPECT_THAT(parse_target("/a/b+c%20d")->segments, ElementsAre("a", "b+c d"));
  EXPECT_THAT(parse_target("/a/")->segments, ElementsAre("a", ""));
  EXPECT_THAT(parse_target("//a")->segments, ElementsAre("", "a"));
}

TEST(RequestTarget, ReadsTheQuery) {
  EXPECT_THAT(query_of("/?a=1&b&&c=x+y%2B&a=%C3%A4"), ElementsAre("a=1", "b=", "c=x y+", "a=ä"));
  EXPECT_THAT(query_of("/?%7Eaction=find"), ElementsAre("~action=find"));
  EXPECT_THAT(query_of("/?a=b=c?d"), ElementsAre("a=b=c?d"));
  EXPECT_THAT(query_of("/?"), ElementsAre());
}

TEST(RequestTarget, RefusesWhatIsNotPercentEncodedUtf8) {
  for (const std::string target :
       {"/a%", "/a%2", "/a%zz", "/a%ff", "/a%00", "/?a=%c3", "/?%=1", "", "api", "*", "/\xff", "/%ed%a0%80"}) {
    const auto parsed = parse_target(target);
    ASSERT_FALSE(parsed) << target;
    EXPECT_EQ(parsed.error().kind(), base::ErrorKind::invalid_request);
  }
}

TEST(RequestTarget, HasLimits) {
  std::string path;
  for (std::size_t i = 0; i < path_segments_max; ++i) path += "/a";
  EXPECT_TRUE(parse_target(path));
  EXPECT_FALSE(parse_target(path + "/a"));
  std::string query = "/?";
  for (std::size_t i = 0; i < query_parameters_max; ++i) query += "a&";
  EXPECT_TRUE(parse_target(query));
  EXPECT_FALSE(parse_target(query + "a"));
}

}  // namespace
}  // namespace quire::wire
