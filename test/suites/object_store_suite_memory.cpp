#include <gmock/gmock.h>

#include <span>
#include <vector>

#include "base/digest.h"
#include "suites/object_store_suite.h"
#include "support/manual_clock.h"
#include "support/memory_object_store.h"

namespace quire::test_suites {
namespace {

/// The double that the services are tested with must be as good as the real ones.
class MemoryPlace final : public ObjectStorePlace {
 public:
  content::ObjectStore& store() override { return store_; }

 private:
  base::SystemClock clock_;
  test_support::MemoryObjectStore store_{clock_, 3};
};

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreSuite,
                         testing::Values(ObjectStoreAdapter{
                             "Objects", [](std::string&) { return std::make_unique<MemoryPlace>(); }}),
                         [](const auto& row) { return row.param.name; });

/// What services are tested with.
TEST(MemoryObjectStore, IsAsBadAsTheTestWants) {
  using test_support::MemoryObjectStore;
  using Fate = MemoryObjectStore::Fate;
  const test_support::ManualClock clock;
  MemoryObjectStore store(clock);
  auto fate = Fate::works;
  std::vector<std::string> calls;
  store.set_script([&](std::string_view call, std::string_view key) {
    calls.push_back(std::string(call) + " " + std::string(key));
    return fate;
  });
  const std::vector<std::byte> bytes(5);
  const auto digest = base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex;
  const auto listed = [&] {
    fate = Fate::works;
    return store.list("", "")->objects.size();
  };

  fate = Fate::fails;
  EXPECT_FALSE(store.put("a", bytes, digest));
  EXPECT_EQ(listed(), 0U);
  fate = Fate::loses_its_answer;
  const auto lost = store.put("a", bytes, digest);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind(), base::ErrorKind::service_unavailable);
  EXPECT_EQ(listed(), 1U);
  store.list_stale(true);
  EXPECT_TRUE(store.put("b", bytes, digest));
  EXPECT_TRUE(store.remove(std::vector<std::string>{"a"}));
  EXPECT_EQ(store.list("", "")->objects.at(0).key, "a");
  store.list_stale(false);
  EXPECT_EQ(store.list("", "")->objects.at(0).key, "b");
  EXPECT_THAT(calls, testing::ElementsAre("put a", "list ", "put a", "list ", "put b", "remove a", "list ", "list "));
}

}  // namespace
}  // namespace quire::test_suites
