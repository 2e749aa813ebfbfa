#include <gmock/gmock.h>

#include <mutex>
#include <random>
#include <sstream>

#include "support/scripted_publisher.h"
#include "support/seed.h"
#include "support/service_world.h"

// Random histories of a publisher, with synchronizations, evictions and restarts of the subscriber in between. At the
// end the subscriber has what the publisher has, and at every moment each of its items was one of the publisher's.
//
//     QUIRE_SEED=…    the same histories again

namespace quire {
namespace {

using content::Item;
using content::LibraryId;
using test_support::alice;
using test_support::Engine;
using test_support::ScriptedPublisher;
using test_support::ServiceWorld;
using test_support::WorldOptions;

using Files = std::map<std::string, std::string>;

class History {
 public:
  History(Engine engine, std::uint64_t seed)
      : world_(WorldOptions{engine}), publisher_(world_.sources()), random_(seed) {
    publisher_.halfway = [this] { look_halfway(); };
    for (int i = 0; i < 3; ++i) change();
    publish();
    service::SubscriptionSpec spec;
    spec.subscription_url = publisher_.url();
    spec.authentication_method = content::AuthenticationMethod::NONE;
    spec.automatic_sync_enabled = false;
    spec.on_demand = one_of(2) == 0;
    id_ = must(world_.subscribed().create(alice(), test_support::library_spec("library"), spec, {}));
    step("subscribe ") << (*spec.on_demand ? "on demand" : "at once");
  }

  void play() {
    for (int i = 0; i < 25 && !testing::Test::HasFailure(); ++i) {
      act();
      check();
    }
    step("settle");
    publish();
    sync();
    run();
    check_equal();
    fetch_all();
    run();
    check_equal();
    for (const auto& item : items()) EXPECT_TRUE(item.cached) << item.name;
    must(world_.subscribed().remove(alice(), id_, service::Deletion::unless_used));
    EXPECT_EQ(world_.files_on_disk(), 0U);
    EXPECT_TRUE(world_.blobs_held_by_catalog().empty());
  }

  std::string steps() const { return steps_.str(); }

 private:
  template <class T>
  static T must(base::Result<T> result) {
    if (!result) throw std::runtime_error("refused: " + result.error().text() + " " + result.error().cause());
    return *std::move(result);
  }
  static void must(const base::Result<void>& result) {
    if (!result) throw std::runtime_error("refused: " + result.error().text() + " " + result.error().cause());
  }
  std::size_t one_of(std::size_t count) { return random_() % count; }
  std::ostream& step(const std::string& name) { return steps_ << "\n" << name; }

  void act() {
    switch (one_of(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return change();
      case 5:
      case 6:
        return publish();
      case 7:
        sync();
        return run();
      case 8:
        return sync_restlessly();
      case 9:
        fetch_some();
        return run();
      case 10:
        return evict();
      default:
        return change_subscriber();
    }
  }
  void evict() {
    step("evict");
    // Refused where the library is not on demand.
    [[maybe_unused]] const auto evicted = world_.subscribed().evict(alice(), id_);
  }
  void change_subscriber() {
    if (one_of(2) == 0) {
      step("restart");
      world_.restart();
      return;
    }
    service::SubscriptionSpec spec;
    spec.on_demand = one_of(2) == 0;
    step("turn on demand ") << (*spec.on_demand ? "on" : "off");
    publish();  // a publisher is asked only where something else changes
    must(world_.subscribed().update(alice(), id_, {}, spec));
  }

  std::string any_name() { return "item " + std::to_string(one_of(6)); }
  Files any_files() {
    Files files;
    const auto count = one_of(4);
    for (std::size_t i = 0; i < count; ++i) {
      const auto large = one_of(2) == 0;
      files["file " + std::to_string(one_of(4))] = std::string(large ? 6000 : 5, static_cast<char>('a' + one_of(8)));
    }
    return files;
  }
  std::string any_item() {
    auto found = publisher_.items.begin();
    std::advance(found, one_of(publisher_.items.size()));
    return found->first;
  }
  bool has_name(const std::string& name) {
    return std::ranges::any_of(publisher_.items, [&](const auto& entry) { return entry.second.name == name; });
  }

  void change() {
    const auto what = publisher_.items.empty() ? 0 : one_of(7);
    if (what <= 1) {
      const auto name = any_name();
      if (has_name(name)) return;
      step("add ") << name;
      publisher_.add(name, any_files(), one_of(3) == 0 ? vcsp::iso_type : vcsp::other_type);
      return;
    }
    const auto id = any_item();
    auto& item = publisher_.at(id);
    if (what == 2) {
      step("remove ") << item.name;
      publisher_.remove(id);
    } else if (what == 3) {
      const auto name = any_name();
      step("rename ") << item.name << " to " << name;
      for (auto& [other, one] : publisher_.items)
        if (one.name == name && other != id) publisher_.rename(other, item.name);
      publisher_.rename(id, name);
    } else if (what == 4) {
      step("describe ") << item.name;
      publisher_.describe(id, "description " + std::to_string(one_of(1000)));
    } else if (what == 5) {
      step("other type of ") << item.name;
      item.type = item.type == vcsp::iso_type ? vcsp::other_type : vcsp::iso_type;
      ++item.metadata_version;
    } else {
      step("replace ") << item.name;
      publisher_.replace(id, any_files());
    }
  }

  void publish() {
    step("publish");
    for (const auto& [id, item] : publisher_.items) known_[id].insert(item.files);
    publisher_.publish();
  }
  /// In the middle of a fetch; from any thread.
  void look_halfway() {
    const std::lock_guard lock(mutex_);
    check();
    if (!is_restless_ || one_of(3) != 0) return;
    step("in the middle of it:");
    change();
    publish();
  }
  void sync() {
    step("sync");
    must(world_.subscribed().sync(alice(), id_));
  }
  /// The publisher changes while it is read.
  void sync_restlessly() {
    is_restless_ = true;
    sync();
    run();
    is_restless_ = false;
  }
  void fetch_some() {
    step("fetch some");
    for (const auto& item : items())
      if (one_of(2) == 0) must(world_.subscribed().sync_item(alice(), item.id, one_of(3) != 0));
  }
  void fetch_all() {
    for (const auto& item : items()) must(world_.subscribed().sync_item(alice(), item.id, true));
  }
  void run() {
    for (int tasks = 0; must(world_.task_runner().run_next()); ++tasks)
      if (tasks > 1000) throw std::runtime_error("tasks run for ever");
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

  void check() {
    // Rows and bytes of one state: what is replaced meanwhile is gone at the next look.
    const auto rows = world_.look([&](content::CatalogReader& reader) {
      content::ItemFilter filter;
      filter.library_id = id_;
      std::vector<std::pair<Item, std::map<std::string, base::Checksum>>> all;
      for (const auto& id : reader.items(filter)) {
        const auto item = reader.find<Item>(id).value();
        std::map<std::string, base::Checksum> files;
        if (!item.content.empty())
          for (const auto& file : reader.list<content::ContentFile>(item.content)) files[file.name] = file.checksum;
        all.emplace_back(item, files);
      }
      return all;
    });
    std::set<std::string> names;
    for (const auto& [item, files] : rows) {
      EXPECT_TRUE(names.insert(item.name).second) << "two items are named " << item.name;
      EXPECT_TRUE(item.name.starts_with("item ")) << item.name;
      if (!item.cached) continue;
      const bool is_known = std::ranges::any_of(known_[item.source_id.value_or("")],
                                                [&](const Files& one) { return digests_of(one) == files; });
      EXPECT_TRUE(is_known) << item.name << " has files of two contents";
      const auto version = std::pair(item.id.text(), item.content_version);
      const auto before = versions_.emplace(version, files).first;
      EXPECT_EQ(before->second, files) << "content version " << item.content_version << " of " << item.name
                                       << " stands for two contents";
    }
  }
  static std::map<std::string, base::Checksum> digests_of(const Files& files) {
    std::map<std::string, base::Checksum> all;
    for (const auto& [name, body] : files)
      all[name] = base::digest_of(base::DigestAlgorithm::SHA256, test_support::bytes_of(body));
    return all;
  }

  void check_equal() {
    check();
    const auto here = items();
    EXPECT_EQ(here.size(), publisher_.items.size());
    for (const auto& item : here) {
      ASSERT_TRUE(publisher_.items.contains(item.source_id.value_or(""))) << item.name;
      const auto& there = publisher_.at(*item.source_id);
      EXPECT_EQ(item.name, there.name);
      EXPECT_EQ(item.description, there.description);
      EXPECT_EQ(item.type, vcsp::item_type_of(there.type));
      if (!there.files.empty()) {  // of nothing that became nothing again in between nothing is to be seen
        EXPECT_GE(item.content_version, there.content_version);
      }
      EXPECT_EQ(item.metadata_version, there.metadata_version);
      if (item.cached) {
        EXPECT_EQ(world_.content_of(item.id), there.files) << item.name;
      }
    }
    const auto status = must(world_.subscribed().status(alice(), id_));
    EXPECT_EQ(status.counts.with_problem, 0);
    EXPECT_FALSE(status.subscription.problem) << status.subscription.problem->default_message;
    EXPECT_EQ(world_.blobs_on_disk(), world_.blobs_in_catalog());
    EXPECT_EQ(world_.files_on_disk(), world_.blobs_in_catalog().size());
  }

  ServiceWorld world_;
  ScriptedPublisher publisher_;
  std::mt19937_64 random_;
  LibraryId id_;
  std::ostringstream steps_;
  std::mutex mutex_;  ///< between the threads that fetch
  bool is_restless_ = false;
  std::map<std::string, std::set<Files>> known_;
  std::map<std::pair<std::string, std::int64_t>, std::map<std::string, base::Checksum>> versions_;
};

class SubscriptionHistoryTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (!test_support::has_engine(GetParam())) GTEST_SKIP() << "QUIRE_TEST_POSTGRESQL is not set";
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SubscriptionHistoryTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SubscriptionHistoryTest, testing::Values(Engine::Postgresql));

TEST_P(SubscriptionHistoryTest, AfterQuietTheSubscriberHasWhatThePublisherHas) {
  const auto seed = test_support::test_seed();
  const std::uint64_t histories = GetParam() == Engine::Postgresql ? 10 : 40;
  for (std::uint64_t i = 0; i < histories && !HasFailure(); ++i) {
    History history(GetParam(), seed + i);
    try {
      history.play();
    } catch (const std::exception& exception) {
      ADD_FAILURE() << exception.what();
    }
    if (HasFailure()) ADD_FAILURE() << "history " << i << " of QUIRE_SEED " << seed << ":" << history.steps();
  }
}

}  // namespace
}  // namespace quire
