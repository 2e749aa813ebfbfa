#include "adapters/objects/prefix_owner.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "support/manual_clock.h"
#include "support/memory_object_store.h"

namespace quire::adapters::objects {
namespace {

using base::ErrorKind;
using Fate = test_support::MemoryObjectStore::Fate;

class PrefixOwner : public testing::Test {
 protected:
  void put(std::string_view key, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    ASSERT_TRUE(objects_.put(key, bytes, base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex));
  }
  ErrorKind refusal_of(const base::Result<void>& outcome) {
    EXPECT_FALSE(outcome);
    return outcome ? ErrorKind::error : outcome.error().kind();
  }

  test_support::ManualClock clock_;
  test_support::MemoryObjectStore objects_{clock_};
};

TEST_F(PrefixOwner, TakesAnEmptyPlaceOnce) {
  EXPECT_EQ(refusal_of(check_place(objects_, "one", "s3://b")), ErrorKind::resource_in_use) << "nobody's yet";
  ASSERT_TRUE(claim_place(objects_, "one", "s3://b"));
  put("some/segment", "bytes");
  EXPECT_TRUE(claim_place(objects_, "one", "s3://b")) << "the next start";
  EXPECT_TRUE(check_place(objects_, "one", "s3://b"));
  EXPECT_EQ(refusal_of(claim_place(objects_, "two", "s3://b")), ErrorKind::resource_in_use);
  EXPECT_EQ(refusal_of(check_place(objects_, "two", "s3://b")), ErrorKind::resource_in_use);
}

TEST_F(PrefixOwner, LeavesWhatIsThereAlone) {
  put("holiday.jpg", "bytes");
  EXPECT_EQ(refusal_of(claim_place(objects_, "one", "s3://b")), ErrorKind::resource_in_use);
  std::array<std::byte, 1> buffer{};
  EXPECT_FALSE(objects_.get(owner_key, 0, buffer));
}

TEST_F(PrefixOwner, AnOwnerThatCannotBeReadIsSomebodyElse) {
  put(owner_key, "{\"installation\":");
  EXPECT_EQ(refusal_of(claim_place(objects_, "one", "s3://b")), ErrorKind::resource_in_use);
  EXPECT_EQ(refusal_of(claim_place(objects_, "", "s3://b")), ErrorKind::resource_in_use);
}

TEST_F(PrefixOwner, OfTwoAtOnceOneGetsIt) {
  bool first = true;
  objects_.set_script([&](std::string_view call, std::string_view) {
    if (call == "put" && std::exchange(first, false)) {
      EXPECT_TRUE(claim_place(objects_, "faster", "s3://b"));
    }
    return Fate::works;
  });
  EXPECT_EQ(refusal_of(claim_place(objects_, "slower", "s3://b")), ErrorKind::resource_in_use);
  EXPECT_TRUE(check_place(objects_, "faster", "s3://b"));
}

TEST_F(PrefixOwner, AFailureClaimsNothing) {
  for (const auto* failing : {"get", "list", "put"}) {
    objects_.set_script(
        [&](std::string_view call, std::string_view) { return call == failing ? Fate::fails : Fate::works; });
    EXPECT_EQ(refusal_of(claim_place(objects_, "one", "s3://b")), ErrorKind::service_unavailable) << failing;
  }
  objects_.set_script(
      [](std::string_view call, std::string_view) { return call == "put" ? Fate::loses_its_answer : Fate::works; });
  EXPECT_EQ(refusal_of(claim_place(objects_, "one", "s3://b")), ErrorKind::service_unavailable);
  EXPECT_TRUE(claim_place(objects_, "one", "s3://b")) << "it was this one that got it";
}

}  // namespace
}  // namespace quire::adapters::objects
