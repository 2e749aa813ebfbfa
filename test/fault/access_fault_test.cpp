#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "service/access/catalog_authenticator.h"
#include "service/access/groups.h"
#include "service/access/logins.h"
#include "service/access/permissions.h"
#include "service/access/roles.h"
#include "service/access/users.h"
#include "support/fault_points.h"
#include "support/service_world.h"

// Users, groups, roles and permissions when a call to the catalog fails or the process dies at it, for every call in
// turn: a change is there as a whole with its events, or not at all, and whoever comes back can go on.

namespace quire {
namespace {

using base::Result;
using content::PrincipalType;
using test_support::administrator;
using test_support::Crash;
using test_support::Faults;
using test_support::ServiceWorld;

constexpr auto carol = "carol@vsphere.local";

/// Without what nobody needs.
template <class T>
Result<void> done(const Result<T>& result) {
  if (!result) return result.error();
  return {};
}

/// One server with its users, and a story that touches everything about them.
class Story {
 public:
  Story() {
    library_ = *world_.libraries().create_local(administrator(), test_support::library_spec("library"), {});
    item_ = *world_.items().create(administrator(), test_support::item_spec(library_, "item", ""), {});
    EXPECT_TRUE(users().make_administrator(administrator().user, "secret"));
    first_event_ = all_events().back().number;
  }

  ServiceWorld& world() { return world_; }
  std::size_t length() { return steps().size(); }
  Result<void> step(std::size_t number) { return steps()[number](); }

  /// What there is, in words that two runs have in common: roles by name, no hashes, no identifiers.
  std::vector<std::string> state() {
    auto told = world_.look([&](content::CatalogReader& reader) {
      std::vector<std::string> all;
      for (const auto& user : reader.users())
        all.push_back("user " + user.name + (user.enabled ? " " : " disabled ") + user.description);
      for (const auto& group : reader.groups()) {
        all.push_back("group " + group.name);
        for (const auto& member : reader.list<content::GroupMember>(group.id))
          all.push_back("member " + member.name + " of " + group.name);
      }
      const auto name_of = [&](std::int64_t role) {
        if (const auto* system = content::find_system_role(role)) return system->name;
        return reader.find<content::Role>(role).value().name;
      };
      for (const auto& role : reader.roles())
        all.push_back("role " + role.name + " of " + std::to_string(role.privileges.list().size()));
      for (const auto& permission : reader.permissions({}))
        all.push_back(permission.principal + " is " + name_of(permission.role) +
                      (permission.library.empty() ? "" : " of the library"));
      all.push_back(std::to_string(reader.login_count()) + " logins");
      all.push_back(std::to_string(reader.update_sessions("", std::nullopt).size()) + " update sessions");
      all.push_back(std::to_string(reader.download_session_count()) + " download sessions");
      return all;
    });
    for (const auto& event : all_events())
      if (event.number > first_event_) told.push_back("event " + std::string(base::name_of(event.kind)));
    return told;
  }

 private:
  service::Users users() { return service::Users(world_.context(), throttle_); }
  service::Groups groups() { return service::Groups(world_.context()); }
  service::Roles roles() { return service::Roles(world_.context()); }
  service::Permissions permissions() { return service::Permissions(world_.context()); }

  std::vector<content::Event> all_events() {
    return world_.look([](content::CatalogReader& reader) { return reader.events_after(0, 100'000); });
  }
  std::int64_t role() {
    for (const auto& role : world_.look([](content::CatalogReader& reader) { return reader.roles(); })) return role.id;
    return 0;
  }
  static content::Caller as_carol() { return test_support::caller_with(carol, content::PrivilegeSet::all()); }

  Result<void> log_in(const char* password) {
    service::CatalogAuthenticator authenticator(world_.context());
    service::Logins logins(world_.context(), authenticator, {});
    return done(logins.log_in(carol, password));
  }
  Result<void> give(const std::string& principal, PrincipalType type, const content::LibraryId& library,
                    std::int64_t role) {
    return permissions().set(administrator(), {principal, type, library, role});
  }
  Result<void> upload() { return done(world_.sessions().create(as_carol(), item_.text(), {}, {})); }
  Result<void> download() { return done(world_.downloads().create(as_carol(), item_.text(), {})); }

  std::vector<std::function<Result<void>()>> steps() {
    return {
        [&] { return users().create(administrator(), {carol, ""}, "the first one"); },
        [&] { return groups().create(administrator(), "Team", {{}, {{carol, administrator().user}}}); },
        [&] { return done(roles().create(administrator(), "Own", {content::Privilege::Global_Diagnostics})); },
        [&] { return give("Team", PrincipalType::GROUP, library_, role()); },
        [&] { return give(carol, PrincipalType::USER, {}, content::contributor_role); },
        [&] { return give(carol, PrincipalType::USER, {}, content::read_only_role); },
        [&] { return log_in("the first one"); },
        [&] { return upload(); },
        [&] { return download(); },
        [&] { return users().update(administrator(), carol, {"Releases", {}}); },
        [&] { return users().change_password(as_carol(), "the first one", "the second one"); },
        [&] { return log_in("the second one"); },
        [&] { return users().update(administrator(), carol, {{}, false}); },
        [&] { return users().update(administrator(), carol, {{}, true}); },
        [&] { return log_in("the second one"); },
        [&] { return users().set_password(administrator(), carol, "the third one"); },
        [&] { return groups().update(administrator(), "Team", {"Who releases", {{carol}}}); },
        [&] { return roles().update(administrator(), role(), {"Ours", content::PrivilegeSet()}); },
        [&] { return permissions().remove(administrator(), {"Team", PrincipalType::GROUP, library_, 0, true}); },
        [&] { return roles().remove(administrator(), role()); },
        [&] { return give("Team", PrincipalType::GROUP, {}, content::no_access_role); },
        [&] { return groups().remove(administrator(), "Team"); },
        [&] { return log_in("the third one"); },
        [&] { return upload(); },
        [&] { return download(); },
        [&] { return users().remove(administrator(), carol); },
    };
  }

  ServiceWorld world_;
  service::LoginThrottle throttle_;
  content::LibraryId library_;
  content::ItemId item_;
  std::int64_t first_event_ = 0;
};

/// The states of a story that nothing disturbs: before each step, and at the end.
std::vector<std::vector<std::string>> undisturbed() {
  Story story;
  std::vector<std::vector<std::string>> states = {story.state()};
  for (std::size_t i = 0; i < story.length(); ++i) {
    const auto lived = story.step(i);
    EXPECT_TRUE(lived) << i << ": " << lived.error().text() << lived.error().cause();
    states.push_back(story.state());
    EXPECT_NE(states[i], states[i + 1]) << "step " << i << " changes nothing";
  }
  EXPECT_TRUE(std::equal(states.front().begin(), states.front().end(), states.back().begin()))
      << "the end but for events";
  return states;
}

/// The k-th call of the story strikes. False when the story has fewer.
bool disturbed_at(std::size_t k, Faults::Kind kind, const std::vector<std::vector<std::string>>& states) {
  Story story;
  auto& world = story.world();
  Faults faults(kind, k);
  world.wire_faults(&faults);
  std::size_t at = 0;
  try {
    while (at < story.length() && story.step(at)) ++at;
  } catch (const Crash&) {
  }
  if (!faults.struck()) return false;
  SCOPED_TRACE(faults.where() + " in step " + std::to_string(at));
  if (faults.crashed())
    world.restart();
  else
    world.wire_faults(nullptr);
  EXPECT_LT(at, story.length()) << "the fault has been hidden";
  const auto left = story.state();
  const bool was_done = left == states[at + 1];
  if (!was_done) {
    EXPECT_EQ(left, states[at]) << "neither done nor not";
  }
  // Whoever looks what has become of it goes on from there.
  for (std::size_t i = at + (was_done ? 1 : 0); i < story.length(); ++i) {
    const auto lived = story.step(i);
    EXPECT_TRUE(lived) << "then step " << i << ": " << lived.error().text() << lived.error().cause();
  }
  EXPECT_EQ(story.state(), states.back());
  return true;
}

TEST(AccessFaultTest, EveryCallFailsOnceInTurn) {
  const auto states = undisturbed();
  const test_support::FaultPoints points;
  std::size_t k = points.first;
  while (!testing::Test::HasFailure() && disturbed_at(k, Faults::Kind::error, states)) k += points.step;
  EXPECT_GT(k, 150U);
}

TEST(AccessFaultTest, TheProcessDiesAtEveryCallInTurn) {
  const auto states = undisturbed();
  const test_support::FaultPoints points;
  std::size_t k = points.first;
  while (!testing::Test::HasFailure() && disturbed_at(k, Faults::Kind::crash, states)) k += points.step;
  EXPECT_GT(k, 150U);
}

}  // namespace
}  // namespace quire
