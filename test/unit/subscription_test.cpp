#include <gmock/gmock.h>

#include <atomic>
#include <limits>

#include "service/library/configuration.h"
#include "service/quota/quotas.h"
#include "support/scripted_publisher.h"
#include "support/service_world.h"

// Subscribed libraries against a scripted publisher: content-library-api.md §6, §18, §23.9, vcsp.md §6, decision 21.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Item;
using content::ItemId;
using content::Library;
using content::LibraryId;
using content::Task;
using content::TaskStatus;
using service::Deletion;
using service::SubscriptionProbe;
using service::SubscriptionSpec;
using test_support::administrator;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::library_spec;
using test_support::ScriptedPublisher;
using test_support::why;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using Files = std::map<std::string, std::string>;

constexpr auto library_type = "com.vmware.content.Library";
constexpr auto item_type = "com.vmware.content.library.Item";

std::string large(char filling) { return std::string(10'000, filling); }

class SubscriptionTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    make();
  }
  void make(const service::Settings& settings = {}, const content::Limits& limits = {}) {
    make_world(settings, limits);
    publisher_.emplace(world_->sources());
  }

  service::SubscribedLibraries& subscribed() { return world_->subscribed(); }
  SubscriptionSpec spec(bool on_demand = false) {
    SubscriptionSpec spec;
    spec.subscription_url = publisher_->url();
    spec.authentication_method = content::AuthenticationMethod::NONE;
    spec.automatic_sync_enabled = false;
    spec.on_demand = on_demand;
    return spec;
  }
  LibraryId subscribe(const SubscriptionSpec& spec) {
    return must(subscribed().create(alice(), library_spec("subscribed"), spec, {}));
  }
  /// With a first synchronization, which must end well.
  void follow(bool on_demand = false) {
    publisher_->publish();
    id_ = subscribe(spec(on_demand));
    run();
    EXPECT_EQ(problem(), "");
  }
  /// Runs what is due.
  void run() {
    for (int tasks = 0; must(world_->task_runner().run_next()); ++tasks) ASSERT_LT(tasks, 1000) << "tasks run for ever";
  }
  /// What the publisher has is told, and the library synchronized.
  void publish_and_sync() {
    publisher_->publish();
    sync();
  }
  void sync() {
    must(subscribed().sync(alice(), id_));
    run();
  }
  Library library() { return must(world_->libraries().get(alice(), id_)); }
  content::Subscription state() { return must(subscribed().status(alice(), id_)).subscription; }
  std::string problem() { return state().problem ? state().problem->default_message : ""; }
  std::vector<service::SyncProblem> problems() { return must(subscribed().status(alice(), id_)).problems; }
  Task last_task(const std::string& type, const std::string& target) {
    const auto tasks = must(world_->tasks().list(administrator(), {.targets = {{type, target}}}));
    if (tasks.empty()) throw std::runtime_error("there was no task");
    return tasks.front();
  }
  Task last_sync() { return last_task(library_type, id_.text()); }
  std::vector<std::string> errors_of(const Task& task) {
    std::vector<std::string> texts;
    if (!task.error) return texts;
    for (const auto& message : task.error->messages) texts.push_back(message.default_message);
    return texts;
  }

  std::vector<Item> items() {
    std::vector<Item> all;
    for (const auto& id : must(world_->items().list(alice(), id_)))
      all.push_back(must(world_->items().get(alice(), id)));
    return all;
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& item : items()) all.push_back(item.name);
    std::ranges::sort(all);
    return all;
  }
  Item named(const std::string& name) {
    for (auto& item : items())
      if (item.name == name) return item;
    throw std::runtime_error("there is no item " + name);
  }
  Files content_named(const std::string& name) { return world_->content_of(named(name).id).value(); }
  std::map<std::string, content::ContentFile> files_named(const std::string& name) {
    std::map<std::string, content::ContentFile> all;
    for (const auto& file : must(world_->items().files(alice(), named(name).id))) all[file.name] = file;
    return all;
  }

  /// The library is what its publisher has.
  void expect_equal() {
    const auto here = items();
    EXPECT_EQ(here.size(), publisher_->items.size());
    for (const auto& item : here) {
      SCOPED_TRACE(item.name);
      ASSERT_TRUE(item.source_id && publisher_->items.contains(*item.source_id));
      const auto& there = publisher_->at(*item.source_id);
      EXPECT_EQ(item.name, there.name);
      EXPECT_EQ(item.description, there.description);
      EXPECT_EQ(item.type, vcsp::item_type_of(there.type));
      if (item.cached) {
        EXPECT_EQ(world_->content_of(item.id), there.files);
      } else {
        std::set<std::string> announced;
        for (const auto& file : must(world_->items().files(alice(), item.id))) announced.insert(file.name);
        std::set<std::string> wanted;
        for (const auto& [name, body] : there.files) wanted.insert(name);
        EXPECT_EQ(announced, wanted);
      }
    }
  }
  void expect_no_leaks() {
    EXPECT_EQ(world_->blobs_on_disk(), world_->blobs_in_catalog());
    EXPECT_EQ(world_->files_on_disk(), world_->blobs_in_catalog().size());
  }
  std::vector<std::string> asked_since(std::size_t begin) {
    const auto all = world_->sources().asked();
    return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.end()};
  }
  std::size_t asked() { return world_->sources().asked().size(); }
  /// How many of the fetches since `begin` were of files.
  std::size_t files_fetched_since(std::size_t begin) {
    const auto urls = asked_since(begin);
    return static_cast<std::size_t>(
        std::ranges::count_if(urls, [](const auto& url) { return !url.ends_with(".json"); }));
  }
  void set_maintenance(bool in_maintenance) {
    world_->change([&](content::CatalogWriter& writer) {
      auto library = writer.find<Library>(id_).value();
      library.state = in_maintenance ? content::LibraryState::MAINTENANCE : content::LibraryState::ACTIVE;
      writer.update(library);
    });
  }
  service::Quotas quotas() { return service::Quotas(world_->context()); }

  std::optional<ScriptedPublisher> publisher_;
  LibraryId id_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SubscriptionTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SubscriptionTest, testing::Values(Engine::Postgresql));

// ---- create ----

TEST_P(SubscriptionTest, CreateAsksThePublisherFirstAndMakesNothingWhenThatFails) {
  const auto before = must(world_->libraries().list(alice())).size();
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), spec(), {})), "resource_inaccessible");
  publisher_->put(publisher_->url(), "no JSON");
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), spec(), {})), "resource_inaccessible");
  publisher_->publish();
  world_->sources().forbid(publisher_->url());
  EXPECT_EQ(why(subscribed().create(alice(), library_spec("a"), spec(), {})), "quire.subscription.refused");
  world_->sources().allow(publisher_->url());
  publisher_->maintenance = "moving house";
  publisher_->publish();
  const auto in_maintenance = subscribed().create(alice(), library_spec("a"), spec(), {});
  EXPECT_EQ(kind(in_maintenance), "resource_inaccessible");
  EXPECT_THAT(in_maintenance.error().text(), HasSubstr("moving house"));
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), {}, {})), "invalid_argument");
  EXPECT_EQ(kind(subscribed().create(alice(), {}, spec(), {})), "invalid_argument");
  EXPECT_EQ(must(world_->libraries().list(alice())).size(), before);
  EXPECT_FALSE(must(world_->task_runner().run_next()));
}

TEST_P(SubscriptionTest, CreateIsDoneOnceForAClientToken) {
  publisher_->publish();
  const auto token = std::optional<std::string>("11111111-2222-4333-8444-555555555555");
  const auto first = must(subscribed().create(alice(), library_spec("a"), spec(), token));
  EXPECT_EQ(must(subscribed().create(alice(), library_spec("a"), spec(), token)), first);
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), spec(true), token)), "invalid_argument");
}

TEST_P(SubscriptionTest, ProbeAnswersEveryOutcome) {
  EXPECT_EQ(must(subscribed().probe(alice(), spec())).status, SubscriptionProbe::resource_not_found);
  publisher_->publish();
  const auto works = must(subscribed().probe(alice(), spec()));
  EXPECT_EQ(works.status, SubscriptionProbe::success);
  EXPECT_THAT(works.messages, IsEmpty());
  SubscriptionSpec bad;
  bad.subscription_url = "nonsense";
  EXPECT_EQ(must(subscribed().probe(alice(), bad)).status, SubscriptionProbe::invalid_url);
  publisher_->put(publisher_->url(), "{}");
  const auto unusable = must(subscribed().probe(alice(), spec()));
  EXPECT_EQ(unusable.status, SubscriptionProbe::resource_not_found);
  EXPECT_THAT(unusable.messages, SizeIs(1));
}

// ---- synchronization ----

TEST_P(SubscriptionTest, AllComesAtOnceUnlessOnDemand) {
  publisher_->add("a", {{"a.txt", "small"}, {"large.bin", large('a')}});
  publisher_->add("b", {{"b.iso", large('b')}}, vcsp::iso_type);
  publisher_->add("empty", {});
  follow();
  EXPECT_THAT(items(), Each(testing::Field(&Item::cached, true)));
  expect_equal();
  const auto task = last_sync();
  EXPECT_EQ(task.status, TaskStatus::SUCCEEDED);
  EXPECT_EQ(task.user, alice().user);
  EXPECT_EQ(state().version, publisher_->version);
  EXPECT_EQ(state().publisher, publisher_->library_id);
  EXPECT_EQ(state().last_success_time, world_->clock().now());
  EXPECT_EQ(named("b").type, "iso");
  EXPECT_EQ(named("a").size, 10'005);
  EXPECT_TRUE(named("a").last_sync_time);
  const auto status = must(subscribed().status(alice(), id_));
  EXPECT_EQ(status.counts.items, 3);
  EXPECT_EQ(status.counts.cached, 3);
  EXPECT_EQ(status.subscription.password, "");
  expect_no_leaks();
}

TEST_P(SubscriptionTest, OnDemandOnlyTheListComes) {
  publisher_->add("a", {{"a.txt", "small"}, {"large.bin", large('a')}});
  follow(true);
  EXPECT_EQ(files_fetched_since(0), 0U);
  const auto item = named("a");
  EXPECT_FALSE(item.cached);
  EXPECT_EQ(item.size, 0);
  expect_equal();
  for (const auto& [name, file] : files_named("a")) {
    EXPECT_EQ(file.size, 0);
    EXPECT_TRUE(file.blob.empty());
  }
  EXPECT_THAT(*world_->content_of(item.id), IsEmpty());
  EXPECT_EQ(must(subscribed().status(alice(), id_)).counts.cached, 0);
}

TEST_P(SubscriptionTest, APollWithoutNewsIsOneRequest) {
  publisher_->add("a", {{"a.txt", "small"}});
  follow();
  const auto before = asked();
  const auto items_before = items();
  sync();
  EXPECT_THAT(asked_since(before), ElementsAre(publisher_->url()));
  EXPECT_EQ(items(), items_before);
  EXPECT_EQ(last_sync().status, TaskStatus::SUCCEEDED);
}

TEST_P(SubscriptionTest, WhatStaysTheSameIsNotFetchedAgain) {
  const auto a = publisher_->add("a", {{"one", large('1')}, {"two", large('2')}, {"three", "3"}});
  follow();
  const auto before = files_named("a");
  const auto since = asked();
  publisher_->replace(a, {{"one", large('1')}, {"two", large('x')}, {"four", "4"}});
  publish_and_sync();
  expect_equal();
  EXPECT_EQ(files_fetched_since(since), 2U);
  const auto after = files_named("a");
  EXPECT_EQ(after.at("one"), before.at("one"));
  EXPECT_EQ(after.at("two").version, 2);
  EXPECT_NE(after.at("two").blob, before.at("two").blob);
  EXPECT_EQ(after.at("four").version, 1);
  EXPECT_EQ(named("a").content_version, 2);
  EXPECT_EQ(named("a").metadata_version, 1);
  expect_no_leaks();
}

TEST_P(SubscriptionTest, ARenameFetchesNothingAndIsNoNewContent) {
  const auto a = publisher_->add("a", {{"one", large('1')}});
  follow();
  const auto before = named("a");
  const auto since = asked();
  publisher_->rename(a, "b");
  publisher_->describe(a, "better");
  publish_and_sync();
  EXPECT_EQ(files_fetched_since(since), 0U);
  expect_equal();
  const auto after = named("b");
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.content, before.content);
  EXPECT_EQ(after.content_version, 1);
  EXPECT_EQ(after.metadata_version, 3);
  EXPECT_EQ(after.version, before.version + 1);
}

TEST_P(SubscriptionTest, NamesAreSwapped) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    const auto a = publisher_->add("a", {{"f", "of a"}});
    const auto b = publisher_->add("b", {{"f", "of b"}});
    follow(on_demand);
    const auto id_a = named("a").id;
    publisher_->rename(a, "b");
    publisher_->rename(b, "a");
    publish_and_sync();
    EXPECT_EQ(problem(), "");
    EXPECT_EQ(named("b").id, id_a);
    expect_equal();
  }
}

TEST_P(SubscriptionTest, NamesMoveAlongAChainAndARing) {
  for (const bool on_demand : {false, true}) {
    for (const bool ring : {false, true}) {
      SCOPED_TRACE(std::string(on_demand ? "on demand, " : "at once, ") + (ring ? "ring" : "chain"));
      make();
      std::vector<std::string> ids;
      constexpr int count = 40;
      for (int i = 0; i < count; ++i) ids.push_back(publisher_->add("item " + std::to_string(i), {{"f", "x"}}));
      follow(on_demand);
      for (int i = 0; i < count; ++i)
        publisher_->rename(ids[i], "item " + std::to_string(ring ? (i + 1) % count : i + 1));
      publisher_->replace(ids[count / 2], {{"f", "y"}});
      publish_and_sync();
      EXPECT_EQ(problem(), "");
      expect_equal();
    }
  }
}

TEST_P(SubscriptionTest, RenameRemoveAndReplaceInOneRound) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    const auto a = publisher_->add("a", {{"f", large('a')}});
    const auto b = publisher_->add("b", {{"f", large('b')}});
    const auto c = publisher_->add("c", {{"f", large('c')}});
    follow(on_demand);
    publisher_->remove(b);
    publisher_->rename(a, "b");
    publisher_->replace(a, {{"g", large('n')}});
    publisher_->rename(c, "a");
    publisher_->add("c", {{"new", large('m')}});
    publish_and_sync();
    EXPECT_EQ(problem(), "");
    EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
    expect_equal();
    expect_no_leaks();
  }
}

TEST_P(SubscriptionTest, ANewItemTakesTheNameOfARemovedOne) {
  const auto a = publisher_->add("a", {{"f", large('a')}});
  follow();
  const auto before = named("a").id;
  publisher_->remove(a);
  publisher_->add("a", {{"f", large('b')}});
  publish_and_sync();
  EXPECT_NE(named("a").id, before);
  expect_equal();
  expect_no_leaks();
}

TEST_P(SubscriptionTest, ReadersSeeTheOldVersionUntilTheNewOneIsWhole) {
  const auto a = publisher_->add("a", {{"one", large('1')}, {"two", large('2')}});
  follow();
  const auto before = content_named("a");
  std::atomic<int> looks = 0;
  publisher_->halfway = [&] {
    ++looks;
    EXPECT_EQ(content_named("a"), before);
  };
  publisher_->replace(a, {{"one", large('x')}, {"two", large('y')}});
  publish_and_sync();
  EXPECT_EQ(looks, 2);
  expect_equal();
}

TEST_P(SubscriptionTest, TheSameBytesOfAnotherItemAreShared) {
  publisher_->add("a", {{"f", large('a')}});
  follow();
  publisher_->add("b", {{"other name", large('a')}});
  const auto since = asked();
  publish_and_sync();
  EXPECT_EQ(files_fetched_since(since), 0U);
  expect_equal();
  EXPECT_EQ(files_named("a").at("f").blob, files_named("b").at("other name").blob);
}

TEST_P(SubscriptionTest, APublisherThatWasRestoredIsFollowedBack) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    const auto a = publisher_->add("a", {{"f", large('1')}});
    follow(on_demand);
    const auto backup = publisher_->items;
    const auto backup_version = publisher_->version;
    publisher_->replace(a, {{"f", large('2')}});
    publisher_->rename(a, "b");
    publisher_->add("new", {});
    publish_and_sync();
    const auto advanced = named("b");
    publisher_->items = backup;
    publisher_->version = backup_version;
    publisher_->write();
    sync();
    expect_equal();
    EXPECT_GT(named("a").content_version, advanced.content_version) << "a version must not stand for two contents";
    EXPECT_GT(named("a").metadata_version, advanced.metadata_version);
    EXPECT_EQ(state().version, backup_version);
  }
}

TEST_P(SubscriptionTest, AnotherPublisherBehindTheUrlReplacesAll) {
  publisher_->add("a", {{"f", large('1')}});
  follow();
  publisher_->items.clear();
  publisher_->library_id = "bbbbbbbb-0000-4000-8000-000000000002";
  publisher_->add("a", {{"f", large('2')}});
  publisher_->write();
  sync();
  expect_equal();
  EXPECT_EQ(state().publisher, publisher_->library_id);
  expect_no_leaks();
}

TEST_P(SubscriptionTest, AnIndexOfAnotherVersionIsReadAgainAndNotTrusted) {
  publisher_->add("a", {{"f", "1"}});
  publisher_->index_version = 77;
  follow();
  EXPECT_EQ(state().version, std::nullopt);
  expect_equal();
  publisher_->index_version.reset();
  publisher_->write();
  sync();
  EXPECT_EQ(state().version, publisher_->version);
}

TEST_P(SubscriptionTest, APublisherThatCannotBeReadLeavesAllAsItWas) {
  publisher_->add("a", {{"f", "1"}});
  follow();
  const auto before = items();
  publisher_->put(publisher_->url(), "garbage");
  sync();
  EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
  EXPECT_THAT(problem(), HasSubstr("cannot be used"));
  publisher_->publish();
  publisher_->put("https://publisher.example/lib/items.json", "{\"items\": [");
  sync();
  EXPECT_THAT(problem(), HasSubstr("cannot be used"));
  publisher_->publish();
  world_->sources().remove("https://publisher.example/lib/items.json");
  sync();
  EXPECT_NE(problem(), "");
  EXPECT_EQ(state().failures, 3);
  EXPECT_EQ(items(), before);
  publish_and_sync();
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(state().failures, 0);
}

TEST_P(SubscriptionTest, UnusableItemsLeaveTheOthersAlone) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    publisher_->add("good", {{"f", large('g')}});
    const auto long_name = publisher_->add(std::string(81, 'n'), {{"f", "1"}});
    const auto control = publisher_->add("tab\there", {{"f", "1"}});
    const auto outside = publisher_->add("outside", {{"../x", "1"}});
    std::map<std::string, std::string> many;
    for (int i = 0; i < 2001; ++i) many[std::to_string(i)] = "";
    const auto many_files = publisher_->add("many files", many);
    const auto one = publisher_->add("twice", {{"f", "1"}});
    const auto other = publisher_->add("twice", {{"f", "2"}});
    auto same_id = publisher_->document(publisher_->at(one));
    same_id.name = "same id";
    publisher_->more_items = {vcsp::write_item(same_id), "{\"id\": 7}"};
    publisher_->publish();
    id_ = subscribe(spec(on_demand));
    run();
    EXPECT_THAT(names(), ElementsAre("good", "twice"));
    const auto errors = errors_of(last_sync());
    EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
    EXPECT_THAT(errors, SizeIs(8)) << testing::PrintToString(errors);
    EXPECT_THAT(errors.front(), HasSubstr("7 of the items"));
    EXPECT_THAT(errors, Contains(HasSubstr("many files")));
    EXPECT_THAT(errors, Contains(HasSubstr("outside")));
    EXPECT_THAT(errors, Contains(HasSubstr("two items named twice")));
    EXPECT_EQ(state().version, std::nullopt);
    if (!on_demand) {
      EXPECT_EQ(content_named("good"), (Files{{"f", large('g')}}));
    }
    for (const auto& id : {long_name, control, outside, many_files, other}) publisher_->remove(id);
    publisher_->more_items.clear();
    publish_and_sync();
    EXPECT_EQ(problem(), "");
    EXPECT_THAT(problems(), IsEmpty());
    expect_equal();
  }
}

TEST_P(SubscriptionTest, OfManyFailuresTheFirstAreTold) {
  for (int i = 0; i < 25; ++i) publisher_->add("bad\n" + std::to_string(i), {});
  publisher_->publish();
  id_ = subscribe(spec());
  run();
  const auto errors = errors_of(last_sync());
  ASSERT_THAT(errors, SizeIs(22));
  EXPECT_EQ(errors.back(), "And 5 more items.");
}

/// The hostile publishers of the client tests found it: an entry without an identifier may be any of the items here.
TEST_P(SubscriptionTest, WhileAnEntryHasNoIdentifierNothingGoes) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    publisher_->add("a", {{"f", "1"}});
    const auto b = publisher_->add("b", {{"f", "2"}});
    follow(on_demand);
    publisher_->remove(b);
    publisher_->more_items = {"{\"name\": \"b\"}"};
    publish_and_sync();
    EXPECT_THAT(names(), ElementsAre("a", "b"));
    EXPECT_NE(problem(), "");
    publisher_->more_items.clear();
    publish_and_sync();
    EXPECT_THAT(names(), ElementsAre("a"));
    EXPECT_EQ(problem(), "");
  }
}

TEST_P(SubscriptionTest, AnItemThatBecomesUnusableStaysAndComesBack) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    const auto a = publisher_->add("a", {{"f", "1"}});
    publisher_->add("b", {{"f", "2"}});
    follow(on_demand);
    const auto good = publisher_->at(a);
    publisher_->rename(a, std::string(81, 'a'));
    publish_and_sync();
    EXPECT_THAT(names(), ElementsAre("a", "b"));
    ASSERT_THAT(problems(), SizeIs(1));
    EXPECT_EQ(problems().front().name, "a");
    publisher_->at(a) = good;
    publish_and_sync();
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(problem(), "");
    expect_equal();
  }
}

TEST_P(SubscriptionTest, ANameThatAnUnusableItemHoldsIsNotTaken) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    const auto a = publisher_->add("a", {{"f", "1"}});
    const auto b = publisher_->add("b", {{"f", "2"}});
    const auto c = publisher_->add("c", {{"f", "3"}});
    follow(on_demand);
    publisher_->rename(a, std::string(81, 'a'));
    publisher_->rename(b, "a");
    publisher_->rename(c, "b");
    publisher_->add("c", {{"f", "4"}});
    publish_and_sync();
    EXPECT_THAT(names(), ElementsAre("a", "b", "c")) << "nothing may be seen half renamed";
    EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
    EXPECT_EQ(state().version, std::nullopt) << "it is to be tried again";
    EXPECT_THAT(errors_of(last_sync()), SizeIs(5));
    publisher_->rename(a, "d");
    publish_and_sync();
    EXPECT_EQ(problem(), "");
    EXPECT_THAT(problems(), IsEmpty());
    expect_equal();
  }
}

TEST_P(SubscriptionTest, FilesThatCannotBeHadFailTheirItemOnly) {
  publisher_->add("a", {{"f", large('a')}});
  publisher_->add("b", {{"g", large('b')}, {"h", large('h')}});
  publisher_->lost = {"h"};
  publisher_->publish();
  id_ = subscribe(spec());
  run();
  EXPECT_THAT(names(), ElementsAre("a", "b"));
  EXPECT_TRUE(named("a").cached);
  EXPECT_FALSE(named("b").cached);
  ASSERT_THAT(problems(), SizeIs(1));
  EXPECT_THAT(problems().front().reason.default_message, HasSubstr("did not answer"));
  EXPECT_THAT(errors_of(last_sync()), ElementsAre(HasSubstr("1 of the items"), AllOf(HasSubstr("b"), HasSubstr("h"))));
  expect_no_leaks();
  publisher_->lost.clear();
  publisher_->write();
  sync();
  EXPECT_EQ(problem(), "");
  EXPECT_THAT(problems(), IsEmpty());
  expect_equal();
  EXPECT_EQ(named("b").content_version, 1);
}

TEST_P(SubscriptionTest, BytesThatAreNotWhatTheDocumentSaysMakeItBeReadOnceMore) {
  const auto a = publisher_->add("a", {{"f", large('1')}, {"small", "s"}});
  follow();
  const auto before = content_named("a");
  struct Case {
    std::string name;
    std::string body;
  };
  for (const auto& [file, body] : {Case{"f", large('z')}, Case{"f", large('1') + "more"}, Case{"f", "short"},
                                   Case{"small", "t"}, Case{"small", "longer"}}) {
    SCOPED_TRACE(body.substr(0, 10));
    publisher_->replace(a, {{"f", large('2')}, {"small", "t2"}});
    publisher_->publish();
    publisher_->put(publisher_->file_url(a, file), body);
    const auto since = asked();
    sync();
    const auto document = "https://publisher.example/lib/" + a + "/item.json";
    EXPECT_EQ(std::ranges::count(asked_since(since), document), 1);
    EXPECT_EQ(content_named("a"), before);
    EXPECT_THAT(problems(), SizeIs(1));
    expect_no_leaks();
  }
  publish_and_sync();
  expect_equal();
}

TEST_P(SubscriptionTest, AnItemThatMovesOnDuringTheSyncIsTakenAsItIsNow) {
  const auto a = publisher_->add("a", {{"f", large('1')}});
  follow();
  publisher_->replace(a, {{"f", large('2')}});
  publisher_->publish();
  // The documents of the item itself, and its file, are newer than the index by the time they are read.
  publisher_->replace(a, {{"f", large('3')}});
  publisher_->rename(a, "newer");
  const auto now = publisher_->at(a);
  publisher_->put("https://publisher.example/lib/" + a + "/item.json", vcsp::write_item(publisher_->document(now)));
  publisher_->put(publisher_->file_url(a, "f"), large('3'));
  sync();
  EXPECT_EQ(problem(), "");
  expect_equal();
  publish_and_sync();
  expect_equal();
  EXPECT_EQ(named("newer").content_version, 3);
}

TEST_P(SubscriptionTest, VersionsOfAHostilePublisherDoNotOverflow) {
  const auto a = publisher_->add("a", {{"f", "1"}});
  publisher_->at(a).content_version = std::numeric_limits<std::int64_t>::max() - 4;
  publisher_->at(a).metadata_version = 1;
  follow();
  for (int i = 0; i < 3; ++i) {
    const auto before = named("a").content_version;
    publisher_->replace(a, {{"f", std::to_string(i)}});
    --publisher_->at(a).content_version;
    publish_and_sync();
    EXPECT_EQ(problem(), "");
    EXPECT_GT(named("a").content_version, before);
  }
}

// ---- packages ----

const std::string vm_ovf =
    "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"
    "<References><File ovf:id=\"d\" ovf:href=\"disk.vmdk\"/></References></Envelope>";

std::string manifest_of(const Files& files) {
  std::string text;
  for (const auto& [name, body] : files)
    text +=
        "SHA1(" + name + ")= " + base::digest_of(base::DigestAlgorithm::SHA1, test_support::bytes_of(body)).hex + "\n";
  return text;
}

TEST_P(SubscriptionTest, APackageIsComparedWithItsManifest) {
  const Files content = {{"vm.ovf", vm_ovf}, {"disk.vmdk", large('d')}};
  auto files = content;
  files["vm.mf"] = manifest_of(content);
  const auto a = publisher_->add("vm", files, vcsp::ovf_type);
  follow();
  expect_equal();
  EXPECT_EQ(named("vm").type, "ovf");
  ASSERT_TRUE(named("vm").certificate_verification);
  EXPECT_EQ(named("vm").certificate_verification->status, content::CertVerificationStatus::NOT_AVAILABLE);

  // Of the disk alone, with the manifest of the old one.
  auto wrong = files;
  wrong["disk.vmdk"] = large('e');
  publisher_->replace(a, wrong);
  publish_and_sync();
  ASSERT_THAT(problems(), SizeIs(1));
  EXPECT_EQ(content_named("vm"), files);
  expect_no_leaks();

  auto right = content;
  right["disk.vmdk"] = large('e');
  right["vm.mf"] = manifest_of(right);
  publisher_->replace(a, right);
  publish_and_sync();
  EXPECT_EQ(problem(), "");
  expect_equal();
  expect_no_leaks();
}

// ---- on demand ----

TEST_P(SubscriptionTest, ItemsAreFetchedAndEvicted) {
  const auto a = publisher_->add("a", {{"f", large('a')}, {"small", "s"}});
  publisher_->add("b", {{"f", large('b')}});
  follow(true);
  const auto id = named("a").id;
  must(subscribed().sync_item(alice(), id, false));
  run();
  EXPECT_FALSE(named("a").cached);
  must(subscribed().sync_item(alice(), id, true));
  run();
  EXPECT_TRUE(named("a").cached);
  EXPECT_FALSE(named("b").cached);
  EXPECT_EQ(named("a").content_version, 1);
  expect_equal();
  EXPECT_EQ(last_task(item_type, id.text()).status, TaskStatus::SUCCEEDED);

  const auto since = asked();
  must(subscribed().sync_item(alice(), id, true));
  run();
  EXPECT_EQ(files_fetched_since(since), 0U) << "it is here";

  publisher_->rename(a, "a2");
  publisher_->publish();
  must(subscribed().sync_item(alice(), id, true));
  run();
  EXPECT_EQ(named("a2").content_version, 1) << "a new name is no new content";
  EXPECT_EQ(files_fetched_since(since), 0U);

  must(subscribed().evict_item(alice(), id));
  EXPECT_FALSE(named("a2").cached);
  EXPECT_EQ(named("a2").size, 0);
  EXPECT_EQ(named("a2").content_version, 1);
  must(subscribed().evict_item(alice(), id));
  expect_no_leaks();
  EXPECT_EQ(files_on_disk(), 0U);

  for (const auto& item : items()) must(subscribed().sync_item(alice(), item.id, true));
  run();
  EXPECT_EQ(must(subscribed().status(alice(), id_)).counts.cached, 2);
  must(subscribed().evict(alice(), id_));
  EXPECT_EQ(must(subscribed().status(alice(), id_)).counts.cached, 0);
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(SubscriptionTest, OnlyLibrariesOnDemandAreEvicted) {
  publisher_->add("a", {{"f", "1"}});
  follow();
  EXPECT_EQ(kind(subscribed().evict(alice(), id_)), "not_allowed_in_current_state");
  EXPECT_EQ(kind(subscribed().evict_item(alice(), named("a").id)), "invalid_element_configuration");
  EXPECT_EQ(kind(subscribed().evict(alice(), library_)), "invalid_element_type");
  EXPECT_EQ(kind(subscribed().evict_item(alice(), item_)), "invalid_element_type");
  EXPECT_EQ(kind(subscribed().sync(alice(), library_)), "invalid_element_type");
  EXPECT_EQ(kind(subscribed().sync_item(alice(), item_, true)), "invalid_element_type");
  EXPECT_EQ(kind(subscribed().status(alice(), library_)), "invalid_element_type");
  EXPECT_EQ(kind(subscribed().remove(alice(), library_, Deletion::unless_used)), "invalid_element_type");
  EXPECT_EQ(kind(subscribed().sync(alice(), LibraryId("nothing"))), "not_found");
}

TEST_P(SubscriptionTest, WhatWasFetchedGoesWhenThePublisherReplacesIt) {
  const auto a = publisher_->add("a", {{"f", large('1')}});
  follow(true);
  must(subscribed().sync_item(alice(), named("a").id, true));
  run();
  publisher_->replace(a, {{"f", large('2')}});
  publish_and_sync();
  EXPECT_FALSE(named("a").cached);
  EXPECT_EQ(named("a").content_version, 2);
  EXPECT_EQ(files_on_disk(), 0U);
  must(subscribed().sync_item(alice(), named("a").id, true));
  run();
  EXPECT_EQ(named("a").content_version, 2);
  expect_equal();
  publisher_->rename(a, "b");
  publish_and_sync();
  EXPECT_TRUE(named("b").cached);
  EXPECT_EQ(named("b").content_version, 2);
}

TEST_P(SubscriptionTest, ContentVersionsNameOneContentAlsoWhenItIsNotHere) {
  const auto a = publisher_->add("a", {{"f", large('1')}});
  publisher_->at(a).content_version = 5;
  follow(true);
  EXPECT_EQ(named("a").content_version, 5);
  publisher_->describe(a, "more");
  publish_and_sync();
  EXPECT_EQ(named("a").content_version, 5);
  must(subscribed().sync_item(alice(), named("a").id, true));
  run();
  must(subscribed().evict(alice(), id_));
  publisher_->replace(a, {{"f", large('2')}});
  publisher_->at(a).content_version = 3;  // as from a backup
  publish_and_sync();
  EXPECT_EQ(named("a").content_version, 6);
  must(subscribed().sync_item(alice(), named("a").id, true));
  run();
  EXPECT_EQ(named("a").content_version, 6);
  expect_equal();
  EXPECT_THAT(must(world_->items().changes(alice(), named("a").id)), SizeIs(2));
}

TEST_P(SubscriptionTest, AVersionOfAFileNamesOneCopyAlsoAfterItWasEvicted) {
  const auto a = publisher_->add("a", {{"f", large('1')}, {"g", "same"}});
  follow(true);
  const auto item = named("a").id;
  std::map<std::string, std::map<std::int64_t, std::string>> seen;
  const auto look = [&] {
    must(subscribed().sync_item(alice(), item, true));
    run();
    const auto bodies = content_named("a");
    for (const auto& [name, file] : files_named("a")) {
      const auto [known, is_new] = seen[name].try_emplace(file.version, bodies.at(name));
      EXPECT_EQ(known->second, bodies.at(name)) << name << " has had version " << file.version << " before";
      EXPECT_EQ(seen[name].rbegin()->first, file.version) << "versions grow";
    }
  };
  look();
  for (const char fill : {'2', '3', '4', '5'}) {
    if (fill % 2 == 0) must(subscribed().evict(alice(), id_));
    publisher_->replace(a, {{"f", large(fill)}, {"g", "same"}});
    publish_and_sync();
    const auto announced = files_named("a").at("f").version;
    look();
    EXPECT_EQ(files_named("a").at("f").version, announced);
  }
  EXPECT_THAT(seen.at("f"), SizeIs(5));
}

TEST_P(SubscriptionTest, AnItemThatIsGoneGoesWithItsSync) {
  const auto a = publisher_->add("a", {{"f", "1"}});
  publisher_->add("b", {{"f", "1"}});
  follow(true);
  publisher_->remove(a);
  publisher_->publish();
  must(subscribed().sync_item(alice(), named("a").id, true));
  run();
  EXPECT_THAT(names(), ElementsAre("b"));
}

/// As of a library: the entry without an identifier may be the item's.
TEST_P(SubscriptionTest, AnItemMissingFromAnIndexThatIsDamagedStays) {
  const auto a = publisher_->add("a", {{"f", "1"}});
  follow(true);
  publisher_->remove(a);
  publisher_->more_items = {"{\"name\": \"a\"}"};
  publisher_->publish();
  must(subscribed().sync_item(alice(), named("a").id, true));
  run();
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_P(SubscriptionTest, ADownloadOfWhatIsNotHereWaitsForIt) {
  publisher_->add("a", {{"f", large('a')}, {"g", "small"}});
  follow(true);
  const auto item = named("a").id;
  const auto first = must(world_->downloads().create(alice(), item.text(), {}));
  const auto second = must(world_->downloads().create(alice(), item.text(), {}));
  EXPECT_THAT(must(world_->downloads().files(alice(), first)), SizeIs(2));
  EXPECT_FALSE(must(world_->downloads().prepare(alice(), first, "f", false)).prepared);
  const auto waiting = must(world_->downloads().file(alice(), first, "f"));
  EXPECT_TRUE(waiting.arrives);
  EXPECT_EQ(waiting.problem, std::nullopt);
  EXPECT_EQ(kind(world_->downloads().prepare(alice(), first, "nothing", false)), "invalid_argument");
  const auto since = asked();
  run();
  EXPECT_EQ(files_fetched_since(since), 2U) << "once for all who ask";
  const auto come = must(world_->downloads().file(alice(), first, "f"));
  EXPECT_TRUE(come.prepared);
  EXPECT_FALSE(come.arrives);
  EXPECT_EQ(come.file.size, 10'000);
  EXPECT_TRUE(must(world_->downloads().prepare(alice(), second, "g", false)).prepared);
  const auto open = world_->download_bytes().open(come.token, "f");
  ASSERT_TRUE(open);

  // What the session has is its own.
  must(subscribed().evict(alice(), id_));
  EXPECT_TRUE(world_->download_bytes().open(come.token, "f"));
  must(world_->downloads().remove(alice(), first));
  must(world_->downloads().remove(alice(), second));
  expect_no_leaks();
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(SubscriptionTest, ADownloadTellsWhyNothingComesAndTriesAgainWhenAsked) {
  publisher_->add("a", {{"f", large('a')}});
  publisher_->lost = {"f"};
  follow(true);
  const auto session = must(world_->downloads().create(alice(), named("a").id.text(), {}));
  EXPECT_TRUE(must(world_->downloads().prepare(alice(), session, "f", false)).arrives);
  run();
  const auto failed = must(world_->downloads().file(alice(), session, "f"));
  EXPECT_FALSE(failed.arrives);
  ASSERT_TRUE(failed.problem);
  EXPECT_THAT(failed.problem->default_message, HasSubstr("did not answer"));
  EXPECT_THAT(problems(), SizeIs(1));
  publisher_->lost.clear();
  publisher_->write();
  EXPECT_TRUE(must(world_->downloads().prepare(alice(), session, "f", false)).arrives);
  run();
  EXPECT_TRUE(must(world_->downloads().file(alice(), session, "f")).prepared);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_P(SubscriptionTest, ACopyOfWhatIsNotHereFetchesItFirst) {
  const Files content = {{"vm.ovf", vm_ovf}, {"disk.vmdk", large('d')}};
  publisher_->add("vm", content, vcsp::ovf_type);
  follow(true);
  const auto copy =
      must(world_->items().copy(alice(), named("vm").id, test_support::item_spec(library_, "copy", ""), {}));
  EXPECT_THAT(*world_->content_of(copy), IsEmpty());
  run();
  for (int rounds = 0; rounds < 5 && !last_task(item_type, copy.text()).ended; ++rounds) {
    advance(3s);
    run();
  }
  EXPECT_EQ(last_task(item_type, copy.text()).status, TaskStatus::SUCCEEDED);
  EXPECT_EQ(world_->content_of(copy), content);
  EXPECT_TRUE(named("vm").cached);
  const auto made = must(world_->items().get(alice(), copy));
  EXPECT_EQ(made.certificate_verification, named("vm").certificate_verification);
  EXPECT_EQ(made.reserved, 0);
  expect_no_leaks();
}

TEST_P(SubscriptionTest, ACopyOfWhatDoesNotComeGoes) {
  publisher_->add("a", {{"f", large('a')}});
  publisher_->lost = {"f"};
  follow(true);
  const auto copy =
      must(world_->items().copy(alice(), named("a").id, test_support::item_spec(library_, "copy", ""), {}));
  for (int rounds = 0; rounds < 5; ++rounds) {
    run();
    advance(3s);
  }
  const auto task = last_task(item_type, copy.text());
  EXPECT_EQ(task.status, TaskStatus::FAILED);
  EXPECT_THAT(errors_of(task), Contains(HasSubstr("did not answer")));
  EXPECT_EQ(kind(world_->items().get(alice(), copy)), "not_found");
}

// ---- update ----

TEST_P(SubscriptionTest, TurningOnDemandOnAndOff) {
  publisher_->add("a", {{"f", large('a')}});
  follow(true);
  SubscriptionSpec at_once;
  at_once.on_demand = false;
  must(subscribed().update(alice(), id_, {}, at_once));
  run();
  EXPECT_TRUE(named("a").cached);
  expect_equal();
  SubscriptionSpec on_demand;
  on_demand.on_demand = true;
  must(subscribed().update(alice(), id_, {}, on_demand));
  run();
  EXPECT_TRUE(named("a").cached) << "what is here stays";
  must(subscribed().evict(alice(), id_));
  EXPECT_FALSE(named("a").cached);
}

TEST_P(SubscriptionTest, TheUrlOfAnotherLibraryDropsWhatIsHere) {
  publisher_->add("a", {{"f", large('a')}});
  follow();
  ScriptedPublisher other(world_->sources(), "https://other.example/lib/");
  other.library_id = "cccccccc-0000-4000-8000-000000000001";
  other.add("b", {{"f", large('b')}});
  SubscriptionSpec there;
  there.subscription_url = other.url();
  EXPECT_EQ(kind(subscribed().update(alice(), id_, {}, there)), "resource_inaccessible");
  EXPECT_THAT(names(), ElementsAre("a"));
  other.publish();
  must(subscribed().update(alice(), id_, {}, there));
  EXPECT_THAT(names(), IsEmpty());
  run();
  EXPECT_THAT(names(), ElementsAre("b"));
  EXPECT_EQ(content_named("b"), (Files{{"f", large('b')}}));
  EXPECT_EQ(state().publisher, other.library_id);
  expect_no_leaks();
}

TEST_P(SubscriptionTest, TheSameLibraryElsewhereKeepsWhatIsHere) {
  publisher_->add("a", {{"f", large('a')}});
  follow();
  const auto before = named("a");
  ScriptedPublisher moved(world_->sources(), "https://moved.example/lib/");
  moved.items = publisher_->items;
  moved.version = publisher_->version;
  moved.write();
  SubscriptionSpec there;
  there.subscription_url = moved.url();
  const auto since = asked();
  must(subscribed().update(alice(), id_, {}, there));
  EXPECT_THAT(names(), ElementsAre("a"));
  run();
  EXPECT_EQ(files_fetched_since(since), 0U);
  EXPECT_EQ(named("a").content, before.content);
}

TEST_P(SubscriptionTest, PasswordsAndTrust) {
  publisher_->publish();
  ScriptedPublisher guarded(world_->sources(), "https://vcsp:secret@publisher.example/lib/");
  guarded.add("a", {{"f", large('a')}});
  guarded.publish();
  auto with_password = spec();
  with_password.password = "secret";
  with_password.authentication_method = content::AuthenticationMethod::NONE;
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), with_password, {})), "invalid_argument");
  with_password.authentication_method = content::AuthenticationMethod::BASIC;
  with_password.password = "";
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), with_password, {})), "invalid_argument");
  with_password.password = "wrong";
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), with_password, {})), "resource_inaccessible");
  auto in_url = spec();
  in_url.subscription_url = "https://vcsp:secret@publisher.example/lib/lib.json";
  EXPECT_EQ(kind(subscribed().create(alice(), library_spec("a"), in_url, {})), "invalid_argument");
  with_password.password = "secret";
  id_ = subscribe(with_password);
  run();
  EXPECT_THAT(names(), ElementsAre("a"));
  EXPECT_EQ(content_named("a"), (Files{{"f", large('a')}}));

  SubscriptionSpec wrong;
  wrong.password = "wrong";
  EXPECT_EQ(kind(subscribed().update(alice(), id_, {}, wrong)), "resource_inaccessible");
  EXPECT_EQ(library().subscription->password, "secret");
  SubscriptionSpec trust;
  trust.ssl_thumbprint = "AA:BB";
  must(subscribed().update(alice(), id_, {}, trust));
  EXPECT_EQ(library().subscription->ssl_thumbprint, "AA:BB");
  EXPECT_EQ(library().subscription->password, "secret");
  trust.ssl_thumbprint = "";
  must(subscribed().update(alice(), id_, {}, trust));
  EXPECT_EQ(library().subscription->ssl_thumbprint, std::nullopt);
  SubscriptionSpec open;
  open.authentication_method = content::AuthenticationMethod::NONE;
  must(subscribed().update(alice(), id_, {}, open));
  EXPECT_EQ(library().subscription->password, "");
  run();
}

TEST_P(SubscriptionTest, AStaleVersionIsAConcurrentChange) {
  follow();
  service::LibrarySpec stale;
  stale.version = "1";
  stale.description = "mine";
  EXPECT_EQ(kind(subscribed().update(alice(), id_, stale, {})), "concurrent_change");
  EXPECT_EQ(kind(subscribed().update(alice(), id_, stale, spec())), "concurrent_change");
  service::LibrarySpec current;
  current.version = std::to_string(library().version);
  current.description = "mine";
  must(subscribed().update(alice(), id_, current, {}));
  EXPECT_EQ(library().description, "mine");
  EXPECT_FALSE(must(world_->task_runner().run_next())) << "that needs no synchronization";
}

TEST_P(SubscriptionTest, LimitsAreChecked) {
  follow();
  EXPECT_EQ(kind(subscribed().set_limits(alice(), id_, {-1, {}})), "invalid_argument");
  EXPECT_EQ(kind(subscribed().set_limits(alice(), id_, {0, content::SyncWindow{0, 24}})), "invalid_argument");
  EXPECT_EQ(kind(subscribed().set_limits(alice(), id_, {0, content::SyncWindow{-1, 3}})), "invalid_argument");
  must(subscribed().set_limits(alice(), id_, {1 << 20, content::SyncWindow{22, 4}}));
  EXPECT_EQ(state().bytes_per_second_max, 1 << 20);
  EXPECT_EQ(state().window, (content::SyncWindow{22, 4}));
}

// ---- what is not allowed ----

TEST_P(SubscriptionTest, ItemsChangeOnlyThroughThePublisher) {
  publisher_->add("a", {{"f", "1"}});
  follow();
  const auto id = named("a").id;
  service::ItemSpec rename;
  rename.name = "mine";
  EXPECT_EQ(kind(world_->items().create(alice(), test_support::item_spec(id_, "new", ""), {})), "invalid_element_type");
  EXPECT_EQ(kind(world_->items().update(alice(), id, rename)), "invalid_element_type");
  EXPECT_EQ(kind(world_->items().remove(alice(), id)), "invalid_element_type");
  EXPECT_EQ(kind(world_->items().copy(alice(), item_, test_support::item_spec(id_, "copy", ""), {})),
            "invalid_element_type");
  EXPECT_EQ(kind(sessions().create(alice(), id.text(), {}, {})), "invalid_element_type");
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_P(SubscriptionTest, MaintenanceRefuses) {
  publisher_->add("a", {{"f", "1"}});
  follow(true);
  set_maintenance(true);
  constexpr auto refused = "not_allowed_in_current_state";
  EXPECT_EQ(kind(subscribed().sync(alice(), id_)), refused);
  EXPECT_EQ(kind(subscribed().evict(alice(), id_)), refused);
  EXPECT_EQ(kind(subscribed().sync_item(alice(), named("a").id, true)), refused);
  EXPECT_EQ(kind(subscribed().evict_item(alice(), named("a").id)), refused);
  EXPECT_EQ(kind(subscribed().remove(alice(), id_, Deletion::unless_used)), refused);
  EXPECT_EQ(kind(subscribed().convert(alice(), id_)), refused);
  set_maintenance(false);
  publisher_->rename(publisher_->items.begin()->first, "b");
  publisher_->publish();
  must(subscribed().sync(alice(), id_));
  set_maintenance(true);
  run();
  EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
  set_maintenance(false);
  EXPECT_THAT(names(), ElementsAre("a"));
  sync();
  expect_equal();
}

TEST_P(SubscriptionTest, ALibraryGoesWhileItsSyncIsDueOrRuns) {
  publisher_->add("a", {{"f", large('a')}});
  follow();
  must(subscribed().sync(alice(), id_));
  must(subscribed().remove(alice(), id_, Deletion::unless_used));
  run();
  EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
  expect_no_leaks();
  EXPECT_EQ(files_on_disk(), 0U);

  id_ = subscribe(spec());
  std::atomic<bool> removed = false;
  publisher_->halfway = [&] {
    if (!removed.exchange(true)) must(subscribed().remove(alice(), id_, Deletion::unless_used));
  };
  publisher_->write();
  run();
  EXPECT_TRUE(removed);
  EXPECT_EQ(kind(world_->libraries().get(alice(), id_)), "not_found");
  EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
  expect_no_leaks();
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(SubscriptionTest, AskingTwiceIsOneTask) {
  follow();
  must(subscribed().sync(alice(), id_));
  must(subscribed().sync(alice(), id_));
  ASSERT_TRUE(must(world_->task_runner().run_next()));
  EXPECT_FALSE(must(world_->task_runner().run_next()));
}

TEST_P(SubscriptionTest, APublisherThatChangesWhileItsLibraryIsReadIsFollowed) {
  const auto a = publisher_->add("a", {{"f", large('1')}});
  follow();
  ScriptedPublisher other(world_->sources(), "https://other.example/lib/");
  other.library_id = "cccccccc-0000-4000-8000-000000000001";
  other.add("b", {{"f", large('b')}});
  other.publish();
  SubscriptionSpec there;
  there.subscription_url = other.url();
  std::atomic<bool> updated = false;
  publisher_->replace(a, {{"f", large('2')}});
  publisher_->halfway = [&] {
    if (!updated.exchange(true)) must(subscribed().update(alice(), id_, {}, there));
  };
  publish_and_sync();
  EXPECT_TRUE(updated);
  EXPECT_THAT(names(), ElementsAre("b"));
  EXPECT_EQ(problem(), "");
  expect_no_leaks();
}

TEST_P(SubscriptionTest, BytesOfOtherLibrariesAreFetchedAllTheSame) {
  fill(item_, {{"secret", large('s')}});
  publisher_->add("a", {{"f", large('s')}});
  follow();
  EXPECT_EQ(files_fetched_since(0), 1U) << "to know a digest is not to have the bytes";
  expect_equal();
  expect_no_leaks();
}

TEST_P(SubscriptionTest, AServerThatStopsGoesOnWithWhatItHasFetched) {
  const std::string much(17 << 20, 'm');
  const auto a = publisher_->add("a", {{"f", "old"}});
  follow();
  publisher_->replace(a, {{"f", large('n')}, {"a much larger one", much}});
  publisher_->publish();
  publisher_->put(publisher_->file_url(a, "f"), large('n'), [&] { world_->task_runner().stop(); });
  must(subscribed().sync(alice(), id_));
  run();
  EXPECT_FALSE(last_sync().ended);
  EXPECT_EQ(content_named("a"), (Files{{"f", "old"}}));
  publisher_->put(publisher_->file_url(a, "f"), large('n'));
  world_->restart();
  const auto since = asked();
  run();
  EXPECT_EQ(last_sync().status, TaskStatus::SUCCEEDED);
  expect_equal();
  EXPECT_THAT(asked_since(since), Not(Contains(HasSubstr("larger"))));
  expect_no_leaks();
}

TEST_P(SubscriptionTest, ASyncThatIsCanceledStops) {
  const auto a = publisher_->add("a", {{"f", large('a')}});
  follow();
  publisher_->replace(a, {{"f", large('b')}});
  publisher_->halfway = [&] { must(world_->tasks().cancel(alice(), last_sync().id)); };
  publish_and_sync();
  EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
  EXPECT_EQ(last_sync().error->kind, base::ErrorKind::canceled);
  EXPECT_EQ(content_named("a"), (Files{{"f", large('a')}}));
  expect_no_leaks();
  publisher_->halfway = {};
  publisher_->write();
  sync();
  EXPECT_EQ(problem(), "");
  expect_equal();
}

TEST_P(SubscriptionTest, FilesOnAnotherServerAreNotFollowed) {
  const auto a = publisher_->add("a", {{"f", large('a')}});
  publisher_->publish();
  auto elsewhere = publisher_->document(publisher_->at(a));
  elsewhere.files.front().hrefs = {"https://internal.example/f"};
  world_->sources().put("https://internal.example/f", large('a'));
  vcsp::IndexWriter index(publisher_->version, 1000);
  index.add(vcsp::write_item(elsewhere));
  publisher_->put("https://publisher.example/lib/items.json", index.finish());
  id_ = subscribe(spec());
  run();
  EXPECT_THAT(asked_since(0), Not(Contains(HasSubstr("internal"))));
  ASSERT_THAT(problems(), SizeIs(1));
  EXPECT_THAT(problems().front().reason.default_message, HasSubstr("another server"));
}

TEST_P(SubscriptionTest, DescriptionsThatAreTooLongEndEarlyAndSettle) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    const auto a = publisher_->add("a", {{"f", "1"}});
    publisher_->describe(a, std::string(3000, 'd'));
    follow(on_demand);
    EXPECT_EQ(named("a").description, std::string(2000, 'd'));
    const auto before = named("a");
    publish_and_sync();
    EXPECT_EQ(named("a").version, before.version) << "nothing has changed";
    EXPECT_EQ(named("a").metadata_version, before.metadata_version);
  }
}

// ---- convert ----

TEST_P(SubscriptionTest, AConvertedLibraryStandsOnItsOwn) {
  publisher_->add("a", {{"f", large('a')}});
  follow(true);
  EXPECT_EQ(kind(subscribed().convert(alice(), id_)), "not_allowed_in_current_state") << "its content is not here";
  must(subscribed().sync_item(alice(), named("a").id, true));
  run();
  must(subscribed().sync(alice(), id_));
  EXPECT_EQ(kind(subscribed().convert(alice(), id_)), "not_allowed_in_current_state") << "it is synchronized";
  run();
  must(subscribed().convert(alice(), id_));
  const auto converted = library();
  EXPECT_EQ(converted.type, content::LibraryType::LOCAL);
  EXPECT_TRUE(converted.published);
  EXPECT_EQ(converted.subscription, std::nullopt);
  EXPECT_EQ(kind(subscribed().sync(alice(), id_)), "invalid_element_type");
  EXPECT_EQ(kind(subscribed().convert(alice(), id_)), "invalid_element_type");
  service::ItemSpec rename;
  rename.name = "mine";
  must(world_->items().update(alice(), named("a").id, rename));
  EXPECT_EQ(content_named("mine"), (Files{{"f", large('a')}}));
}

// ---- automatic ----

class AutomaticSyncTest : public SubscriptionTest {
 protected:
  void follow_automatically(std::optional<content::SyncWindow> window = {}) {
    publisher_->publish();
    auto automatic = spec();
    automatic.automatic_sync_enabled = true;
    id_ = subscribe(automatic);
    if (window) must(subscribed().set_limits(alice(), id_, {0, window}));
    service::ConfigurationModel all_day;
    all_day.automatic_sync_enabled = true;
    all_day.automatic_sync_start_hour = 0;
    all_day.automatic_sync_stop_hour = 0;
    all_day.automatic_sync_refresh_interval = 60;
    configure(all_day);
    run();
  }
  void configure(const service::ConfigurationModel& model) {
    must(service::Configuration(world_->context()).update(administrator(), model));
  }
  bool due() {
    must(subscribed().sync_due());
    const bool is_due = world_->look([&](content::CatalogReader& reader) { return reader.active_task_count(); }) > 0;
    run();
    return is_due;
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, AutomaticSyncTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, AutomaticSyncTest, testing::Values(Engine::Postgresql));

TEST_P(AutomaticSyncTest, ComesAnIntervalAfterTheLastOne) {
  follow_automatically();
  EXPECT_FALSE(due());
  advance(59min);
  EXPECT_FALSE(due());
  advance(8min);  // a tenth of the interval is by chance
  EXPECT_TRUE(due());
  EXPECT_FALSE(due());
  advance(50min);
  sync();
  advance(20min);
  EXPECT_FALSE(due()) << "whoever asked, the next one comes an interval later";
}

TEST_P(AutomaticSyncTest, ComesOnlyWhereItIsWanted) {
  follow_automatically();
  SubscriptionSpec off;
  off.automatic_sync_enabled = false;
  must(subscribed().update(alice(), id_, {}, off));
  advance(3h);
  EXPECT_FALSE(due());
  SubscriptionSpec on;
  on.automatic_sync_enabled = true;
  must(subscribed().update(alice(), id_, {}, on));
  service::ConfigurationModel switched_off;
  switched_off.automatic_sync_enabled = false;
  configure(switched_off);
  EXPECT_FALSE(due());
  service::ConfigurationModel switched_on;
  switched_on.automatic_sync_enabled = true;
  configure(switched_on);
  set_maintenance(true);
  EXPECT_FALSE(due());
  set_maintenance(false);
  EXPECT_TRUE(due());
}

TEST_P(AutomaticSyncTest, ComesInItsWindowAlsoOverMidnight) {
  follow_automatically(content::SyncWindow{22, 4});  // the clock begins at midnight
  advance(4h);
  EXPECT_FALSE(due());
  advance(17h);
  EXPECT_FALSE(due());
  advance(1h);
  EXPECT_TRUE(due());
  advance(3h);
  EXPECT_TRUE(due());
  advance(3h);  // four o'clock
  EXPECT_FALSE(due());
}

TEST_P(AutomaticSyncTest, ComesInTheServiceWideWindowUnlessItHasItsOwn) {
  follow_automatically();
  service::ConfigurationModel window;
  window.automatic_sync_start_hour = 20;
  window.automatic_sync_stop_hour = 21;
  configure(window);
  advance(5h);
  EXPECT_FALSE(due());
  must(subscribed().set_limits(alice(), id_, {0, content::SyncWindow{5, 6}}));
  EXPECT_TRUE(due());
  must(subscribed().set_limits(alice(), id_, {0, {}}));
  advance(15h);
  EXPECT_TRUE(due());
}

TEST_P(AutomaticSyncTest, FailuresAreTriedAgainSoonerButLessAndLessOften) {
  follow_automatically();
  publisher_->vanish();
  advance(67min);
  EXPECT_TRUE(due());
  EXPECT_EQ(state().failures, 1);
  advance(4min + 59s);
  EXPECT_FALSE(due());
  advance(1min);
  EXPECT_TRUE(due());
  advance(9min + 59s);
  EXPECT_FALSE(due());
  advance(2min);
  EXPECT_TRUE(due());
  EXPECT_EQ(state().failures, 3);
  publisher_->publish();
  advance(1h + 7min);
  EXPECT_TRUE(due());
  EXPECT_EQ(state().failures, 0);
}

TEST_P(AutomaticSyncTest, AClockThatWasWrongDoesNotStopIt) {
  world_->clock().step(24h * 365);
  follow_automatically();
  world_->clock().step(-24h * 365);
  EXPECT_TRUE(due());
  EXPECT_FALSE(due());
}

// ---- no room ----

TEST_P(SubscriptionTest, AFullQuotaFailsWhatDoesNotFit) {
  for (const bool on_demand : {false, true}) {
    SCOPED_TRACE(on_demand);
    make();
    publisher_->add("a", {{"f", large('a')}});
    follow(on_demand);
    must(quotas().set_of_library(administrator(), id_, {2, {}}));
    publisher_->add("b", {{"f", large('b')}});
    publisher_->add("c", {{"f", large('c')}});
    publisher_->rename(publisher_->items.begin()->first, "a2");
    publish_and_sync();
    EXPECT_THAT(names(), SizeIs(2));
    EXPECT_THAT(names(), Contains("a2"));
    EXPECT_EQ(last_sync().status, TaskStatus::FAILED);
    EXPECT_THAT(errors_of(last_sync()), SizeIs(2));
    expect_no_leaks();
    must(quotas().set_of_library(administrator(), id_, {3, {}}));
    sync();
    EXPECT_EQ(problem(), "");
    expect_equal();
  }
}

TEST_P(SubscriptionTest, AFullQuotaOfBytesKeepsTheOldContent) {
  const auto a = publisher_->add("a", {{"f", large('a')}});
  const auto b = publisher_->add("b", {{"f", "small"}});
  follow();
  must(quotas().set_of_library(administrator(), id_, {{}, 12'000}));
  publisher_->replace(a, {{"f", large('b') + large('c')}});
  publisher_->replace(b, {{"f", "other"}});
  publish_and_sync();
  EXPECT_EQ(content_named("a"), (Files{{"f", large('a')}}));
  EXPECT_EQ(content_named("b"), (Files{{"f", "other"}}));
  ASSERT_THAT(problems(), SizeIs(1));
  EXPECT_EQ(problems().front().name, "a");
  expect_no_leaks();
}

}  // namespace
}  // namespace quire
