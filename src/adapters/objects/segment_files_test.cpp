#include "adapters/objects/segment_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/digest.h"
#include "support/temporary_folder.h"

namespace quire::adapters::objects {
namespace {

namespace fs = std::filesystem;

struct Kept {
  Segment segment;
  std::vector<std::byte> bytes;

  explicit Kept(std::size_t size, int value) : bytes(size, static_cast<std::byte>(value)) {
    segment.size = static_cast<std::int64_t>(size);
    segment.sha256 = base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex;
  }
  bool is_in(SegmentFiles& files) const {
    std::vector<std::byte> read(bytes.size());
    return files.read(segment, read) && read == bytes;
  }
};

class SegmentFilesTest : public testing::Test {
 protected:
  SegmentFiles open(std::int64_t bytes_max = 1000) { return {folder_, bytes_max}; }
  fs::path file_of(const Kept& kept) const { return folder_ / kept.segment.sha256; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  const test_support::TemporaryFolder place_;
  const fs::path folder_ = place_.path() / "cache" / "bucket";
  const Kept first_{400, 1};
  const Kept second_{400, 2};
  const Kept third_{400, 3};
};

TEST_F(SegmentFilesTest, KeepsWhatFitsAndThatWasReadLast) {
  auto files = open();
  EXPECT_FALSE(first_.is_in(files));
  files.keep(first_.segment, first_.bytes);
  files.keep(second_.segment, second_.bytes);
  files.keep(second_.segment, second_.bytes);
  EXPECT_EQ(files.used_bytes(), 800);
  EXPECT_TRUE(first_.is_in(files));
  files.keep(third_.segment, third_.bytes);
  EXPECT_TRUE(first_.is_in(files));
  EXPECT_FALSE(second_.is_in(files)) << "it was read longest ago";
  EXPECT_TRUE(third_.is_in(files));
  files.remove(first_.segment);
  EXPECT_FALSE(first_.is_in(files));
  EXPECT_EQ(files.used_bytes(), 400);
  const Kept large(1001, 4);
  files.keep(large.segment, large.bytes);
  EXPECT_FALSE(large.is_in(files));
  EXPECT_EQ(this->files(), 1U);
}

TEST_F(SegmentFilesTest, FindsThemAfterARestart) {
  open().keep(first_.segment, first_.bytes);
  open().keep(second_.segment, second_.bytes);
  std::ofstream(folder_ / ".7") << "being written when the process died";
  std::ofstream(folder_ / "notes.txt") << "somebody's";
  auto files = open();
  EXPECT_EQ(files.used_bytes(), 800);
  EXPECT_TRUE(first_.is_in(files));
  EXPECT_TRUE(second_.is_in(files));
  EXPECT_EQ(this->files(), 3U);
  EXPECT_EQ(open(500).used_bytes(), 400) << "it may hold less now";
}

TEST_F(SegmentFilesTest, ADamagedCopyIsNone) {
  for (const auto& damage :
       std::vector<std::string>{std::string(400, '\7'), std::string(399, '\1'), std::string(401, '\1')}) {
    auto files = open();
    files.keep(first_.segment, first_.bytes);
    std::ofstream(file_of(first_), std::ios::binary) << damage;
    EXPECT_FALSE(first_.is_in(files)) << damage.size();
    EXPECT_FALSE(fs::exists(file_of(first_)));
    files.keep(first_.segment, first_.bytes);
    EXPECT_TRUE(first_.is_in(files)) << "and can be kept again";
  }
}

TEST_F(SegmentFilesTest, WithoutItsFolderNothingIsKept) {
  auto files = open();
  files.keep(first_.segment, first_.bytes);
  fs::remove_all(folder_);
  EXPECT_FALSE(first_.is_in(files));
  files.keep(first_.segment, first_.bytes);
  EXPECT_FALSE(first_.is_in(files));
  std::ofstream(place_.path() / "file") << "no folder";
  SegmentFiles nowhere(place_.path() / "file", 1000);
  nowhere.keep(first_.segment, first_.bytes);
  EXPECT_FALSE(first_.is_in(nowhere));
}

}  // namespace
}  // namespace quire::adapters::objects
