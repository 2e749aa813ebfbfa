#include <gmock/gmock.h>

#include "service/library/sync_request.h"
#include "support/service_world.h"
#include "vcsp/documents.h"

// Published libraries that tell subscribed ones, on this server and on scripted others: content-library-api.md §7,
// §5 publish.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::LibraryId;
using content::LibrarySubscription;
using content::Privilege;
using content::SubscriptionId;
using content::SubscriptionLocation;
using content::TaskStatus;
using service::SubscriptionCreateSpec;
using service::SubscriptionTarget;
using service::SubscriptionUpdateSpec;
using test_support::administrator;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::library_spec;
using test_support::why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

base::Error unreachable() { return {base::ErrorKind::resource_inaccessible, "quire.test.unreachable", "No answer."}; }

class SubscriptionsTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (!IsSkipped()) publish_library();
  }
  void make(const service::Settings& settings, const content::Limits& limits = {}) {
    make_world(settings, limits);
    publish_library();
  }
  void publish_library(const std::optional<std::string>& password = {}) {
    service::LibrarySpec spec;
    spec.publish = service::PublishSpec{{}, true};
    spec.publish->password = password;
    must(world_->libraries().update_local(alice(), library_, spec));
    vcsp::Library document;
    document.name = "library";
    document.id = library_.text();
    document.items_href = "items.json";
    world_->sources().put(url(), vcsp::write_library(document));
  }
  std::string url() const { return "https://quire.example:443/cls/vcsp/lib/" + library_.text() + "/lib.json"; }
  service::Subscriptions& subscriptions() { return world_->subscriptions(); }

  /// A library of this server that follows `at`.
  LibraryId follower(const std::string& name, const std::string& at) {
    service::SubscriptionSpec spec;
    spec.subscription_url = at;
    spec.authentication_method = content::AuthenticationMethod::NONE;
    spec.automatic_sync_enabled = false;
    spec.on_demand = false;
    return must(world_->subscribed().create(alice(), library_spec(name), spec, {}));
  }
  static SubscriptionCreateSpec existing(const std::string& library) {
    SubscriptionCreateSpec spec;
    spec.subscribed_library = library;
    return spec;
  }
  static SubscriptionCreateSpec remote(const std::string& library, const std::string& host = "other.example",
                                       std::optional<std::int64_t> port = {}) {
    auto spec = existing(library);
    spec.location = SubscriptionLocation::REMOTE;
    spec.server = service::SubscriberAddress{host, port};
    return spec;
  }
  static SubscriptionCreateSpec fresh(const std::string& name) {
    SubscriptionCreateSpec spec;
    spec.target = SubscriptionTarget::CREATE_NEW;
    spec.new_subscribed_library = service::NewSubscribedLibrary{name, "made", {}, true, true};
    content::StorageBacking backing;
    backing.datastore_id = "datastore-11";
    spec.new_subscribed_library->storage_backings = {backing};
    return spec;
  }
  base::Result<SubscriptionId> create(const SubscriptionCreateSpec& spec,
                                      const std::optional<std::string>& token = {}) {
    return subscriptions().create(alice(), library_, spec, url(), token);
  }
  SubscriptionId subscribe_remote(const std::string& library) {
    world_->remotes().put("other.example:443/" + library, {"name of " + library, url(), "a guid"});
    return must(create(remote(library)));
  }
  LibrarySubscription row(const SubscriptionId& id) { return must(subscriptions().get(alice(), library_, id)); }
  std::string problem(const SubscriptionId& id) {
    const auto found = row(id);
    return found.problem ? found.problem->id : "";
  }
  base::Result<void> publish(const std::vector<SubscriptionId>& which = {}) {
    return subscriptions().publish(alice(), library_, which);
  }
  /// Runs what is due.
  void run() {
    while (must(world_->task_runner().run_next())) {
    }
  }
  /// The newest task of publish().
  content::Task publication() {
    service::TaskFilter filter;
    filter.operations = {"publish"};
    return must(world_->tasks().list(administrator(), filter)).at(0);
  }
  bool is_synchronizing(const LibraryId& library) {
    return must(service::read(world_->context(), alice(), [&](service::View view) -> base::Result<bool> {
      return service::active_sync_of(view, library).has_value();
    }));
  }
  void end_first_sync(const LibraryId& library) {
    world_->change([&](content::CatalogWriter& writer) {
      for (auto& task : writer.active_tasks_on(library.text())) {
        task.status = TaskStatus::SUCCEEDED;
        task.ended = task.created;
        writer.update(task);
      }
    });
  }
};

TEST_P(SubscriptionsTest, ALibraryOfThisServer) {
  const auto library = follower("mirror", url());
  end_first_sync(library);
  const auto id = must(create(existing(library.text())));
  EXPECT_EQ(row(id).subscribed_library_name, "mirror");
  EXPECT_EQ(row(id).location, SubscriptionLocation::LOCAL);
  const auto told = must(world_->libraries().get(alice(), library)).subscription->source_info;
  EXPECT_EQ(told, (content::SourceInfo{library_.text(), id.text()}));
  EXPECT_EQ(kind(create(existing(library.text()))), "already_exists");
  EXPECT_FALSE(is_synchronizing(library));

  must(publish({id}));
  EXPECT_TRUE(is_synchronizing(library));
  EXPECT_EQ(row(id).last_notified, world_->clock().now());

  service::LibrarySpec renamed;
  renamed.name = "another name";
  must(world_->libraries().update(alice(), library, renamed));
  EXPECT_THAT(must(subscriptions().list(alice(), library_)),
              ElementsAre(testing::Field(&LibrarySubscription::subscribed_library_name, "another name")));
  must(subscriptions().remove(alice(), library_, id));
  EXPECT_THAT(must(subscriptions().list(alice(), library_)), IsEmpty());
  EXPECT_TRUE(must(world_->libraries().get(alice(), library)).subscription) << "it stays as it is";
}

TEST_P(SubscriptionsTest, ALibraryThatCannotBeToldKeepsNoOther) {
  const auto gone = follower("gone", url());
  const auto there = follower("there", url());
  const auto first = must(create(existing(gone.text())));
  const auto second = must(create(existing(there.text())));
  must(world_->subscribed().remove(alice(), gone, service::Deletion::forced));
  end_first_sync(there);
  must(publish());
  EXPECT_EQ(problem(first), "quire.subscription.library_gone");
  EXPECT_EQ(problem(second), "");
  EXPECT_TRUE(is_synchronizing(there));
}

TEST_P(SubscriptionsTest, ItMustFollowThisLibrary) {
  const std::vector<std::string> others = {"https://quire.example:443/cls/vcsp/lib/x/lib.json",
                                           "https://elsewhere.example/cls/vcsp/lib/" + library_.text() + "/lib.json"};
  for (const auto& other : others) {
    vcsp::Library document;
    document.id = "33333333-3333-4333-8333-333333333333";
    document.items_href = "items.json";
    world_->sources().put(other, vcsp::write_library(document));
    EXPECT_EQ(why(create(existing(follower("other", other).text()))), "quire.subscription.other_publisher");
  }
  const auto same =
      "https://QUIRE.example/cls/vcsp/lib/" + library_.text() + "/lib.json";  // the port goes without saying
  vcsp::Library document;
  document.id = library_.text();
  document.items_href = "items.json";
  world_->sources().put(same, vcsp::write_library(document));
  EXPECT_EQ(why(create(existing(follower("same", same).text()))), "");
  EXPECT_EQ(why(create(existing(library_.text()))), "quire.subscription.target_is_local");
  EXPECT_EQ(kind(create(existing("nothing"))), "not_found");
}

TEST_P(SubscriptionsTest, ANewLibraryOfThisServer) {
  const auto token = "11111111-1111-4111-8111-111111111111";
  const auto id = must(create(fresh("made"), token));
  const auto library = must(world_->libraries().get(alice(), LibraryId(row(id).subscribed_library)));
  EXPECT_EQ(library.name, "made");
  EXPECT_EQ(library.subscription->url.text(), url());
  EXPECT_TRUE(library.subscription->on_demand && library.subscription->automatic_sync_enabled);
  EXPECT_EQ(library.subscription->source_info, (content::SourceInfo{library_.text(), id.text()}));
  EXPECT_EQ(must(create(fresh("made"), token)), id);
  EXPECT_EQ(kind(create(fresh("other"), token)), "invalid_argument");
  EXPECT_THAT(must(subscriptions().list(alice(), library_)), SizeIs(1));

  publish_library("a long password");
  EXPECT_EQ(why(create(fresh("second"))), "quire.subscription.password_unknown");
}

TEST_P(SubscriptionsTest, WhatIsRefused) {
  const auto refused = [&](const std::function<void(SubscriptionCreateSpec&)>& spoil, SubscriptionCreateSpec spec) {
    spoil(spec);
    EXPECT_EQ(kind(create(spec)), "invalid_argument");
  };
  using Spec = SubscriptionCreateSpec;
  refused([](Spec& spec) { spec.subscribed_library.reset(); }, existing("x"));
  refused([](Spec& spec) { spec.subscribed_library = ""; }, existing("x"));
  refused([](Spec& spec) { spec.server.emplace(); }, existing("x"));
  refused([](Spec& spec) { spec.placement.folder = std::string(2000, 'x'); }, existing("x"));
  refused([](Spec& spec) { spec.subscribed_library = "x"; }, fresh("made"));
  refused([](Spec& spec) { spec.new_subscribed_library->storage_backings.clear(); }, fresh("made"));
  refused([](Spec& spec) { spec.new_subscribed_library->storage_backings[0].datastore_id.reset(); }, fresh("made"));
  refused([](Spec& spec) { spec.new_subscribed_library->name = ""; }, fresh("made"));
  refused([](Spec& spec) { spec.server.reset(); }, remote("x"));
  refused([](Spec& spec) { spec.server->hostname = "user@host"; }, remote("x"));
  refused([](Spec& spec) { spec.server->hostname = "host/path"; }, remote("x"));
  refused([](Spec& spec) { spec.server->https_port = 0; }, remote("x"));

  const auto call_all = [&](const LibraryId& library) {
    return std::vector<std::string>{kind(subscriptions().create(alice(), library, existing("x"), url(), {})),
                                    kind(subscriptions().list(alice(), library)),
                                    kind(subscriptions().get(alice(), library, SubscriptionId("x"))),
                                    kind(subscriptions().update(alice(), library, SubscriptionId("x"), {}, url())),
                                    kind(subscriptions().remove(alice(), library, SubscriptionId("x"))),
                                    kind(subscriptions().publish(alice(), library, {}))};
  };
  EXPECT_THAT(call_all(LibraryId("unknown")), testing::Each("not_found"));
  EXPECT_THAT(call_all(follower("subscribed", url())), testing::Each("invalid_element_type"));
  EXPECT_THAT(call_all(must(world_->libraries().create_local(alice(), library_spec("unpublished"), {}))),
              testing::Each("not_allowed_in_current_state"));
  EXPECT_EQ(call_all(library_),
            (std::vector<std::string>{"not_found", "", "invalid_argument", "not_found", "not_found", ""}));
  EXPECT_EQ(kind(publish({SubscriptionId("x")})), "invalid_argument");
}

TEST_P(SubscriptionsTest, PrivilegesCount) {
  const auto library = follower("mirror", url());
  const auto may = [&](std::initializer_list<Privilege> privileges) {
    content::PrivilegeSet all(privileges);
    all.add(Privilege::System_Read);
    return test_support::caller_with("carol@vsphere.local", all);
  };
  const auto create_as = [&](const content::Caller& caller, const SubscriptionCreateSpec& spec) {
    return kind(subscriptions().create(caller, library_, spec, url(), {}));
  };
  EXPECT_EQ(create_as(may({}), existing(library.text())), "unauthorized");
  EXPECT_EQ(create_as(may({Privilege::ContentLibrary_AddSubscription}), existing(library.text())), "unauthorized")
      << "who may not have it synchronized shall not bring that about";
  EXPECT_EQ(create_as(may({Privilege::ContentLibrary_AddSubscription}), fresh("made")), "unauthorized");
  EXPECT_EQ(create_as(may({Privilege::ContentLibrary_AddSubscription, Privilege::ContentLibrary_SyncLibrary}),
                      existing(library.text())),
            "");
  EXPECT_EQ(kind(subscriptions().publish(may({}), library_, {})), "unauthorized");
  EXPECT_EQ(kind(subscriptions().publish(may({Privilege::ContentLibrary_PublishLibrary}), library_, {})), "");
}

TEST_P(SubscriptionsTest, OnlySoMany) {
  content::Limits limits;
  limits.library_subscriptions_max = 1;
  make({}, limits);
  must(create(existing(follower("one", url()).text())));
  EXPECT_EQ(why(create(existing(follower("two", url()).text()))), "quire.subscription.too_many");
}

TEST_P(SubscriptionsTest, ALibraryOfAnotherServer) {
  world_->remotes().put("other.example:8443/there", {"mirror", url(), "its guid"});
  const auto id = must(create(remote("there", "other.example", 8443)));
  const auto made = row(id);
  EXPECT_EQ(made.subscribed_library_name, "mirror");
  EXPECT_EQ(made.server, (content::SubscriberServer{"other.example", 8443, "its guid"}));
  EXPECT_EQ(kind(create(remote("there", "OTHER.example", 8443))), "already_exists");
  EXPECT_EQ(kind(create(remote("elsewhere", "other.example", 8443))), "not_found");
  world_->remotes().put("other.example:443/follows another", {"x", "https://third.example/lib.json", "its guid"});
  EXPECT_EQ(why(create(remote("follows another"))), "quire.subscription.other_publisher");

  must(publish());
  EXPECT_EQ(row(id).waiting_since, world_->clock().now());
  EXPECT_EQ(problem(id), "");
  run();
  EXPECT_THAT(world_->remotes().take_synced(), ElementsAre("other.example:8443/there"));
  EXPECT_FALSE(row(id).waiting_since);
  EXPECT_EQ(problem(id), "");
  EXPECT_TRUE(row(id).last_notified);
  EXPECT_EQ(publication().status, TaskStatus::SUCCEEDED);
}

TEST_P(SubscriptionsTest, ANewLibraryOfAnotherServer) {
  auto spec = fresh("made");
  spec.location = SubscriptionLocation::REMOTE;
  spec.server = service::SubscriberAddress{"other.example", {}};
  const auto token = "22222222-2222-4222-8222-222222222222";
  const auto id = must(create(spec, token));
  EXPECT_EQ(row(id).subscribed_library_name, "made");
  EXPECT_EQ(row(id).server->server_guid, "guid-of-other.example");
  EXPECT_EQ(must(create(spec, token)), id);
  world_->remotes().break_down("other.example:443", unreachable());
  EXPECT_EQ(kind(create(spec)), "resource_inaccessible");
}

TEST_P(SubscriptionsTest, AServerThatIsNotReachedIsToldLater) {
  const auto first = subscribe_remote("first");
  world_->remotes().put("down.example:443/second", {"second", url(), "a guid"});
  const auto second = must(create(remote("second", "down.example")));
  world_->remotes().break_down("down.example:443", unreachable());
  must(publish());
  run();
  EXPECT_EQ(problem(first), "");
  EXPECT_THAT(row(second).problem->default_message, HasSubstr("No answer."));
  EXPECT_TRUE(row(second).waiting_since);
  EXPECT_FALSE(row(first).waiting_since);
  EXPECT_FALSE(publication().ended);

  world_->remotes().mend("down.example:443");
  advance(1min);
  run();
  EXPECT_EQ(problem(second), "");
  EXPECT_EQ(publication().status, TaskStatus::SUCCEEDED);
  EXPECT_THAT(world_->remotes().take_synced(), ElementsAre("other.example:443/first", "down.example:443/second"))
      << "each once";
}

TEST_P(SubscriptionsTest, AServerThatIsNeverReachedIsGivenUp) {
  service::Settings settings;
  settings.task_attempts = 3;
  make(settings);
  const auto id = subscribe_remote("there");
  world_->remotes().break_down("other.example:443", unreachable());
  must(publish());
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_TRUE(row(id).waiting_since);
    run();
    advance(1min);
  }
  EXPECT_FALSE(row(id).waiting_since);
  EXPECT_EQ(problem(id), "quire.subscription.not_told");
  EXPECT_THAT(row(id).problem->default_message, HasSubstr("No answer."));
  EXPECT_FALSE(row(id).last_notified);
  const auto task = publication();
  EXPECT_EQ(task.status, TaskStatus::FAILED);
  ASSERT_THAT(task.error->messages, SizeIs(2));
  EXPECT_THAT(task.error->messages[1].default_message, HasSubstr("name of there was not told: No answer."));

  world_->remotes().mend("other.example:443");
  must(publish());
  run();
  EXPECT_EQ(problem(id), "");
}

TEST_P(SubscriptionsTest, ALibraryThatIsGoneElsewhereIsNotTriedAgain) {
  const auto id = subscribe_remote("there");
  world_->remotes().break_down("other.example:443",
                               base::Error(base::ErrorKind::not_found, "quire.test.gone", "It is gone."));
  must(publish());
  run();
  EXPECT_EQ(publication().status, TaskStatus::FAILED);
  EXPECT_EQ(problem(id), "quire.subscription.not_told");
}

TEST_P(SubscriptionsTest, OnlyTheNamedAreTold) {
  const auto first = subscribe_remote("first");
  subscribe_remote("second");
  must(publish({first}));
  run();
  EXPECT_THAT(world_->remotes().take_synced(), ElementsAre("other.example:443/first"));
}

TEST_P(SubscriptionsTest, WhatIsPublishedWhileAServerIsToldIsToldAfterwards) {
  const auto id = subscribe_remote("there");
  must(publish());
  bool first = true;
  world_->remotes().during_sync = [&] {
    if (!std::exchange(first, false)) return;
    advance(1s);
    must(publish());
  };
  run();
  EXPECT_THAT(world_->remotes().take_synced(), SizeIs(2));
  EXPECT_FALSE(row(id).waiting_since);
  EXPECT_EQ(problem(id), "");
}

TEST_P(SubscriptionsTest, WhatWaitsSurvivesARestart) {
  subscribe_remote("there");
  must(publish());
  world_->restart();
  run();
  EXPECT_THAT(world_->remotes().take_synced(), ElementsAre("other.example:443/there"));
}

TEST_P(SubscriptionsTest, ACanceledTaskTellsNobody) {
  const auto id = subscribe_remote("there");
  must(publish());
  must(world_->tasks().cancel(administrator(), publication().id));
  run();
  EXPECT_THAT(world_->remotes().take_synced(), IsEmpty());
  EXPECT_FALSE(row(id).waiting_since);
  EXPECT_EQ(problem(id), "quire.subscription.not_told");
}

TEST_P(SubscriptionsTest, Updates) {
  const auto id = subscribe_remote("there");
  const auto update = [&](const SubscriptionUpdateSpec& spec) {
    return subscriptions().update(alice(), library_, id, spec, url());
  };
  SubscriptionUpdateSpec placed;
  placed.placement.emplace().folder = "group-v3";
  must(update(placed));
  EXPECT_EQ(row(id).placement.folder, "group-v3");

  SubscriptionUpdateSpec moved;
  moved.server = service::SubscriberAddress{"new.example", 8443};
  EXPECT_EQ(kind(update(moved)), "not_found") << "it is not there";
  world_->remotes().put("new.example:8443/there", {"new name", url(), "new guid"});
  must(update(moved));
  EXPECT_EQ(row(id).server, (content::SubscriberServer{"new.example", 8443, "new guid"}));
  EXPECT_EQ(row(id).subscribed_library_name, "new name");
  EXPECT_EQ(row(id).placement.folder, "group-v3");
  moved.server->https_port = 70000;
  EXPECT_EQ(kind(update(moved)), "invalid_argument");

  const auto local = must(create(existing(follower("mirror", url()).text())));
  EXPECT_EQ(kind(subscriptions().update(alice(), library_, local, moved, url())), "invalid_argument");
}

INSTANTIATE_TEST_SUITE_P(Sqlite, SubscriptionsTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SubscriptionsTest, testing::Values(Engine::Postgresql));

}  // namespace
}  // namespace quire
