#include "adapters/files/durable_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "support/mounted_file_system.h"
#include "support/temporary_folder.h"

namespace quire::adapters::files {
namespace {

using base::ErrorKind;
using testing::HasSubstr;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat facts{};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

class DurableFileTest : public testing::Test {
 protected:
  const test_support::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "tls-key.pem";
};

TEST_F(DurableFileTest, WritesReplacesAndReads) {
  ASSERT_TRUE(write_file_durably(path_, "first", 0600));
  EXPECT_EQ(*read_file(path_, 100), "first");
  EXPECT_EQ(mode_of(path_), 0600U);
  ASSERT_TRUE(write_file_durably(path_, std::string("2\0nd", 4), 0644));
  EXPECT_EQ(*read_file(path_, 100), std::string("2\0nd", 4));
  EXPECT_EQ(mode_of(path_), 0644U);
  ASSERT_TRUE(write_file_durably(path_, "", 0600));
  EXPECT_EQ(*read_file(path_, 0), "");
  EXPECT_EQ(files_in(folder_.path()), 1U);
}

TEST_F(DurableFileTest, ReadsUpToTheLimitAndNoFurther) {
  const std::string bytes(10'000, 'x');
  ASSERT_TRUE(write_file_durably(path_, bytes, 0600));
  EXPECT_EQ(*read_file(path_, 10'000), bytes);
  const auto read = read_file(path_, 9'999);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind(), ErrorKind::invalid_argument);
  EXPECT_THAT(read.error().text(), HasSubstr(path_.string()));
}

TEST_F(DurableFileTest, SaysWhichFileItCouldNotRead) {
  const auto missing = read_file(path_, 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
  EXPECT_THAT(missing.error().text(), HasSubstr(path_.string()));
  const auto folder = read_file(folder_.path(), 10);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind(), ErrorKind::resource_inaccessible);
}

TEST_F(DurableFileTest, WhatACrashLeftIsNotWrittenTo) {
  const auto victim = folder_.path() / "victim";
  std::ofstream(victim) << "untouched";
  std::filesystem::create_symlink(victim, folder_.path() / ".tls-key.pem.new");
  ASSERT_TRUE(write_file_durably(path_, "secret", 0600));
  EXPECT_EQ(*read_file(victim, 100), "untouched");
  EXPECT_FALSE(std::filesystem::is_symlink(path_));
}

TEST_F(DurableFileTest, AFailureLeavesTheOldFileAndNothingElse) {
  const auto path = folder_.path() / "missing" / "file";
  const auto written = write_file_durably(path, "x", 0600);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind(), ErrorKind::resource_inaccessible);

  std::string why;
  const auto small = test_support::MountedFileSystem::make("tmpfs", "size=64k", why);
  if (!small) GTEST_SKIP() << why;
  ASSERT_TRUE(write_file_durably(small->path() / "file", "old", 0600));
  const auto full = write_file_durably(small->path() / "file", std::string(100'000, 'x'), 0600);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind(), ErrorKind::unable_to_allocate_resource);
  EXPECT_EQ(*read_file(small->path() / "file", 100), "old");
  EXPECT_EQ(files_in(small->path()), 1U);
}

TEST_F(DurableFileTest, MakesFoldersAllTheWay) {
  ASSERT_TRUE(make_folder_durably(folder_.path() / "a" / "b" / "c"));
  ASSERT_TRUE(make_folder_durably(folder_.path() / "a" / "b" / "c"));
  EXPECT_TRUE(std::filesystem::is_directory(folder_.path() / "a" / "b" / "c"));
  ASSERT_TRUE(write_file_durably(path_, "x", 0600));
  const auto below_a_file = make_folder_durably(path_ / "d");
  ASSERT_FALSE(below_a_file);
  EXPECT_EQ(below_a_file.error().kind(), ErrorKind::resource_inaccessible);
  EXPECT_FALSE(make_folder_durably(path_));
}

}  // namespace
}  // namespace quire::adapters::files
