#include "adapters/files/file_fetcher.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>

#include "adapters/files/file_blob_store.h"
#include "adapters/files/file_descriptor.h"
#include "support/temporary_folder.h"

namespace quire::adapters::files {
namespace {

namespace fs = std::filesystem;
using content::FetchFailure;
using ::testing::HasSubstr;

class Sink final : public content::FetchSink {
 public:
  base::Result<void> begin(const content::FetchResponse& response) override {
    length = response.length;
    return {};
  }
  base::Result<void> bytes(std::span<const std::byte> bytes) override {
    taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    largest = std::max(largest, bytes.size());
    if (on_bytes) on_bytes();
    return {};
  }

  std::optional<std::int64_t> length;
  std::string taken;
  std::size_t largest = 0;
  std::function<void()> on_bytes;
};

class FileFetcherTest : public ::testing::Test {
 protected:
  FileFetcherTest() : root_(fs::canonical(folder_.path())) {
    for (const auto* place : {"store/iso", "store/blobs/aa", "store/incoming", "further", "outside"})
      fs::create_directories(root_ / place);
    write("store/iso/a.iso", "image");
    write("store/blobs/aa/aabb", "somebody's content");
    write("further/b c%.iso", "further image");
    write("outside/secret", "secret");
    readable_.volumes = {{"99999999-0000", root_ / "store"}};
    readable_.folders = {root_ / "further"};
    readable_.closed = folders_of_blob_store(root_ / "store");
  }

  void write(const fs::path& path, const std::string& content) const {
    std::ofstream(root_ / path, std::ios::binary) << content;
  }
  std::string url(const fs::path& path) const { return file_uri(root_ / path); }

  FetchFailure fetch(const std::string& url) {
    sink_.taken.clear();
    outcome_ = make_file_fetcher(readable_)->fetch({url, 0, "", {}}, sink_, stop_);
    EXPECT_EQ(outcome_.failure == FetchFailure::none, outcome_.reason.default_message.empty());
    return outcome_.failure;
  }
  std::string check(const std::string& url) const {
    const auto checked = make_file_fetcher(readable_)->check({url, 0, "", {}});
    return checked ? "" : checked.error().messages().front().id;
  }

  test_support::TemporaryFolder folder_;
  const fs::path root_;
  ReadableFiles readable_;
  Sink sink_;
  std::atomic<bool> stop_{false};
  content::FetchOutcome outcome_;
};

constexpr auto not_permitted = "quire.pull.file_not_permitted";
constexpr auto unusable = "quire.pull.unusable_file_url";

TEST_F(FileFetcherTest, ReadsFilesOfStoragesAndOfFurtherFolders) {
  for (const auto& source :
       std::vector<std::string>{url("store/iso/a.iso"), "FILE://localhost" + (root_ / "store/iso/a.iso").string(),
                                std::string("ds:///vmfs/volumes/99999999-0000/iso/a.iso"),
                                std::string("ds:///vmfs/volumes/99999999-0000//iso/a%2eiso?serverId=x")}) {
    EXPECT_EQ(check(source), "") << source;
    EXPECT_EQ(fetch(source), FetchFailure::none) << source << outcome_.reason.default_message;
    EXPECT_EQ(sink_.taken, "image");
    EXPECT_EQ(sink_.length, 5);
  }
  EXPECT_EQ(fetch(url("further/b c%.iso")), FetchFailure::none);
  EXPECT_EQ(sink_.taken, "further image");
}

TEST_F(FileFetcherTest, ReadsLargeFilesInPieces) {
  std::string content(5'000'001, 'x');
  content[4'999'999] = 'y';
  write("store/large", content);
  EXPECT_EQ(fetch(url("store/large")), FetchFailure::none);
  EXPECT_TRUE(sink_.taken == content);
  EXPECT_LE(sink_.largest, 1U << 20U);
  write("store/empty", "");
  EXPECT_EQ(fetch(url("store/empty")), FetchFailure::none);
  EXPECT_EQ(sink_.length, 0);
}

TEST_F(FileFetcherTest, RefusesWhatIsNoUrlOfAFile) {
  for (const auto& source :
       std::vector<std::string>{std::string("file:"), std::string("file://"), std::string("file:///"),
                                "file:" + (root_ / "store/iso/a.iso").string(), "file://elsewhere/a",
                                url("store/iso/a.iso") + "%", url("store/iso/a.iso") + "%00", url("store/iso") + "/",
                                std::string("http://host/a"), std::string("ds:///")}) {
    EXPECT_EQ(check(source), unusable) << source;
    EXPECT_EQ(fetch(source), FetchFailure::unusable_url) << source;
  }
}

TEST_F(FileFetcherTest, LeavesThePermittedFoldersByNoDots) {
  for (const auto* path : {"store/iso/../../outside/secret", "store/iso/%2e%2e/%2E%2E/outside/secret",
                           "store/iso/..%2f../outside/secret", "store/./iso/a.iso", "further/../outside/secret"}) {
    const auto source = file_uri(root_) + "/" + path;
    EXPECT_EQ(check(source), unusable) << source;
    EXPECT_EQ(fetch(source), FetchFailure::unusable_url) << source;
  }
  EXPECT_EQ(fetch("ds:///vmfs/volumes/99999999-0000/../../../etc/passwd"), FetchFailure::unusable_url);
}

TEST_F(FileFetcherTest, ReadsNothingElse) {
  for (const auto& source : std::vector<std::string>{
           url("outside/secret"), url("store2/a"), url("store"), std::string("file:///etc/passwd"),
           std::string("file:///proc/self/environ"), std::string("ds:///vmfs/volumes/other/iso/a.iso"),
           std::string("ds:///vmfs/volumes/99999999-0000"),
           std::string("ds://") + (root_ / "store/iso/a.iso").string()}) {
    EXPECT_EQ(check(source), not_permitted) << source;
    EXPECT_EQ(fetch(source), FetchFailure::refused_address) << source;
  }
}

TEST_F(FileFetcherTest, TheServersOwnFilesAreClosedWhereverTheyLie) {
  readable_.folders = {"/", root_ / "store/blobs/aa"};
  for (const auto& source : std::vector<std::string>{url("store/blobs/aa/aabb"), url("store/incoming/x"),
                                                     std::string("ds:///vmfs/volumes/99999999-0000/blobs/aa/aabb"),
                                                     file_uri(root_) + "//store//blobs//aa/aabb",
                                                     file_uri(root_) + "/store/%62lobs/aa/aabb"}) {
    EXPECT_EQ(check(source), not_permitted) << source;
    EXPECT_EQ(fetch(source), FetchFailure::refused_address) << source;
    EXPECT_EQ(sink_.taken, "");
  }
  EXPECT_EQ(fetch(url("outside/secret")), FetchFailure::none) << "the folder / was permitted";
}

TEST_F(FileFetcherTest, FollowsNoLinks) {
  fs::create_symlink(root_ / "outside/secret", root_ / "store/link");
  fs::create_directory_symlink(root_ / "outside", root_ / "store/door");
  fs::create_directory_symlink("blobs", root_ / "store/back");
  fs::create_directory_symlink("/proc/self", root_ / "store/magic");
  for (const auto* path : {"store/link", "store/door/secret", "store/back/aa/aabb", "store/magic/environ",
                           "store/magic/root/etc/passwd", "store/door"}) {
    EXPECT_EQ(fetch(url(path)), FetchFailure::unusable_url) << path;
    EXPECT_EQ(outcome_.reason.id, "quire.pull.file_behind_link") << path;
    EXPECT_EQ(sink_.taken, "");
  }
}

TEST_F(FileFetcherTest, ReadsRegularFilesOnly) {
  ASSERT_EQ(::mkfifo((root_ / "store/fifo").c_str(), 0600), 0);
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = (root_ / "store/socket").string();
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  readable_.folders.emplace_back("/dev");
  for (const auto& source : std::vector<std::string>{url("store/fifo"), url("store/socket"), url("store/iso"),
                                                     std::string("file:///dev/zero")}) {
    EXPECT_EQ(fetch(source), FetchFailure::unusable_url) << source;
    EXPECT_EQ(outcome_.reason.id, "quire.pull.not_a_file") << source;
    EXPECT_FALSE(outcome_.worth_retrying);
  }
}

TEST_F(FileFetcherTest, TellsWhyAFileCannotBeRead) {
  for (const auto* path : {"store/iso/nothing", "store/nothing/a.iso", "store/iso/a.iso/b"})
    EXPECT_EQ(fetch(url(path)), FetchFailure::not_there) << path;
  EXPECT_FALSE(outcome_.worth_retrying);
  EXPECT_THAT(outcome_.reason.default_message, HasSubstr(url("store/iso/a.iso/b")));
  if (::geteuid() == 0) return;  // root may read everything
  ASSERT_EQ(::chmod((root_ / "store/iso/a.iso").c_str(), 0), 0);
  EXPECT_EQ(fetch(url("store/iso/a.iso")), FetchFailure::unauthorized);
}

TEST_F(FileFetcherTest, AFileThatChangesMeanwhileIsTriedAgain) {
  const std::string content(3 << 20, 'x');
  for (const auto& change :
       {std::function<void()>([&] { fs::resize_file(root_ / "store/log", 1 << 20); }),
        std::function<void()>([&] { fs::resize_file(root_ / "store/log", 4 << 20); }),
        std::function<void()>([&] { fs::last_write_time(root_ / "store/log", fs::file_time_type()); })}) {
    write("store/log", content);
    sink_.on_bytes = change;
    EXPECT_EQ(fetch(url("store/log")), FetchFailure::broken);
    EXPECT_TRUE(outcome_.worth_retrying);
  }
}

TEST_F(FileFetcherTest, StopsWhenItIsTold) {
  write("store/large", std::string(3 << 20, 'x'));
  sink_.on_bytes = [&] { stop_ = true; };
  EXPECT_EQ(fetch(url("store/large")), FetchFailure::stopped);
  EXPECT_EQ(sink_.taken.size(), 1U << 20U);
}

TEST_F(FileFetcherTest, IsNotProbed) {
  EXPECT_EQ(make_file_fetcher(readable_)->probe({url("store/iso/a.iso"), 0, "", {}}).failure,
            FetchFailure::unusable_url);
}

}  // namespace
}  // namespace quire::adapters::files
