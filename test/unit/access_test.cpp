#include <gmock/gmock.h>

#include <limits>

#include "service/access/catalog_authenticator.h"
#include "service/access/groups.h"
#include "service/access/logins.h"
#include "service/access/passwords.h"
#include "service/access/permissions.h"
#include "service/access/roles.h"
#include "service/access/users.h"
#include "service/task/tasks.h"
#include "support/scripted_authenticator.h"
#include "support/service_world.h"

// Users, groups, roles and permissions, and what they let people do.

namespace quire {
namespace {

using content::EventKind;
using content::LibraryId;
using content::Permission;
using content::PrincipalType;
using content::Privilege;
using test_support::administrator;
using test_support::alice;
using test_support::Engine;
using test_support::Faults;
using test_support::item_spec;
using test_support::kind;
using test_support::library_spec;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;

using namespace std::chrono_literals;

constexpr auto carol = "carol@vsphere.local";
constexpr auto dave = "dave@vsphere.local";
constexpr auto password = "long enough";

class AccessTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    must(users().make_administrator(administrator().user, password));
    for (const auto* user : {carol, dave}) must(users().create(administrator(), {user, ""}, password));
  }

  service::Users users() { return service::Users(world_->context(), logins().throttle()); }
  service::Groups groups() { return service::Groups(world_->context()); }
  service::Roles roles() { return service::Roles(world_->context()); }
  service::Permissions permissions() { return service::Permissions(world_->context()); }
  service::Logins& logins() {
    if (!access_) access_ = std::make_unique<Access>(world_->context());
    return access_->logins;
  }

  std::string log_in(const std::string& user) { return must(logins().log_in(user, password)); }
  /// A user as the wires would have them.
  content::Caller as(const std::string& user) { return must(logins().authenticate(log_in(user))); }

  /// With a token from long ago.
  static content::Caller as_caller(const std::string& user) {
    return {user, content::LoginId("an older login"), content::Grants::none()};
  }

  void give(const std::string& principal, std::int64_t role, const LibraryId& library = {},
            PrincipalType type = PrincipalType::USER) {
    must(permissions().set(administrator(), {principal, type, library, role}));
  }
  std::int64_t new_role(const std::string& name, const content::PrivilegeSet& privileges) {
    return must(roles().create(administrator(), name, privileges));
  }
  std::vector<content::LibraryId> libraries(const std::string& user) {
    return must(world_->libraries().list(as(user)));
  }
  std::vector<EventKind> events_since(std::int64_t number) {
    std::vector<EventKind> kinds;
    for (const auto& event :
         world_->look([&](content::CatalogReader& reader) { return reader.events_after(number, 1000); }))
      kinds.push_back(event.kind);
    return kinds;
  }
  std::int64_t last_event() {
    return world_->look([](content::CatalogReader& reader) { return reader.events_after(0, 100'000).back().number; });
  }

  struct Access {
    explicit Access(service::Context& context) : authenticator(context), logins(context, authenticator, {}) {}
    service::CatalogAuthenticator authenticator;
    service::Logins logins;
  };
  std::unique_ptr<Access> access_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, AccessTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, AccessTest, testing::Values(Engine::Postgresql));

TEST_P(AccessTest, WhoHasNoPermissionSeesNothing) {
  const auto caller = as(carol);
  EXPECT_THAT(libraries(carol), IsEmpty());
  EXPECT_EQ(why(world_->libraries().get(caller, library_)), "quire.library.not_found");
  EXPECT_EQ(why(world_->items().get(caller, item_)), "quire.item.not_found");
  content::ItemFilter any;
  any.cached = true;
  EXPECT_THAT(must(world_->items().find(caller, any)), IsEmpty());
  EXPECT_EQ(kind(sessions().create(caller, item_.text(), {}, {})), "not_found");
}

TEST_P(AccessTest, AContributorOfOneLibrary) {
  const auto other = must(world_->libraries().create_local(administrator(), library_spec("other"), {}));
  give(carol, content::contributor_role, library_);
  const auto caller = as(carol);
  EXPECT_THAT(libraries(carol), ElementsAre(library_));
  const auto made = must(world_->items().create(caller, item_spec(library_, "mine", ""), {}));
  EXPECT_EQ(kind(world_->items().create(caller, item_spec(other, "mine", ""), {})), "not_found");
  const auto session = must(sessions().create(caller, made.text(), {}, {}));
  must(sessions().cancel(caller, session));
  must(world_->items().remove(caller, made));
  const auto refused = world_->libraries().remove_local(caller, library_);
  EXPECT_EQ(kind(refused), "unauthorized");
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("ContentLibrary.DeleteLocalLibrary on library library"));
  EXPECT_EQ(kind(world_->libraries().create_local(caller, library_spec("x"), {})), "unauthorized");
  content::ItemFilter any;
  any.cached = true;
  EXPECT_THAT(must(world_->items().find(caller, any)), ElementsAre(item_));
}

TEST_P(AccessTest, ListsAreFilteredWhateverSideNamesTheLibraries) {
  std::vector<LibraryId> all = {library_};
  for (int i = 0; i < 40; ++i) {
    const auto name = "l" + std::to_string(100 + i);
    world_->clock().advance(std::chrono::seconds(1));
    all.push_back(must(world_->libraries().create_local(administrator(), library_spec(name), {})));
    must(world_->items().create(administrator(), item_spec(all.back(), "i", "iso"), {}));
  }
  content::ItemFilter isos;
  isos.type = "ISO";
  content::ItemFilter named;
  named.name = "I";
  const auto check = [&](std::size_t libraries_seen, std::size_t items_seen) {
    const auto caller = as(carol);
    EXPECT_EQ(must(world_->libraries().list(caller)).size(), libraries_seen);
    EXPECT_EQ(must(world_->libraries().list_local(caller)).size(), libraries_seen);
    EXPECT_EQ(must(world_->items().find(caller, isos)).size(), items_seen);
    EXPECT_EQ(must(world_->items().find(caller, named)).size(), items_seen);
    auto in_one = isos;
    in_one.library_id = all[3];
    EXPECT_EQ(must(world_->items().find(caller, in_one)).size(), items_seen == 0 ? 0U : 1U);
  };
  check(0, 0);
  // Few that can be read: told to the database. Many: compared here.
  for (int i = 1; i <= 5; ++i) give(carol, content::read_only_role, all[i]);
  check(5, 5);
  for (int i = 6; i <= 30; ++i) give(carol, content::read_only_role, all[i]);
  check(30, 30);
  // The same of those that cannot be read.
  for (int i = 1; i <= 30; ++i)
    must(permissions().remove(administrator(), {carol, PrincipalType::USER, all[i], 0, true}));
  give(carol, content::read_only_role);
  check(41, 40);
  for (int i = 6; i <= 8; ++i) give(carol, content::no_access_role, all[i]);
  check(38, 37);
  for (int i = 9; i <= 30; ++i) give(carol, content::no_access_role, all[i]);
  check(16, 15);
}

TEST_P(AccessTest, GroupsHaveTheirPermissionsAndAChangeCountsAtOnce) {
  must(groups().create(administrator(), "Team", {{}, {{"CAROL@vsphere.local"}}}));
  give("team", content::read_only_role, library_, PrincipalType::GROUP);
  const auto token = log_in(carol);
  const auto sees = [&] { return kind(world_->libraries().get(must(logins().authenticate(token)), library_)).empty(); };
  EXPECT_TRUE(sees());
  must(groups().update(administrator(), "Team", {{}, {{dave}}}));
  EXPECT_FALSE(sees());
  must(groups().update(administrator(), "TEAM", {{}, {{carol, dave}}}));
  EXPECT_TRUE(sees());
  give(carol, content::no_access_role, library_);
  EXPECT_FALSE(sees()) << "the user's own permission wins";
  must(permissions().remove(administrator(), {carol, PrincipalType::USER, library_, 0, true}));
  EXPECT_TRUE(sees());
  EXPECT_THAT(must(users().get(administrator(), carol)).groups, ElementsAre("Team"));
  EXPECT_THAT(must(groups().get(administrator(), "team")).members, ElementsAre(carol, dave));
  must(groups().remove(administrator(), "Team"));
  EXPECT_FALSE(sees());
  EXPECT_THAT(must(permissions().list(administrator(), library_, {})), IsEmpty());
}

TEST_P(AccessTest, AChangedRoleChangesWhatAllMayDo) {
  const auto role = new_role("Uploader", {Privilege::ContentLibrary_AddLibraryItem});
  give(carol, role, library_);
  const auto token = log_in(carol);
  const auto add = [&](const std::string& name) {
    return kind(world_->items().create(must(logins().authenticate(token)), item_spec(library_, name, ""), {}));
  };
  EXPECT_EQ(add("a"), "");
  must(roles().update(administrator(), role, {"Reader", content::PrivilegeSet()}));
  EXPECT_EQ(add("b"), "unauthorized");
  EXPECT_EQ(why(roles().remove(administrator(), role)), "quire.access.role_in_use");
  must(permissions().remove(administrator(), {carol, PrincipalType::USER, library_, 0, true}));
  must(roles().remove(administrator(), role));
  EXPECT_NE(new_role("Reader", {}), role) << "a number is not used again";
}

TEST_P(AccessTest, SessionsAreTheirCreatorsAndTheAdministrators) {
  give(carol, content::contributor_role, library_);
  give(dave, content::content_library_administrator_role);
  const auto token = log_in(carol);
  const auto caller = must(logins().authenticate(token));
  const auto session = must(sessions().create(caller, item_.text(), {}, {}));
  EXPECT_EQ(kind(sessions().get(as(dave), session)), "not_found") << "he lacks what is not about content";
  must(sessions().get(administrator(), session));
  must(permissions().remove(administrator(), {carol, PrincipalType::USER, library_, 0, true}));
  const auto stripped = must(logins().authenticate(token));
  EXPECT_EQ(kind(world_->items().get(stripped, item_)), "not_found");
  must(sessions().keep_alive(stripped, session, 10));
  must(sessions().cancel(stripped, session));
  // Whoever has the whole role on a library administers its sessions.
  const auto another = open();
  EXPECT_EQ(kind(sessions().get(as(carol), another)), "not_found");
  give(carol, content::administrator_role, library_);
  must(sessions().cancel(as(carol), another));
}

TEST_P(AccessTest, WhereBytesLieNeedsReadStorage) {
  fill(item_, {{"a", "bytes"}});
  give(carol, content::contributor_role);
  const auto caller = as(carol);
  EXPECT_EQ(kind(world_->items().stored_files(caller, item_)), "unauthorized");
  must(world_->items().files(caller, item_));
  const auto download = must(world_->downloads().create(caller, item_.text(), {}));
  EXPECT_EQ(kind(world_->downloads().prepare(caller, download, "a", true)), "unauthorized");
  must(world_->downloads().prepare(caller, download, "a", false));
  const auto session = must(sessions().create(caller, item_.text(), {}, {}));
  EXPECT_EQ(kind(sessions().add_file(caller, session, test_support::pull_spec("b", "file:///srv/b"))), "unauthorized");
  must(sessions().add_file(caller, session, test_support::pull_spec("b", "https://mirror.example/b")));
}

TEST_P(AccessTest, TheEndOfAUserAndAnotherPasswordEndLogins) {
  give(carol, content::contributor_role);
  const auto token = log_in(carol);
  must(logins().authenticate(token));
  must(users().set_password(administrator(), carol, "another password"));
  EXPECT_EQ(kind(logins().authenticate(token)), "unauthenticated");
  EXPECT_EQ(kind(logins().log_in(carol, password)), "unauthenticated");
  const auto second = must(logins().log_in(carol, "another password"));
  must(users().remove(administrator(), "Carol@vsphere.local"));
  EXPECT_EQ(kind(logins().authenticate(second)), "unauthenticated");
  EXPECT_EQ(kind(logins().log_in(carol, "another password")), "unauthenticated");
  must(users().create(administrator(), {carol, ""}, password));
  EXPECT_THAT(libraries(carol), IsEmpty()) << "a new user of the name inherits nothing";
}

TEST_P(AccessTest, OnesOwnPasswordIsChangedByWhoKnowsTheOldOne) {
  give(carol, content::contributor_role);
  const auto token = log_in(carol);
  const auto elsewhere = log_in(carol);
  const auto of_another = log_in(dave);
  const auto caller = must(logins().authenticate(token));
  const auto before = last_event();
  const auto change = [&](const std::string& from, const std::string& to) {
    return why(users().change_password(caller, from, to));
  };
  EXPECT_EQ(change("wrong", "another password"), "quire.access.wrong_password");
  EXPECT_EQ(change("", "another password"), "quire.access.wrong_password");
  EXPECT_EQ(change(password, "short"), "quire.access.password_too_short");
  EXPECT_EQ(change(password, ""), "quire.access.password_too_short");
  must(logins().authenticate(elsewhere));
  EXPECT_THAT(events_since(before), IsEmpty());
  EXPECT_EQ(change(password, "another password"), "");
  EXPECT_THAT(events_since(before), ElementsAre(EventKind::user_password_set));
  must(logins().authenticate(token));
  must(logins().authenticate(of_another));
  EXPECT_EQ(kind(logins().authenticate(elsewhere)), "unauthenticated");
  EXPECT_EQ(kind(logins().log_in(carol, password)), "unauthenticated");
  must(logins().log_in(carol, "another password"));
  EXPECT_EQ(change(password, "a third password"), "quire.access.wrong_password");
}

TEST_P(AccessTest, WhoIsDisabledHasNoLoginsAndSessions) {
  give(carol, content::contributor_role);
  const auto token = log_in(carol);
  const auto caller = must(logins().authenticate(token));
  const auto upload = must(sessions().create(caller, item_.text(), {}, {}));
  const auto file = must(sessions().add_file(caller, upload, test_support::file_spec("a")));
  const auto download = must(world_->downloads().create(caller, item_.text(), {}));
  const auto another = must(world_->downloads().create(alice(), item_.text(), {}));
  must(users().update(administrator(), "CAROL@vsphere.local", {{}, false}));
  EXPECT_FALSE(must(users().get(administrator(), carol)).user.enabled);
  EXPECT_EQ(kind(logins().authenticate(token)), "unauthenticated");
  EXPECT_EQ(why(logins().log_in(carol, password)), why(logins().log_in("nobody", password)));
  EXPECT_EQ(kind(sessions().get(administrator(), upload)), "not_found");
  EXPECT_EQ(kind(world_->downloads().get(administrator(), download)), "not_found");
  must(world_->downloads().get(alice(), another));
  EXPECT_FALSE(send(*world_, file.upload_token, "bytes")) << "the link has died";
  must(sessions().create(alice(), item_.text(), {}, {}));
  must(users().update(administrator(), carol, {{}, true}));
  must(world_->items().get(as(carol), item_));
}

TEST_P(AccessTest, TheNextUserOfANameOwnsNothing) {
  give(carol, content::contributor_role);
  const auto caller = as(carol);
  const auto upload = must(sessions().create(caller, item_.text(), {}, {}));
  const auto download = must(world_->downloads().create(caller, item_.text(), {}));
  content::Task task;
  task.id = content::TaskId("task");
  task.user = carol;
  world_->change([&](content::CatalogWriter& writer) { writer.insert(task); });
  service::Tasks tasks(world_->context());
  must(tasks.get(caller, task.id));
  must(users().remove(administrator(), carol));
  must(users().create(administrator(), {carol, ""}, password));
  give(carol, content::contributor_role);
  EXPECT_EQ(kind(tasks.get(as(carol), task.id)), "not_found");
  EXPECT_EQ(must(tasks.get(administrator(), task.id)).user, "");
  EXPECT_EQ(kind(sessions().get(as(carol), upload)), "not_found");
  EXPECT_EQ(kind(world_->downloads().get(as(carol), download)), "not_found");
  must(sessions().create(as(carol), item_.text(), {}, {}));
}

TEST_P(AccessTest, SomebodyFromOutsideHasWhatTheirGroupsHave) {
  must(groups().create(administrator(), "Team", {}));
  give("Team", content::read_only_role, library_, PrincipalType::GROUP);
  test_support::ScriptedAuthenticator outside;
  outside.put("eve@elsewhere", password, {"TEAM", "unknown here"});
  outside.put("erin@elsewhere", password);
  service::Logins all(world_->context(), outside, {});
  const auto eve = must(all.authenticate(must(all.log_in("eve@elsewhere", password))));
  must(world_->items().get(eve, item_));
  EXPECT_EQ(kind(world_->items().create(eve, item_spec(library_, "mine", ""), {})), "unauthorized");
  const auto erin = must(all.authenticate(must(all.log_in("erin@elsewhere", password))));
  EXPECT_EQ(kind(world_->items().get(erin, item_)), "not_found");
  EXPECT_EQ(why(users().change_password(eve, password, "another password")), "quire.access.user_from_outside");
  must(groups().remove(administrator(), "Team"));
  EXPECT_EQ(kind(all.log_in("eve@elsewhere", "wrong")), "unauthenticated");
}

TEST_P(AccessTest, NobodyGivesMoreThanTheyHave) {
  auto governing = content::find_system_role(content::contributor_role)->privileges;
  governing.add(Privilege::Authorization_ModifyPermissions);
  governing.add(Privilege::Authorization_ModifyRoles);
  give(carol, new_role("Team lead", governing));
  const auto lead = as(carol);
  const auto set = [&](std::int64_t role, const LibraryId& library = {}) {
    return why(permissions().set(lead, {dave, PrincipalType::USER, library, role}));
  };
  EXPECT_EQ(set(content::administrator_role), "quire.access.more_than_own");
  EXPECT_EQ(set(content::content_library_administrator_role, library_), "quire.access.more_than_own");
  EXPECT_EQ(set(content::contributor_role, library_), "");
  EXPECT_EQ(why(roles().create(lead, "Mighty", {Privilege::Global_Diagnostics})), "quire.access.more_than_own");
  must(roles().create(lead, "Meek", {Privilege::ContentLibrary_DownloadSession}));
  // Nor do they take over who has more.
  const auto& boss = administrator().user;
  EXPECT_EQ(why(users().set_password(lead, boss, password)), "quire.access.more_than_own");
  EXPECT_EQ(why(users().remove(lead, boss)), "quire.access.more_than_own");
  EXPECT_EQ(why(users().update(lead, boss, {{}, false})), "quire.access.more_than_own");
  EXPECT_EQ(why(permissions().remove(lead, {boss, PrincipalType::USER, {}, 0, true})), "quire.access.more_than_own");
  EXPECT_EQ(why(permissions().set(lead, {boss, PrincipalType::USER, {}, content::no_access_role})),
            "quire.access.more_than_own");
  must(users().set_password(lead, dave, password));
  must(groups().create(administrator(), "Bosses", {}));
  give("Bosses", content::administrator_role, {}, PrincipalType::GROUP);
  EXPECT_EQ(why(groups().update(lead, "Bosses", {{}, {{carol}}})), "quire.access.more_than_own");
}

TEST_P(AccessTest, WhoGovernsOneLibraryGovernsNoOther) {
  auto governing = content::find_system_role(content::contributor_role)->privileges;
  governing.add(Privilege::Authorization_ModifyPermissions);
  give(carol, new_role("Owner", governing), library_);
  const auto owner = as(carol);
  must(permissions().set(owner, {dave, PrincipalType::USER, library_, content::contributor_role}));
  EXPECT_EQ(must(permissions().list(owner, library_, {})).size(), 2U);
  EXPECT_EQ(kind(permissions().list(owner, {}, {})), "unauthorized");
  EXPECT_EQ(kind(permissions().set(owner, {dave, PrincipalType::USER, {}, content::read_only_role})), "unauthorized");
  EXPECT_EQ(kind(users().list(owner)), "unauthorized");
  const auto effective = must(permissions().effective(owner, dave, library_));
  EXPECT_TRUE(effective.on_object.has(Privilege::ContentLibrary_AddLibraryItem));
}

TEST_P(AccessTest, NobodyLocksTheAdministratorOut) {
  give(carol, content::administrator_role, library_);
  must(permissions().set(as(carol), {administrator().user, PrincipalType::USER, library_, content::no_access_role}));
  const auto boss = as(administrator().user);
  EXPECT_EQ(kind(world_->libraries().get(boss, library_)), "not_found");
  must(permissions().remove(boss, {administrator().user, PrincipalType::USER, library_, 0, true}));
  must(world_->libraries().get(as(administrator().user), library_));
}

TEST_P(AccessTest, TheLastAdministratorStays) {
  const auto& boss = administrator().user;
  const auto last = "quire.access.last_administrator";
  EXPECT_EQ(why(users().remove(administrator(), boss)), last);
  EXPECT_EQ(why(users().update(administrator(), boss, {{}, false})), last);
  EXPECT_EQ(why(permissions().remove(administrator(), {boss, PrincipalType::USER, {}, 0, true})), last);
  EXPECT_EQ(why(permissions().set(administrator(), {boss, PrincipalType::USER, {}, content::read_only_role})), last);
  EXPECT_EQ(
      why(permissions().set(administrator(), {boss, PrincipalType::USER, {}, content::administrator_role, false})),
      last);
  // A group is worth something while somebody is in it for whom it counts.
  must(groups().create(administrator(), "Bosses", {{}, {{carol}}}));
  give("Bosses", content::administrator_role, {}, PrincipalType::GROUP);
  must(users().update(administrator(), carol, {{}, false}));
  EXPECT_EQ(why(users().remove(administrator(), boss)), last) << "who may not log in does not count";
  must(users().update(administrator(), carol, {{}, true}));
  must(users().remove(administrator(), boss));
  EXPECT_EQ(why(groups().update(administrator(), "Bosses", {{}, std::vector<std::string>()})), last);
  EXPECT_EQ(why(groups().remove(administrator(), "Bosses")), last);
  EXPECT_EQ(why(users().remove(administrator(), carol)), last);
  EXPECT_EQ(why(permissions().set(administrator(), {carol, PrincipalType::USER, {}, content::read_only_role})), last);
  give(dave, content::administrator_role);
  must(groups().remove(administrator(), "Bosses"));
  EXPECT_EQ(must(users().list(administrator())), std::vector<std::string>({carol, dave}));
}

TEST_P(AccessTest, ALibraryTakesItsPermissionsAlong) {
  give(carol, content::read_only_role, library_);
  must(world_->libraries().remove_local(administrator(), library_));
  EXPECT_THAT(must(permissions().list(administrator(), {}, carol)), IsEmpty());
  EXPECT_EQ(kind(permissions().set(administrator(), {carol, PrincipalType::USER, library_, content::read_only_role})),
            "not_found");
}

TEST_P(AccessTest, ChangesAreToldWithoutSecrets) {
  const auto before = last_event();
  must(users().create(administrator(), {"erin", ""}, "a secret password"));
  must(users().set_password(administrator(), "erin", "another secret"));
  must(groups().create(administrator(), "Team", {{}, {{"erin"}}}));
  const auto role = new_role("Own", {});
  give("Team", role, library_, PrincipalType::GROUP);
  give("Team", role, library_, PrincipalType::GROUP);  // changes nothing
  must(permissions().remove(administrator(), {"team", PrincipalType::GROUP, library_, 0, true}));
  must(groups().remove(administrator(), "Team"));
  must(users().remove(administrator(), "erin"));
  EXPECT_THAT(events_since(before),
              ElementsAre(EventKind::user_created, EventKind::user_password_set, EventKind::group_created,
                          EventKind::role_created, EventKind::permission_set, EventKind::permission_deleted,
                          EventKind::group_deleted, EventKind::user_deleted));
  for (const auto& event :
       world_->look([&](content::CatalogReader& reader) { return reader.events_after(before, 100); })) {
    EXPECT_THAT(event.details, testing::Not(testing::HasSubstr("secret")));
    EXPECT_THAT(event.details, testing::Not(testing::HasSubstr("argon")));
  }
}

TEST_P(AccessTest, PasswordsHaveALength) {
  EXPECT_EQ(why(users().create(administrator(), {"erin", ""}, "7 chars")), "quire.access.password_too_short");
  must(users().create(administrator(), {"erin", ""}, "8 ch\xC3\xA4r s"));
  EXPECT_EQ(why(users().set_password(administrator(), "erin", "")), "quire.access.password_too_short");
  EXPECT_EQ(why(users().set_password(administrator(), "erin", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")),
            "quire.access.password_too_short");
  EXPECT_EQ(kind(users().create(administrator(), {"system:pulls", ""}, password)), "invalid_argument");
}

/// Whoever has found an open session must not try passwords faster there than at the door.
TEST_P(AccessTest, GuessingTheOldPasswordIsSlowedDownLikeLoggingIn) {
  const auto too_many = "quire.session.too_many_failures";
  const auto from = [](content::Caller caller, const char* address) {
    caller.origin = {"users.change_password", address, ""};
    return caller;
  };
  const auto thief = from(as(carol), "192.0.2.7");
  const auto change = [&](const content::Caller& caller, const char* old) {
    return why(users().change_password(caller, old, "another one"));
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(change(thief, "a guess"), "quire.access.wrong_password");
  EXPECT_EQ(change(thief, password), too_many) << "the right one is not looked at either";
  EXPECT_EQ(kind(users().change_password(thief, password, "another one")), "not_allowed_in_current_state");
  EXPECT_EQ(change(from(as_caller(carol), "198.51.100.1"), password), too_many) << "it counts for the user";
  EXPECT_EQ(why(logins().log_in(carol, password, {"session.create", "198.51.100.1", ""})), too_many);
  EXPECT_EQ(change(from(as_caller(dave), "192.0.2.7"), "a guess"), "quire.access.wrong_password") << "others go on";
  world_->clock().advance(1s);
  EXPECT_EQ(change(thief, ""), "quire.access.wrong_password");
  must(users().change_password(thief, password, "another one"));
  must(users().change_password(thief, "another one", password));
  EXPECT_EQ(change(thief, "a guess"), "quire.access.wrong_password") << "a right one counts anew";

  // The address has a count of its own, whomever it guesses for.
  for (int i = 0; i < 60; ++i) {
    EXPECT_NE(change(thief, "a guess"), "");
    world_->clock().advance(31s);
  }
  EXPECT_EQ(change(from(as_caller(dave), "192.0.2.7"), password), too_many);
  must(users().change_password(from(as_caller(dave), "198.51.100.1"), password, "another one"));
}

/// Checking a privilege asks the catalog nothing: at the size of an enterprise as little as with one user.
TEST_P(AccessTest, AnEnterpriseCostsNoMoreQueries) {
  constexpr int users_count = 1000;
  constexpr int permissions_each = 10;
  const auto hash = must(service::hash_of_password(password, service::least_password_cost));
  world_->change([&](content::CatalogWriter& writer) {
    auto library = *writer.find<content::Library>(library_);
    for (int i = 0; i < users_count; ++i) {
      library.id = LibraryId("library" + std::to_string(i));
      writer.insert(library);
      writer.insert(content::User{"user" + std::to_string(i), hash});
    }
    for (int i = 0; i < users_count; ++i)
      for (int j = 0; j < permissions_each; ++j)
        writer.insert(Permission{"user" + std::to_string(i), PrincipalType::USER,
                                 LibraryId("library" + std::to_string((i * 7 + j) % users_count)),
                                 content::contributor_role});
  });
  give("user500", content::read_only_role, library_);

  Faults counter(Faults::Kind::error, std::numeric_limits<std::size_t>::max(),
                 {test_support::FaultPoint::in_transaction});
  world_->wire_faults(&counter);
  access_.reset();
  const auto queries = [&](const auto& calls) {
    const auto before = counter.passed();
    calls();
    return counter.passed() - before;
  };
  const auto token = log_in("user500");
  content::Caller caller;
  EXPECT_EQ(queries([&] { caller = must(logins().authenticate(token)); }), 2U) << "the login, and what it may do";
  EXPECT_EQ(queries([&] { must(logins().authenticate(token)); }), GetParam() == Engine::Sqlite ? 0U : 2U);
  EXPECT_EQ(queries([&] { must(world_->items().get(caller, item_)); }), 1U);
  EXPECT_EQ(queries([&] { must(world_->items().list(caller, library_)); }), 2U);
  EXPECT_EQ(
      queries([&] { EXPECT_EQ(must(world_->libraries().list(caller)).size(), std::size_t{permissions_each + 1}); }),
      1U);
  content::ItemFilter any;
  any.cached = true;
  EXPECT_EQ(queries([&] { EXPECT_THAT(must(world_->items().find(caller, any)), ElementsAre(item_)); }), 1U);
}

}  // namespace
}  // namespace quire
