#include <gmock/gmock.h>

#include <algorithm>

#include "service/library/configuration.h"
#include "support/crash_checks.h"
#include "support/fault_points.h"
#include "support/scripted_publisher.h"
#include "work/orphan_sweep.h"

// Synchronizations of subscribed libraries when a call to the catalog or the blob store fails or the process dies at
// it, for every call in turn.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Item;
using content::ItemId;
using content::LibraryId;
using test_support::alice;
using test_support::check_bytes;
using test_support::Crash;
using test_support::Engine;
using test_support::Faults;
using test_support::ScriptedPublisher;
using test_support::ServiceWorld;
using test_support::WorldOptions;

using Files = std::map<std::string, std::string>;

std::string body(char filling) { return std::string(10'000, filling); }

/// Every content that the publisher ever had, by the item's identifier there.
using Known = std::map<std::string, std::set<Files>>;

/// A subscribed library, and a publisher that changes it in one round.
class Story {
 public:
  Story(Engine engine, bool on_demand) : world_(WorldOptions{engine}), publisher_(world_.sources()) {
    // One at a time: what the process dies of is thrown in the thread that runs the task.
    service::ConfigurationModel one_at_a_time;
    one_at_a_time.maximum_concurrent_item_syncs = 1;
    must(service::Configuration(world_.context()).update(test_support::administrator(), one_at_a_time));
    a_ = publisher_.add("a", {{"f", body('a')}, {"small", "1"}});
    b_ = publisher_.add("b", {{"f", body('b')}});
    c_ = publisher_.add("c", {{"f", body('c')}});
    d_ = publisher_.add("d", {{"f", body('d')}});
    publish();
    service::SubscriptionSpec spec;
    spec.subscription_url = publisher_.url();
    spec.authentication_method = content::AuthenticationMethod::NONE;
    spec.automatic_sync_enabled = false;
    spec.on_demand = on_demand;
    auto made = world_.subscribed().create(alice(), test_support::library_spec("library"), spec, {});
    if (!made) throw std::runtime_error(made.error().text());
    id_ = *made;
    if (!finish_tasks()) throw std::runtime_error("the first synchronization does not end");
    if (on_demand) fetch("a");
    check_equal();
  }

  ServiceWorld& world() { return world_; }

  /// What one round of changes is: a rename, a replacement, a swap of names, a removal, a new item of an old name.
  void change() {
    publisher_.remove(b_);
    publisher_.rename(a_, "b");
    publisher_.replace(a_, {{"f", body('x')}, {"new", body('n')}, {"small", "1"}});
    publisher_.rename(c_, "d");
    publisher_.rename(d_, "c");
    publisher_.add("a", {{"f", body('y')}, {"shared", body('d')}});
    publish();
  }

  base::Result<void> sync() { return world_.subscribed().sync(alice(), id_); }
  base::Result<void> evict() { return world_.subscribed().evict(alice(), id_); }
  base::Result<void> fetch_all() {
    for (const auto& item : items()) QUIRE_RETURN_IF_ERROR(world_.subscribed().sync_item(alice(), item.id, true));
    return {};
  }
  /// Runs all tasks to their ends, waiting for claims of workers that a fault has struck. False when one does not end.
  bool finish_tasks() {
    constexpr int rounds = 30;
    for (int round = 0; round < rounds; ++round) {
      // A round that a fault has struck leaves the task to the next, which a worker begins by itself.
      [[maybe_unused]] const auto ran = world_.task_runner().run_next();
      check();
      if (world_.look([](content::CatalogReader& reader) { return reader.active_task_count(); }) == 0) return true;
      if (!ran || !*ran) world_.clock().advance(3min);
    }
    return false;
  }

  /// No two items of one name, no half renamed one, and each has a content of its publisher's.
  void check() {
    std::set<std::string> names;
    for (const auto& item : items()) {
      EXPECT_TRUE(names.insert(item.name).second) << "two items are named " << item.name;
      EXPECT_THAT(item.name, testing::MatchesRegex("[a-d]"));
      ASSERT_TRUE(item.source_id);
      const auto content = world_.content_of(item.id);
      ASSERT_TRUE(content);
      if (item.cached) {
        EXPECT_TRUE(known_[*item.source_id].contains(*content)) << item.name << " has files of two contents";
      } else {
        EXPECT_TRUE(content->empty());
      }
    }
  }
  void check_equal() {
    check();
    const auto here = items();
    EXPECT_EQ(here.size(), publisher_.items.size());
    for (const auto& item : here) {
      ASSERT_TRUE(publisher_.items.contains(*item.source_id)) << item.name;
      const auto& there = publisher_.at(*item.source_id);
      EXPECT_EQ(item.name, there.name);
      if (item.cached) {
        EXPECT_EQ(world_.content_of(item.id), there.files);
      }
    }
    check_bytes(world_);
  }
  void check_all_cached() {
    for (const auto& item : items()) EXPECT_TRUE(item.cached) << item.name;
  }

 private:
  static void must(const base::Result<void>& done) {
    if (!done) throw std::runtime_error(done.error().text());
  }
  void publish() {
    publisher_.publish();
    for (const auto& [id, item] : publisher_.items) known_[id].insert(item.files);
  }
  void fetch(const std::string& name) {
    for (const auto& item : items())
      if (item.name == name) must(world_.subscribed().sync_item(alice(), item.id, true));
    if (!finish_tasks()) throw std::runtime_error("the item's synchronization does not end");
  }
  std::vector<Item> items() {
    return world_.look([&](content::CatalogReader& reader) {
      content::ItemFilter filter;
      filter.library_id = id_;
      std::vector<Item> all;
      for (const auto& id : reader.items(filter)) all.push_back(reader.find<Item>(id).value());
      return all;
    });
  }

  ServiceWorld world_;
  ScriptedPublisher publisher_;
  Known known_;
  LibraryId id_;
  std::string a_, b_, c_, d_;
};

class SyncFaultTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (!test_support::has_engine(GetParam())) GTEST_SKIP() << "run under with-postgresql";
  }

  /// `act` is a client's and the workers' part after the publisher's changes; what it was refused, it asks for again
  /// when the fault has passed.
  void play(Faults::Kind kind, bool on_demand, const std::function<void(Story&)>& act) {
    // Every third of the calls, and of PostgreSQL's, where a story takes ten times as long, every twentieth.
    const test_support::FaultPoints points{.first = 1};
    const auto step = std::max<std::size_t>(points.step * 3, GetParam() == Engine::Postgresql ? 20 : 3);
    std::size_t strikes = 0;
    for (std::size_t k = 1 + static_cast<std::size_t>(test_support::test_seed() % step);; k += step) {
      Story story(GetParam(), on_demand);
      story.change();
      Faults faults(kind, k);
      story.world().wire_faults(&faults);
      bool died = false;
      try {
        act(story);
      } catch (const Crash&) {
        died = true;
      }
      if (!faults.struck()) break;
      ++strikes;
      SCOPED_TRACE(faults.where());
      story.check();
      if (died || faults.crashed()) story.world().restart();
      story.check();
      ASSERT_TRUE(story.finish_tasks());
      act(story);
      // Of a commit that was hidden nobody has removed the bytes.
      ASSERT_TRUE(work::sweep_orphans(story.world().context()));
      story.check_equal();
      if (HasFailure()) return;
    }
    EXPECT_GT(strikes * step, 30U);
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SyncFaultTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SyncFaultTest, testing::Values(Engine::Postgresql));

void sync_at_once(Story& story) {
  [[maybe_unused]] const auto asked = story.sync();
  EXPECT_TRUE(story.finish_tasks());
}

void sync_and_fetch(Story& story) {
  [[maybe_unused]] const auto asked = story.sync();
  EXPECT_TRUE(story.finish_tasks());
  [[maybe_unused]] const auto evicted = story.evict();
  [[maybe_unused]] const auto fetched = story.fetch_all();
  EXPECT_TRUE(story.finish_tasks());
}

TEST_P(SyncFaultTest, ASyncConvergesAfterEachError) { play(Faults::Kind::error, false, sync_at_once); }
TEST_P(SyncFaultTest, ASyncConvergesAfterEachCrash) { play(Faults::Kind::crash, false, sync_at_once); }
TEST_P(SyncFaultTest, OnDemandConvergesAfterEachError) { play(Faults::Kind::error, true, sync_and_fetch); }
TEST_P(SyncFaultTest, OnDemandConvergesAfterEachCrash) { play(Faults::Kind::crash, true, sync_and_fetch); }

}  // namespace
}  // namespace quire
