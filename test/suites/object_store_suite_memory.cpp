#include "suites/object_store_suite.h"
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

}  // namespace
}  // namespace quire::test_suites
