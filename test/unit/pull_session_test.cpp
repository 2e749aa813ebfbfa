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

// ---- downloads ----

TEST_P(PullSessionTest, WhatWasPreparedForDirectAccessStaysSo) {
  fill(item_, {{"a", "content"}, {"b", "other"}});
  const auto id = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  const auto direct = must(world_->downloads().prepare(alice(), id, "a", true)).direct_uri;
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
