#include "base/identity.h"

#include <gtest/gtest.h>

#include <set>

namespace quire::base {
namespace {

Time at(std::int64_t milliseconds) { return Time(Duration(milliseconds)); }

TEST(Identity, UuidsAreOfTheirVersion) {
  RandomIdentitySource identities;
  const auto random = identities.uuid();
  EXPECT_TRUE(looks_like_uuid(random));
  EXPECT_EQ(random[14], '4');
  const auto timed = identities.uuid_made_at(at(0x0123456789AB));
  EXPECT_TRUE(looks_like_uuid(timed));
  EXPECT_EQ(timed.substr(0, 15), "01234567-89ab-7");
  for (const auto& uuid : {random, timed}) EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
}

TEST(Identity, UuidsOfLaterMillisecondsComeLater) {
  RandomIdentitySource identities;
  std::string last;
  for (std::int64_t time = 1'700'000'000'000; time < 1'700'000'000'600; ++time) {
    auto next = identities.uuid_made_at(at(time));
    EXPECT_LT(last, next);
    last = std::move(next);
  }
}

TEST(Identity, NoUuidComesTwiceAtOneMoment) {
  constexpr std::size_t count = 10'000;
  RandomIdentitySource identities;
  std::set<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.insert(identities.uuid_made_at(at(0)));
  EXPECT_EQ(all.size(), count);
}

}  // namespace
}  // namespace quire::base
