#include <gmock/gmock.h>

#include <optional>

#include "service/publication/publications.h"
#include "support/service_world.h"
#include "vcsp/reader.h"

// What subscribers see of a published library, and what its passwords are worth.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::AuthenticationMethod;
using service::PublishSpec;
using service::Subscriber;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class PublicationTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (!IsSkipped()) wire();
  }
  void wire() { publications_.emplace(world_->context(), world_->throttle()); }

  base::Result<void> update(const PublishSpec& publish) {
    service::LibrarySpec spec;
    spec.publish = publish;
    return world_->libraries().update_local(alice(), library_, spec);
  }
  static PublishSpec published(bool value) {
    PublishSpec spec;
    spec.published = value;
    return spec;
  }
  static PublishSpec with_password(const std::string& password, const std::optional<std::string>& current = {}) {
    PublishSpec spec;
    spec.published = true;
    spec.authentication_method = AuthenticationMethod::BASIC;
    spec.password = password;
    spec.current_password = current;
    return spec;
  }
  void publish() { must(update(published(true))); }

  static Subscriber who(const std::string& user, const std::string& password, const std::string& address = "10.0.0.1") {
    return {user, password, address};
  }
  vcsp::Library descriptor() {
    return must(vcsp::read_library(*must(publications_->library_document(library_, {})).text));
  }
  vcsp::Index index() { return must(vcsp::read_index(*must(publications_->index(library_, {})).text)); }
  vcsp::Item only_item() {
    const auto items = index().items;
    if (items.size() != 1) throw std::runtime_error(std::to_string(items.size()) + " items are published");
    return items.front();
  }
  std::string body(const vcsp::File& file, const content::ItemId& item) {
    const auto open = must(publications_->open_file(library_, item, file.generation.value(), file.name, {}));
    return test_support::ServiceWorld::read_all(*open.bytes).value();
  }
  bool readable(const vcsp::File& file) {
    return bool(publications_->open_file(library_, item_, file.generation.value(), file.name, {}));
  }

  std::optional<service::Publications> publications_;
};

TEST_P(PublicationTest, NothingIsToldOfALibraryThatIsNotPublished) {
  fill(item_, {{"a.txt", "one"}});
  EXPECT_EQ(kind(publications_->library_document(library_, {})), "not_found");
  EXPECT_EQ(kind(publications_->index(library_, {})), "not_found");
  EXPECT_EQ(kind(publications_->item_document(library_, item_, {})), "not_found");
  EXPECT_EQ(kind(publications_->open_file(library_, item_, 2, "a.txt", {})), "not_found");
  publish();
  EXPECT_TRUE(publications_->open_file(library_, item_, 2, "a.txt", {}));
  must(update(published(false)));
  EXPECT_EQ(kind(publications_->open_file(library_, item_, 2, "a.txt", {})), "not_found");
  EXPECT_EQ(kind(publications_->index(library_, {})), "not_found");
  EXPECT_EQ(kind(publications_->library_document(content::LibraryId("none"), {})), "not_found");
}

TEST_P(PublicationTest, ShowsItemsWithContentAlone) {
  publish();
  EXPECT_THAT(index().items, IsEmpty());
  EXPECT_EQ(kind(publications_->item_document(library_, item_, {})), "not_found");
  const auto session = open();
  push(session, "disk.vmdk", "half of it");
  EXPECT_THAT(index().items, IsEmpty()) << "what an update session holds is nobody's business";
  must(sessions().complete(alice(), session));
  const auto item = only_item();
  EXPECT_EQ(item.id, item_.text());
  EXPECT_EQ(item.version, 2);
  EXPECT_EQ(item.content_version, 2);
  EXPECT_EQ(item.metadata_version, 1);
  ASSERT_THAT(item.files, SizeIs(1));
  EXPECT_EQ(item.files[0].size, 10);
  EXPECT_EQ(item.files[0].etag, "2");
  EXPECT_EQ(item.files[0].generation, 2);
  EXPECT_EQ(body(item.files[0], item_), "half of it");
  const auto alone = must(publications_->item_document(library_, item_, {}));
  EXPECT_EQ(must(vcsp::read_item(*alone.text)), item) << "the same object in both places";
}

TEST_P(PublicationTest, CountersMoveWithWhatSubscribersSee) {
  fill(item_, {{"a.txt", "one"}, {"b.txt", "two"}});
  publish();
  const auto first = descriptor().version;
  EXPECT_EQ(index().version, first);

  const auto id = open();
  push(id, "b.txt", "another");
  EXPECT_EQ(descriptor().version, first) << "a session changes nothing before it completes";
  must(sessions().complete(alice(), id));
  EXPECT_EQ(descriptor().version, first + 1);
  auto item = only_item();
  EXPECT_EQ(item.version, 3);
  EXPECT_EQ(item.files.at(0).generation, 2) << "not touched";
  EXPECT_EQ(item.files.at(1).generation, 3);
  EXPECT_EQ(item.files.at(0).etag, "3") << "one for all files (vcsp.md §5)";

  service::ItemSpec rename;
  rename.name = "another name";
  must(world_->items().update(alice(), item_, rename));
  item = only_item();
  EXPECT_EQ(descriptor().version, first + 2);
  EXPECT_EQ(item.version, 4);
  EXPECT_EQ(item.content_version, 3) << "no byte has changed";

  must(world_->items().update(alice(), item_, rename));
  EXPECT_EQ(descriptor().version, first + 2) << "nothing has changed";

  service::LibrarySpec described;
  described.description = "new";
  must(world_->libraries().update(alice(), library_, described));
  EXPECT_EQ(descriptor().version, first + 3);
  EXPECT_EQ(descriptor().description, "new");
  EXPECT_EQ(index().version, first + 3);

  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(descriptor().version, first + 4);
  EXPECT_THAT(index().items, IsEmpty());

  must(update(published(false)));
  service::LibrarySpec renamed;
  renamed.name = "renamed unseen";
  must(world_->libraries().update(alice(), library_, renamed));
  publish();
  EXPECT_EQ(descriptor().version, first + 5) << "greater than whatever subscribers have seen";
  EXPECT_EQ(descriptor().name, "renamed unseen");
}

TEST_P(PublicationTest, AFileThatComesBackHasAnotherGeneration) {
  publish();
  fill(item_, {{"a.txt", "one"}, {"b.txt", "two"}});
  const auto before = only_item().files.at(1);
  auto id = open();
  must(sessions().remove_file(alice(), id, "b.txt"));
  must(sessions().complete(alice(), id));
  fill(item_, {{"b.txt", "TWO"}});
  const auto after = only_item().files.at(1);
  EXPECT_EQ(after.name, "b.txt");
  EXPECT_GT(after.generation, before.generation);
  EXPECT_NE(after.hrefs, before.hrefs);
}

TEST_P(PublicationTest, ReplacedFilesAreKeptForThoseWhoStillReadThem) {
  publish();
  fill(item_, {{"a.txt", "old bytes, longer than a few"}});
  const auto old = only_item().files.at(0);
  fill(item_, {{"a.txt", "new bytes"}});
  const auto current = only_item().files.at(0);
  EXPECT_EQ(body(old, item_), "old bytes, longer than a few");
  EXPECT_EQ(body(current, item_), "new bytes");

  const auto open_old = must(publications_->open_file(library_, item_, *old.generation, "a.txt", {}));
  advance(59min);
  must(publications_->touch(open_old.item, open_old.content));
  advance(4min);
  must(world_->downloads().remove_expired());
  EXPECT_TRUE(readable(old)) << "somebody reads it";
  advance(2h);
  must(world_->downloads().remove_expired());
  EXPECT_EQ(test_support::ServiceWorld::read_all(*open_old.bytes), "old bytes, longer than a few") << "open is open";
  EXPECT_EQ(kind(publications_->open_file(library_, item_, *old.generation, "a.txt", {})), "not_found");
  EXPECT_EQ(body(current, item_), "new bytes");
}

TEST_P(PublicationTest, WithoutAPublicationNothingIsKept) {
  fill(item_, {{"a.txt", "old"}});
  fill(item_, {{"a.txt", "new"}});
  EXPECT_THAT(world_->look([&](content::CatalogReader& reader) { return reader.download_sessions("", item_); }),
              IsEmpty());
}

TEST_P(PublicationTest, OnlyWhatFitsTheFormatIsPublished) {
  publish();
  fill(item_, {{"folder/a.txt", "x"}});
  fill(new_item("template", "vm-template"), {{"a.vmtx", "x"}});
  fill(new_item("odd", ""), {{"ä %20#?.txt", "x"}});
  const auto item = only_item();
  EXPECT_EQ(item.name, "odd");
  EXPECT_THAT(item.files.at(0).hrefs, ElementsAre(item.id + "/g2/%C3%A4%20%2520%23%3F.txt"));
}

TEST_P(PublicationTest, AfterAChangeOnlyWhatChangedIsReadAgain) {
  for (int i = 0; i < 20; ++i) fill(new_item("item " + std::to_string(i), ""), {{"a.txt", std::to_string(i)}});
  publish();
  EXPECT_THAT(index().items, SizeIs(20));
  fill(item_, {{"a.txt", "one more"}});
  const auto items = index().items;
  ASSERT_THAT(items, SizeIs(21));
  // A second reader that has nothing in memory says the same.
  service::Publications fresh(world_->context(), world_->throttle());
  EXPECT_EQ(*must(fresh.index(library_, {})).text, *must(publications_->index(library_, {})).text);
}

TEST_P(PublicationTest, AnIndexThatHasNoRoomIsWrittenAllTheSame) {
  content::Limits limits;
  limits.published_index_bytes_max = 10;
  make_world({}, limits);
  wire();
  publish();
  fill(item_, {{"a.txt", "x"}});
  EXPECT_THAT(index().items, SizeIs(1));
  EXPECT_THAT(index().items, SizeIs(1));
}

// ---- who reads ----

TEST_P(PublicationTest, TellsWhoReadIt) {
  fill(item_, {{"a.txt", "one"}});
  EXPECT_EQ(kind(publications_->readers(alice(), library_)), "not_allowed_in_current_state");
  publish();
  const auto started = world_->clock().now();
  const Subscriber cloud{{}, "", "10.0.0.1", "cloud/1"};
  const Subscriber center{{}, "", "10.0.0.1", "center/2"};
  EXPECT_THAT(must(publications_->readers(alice(), library_)).readers, IsEmpty());
  must(publications_->library_document(library_, cloud));
  advance(1min);
  must(publications_->open_file(library_, item_, 2, "a.txt", center));
  const auto version = descriptor().version;  // a third one, which says nothing of itself
  fill(item_, {{"a.txt", "two"}});
  must(publications_->index(library_, center));
  advance(1min);
  must(publications_->item_document(library_, item_, cloud));

  const auto found = must(publications_->readers(alice(), library_));
  EXPECT_EQ(found.since, started);
  EXPECT_EQ(found.version, version + 1);
  ASSERT_THAT(found.readers, SizeIs(3));
  EXPECT_EQ(found.readers[0].user_agent, "cloud/1");
  EXPECT_EQ(found.readers[0].address, "10.0.0.1");
  EXPECT_EQ(found.readers[0].last_read, world_->clock().now());
  EXPECT_EQ(found.readers[0].version, version) << "an item's document does not tell it";
  EXPECT_EQ(found.readers[1].user_agent, "center/2");
  EXPECT_EQ(found.readers[1].version, version + 1);
  EXPECT_EQ(found.readers[2].user_agent, "");
}

TEST_P(PublicationTest, OnlyWhoIsLetInIsAReader) {
  must(update(with_password("right")));
  EXPECT_EQ(kind(publications_->index(library_, who("vcsp", "wrong"))), "unauthenticated");
  EXPECT_THAT(must(publications_->readers(alice(), library_)).readers, IsEmpty());
  must(publications_->index(library_, who("vcsp", "right")));
  EXPECT_THAT(must(publications_->readers(alice(), library_)).readers, SizeIs(1));
  EXPECT_EQ(kind(publications_->readers(test_support::caller_with("carol@vsphere.local", {}), library_)), "not_found");
  EXPECT_EQ(kind(publications_->readers(alice(), content::LibraryId("none"))), "not_found");
}

TEST_P(PublicationTest, TheLastReadersAreRemembered) {
  content::Limits limits;
  limits.publication_readers_max = 2;
  make_world({}, limits);
  wire();
  publish();
  const auto addresses = [&] {
    std::vector<std::string> all;
    for (const auto& reader : must(publications_->readers(alice(), library_)).readers) all.push_back(reader.address);
    return all;
  };
  const auto read_from = [&](const std::string& address) {
    must(publications_->library_document(library_, {{}, "", address, std::string(10'000, 'x') + "\x1b\xff"}));
  };
  for (const auto* address : {"1", "2", "1", "3"}) read_from(address);
  EXPECT_THAT(addresses(), ElementsAre("3", "1"));
  for (const auto& reader : must(publications_->readers(alice(), library_)).readers)
    EXPECT_LE(reader.user_agent.size(), 210U);

  limits.publication_readers_max = 0;
  make_world({}, limits);
  wire();
  publish();
  read_from("1");
  EXPECT_THAT(addresses(), IsEmpty());
}

// ---- passwords ----

TEST_P(PublicationTest, BasicLetsOnlyTheRightPasswordIn) {
  must(update(with_password("right")));
  EXPECT_EQ(kind(publications_->index(library_, {})), "unauthenticated");
  EXPECT_EQ(kind(publications_->index(library_, who("vcsp", "wrong"))), "unauthenticated");
  EXPECT_EQ(kind(publications_->index(library_, who("vcsp", ""))), "unauthenticated");
  EXPECT_EQ(kind(publications_->index(library_, who("alice", "right"))), "unauthenticated");
  for (int times = 0; times < 3; ++times) EXPECT_TRUE(publications_->index(library_, who("vcsp", "right")));
  EXPECT_TRUE(publications_->library_document(library_, who("", "right")));
  EXPECT_EQ(kind(publications_->item_document(library_, item_, {})), "unauthenticated");
  EXPECT_EQ(kind(publications_->open_file(library_, item_, 1, "a", {})), "unauthenticated");
}

TEST_P(PublicationTest, ThePasswordChangesWithThePresentOneOnly) {
  must(update(with_password("first")));
  EXPECT_EQ(why(update(with_password("second"))), "quire.library.wrong_current_password");
  EXPECT_EQ(kind(update(with_password("second", "wrong"))), "invalid_argument");
  EXPECT_TRUE(publications_->index(library_, who("vcsp", "first")));
  PublishSpec none;
  none.authentication_method = AuthenticationMethod::NONE;
  EXPECT_EQ(why(update(none)), "quire.library.wrong_current_password");
  EXPECT_EQ(why(update(published(false))), "quire.library.wrong_current_password");
  const auto version = must(world_->libraries().get(alice(), library_)).version;
  must(update(with_password("first")));
  EXPECT_EQ(must(world_->libraries().get(alice(), library_)).version, version) << "the present one is no change";

  must(update(with_password("second", "first")));
  EXPECT_EQ(kind(publications_->index(library_, who("vcsp", "first"))), "unauthenticated") << "at once";
  EXPECT_TRUE(publications_->index(library_, who("vcsp", "second")));
  none.current_password = "second";
  must(update(none));
  EXPECT_TRUE(publications_->index(library_, {}));
}

TEST_P(PublicationTest, GuessesAreSlowed) {
  must(update(with_password("right")));
  std::string refusal;
  for (int guesses = 0; guesses < 100 && refusal != "resource_busy"; ++guesses)
    refusal = kind(publications_->index(library_, who("vcsp", "guess " + std::to_string(guesses))));
  EXPECT_EQ(refusal, "resource_busy");
  EXPECT_EQ(kind(publications_->index(library_, who("vcsp", "right"))), "resource_busy")
      << "nor does a right one come in";
  EXPECT_EQ(why(update(with_password("second", "right"))), "quire.session.too_many_failures") << "one count for both";
  advance(1min);
  EXPECT_TRUE(publications_->index(library_, who("vcsp", "right")));
}

TEST_P(PublicationTest, RefusesWhatCannotBePublishedSo) {
  auto spec = with_password("");
  EXPECT_EQ(why(update(spec)), "quire.library.no_publish_password");
  spec.password.reset();
  EXPECT_EQ(why(update(spec)), "quire.library.no_publish_password");
  spec = with_password("right");
  spec.user_name = "alice";
  EXPECT_EQ(why(update(spec)), "quire.library.publish_user");
  EXPECT_FALSE(must(world_->libraries().get(alice(), library_)).published);
}

TEST_P(PublicationTest, APasswordWithoutItsMethodIsTakenAsMeant) {
  auto spec = with_password("right");
  spec.authentication_method = AuthenticationMethod::NONE;  // as govc sends it
  must(update(spec));
  EXPECT_EQ(kind(publications_->index(library_, {})), "unauthenticated");
  EXPECT_TRUE(publications_->index(library_, who("vcsp", "right")));
}

TEST_P(PublicationTest, EndsWithItsLibrary) {
  publish();
  fill(item_, {{"a.txt", "one"}});
  fill(item_, {{"a.txt", "two"}});
  EXPECT_THAT(index().items, SizeIs(1));
  must(world_->libraries().remove_local(alice(), library_));
  EXPECT_EQ(kind(publications_->index(library_, {})), "not_found");
  EXPECT_EQ(files_on_disk(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, PublicationTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, PublicationTest, testing::Values(Engine::Postgresql));

}  // namespace
}  // namespace quire
