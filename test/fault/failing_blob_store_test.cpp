#include "support/failing_blob_store.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "adapters/files/file_blob_store.h"
#include "support/temporary_folder.h"

namespace quire {
namespace {

using content::BlobId;
using test_support::Crash;
using test_support::FailingBlobStore;
using test_support::FaultPoint;
using test_support::Faults;

const BlobId id("ab000000-0000-4000-8000-000000000001");

std::unique_ptr<content::BlobStore> open_store(const std::filesystem::path& root) {
  auto store = adapters::files::open_file_blob_store(root, {.storage_name = "LocalDS_0"});
  EXPECT_TRUE(store);
  return *std::move(store);
}

/// Puts a blob and reads its first byte back.
base::Result<void> put_and_look(content::BlobStore& store) {
  auto writer = store.create(id, std::nullopt);
  if (!writer) return writer.error();
  const std::byte byte{7};
  if (auto appended = (*writer)->append({&byte, 1}); !appended) return appended;
  if (auto committed = (*writer)->commit(); !committed) return committed;
  auto reader = store.open(id);
  if (!reader) return reader.error();
  std::byte back{};
  if (auto got = (*reader)->read(0, {&back, 1}); !got) return got.error();
  EXPECT_EQ(back, byte);
  return {};
}

struct Outcome {
  std::string where;
  bool blob = false;
  std::size_t unfinished = 0;
  bool operator==(const Outcome&) const = default;

  friend std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    return out << outcome.where << ", blob " << outcome.blob << ", unfinished " << outcome.unfinished;
  }
};

/// What is left after each fault, one after the other.
std::vector<Outcome> outcomes(Faults::Kind kind) {
  std::vector<Outcome> all;
  for (std::size_t k = 1;; ++k) {
    const test_support::TemporaryFolder folder;
    const auto inner = open_store(folder.path());
    Faults faults(kind, k);
    FailingBlobStore failing(*inner, faults);
    bool failed = false;
    try {
      failed = !put_and_look(failing);
    } catch (const Crash&) {
      failed = true;
      EXPECT_EQ(kind, Faults::Kind::crash);
      EXPECT_THROW((void)failing.remove(id), Crash);
    }
    EXPECT_EQ(failed, faults.struck());
    if (!faults.struck()) return all;
    Outcome outcome;
    outcome.where = faults.where();
    outcome.blob = static_cast<bool>(open_store(folder.path())->open(id));
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "incoming"))
      outcome.unfinished += entry.is_regular_file() ? 1 : 0;
    all.push_back(outcome);
  }
}

TEST(FailingBlobStoreTest, EveryCallFailsOnceInTurn) {
  EXPECT_THAT(outcomes(Faults::Kind::error),
              testing::ElementsAre(Outcome{"before blob create (fault point 1)", false, 0},
                                   Outcome{"after blob create (fault point 2)", false, 0},
                                   Outcome{"before blob append (fault point 3)", false, 0},
                                   Outcome{"after blob append (fault point 4)", false, 0},
                                   Outcome{"before blob commit (fault point 5)", false, 0},
                                   Outcome{"after blob commit (fault point 6)", true, 0},
                                   Outcome{"before blob open (fault point 7)", true, 0},
                                   Outcome{"before blob read (fault point 8)", true, 0}));
}

TEST(FailingBlobStoreTest, ACrashLeavesUnfinishedFilesAsARealOneDoes) {
  EXPECT_THAT(outcomes(Faults::Kind::crash),
              testing::ElementsAre(Outcome{"before blob create (fault point 1)", false, 0},
                                   Outcome{"after blob create (fault point 2)", false, 1},
                                   Outcome{"before blob append (fault point 3)", false, 1},
                                   Outcome{"after blob append (fault point 4)", false, 1},
                                   Outcome{"before blob commit (fault point 5)", false, 1},
                                   Outcome{"after blob commit (fault point 6)", true, 0},
                                   Outcome{"before blob open (fault point 7)", true, 0},
                                   Outcome{"before blob read (fault point 8)", true, 0}));
}

TEST(FailingBlobStoreTest, PointsThatAreNotAskedForDoNotCount) {
  const test_support::TemporaryFolder folder;
  const auto inner = open_store(folder.path());
  Faults faults(Faults::Kind::error, 3, {FaultPoint::after_blob_call});
  FailingBlobStore failing(*inner, faults);
  EXPECT_FALSE(put_and_look(failing));
  EXPECT_EQ(faults.where(), "after blob commit (fault point 3)");
}

}  // namespace
}  // namespace quire
