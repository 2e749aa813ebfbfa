#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/service_world.h"

namespace quire {
namespace {

using test_support::administrator;
using test_support::alice;
using test_support::kind;
using test_support::why;

/// What a download does when the storage no longer holds what was uploaded.
class DamagedDownloadTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    fill(item_, {{"disk.img", body_}});
    const auto session = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
    token_ = must(world_->downloads().prepare(alice(), session, "disk.img", false)).token;
    path_ = world_->blob_file(must(world_->download_bytes().open(token_, "disk.img")).file.blob);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  }

  void write(std::streamoff at, char byte) const {
    std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary).seekp(at).put(byte);
  }
  auto download() { return world_->download_bytes().open(token_, "disk.img"); }

  const std::string body_ = std::string(3 * 1024 * 1024, 'a') + "end";
  content::TransferToken token_;
  std::filesystem::path path_;
};

TEST_P(DamagedDownloadTest, AFlippedByteIsNotServed) {
  write(2'000'000, 'b');
  const auto refused = download();
  EXPECT_EQ(kind(refused), "internal_server_error");
  EXPECT_EQ(why(refused), "quire.download.damaged");
  EXPECT_NE(refused.error().text().find("disk.img"), std::string::npos);
  EXPECT_EQ(why(download()), "quire.download.damaged");

  write(2'000'000, 'a');
  EXPECT_EQ(why(download()), "");
}

TEST_P(DamagedDownloadTest, AnotherLengthIsNotServed) {
  std::filesystem::resize_file(path_, body_.size() - 1);
  EXPECT_EQ(why(download()), "quire.download.damaged");
  std::filesystem::resize_file(path_, body_.size() + 1);
  EXPECT_EQ(why(download()), "quire.download.damaged");
}

TEST_P(DamagedDownloadTest, AFileThatWasPutBackIsCheckedOnce) {
  std::filesystem::copy_file(path_, path_.string() + ".backup");
  std::filesystem::rename(path_.string() + ".backup", path_);
  const auto open = must(download());
  EXPECT_TRUE(open.bytes->sealed());
  EXPECT_EQ(test_support::ServiceWorld::read_all(*open.bytes), body_);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, DamagedDownloadTest, testing::Values(test_support::Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, DamagedDownloadTest, testing::Values(test_support::Engine::Postgresql));

}  // namespace
}  // namespace quire
