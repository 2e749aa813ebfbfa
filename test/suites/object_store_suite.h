#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "content/object_store.h"

namespace quire::test_suites {

/// Where one test keeps its objects: empty at first, gone with all it holds at the end. Its pages have 3 objects.
class ObjectStorePlace {
 public:
  virtual ~ObjectStorePlace() = default;
  virtual content::ObjectStore& store() = 0;
};

/// An adapter to put through the suite: a row of INSTANTIATE_TEST_SUITE_P(…, ObjectStoreSuite, …) in a file of its own.
struct ObjectStoreAdapter {
  std::string name;
  /// nullptr when this machine cannot have it; `why` says what is missing.
  std::function<std::unique_ptr<ObjectStorePlace>(std::string& why)> make_place;

  friend std::ostream& operator<<(std::ostream& out, const ObjectStoreAdapter& adapter) { return out << adapter.name; }
};

/// What every adapter of content::ObjectStore must do.
class ObjectStoreSuite : public testing::TestWithParam<ObjectStoreAdapter> {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::unique_ptr<ObjectStorePlace> place_;
};

}  // namespace quire::test_suites
