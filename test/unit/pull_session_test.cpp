#include <gmock/gmock.h>

#include <functional>

#include "support/service_world.h"

// Pulls and downloads as the services do them, with sources that a test writes.

namespace quire {
namespace {

using content::UpdateSessionState;
using test_support::administrator;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::pull_spec;
using test_support::ServiceTest;
using testing::ElementsAre;
using testing::Pair;

class PullSessionTest : public ServiceTest {};
INSTANTIATE_TEST_SUITE_P(Sqlite, PullSessionTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, PullSessionTest, testing::Values(Engine::Postgresql));

TEST_P(PullSessionTest, FilesOfTheServerNeedReadStorage) {
  const auto id = open();
  for (const auto* url : {"file:///srv/a.iso", "FILE:///srv/a.iso", "ds:///vmfs/volumes/x/a.iso"}) {
    const auto refused = sessions().add_file(alice(), id, pull_spec("a", url));
    EXPECT_EQ(kind(refused), "unauthorized") << url;
    EXPECT_THAT(refused.error().text(), testing::HasSubstr("ContentLibrary.ReadStorage"));
    EXPECT_EQ(kind(sessions().add_file(administrator(), id, pull_spec("a", url))), "") << url;
  }
  EXPECT_EQ(kind(sessions().add_file(alice(), id, pull_spec("a", "https://host/a.iso"))), "");
}

TEST_P(PullSessionTest, EmptyTextsForTrustAreUnset) {
  auto spec = pull_spec("a", "https://host/a.iso");
  spec.source_endpoint->ssl_certificate = "";
  spec.source_endpoint->ssl_certificate_thumbprint = "";
  const auto added = must(sessions().add_file(alice(), open(), spec));
  EXPECT_TRUE(added.source_endpoint == pull_spec("a", "https://host/a.iso").source_endpoint);
}

TEST_P(PullSessionTest, WithoutAFetcherThereAreNoPulls) {
  world_->context().fetcher = nullptr;
  EXPECT_EQ(kind(sessions().add_file(alice(), open(), pull_spec("a", "https://host/a.iso"))), "unsupported");
}

TEST_P(PullSessionTest, ASessionThatEndsDuringItsPullTakesNothing) {
  const auto id = open();
  world_->sources().put("https://host/a", "content", [&] { must(sessions().cancel(alice(), id)); });
  must(sessions().add_file(alice(), id, pull_spec("a", "https://host/a")));
  EXPECT_TRUE(must(world_->pulls().run_next()));
  EXPECT_EQ(session(id).state, UpdateSessionState::CANCELED);
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_FALSE(must(world_->pulls().run_next()));
}

TEST_P(PullSessionTest, AnAcceptedCompleteComesWithTheLastPull) {
  world_->sources().put("https://host/a", "first");
  world_->sources().put("https://host/b", "second");
  const auto id = open();
  for (const std::string name : {"a", "b"})
    must(sessions().add_file(alice(), id, pull_spec(name, "https://host/" + name)));
  must(sessions().complete(alice(), id));
  must(world_->pulls().run_next());
  EXPECT_EQ(session(id).state, UpdateSessionState::ACTIVE);
  must(world_->pulls().run_next());
  EXPECT_EQ(session(id).state, UpdateSessionState::DONE);
  EXPECT_THAT(content(), ElementsAre(Pair("a", "first"), Pair("b", "second")));
}

// ---- what a pulled descriptor references ----

std::string descriptor_of(const std::vector<std::string>& hrefs) {
  std::string references;
  for (const auto& href : hrefs) references += "<File ovf:id='" + href + "' ovf:href='" + href + "'/>";
  return "<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1' xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1'>"
         "<References>" +
         references + "</References></Envelope>";
}

class PulledReferenceTest : public PullSessionTest {
 protected:
  void SetUp() override {
    PullSessionTest::SetUp();
    if (!IsSkipped()) item_ = new_item("package", "ovf");
  }
  /// Pulls `url` as a descriptor, with all that it brings, and completes.
  content::UpdateSessionId pull(const std::string& url) {
    const auto id = open();
    must(sessions().add_file(administrator(), id, pull_spec("vm.ovf", url)));
    must(sessions().complete(alice(), id));
    while (must(world_->pulls().run_next())) {
    }
    return id;
  }
  test_support::ScriptedFetcher& sources() { return world_->sources(); }
};
INSTANTIATE_TEST_SUITE_P(Sqlite, PulledReferenceTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, PulledReferenceTest, testing::Values(Engine::Postgresql));

// `/latest/vm.ovf` led to `/v2/vm.ovf`, and the disks, which lie only there, were asked for below `/latest/`.
TEST_P(PulledReferenceTest, LiesWhereRedirectsLedTo) {
  sources().redirect("https://me:pw@host/latest/vm.ovf", "https://host/v2/vm.ovf");
  sources().put("https://host/v2/vm.ovf", descriptor_of({"disk.vmdk"}));
  sources().put("https://me:pw@host/v2/disk.vmdk", "disk");
  EXPECT_EQ(session(pull("https://me:pw@host/latest/vm.ovf")).state, UpdateSessionState::DONE);
  EXPECT_THAT(sources().asked(), ElementsAre("https://me:pw@host/latest/vm.ovf", "https://me:pw@host/v2/disk.vmdk"));
}

// Each file may have a signed redirect of its own.
TEST_P(PulledReferenceTest, LiesElseBesideTheUrlThatWasGiven) {
  sources().redirect("https://me:pw@host/latest/vm.ovf", "https://store/x/vm.ovf");
  sources().put("https://store/x/vm.ovf", descriptor_of({"disk.vmdk"}));
  sources().forbid("https://store/x/disk.vmdk");
  sources().put("https://me:pw@host/latest/disk.vmdk", "disk");
  EXPECT_EQ(session(pull("https://me:pw@host/latest/vm.ovf")).state, UpdateSessionState::DONE);
  EXPECT_THAT(sources().asked(), ElementsAre("https://me:pw@host/latest/vm.ovf", "https://store/x/disk.vmdk",
                                             "https://me:pw@host/latest/disk.vmdk"));
}

TEST_P(PulledReferenceTest, ThatIsNowhereSaysEveryPlace) {
  sources().redirect("https://host/latest/vm.ovf", "https://store/x/vm.ovf");
  sources().put("https://store/x/vm.ovf", descriptor_of({"disk.vmdk"}));
  const auto failed = session(pull("https://host/latest/vm.ovf"));
  EXPECT_EQ(failed.state, UpdateSessionState::ERROR);
  EXPECT_THAT(sources().asked(),
              ElementsAre("https://host/latest/vm.ovf", "https://store/x/disk.vmdk", "https://host/latest/disk.vmdk"));
  EXPECT_THAT(failed.error_message->default_message, testing::HasSubstr("attempts: 2"));
}

// `My%20VM-disk1.vmdk` was asked for as `My%2520VM-disk1.vmdk`.
TEST_P(PulledReferenceTest, IsAUriReference) {
  sources().put("https://host/a/vm.ovf?token=1",
                descriptor_of({"My%20VM-disk1.vmdk", "50%25.vmdk", "b c.vmdk", "sub/d?.vmdk"}));
  sources().put("https://host/a/My%20VM-disk1.vmdk", "1");
  sources().put("https://host/a/50%25.vmdk", "2");
  sources().put("https://host/a/b%20c.vmdk", "3");
  sources().put("https://host/a/sub/d%3F.vmdk", "4");
  EXPECT_EQ(session(pull("https://host/a/vm.ovf?token=1")).state, UpdateSessionState::DONE);
  auto files = content();
  files.erase("vm.ovf");
  EXPECT_THAT(files, ElementsAre(Pair("50%.vmdk", "2"), Pair("My VM-disk1.vmdk", "1"), Pair("b c.vmdk", "3"),
                                 Pair("sub/d?.vmdk", "4")));
}

TEST_P(PulledReferenceTest, InAFolderOfTheServerIsAFileNameFirst) {
  sources().put("file:///srv/vm.ovf", descriptor_of({"a%20b.vmdk", "50%25.vmdk"}));
  sources().put("file:///srv/a%20b.vmdk", "decoded");
  sources().put("file:///srv/50%2525.vmdk", "as written");
  EXPECT_EQ(session(pull("file:///srv/vm.ovf")).state, UpdateSessionState::DONE);
  auto files = content();
  files.erase("vm.ovf");
  EXPECT_THAT(files, ElementsAre(Pair("50%.vmdk", "as written"), Pair("a b.vmdk", "decoded")));
}

// A login page came in the place of the package, and nothing told where it had come from.
TEST_P(PulledReferenceTest, WhatIsNoPackageIsNamedWithItsUrl) {
  const std::string page = "<!DOCTYPE html><html><body>Please log in</body></html>" + std::string(2000, ' ');
  for (const auto* name : {"vm.ovf", "vm.ova"}) {
    item_ = new_item(std::string("wrong ") + name, "ovf");
    const auto url = std::string("https://me:pw@host/") + name + "?token=secret";
    sources().put(url, page);
    const auto id = open();
    must(sessions().add_file(alice(), id, pull_spec(name, url)));
    must(sessions().complete(alice(), id));
    must(world_->pulls().run_next());
    const auto failed = session(id);
    EXPECT_EQ(failed.state, UpdateSessionState::ERROR) << name;
    ASSERT_TRUE(failed.error_message) << name;
    const auto& reason = failed.error_message->default_message;
    EXPECT_THAT(reason, testing::HasSubstr(std::string("fetched from https://host/") + name + ".")) << name;
    EXPECT_THAT(reason, testing::HasSubstr("HTML")) << name;
    EXPECT_THAT(reason, testing::Not(testing::HasSubstr("secret"))) << name;
  }
}

// ---- downloads ----

TEST_P(PullSessionTest, WhatWasPreparedForDirectAccessStaysSo) {
  fill(item_, {{"a", "content"}, {"b", "other"}});
  const auto id = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  const auto direct = must(world_->downloads().prepare(administrator(), id, "a", true)).direct_uri;
  ASSERT_TRUE(direct);
  EXPECT_EQ(must(world_->downloads().prepare(alice(), id, "b", false)).direct_uri, std::nullopt);
  EXPECT_EQ(must(world_->downloads().file(alice(), id, "a")).direct_uri, direct);
  for (const auto& shown : must(world_->downloads().files(alice(), id)))
    EXPECT_EQ(shown.direct_uri, shown.file.name == "a" ? direct : std::nullopt);
  EXPECT_EQ(must(world_->downloads().prepare(alice(), id, "a", false)).direct_uri, std::nullopt);
  EXPECT_EQ(must(world_->downloads().file(alice(), id, "a")).direct_uri, std::nullopt);
}

/// A store that does something before it opens a blob.
class InterruptedStore final : public content::BlobStore {
 public:
  InterruptedStore(content::BlobStore& inner, std::function<void()> before_open)
      : inner_(inner), before_open_(std::move(before_open)) {}
  base::Result<std::unique_ptr<content::BlobReader>> open(const content::BlobId& id) override {
    before_open_();
    return inner_.open(id);
  }
  base::Result<std::unique_ptr<content::BlobWriter>> create(const content::BlobId& id,
                                                            std::optional<std::int64_t> expected_bytes) override {
    return inner_.create(id, expected_bytes);
  }
  base::Result<std::unique_ptr<content::BlobWriter>> resume(const content::BlobId& id, std::int64_t position) override {
    return inner_.resume(id, position);
  }
  base::Result<std::unique_ptr<content::BlobReader>> open_unfinished(const content::BlobId& id) override {
    return inner_.open_unfinished(id);
  }
  base::Result<void> reopen(const content::BlobId& id) override { return inner_.reopen(id); }
  base::Result<void> remove(const content::BlobId& id) override { return inner_.remove(id); }
  base::Result<void> list(const std::function<void(const content::BlobId&)>& visit) override {
    return inner_.list(visit);
  }
  base::Result<void> remove_unfinished(const std::function<bool(const content::BlobId&)>& keeps) override {
    return inner_.remove_unfinished(keeps);
  }
  base::Result<Space> space() override { return inner_.space(); }
  std::string uri(const content::BlobId& id) const override { return inner_.uri(id); }

 private:
  content::BlobStore& inner_;
  std::function<void()> before_open_;
};

TEST_P(PullSessionTest, ADownloadWhoseContentGoesMeanwhileIsNotFound) {
  fill(item_, {{"a", "content"}});
  const auto id = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  const auto token = must(world_->downloads().prepare(alice(), id, "a", false)).token;
  auto& storages = world_->context().storages;
  auto interrupted = storages.all().front();
  const auto usual = interrupted.blobs;
  interrupted.blobs = std::make_shared<InterruptedStore>(*usual, [&] { must(world_->items().remove(alice(), item_)); });
  storages = content::Storages({interrupted});
  EXPECT_EQ(kind(world_->download_bytes().open(token, "a")), "not_found");
}

}  // namespace
}  // namespace quire
