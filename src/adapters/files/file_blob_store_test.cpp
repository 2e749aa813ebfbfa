#include "adapters/files/file_blob_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "support/mounted_file_system.h"
#include "support/temporary_folder.h"

namespace quire::adapters::files {
namespace {

using base::ErrorKind;
using content::BlobId;
using content::BlobStore;
using testing::HasSubstr;

const BlobId id("ab000000-0000-4000-8000-000000000001");
constexpr std::size_t mib = 1 << 20;

std::unique_ptr<BlobStore> open_store(const std::filesystem::path& root, bool direct_io = true) {
  auto store = open_file_blob_store(root, {.storage_name = "LocalDS_0", .direct_io = direct_io});
  EXPECT_TRUE(store) << store.error().text();
  return store ? *std::move(store) : nullptr;
}

/// The flags of the file that this process has open below `place`; 0 when there is none.
unsigned long flags_of_open_file(const std::string& place) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (gone || !target.ends_with(place)) continue;
    std::ifstream facts("/proc/self/fdinfo/" + entry.path().filename().string());
    for (std::string word; facts >> word;)
      if (word == "flags:" && facts >> word) return std::strtoul(word.c_str(), nullptr, 8);
  }
  return 0;
}

class FileBlobStoreTest : public testing::Test {
 protected:
  std::filesystem::path root() const { return folder_.path() / "new" / "store"; }

  const std::unique_ptr<std::byte, void (*)(void*)> memory_{static_cast<std::byte*>(std::aligned_alloc(4096, mib)),
                                                            &std::free};
  const std::span<std::byte> page_aligned_{memory_.get(), mib};
  const test_support::TemporaryFolder folder_;
};

TEST_F(FileBlobStoreTest, KeepsBlobsAsPlainReadOnlyFiles) {
  const auto store = open_store(root());
  auto writer = store->create(id, std::nullopt);
  ASSERT_TRUE(writer);
  EXPECT_TRUE(std::filesystem::exists(root() / "incoming" / id.text()));
  ASSERT_TRUE((*writer)->append(std::as_bytes(std::span(std::string_view("bytes")))));
  ASSERT_TRUE((*writer)->commit());
  EXPECT_FALSE(std::filesystem::exists(root() / "incoming" / id.text()));
  const auto file = root() / "blobs" / "ab" / id.text();
  std::ifstream in(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "bytes");
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms(0222), std::filesystem::perms::none);
}

TEST_F(FileBlobStoreTest, AReservedFileHasItsExactLengthAndNoBlocksBehindIt) {
  const auto store = open_store(root());
  auto writer = store->create(id, 8 * mib);
  ASSERT_TRUE(writer);
  struct stat facts{};
  ASSERT_EQ(::stat((root() / "incoming" / id.text()).c_str(), &facts), 0);
  EXPECT_GE(facts.st_blocks * 512, static_cast<std::int64_t>(8 * mib)) << "nothing is reserved";
  ASSERT_TRUE((*writer)->append(page_aligned_.first(5000)));
  ASSERT_TRUE((*writer)->commit());
  ASSERT_EQ(::stat((root() / "blobs" / "ab" / id.text()).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_size, 5000);
  EXPECT_LE(facts.st_blocks * 512, 16384);
}

TEST_F(FileBlobStoreTest, LargeBlobsBypassThePageCacheAndSmallOnesDoNot) {
  const auto direct_after_append = [&](bool direct_io, std::optional<std::int64_t> expected, std::size_t bytes) {
    const auto store = open_store(root(), direct_io);
    auto writer = store->create(id, expected);
    EXPECT_TRUE(writer);
    EXPECT_TRUE((*writer)->append(page_aligned_.first(bytes)));
    const auto flags = flags_of_open_file("incoming/" + id.text());
    EXPECT_NE(flags, 0U);
    return (flags & O_DIRECT) != 0;
  };
  if (!direct_after_append(true, 8 * mib, mib)) GTEST_SKIP() << "this file system has no O_DIRECT";
  EXPECT_TRUE(direct_after_append(true, std::nullopt, mib));
  EXPECT_TRUE(direct_after_append(true, mib, 8192));
  EXPECT_FALSE(direct_after_append(true, 1024, 1024));
  EXPECT_FALSE(direct_after_append(true, std::nullopt, 100));
  EXPECT_FALSE(direct_after_append(false, 8 * mib, mib));
}

TEST_F(FileBlobStoreTest, ForeignFilesAreLeftAloneAndNotListed) {
  const auto store = open_store(root());
  std::filesystem::create_directories(root() / "blobs" / "lost+found");
  std::filesystem::create_directories(root() / "blobs" / "ab");
  const std::vector<std::filesystem::path> foreign = {
      root() / "blobs" / "notes.txt", root() / "blobs" / "ab" / "README",
      root() / "blobs" / "ab" / "cd000000-misplaced", root() / "incoming" / "README"};
  for (const auto& path : foreign) std::ofstream(path) << "hello";
  EXPECT_TRUE(store->list([](const BlobId& found) { ADD_FAILURE() << found; }));
  EXPECT_TRUE(store->remove_unfinished([](const BlobId&) { return false; }));
  for (const auto& path : foreign) EXPECT_TRUE(std::filesystem::exists(path)) << path;
}

TEST_F(FileBlobStoreTest, AFileCutShortFromOutsideIsAnErrorNotAnEnd) {
  const auto store = open_store(root());
  auto writer = store->create(id, std::nullopt);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->append(page_aligned_.first(100)));
  ASSERT_TRUE((*writer)->commit());
  auto reader = store->open(id);
  ASSERT_TRUE(reader);
  std::filesystem::permissions(root() / "blobs" / "ab" / id.text(), std::filesystem::perms::owner_all);
  std::filesystem::resize_file(root() / "blobs" / "ab" / id.text(), 10);
  EXPECT_FALSE((*reader)->read(0, page_aligned_));
}

TEST_F(FileBlobStoreTest, WritingBreaksTheSealAndACopyKeepsIt) {
  const auto store = open_store(root());
  auto writer = store->create(id, std::nullopt);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->append(page_aligned_));
  ASSERT_TRUE((*writer)->commit());
  const auto path = root() / "blobs" / "ab" / id.text();
  const auto sealed = [&] {
    const auto reader = store->open(id);
    return reader && (*reader)->sealed();
  };
  // As a backup that is put back: another file with the same times.
  const auto time = std::filesystem::last_write_time(path);
  std::filesystem::copy_file(path, path.string() + ".copy");
  std::filesystem::rename(path.string() + ".copy", path);
  EXPECT_FALSE(sealed());
  std::filesystem::last_write_time(path, time);
  EXPECT_TRUE(sealed());

  std::filesystem::permissions(path, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).put('x');
  EXPECT_FALSE(sealed());
  ASSERT_TRUE((*store->open(id))->seal());
  EXPECT_TRUE(sealed());
}

TEST_F(FileBlobStoreTest, ASymbolicLinkIsNoBlob) {
  const auto store = open_store(root());
  std::filesystem::create_directories(root() / "blobs" / "ab");
  std::filesystem::create_symlink("/etc/passwd", root() / "blobs" / "ab" / id.text());
  EXPECT_FALSE(store->open(id));
}

TEST_F(FileBlobStoreTest, ARootThatIsAFileIsRefusedByName) {
  std::filesystem::create_directories(root().parent_path());
  std::ofstream(root()) << "in the way";
  const auto store = open_file_blob_store(root(), {.storage_name = "LocalDS_0"});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind(), ErrorKind::resource_inaccessible);
  EXPECT_THAT(store.error().text(), HasSubstr(root().string()));
}

TEST_F(FileBlobStoreTest, UrisAreEncoded) {
  EXPECT_EQ(file_uri("/srv/quire"), "file:///srv/quire");
  EXPECT_EQ(file_uri("/srv/a b%/"), "file:///srv/a%20b%25");
  const auto store = open_store(root());
  EXPECT_EQ(store->uri(id), file_uri(root()) + "/blobs/ab/" + id.text());
}

TEST_F(FileBlobStoreTest, AnIdThatIsNoPlainNameStopsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const auto* bad : {"", "ab", "../../../etc/passwd", "ab/cdef", "a-000", "AB000", "ab..", "ab\n0"})
    EXPECT_DEATH(open_store(root())->uri(BlobId(bad)), "check failed") << bad;
  EXPECT_DEATH(open_store(root())->uri(BlobId(std::string(65, 'a'))), "check failed");
}

/// A file system of 4 MiB.
class FullFileBlobStoreTest : public FileBlobStoreTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    std::string why;
    mounted_ = test_support::MountedFileSystem::make("tmpfs", "size=4m", why);
    if (!mounted_) GTEST_SKIP() << why;
    store_ = open_store(mounted_->path() / "store", GetParam());
    ASSERT_TRUE(store_);
    free_at_first_ = free_bytes();
  }

  void TearDown() override {
    if (!store_) return;
    EXPECT_TRUE(store_->remove(id));
    EXPECT_EQ(free_bytes(), free_at_first_) << "space is lost";
  }

  std::int64_t free_bytes() {
    const auto space = store_->space();
    EXPECT_TRUE(space);
    return space ? space->free_bytes : -1;
  }

  static void expect_full(const base::Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unable_to_allocate_resource) << error.cause();
    EXPECT_THAT(error.text(), HasSubstr("LocalDS_0"));
    EXPECT_THAT(error.text(), HasSubstr("make it larger"));
  }

  std::unique_ptr<test_support::MountedFileSystem> mounted_;
  std::unique_ptr<BlobStore> store_;
  std::int64_t free_at_first_ = 0;
};

TEST_P(FullFileBlobStoreTest, WhatDoesNotFitIsRefusedBeforeTheFirstByte) {
  for (const std::int64_t bytes : {std::int64_t{5 << 20}, std::int64_t{1} << 50, INT64_MAX}) {
    const auto writer = store_->create(id, bytes);
    ASSERT_FALSE(writer);
    expect_full(writer.error());
    EXPECT_THAT(writer.error().text(), HasSubstr(std::to_string(bytes)));
    EXPECT_EQ(free_bytes(), free_at_first_);
  }
}

TEST_P(FullFileBlobStoreTest, AReservationHoldsAgainstOtherWriters) {
  auto writer = store_->create(id, 3 << 20);
  ASSERT_TRUE(writer);
  const auto other = store_->create(BlobId("cd000000-0000-4000-8000-000000000002"), 3 << 20);
  ASSERT_FALSE(other);
  expect_full(other.error());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*writer)->append(page_aligned_));
  ASSERT_TRUE((*writer)->commit());
}

TEST_P(FullFileBlobStoreTest, AnUploadThatFillsTheDiskFailsAndGivesTheSpaceBack) {
  auto writer = store_->create(id, std::nullopt);
  ASSERT_TRUE(writer);
  base::Result<void> appended;
  for (int i = 0; i < 8 && appended; ++i) appended = (*writer)->append(page_aligned_);
  ASSERT_FALSE(appended);
  expect_full(appended.error());
  writer->reset();
  EXPECT_EQ(free_bytes(), free_at_first_);

  auto smaller = store_->create(id, mib);
  ASSERT_TRUE(smaller);
  ASSERT_TRUE((*smaller)->append(page_aligned_));
  EXPECT_TRUE((*smaller)->commit());
}

TEST_P(FullFileBlobStoreTest, ATailThatDoesNotFitFailsTheCommit) {
  auto writer = store_->create(id, std::nullopt);
  ASSERT_TRUE(writer);
  {
    std::ofstream filler(mounted_->path() / "filler");
    const std::string kib(1024, 'x');
    while (filler << kib << std::flush) continue;
  }
  auto done = (*writer)->append(page_aligned_.first(5000));
  if (done) done = (*writer)->commit();
  ASSERT_FALSE(done);
  expect_full(done.error());
  writer->reset();
  std::filesystem::remove(mounted_->path() / "filler");
  EXPECT_FALSE(store_->open(id));
}

/// The same file system, of which blobs leave 1 MiB.
class ReservingFileBlobStoreTest : public FullFileBlobStoreTest {
 protected:
  void SetUp() override {
    FullFileBlobStoreTest::SetUp();
    if (!store_) return;
    const auto all = free_bytes();
    store_ = open_with(mib, false);
    free_at_first_ = free_bytes();
    EXPECT_EQ(free_at_first_, all - static_cast<std::int64_t>(mib));
  }
  std::unique_ptr<BlobStore> open_with(std::int64_t reserve, bool shrinks) {
    auto store = open_file_blob_store(
        mounted_->path() / "store",
        {.storage_name = "LocalDS_0", .direct_io = GetParam(), .reserve_bytes = reserve, .reserve_shrinks = shrinks});
    EXPECT_TRUE(store);
    return store ? *std::move(store) : nullptr;
  }
  std::int64_t really_free() const {
    return static_cast<std::int64_t>(std::filesystem::space(mounted_->path()).available);
  }
};

TEST_P(ReservingFileBlobStoreTest, NeitherAnnouncedNorUnannouncedBytesTakeTheReserve) {
  const auto announced = store_->create(id, 7 << 19);
  ASSERT_FALSE(announced);
  expect_full(announced.error());

  auto writer = store_->create(id, std::nullopt);
  ASSERT_TRUE(writer);
  base::Result<void> appended;
  for (int i = 0; i < 8 && appended; ++i) appended = (*writer)->append(page_aligned_);
  ASSERT_FALSE(appended);
  expect_full(appended.error());
  EXPECT_GE(really_free(), static_cast<std::int64_t>(mib));
}

TEST_P(ReservingFileBlobStoreTest, SpaceThatWasSetAsideIsUsedAlsoByLaterWritersAndInTheReserve) {
  auto first = store_->create(id, 2 << 20);
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)->append(page_aligned_));
  ASSERT_TRUE((*first)->flush());
  {
    std::ofstream filler(mounted_->path() / "filler");  // the catalog takes of the reserve
    const std::string kib(1024, 'x');
    while (really_free() > 4096 && filler << kib << std::flush) continue;
  }
  auto later = store_->resume(id, mib);
  ASSERT_TRUE(later);
  EXPECT_TRUE((*later)->append(page_aligned_));
  EXPECT_TRUE((*later)->commit());
  first->reset();
  std::filesystem::remove(mounted_->path() / "filler");
}

TEST_P(ReservingFileBlobStoreTest, ADefaultReserveIsAtMostASixteenth) {
  const auto all = really_free();
  EXPECT_EQ(open_with(64 << 20, true)->space()->free_bytes, all - (4 << 20) / 16);
  EXPECT_EQ(open_with(64 << 20, false)->space()->free_bytes, 0);
}

INSTANTIATE_TEST_SUITE_P(Files, ReservingFileBlobStoreTest, testing::Bool(),
                         [](const auto& row) { return row.param ? "DirectIo" : "PageCache"; });
INSTANTIATE_TEST_SUITE_P(Files, FullFileBlobStoreTest, testing::Bool(),
                         [](const auto& row) { return row.param ? "DirectIo" : "PageCache"; });

}  // namespace
}  // namespace quire::adapters::files
