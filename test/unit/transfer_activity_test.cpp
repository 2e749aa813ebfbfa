#include <gmock/gmock.h>

#include "service/session/activity_interval.h"
#include "support/service_world.h"

// Bytes that come or go keep a session alive, however slowly, whatever the time-out: a session never expires early.

namespace quire {
namespace {

using content::UpdateSessionState;
using service::BodyEnd;
using service::UploadRequest;
using std::chrono::milliseconds;
using test_support::alice;
using test_support::bytes_of;
using test_support::Engine;
using test_support::file_spec;

class TransferActivityTest : public test_support::ServiceTest {
 protected:
  static constexpr base::Duration timeout = std::chrono::seconds(4);

  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    service::Settings settings;
    settings.update_session_timeout = timeout;
    settings.download_session_timeout = timeout;
    make_world(settings);
    session_ = open();
  }
  UpdateSessionState state() {
    must(sessions().remove_expired());
    const auto found =
        world_->look([&](content::CatalogReader& reader) { return reader.find<content::UpdateSession>(session_); });
    return found ? found->state : UpdateSessionState::ERROR;
  }

  content::UpdateSessionId session_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, TransferActivityTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, TransferActivityTest, testing::Values(Engine::Postgresql));

/// 1,000 bytes every half second under a time-out of 4 s were cut after 5.5 s.
TEST_P(TransferActivityTest, ASlowUploadKeepsItsSessionAndLeavesItAWholeTimeOut) {
  for (const auto step : {milliseconds(7), milliseconds(150), milliseconds(500), milliseconds(3900)}) {
    SCOPED_TRACE(step.count());
    const auto name = "disk" + std::to_string(step.count());
    const auto to = must(sessions().add_file(alice(), session_, file_spec(name))).upload_token;
    auto begun = world_->uploads().begin(to, UploadRequest::whole(std::nullopt), [] {});
    ASSERT_TRUE(begun.upload);
    for (int i = 0; i < 40; ++i) {
      must(begun.upload->append(bytes_of(std::string(1000, 'x'))));
      advance(step);
    }
    must(begun.upload->append(bytes_of("the last")));
    advance(timeout - milliseconds(1));
    EXPECT_EQ(state(), UpdateSessionState::ACTIVE) << "the last byte counts";
    must(begun.upload->finish(BodyEnd::whole));
  }
  advance(2 * timeout);
  EXPECT_NE(state(), UpdateSessionState::ACTIVE) << "and the session does end";
}

/// The network layer has received bytes that it cannot hand over yet.
TEST_P(TransferActivityTest, AnAppendWithoutBytesIsActivityToo) {
  const auto to = must(sessions().add_file(alice(), session_, file_spec("disk"))).upload_token;
  for (const auto length : {std::optional<std::int64_t>(4), std::optional<std::int64_t>()}) {
    auto begun = world_->uploads().begin(to, UploadRequest::whole(length), [] {});
    ASSERT_TRUE(begun.upload);
    for (int i = 0; i < 20; ++i) {
      advance(milliseconds(500));
      must(begun.upload->append({}, nullptr));
    }
    EXPECT_EQ(state(), UpdateSessionState::ACTIVE);
    must(begun.upload->append(bytes_of("body")));
    EXPECT_TRUE(must(begun.upload->finish(BodyEnd::whole)).complete);
  }
}

/// Somebody who calls often but not always at the last moment must not find the promise shorter than it was.
TEST_P(TransferActivityTest, ADownloadThatIsToldOfInTimeKeepsItsSession) {
  const auto interval = service::activity_interval(timeout);
  const auto item = new_item("downloaded", "");
  fill(item, {{"a.iso", "bytes"}});
  const auto id = must(world_->downloads().create(alice(), item.text(), std::nullopt));
  for (int i = 0; i < 100; ++i) {
    advance(interval);
    must(world_->download_bytes().touch(id));
  }
  advance(timeout - interval);
  const auto found =
      world_->look([&](content::CatalogReader& reader) { return reader.find<content::DownloadSession>(id); });
  ASSERT_TRUE(found);
  EXPECT_GE(found->expires_at, world_->context().leases.now()) << "bytes may have gone until the next call";
}

}  // namespace
}  // namespace quire
