#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "content/blob_store.h"

namespace quire::test_suites {

/// Where one test keeps its blobs: empty at first, gone with all it holds at the end.
class BlobStorePlace {
 public:
  virtual ~BlobStorePlace() = default;
  /// Opens the store; a second time is a restart, or another process.
  virtual std::unique_ptr<content::BlobStore> open() = 0;
  /// The name of everything that is stored there, committed or not.
  virtual std::vector<std::string> stored() = 0;
};

/// An adapter to put through the suite: a row of INSTANTIATE_TEST_SUITE_P(…, BlobStoreSuite, …) in a file of its own.
struct BlobStoreAdapter {
  std::string name;
  /// nullptr when this machine cannot have it; `why` says what is missing.
  std::function<std::unique_ptr<BlobStorePlace>(std::string& why)> make_place;
  /// How many of the last bytes sync() may leave to a later call.
  std::int64_t unsynced_bytes_max = 4095;

  friend std::ostream& operator<<(std::ostream& out, const BlobStoreAdapter& adapter) { return out << adapter.name; }
};

/// What every adapter of content::BlobStore must do. At the end of each test all blobs are removed, and nothing may be
/// left then.
class BlobStoreSuite : public testing::TestWithParam<BlobStoreAdapter> {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::unique_ptr<BlobStorePlace> place_;
  std::unique_ptr<content::BlobStore> store_;
};

}  // namespace quire::test_suites
