#include "adapters/files/file_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <optional>
#include <string>

#include "support/temporary_folder.h"

namespace quire::adapters::files {
namespace {

using testing::HasSubstr;

TEST(FileLockTest, OneHolderAtATime) {
  const test_support::TemporaryFolder folder;
  {
    const auto first = lock_data_folder(folder.path());
    ASSERT_TRUE(first) << first.error().text();
    const auto second = lock_data_folder(folder.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), base::ErrorKind::resource_in_use);
    EXPECT_THAT(second.error().text(), HasSubstr(folder.path().string()));
    EXPECT_THAT(second.error().text(), HasSubstr("process " + std::to_string(::getpid()) + "."));
  }
  EXPECT_TRUE(lock_data_folder(folder.path()));
}

TEST(FileLockTest, MovingKeepsTheLock) {
  const test_support::TemporaryFolder folder;
  std::optional<FileLock> kept;
  {
    auto lock = lock_data_folder(folder.path());
    ASSERT_TRUE(lock);
    kept = *std::move(lock);
  }
  EXPECT_FALSE(lock_data_folder(folder.path()));
  kept.reset();
  EXPECT_TRUE(lock_data_folder(folder.path()));
}

TEST(FileLockTest, AKilledHolderHoldsNothing) {
  const test_support::TemporaryFolder folder;
  std::array<int, 2> locked{};
  ASSERT_EQ(::pipe(locked.data()), 0);
  const pid_t holder = ::fork();
  ASSERT_GE(holder, 0);
  if (holder == 0) {
    const auto lock = lock_data_folder(folder.path());
    const char answer = lock ? 'y' : 'n';
    if (::write(locked[1], &answer, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(locked[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  const auto second = lock_data_folder(folder.path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("process " + std::to_string(holder) + "."));

  ASSERT_EQ(::kill(holder, SIGKILL), 0);
  ASSERT_EQ(::waitpid(holder, nullptr, 0), holder);
  EXPECT_TRUE(lock_data_folder(folder.path()));
  ::close(locked[0]);
  ::close(locked[1]);
}

TEST(FileLockTest, WhatTheFileSaysIsNotTrusted) {
  const test_support::TemporaryFolder folder;
  std::ofstream(folder.path() / "lock") << "4711 and a long text that an earlier holder did not write\n";
  const auto lock = lock_data_folder(folder.path());
  ASSERT_TRUE(lock);
  std::ofstream(folder.path() / "lock") << "rubbish";
  const auto second = lock_data_folder(folder.path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("another process"));
}

TEST(FileLockTest, AMissingFolderIsSaid) {
  const test_support::TemporaryFolder folder;
  const auto lock = lock_data_folder(folder.path() / "missing");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind(), base::ErrorKind::resource_inaccessible);
  EXPECT_THAT(lock.error().text(), HasSubstr("missing"));
}

}  // namespace
}  // namespace quire::adapters::files
