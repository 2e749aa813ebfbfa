#include "suites/catalog_suite.h"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <barrier>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "content/default_quota.h"

namespace quire::test_suites {

using namespace quire::content;  // NOLINT(google-build-using-namespace): the suite speaks of nothing else
using base::Error;
using base::ErrorKind;
using base::Result;
using base::Time;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

void CatalogSuite::SetUp() {
  std::string why;
  place_ = GetParam().make_place(why);
  if (!place_) GTEST_SKIP() << why;
  reopen();
}

void CatalogSuite::reopen() {
  catalog_.reset();
  auto catalog = place_->open();
  ASSERT_TRUE(catalog) << catalog.error().text() << " " << catalog.error().cause();
  catalog_ = *std::move(catalog);
}

namespace {

Time at(std::int64_t milliseconds) { return Time(base::Duration(1'700'000'000'000 + milliseconds)); }

Library a_library(const std::string& id, const std::string& name = "Images") {
  Library library;
  library.id = LibraryId(id);
  library.name = name;
  library.creation_time = at(0);
  library.last_modified_time = at(1);
  library.backing = {StorageBackingType::DATASTORE, "datastore-11", std::nullopt};
  library.storage = StorageId("datastore-11");
  return library;
}

/// With a value other than the usual one in every member.
Subscription a_subscription() {
  Subscription subscription{"https://host/\xC3\xA4/lib.json?a=\"b\""};
  subscription.authentication_method = AuthenticationMethod::BASIC;
  subscription.user_name = "vcsp";
  subscription.password = "p\xC3\xA4ss\"word\\";
  subscription.ssl_thumbprint = "AA:BB";
  subscription.ssl_certificate = "-----BEGIN CERTIFICATE-----\n";
  subscription.automatic_sync_enabled = true;
  subscription.on_demand = true;
  subscription.source_info = SourceInfo{"library at the publisher", "subscription at the publisher"};
  subscription.bytes_per_second_max = 5'000'000'000;
  subscription.window = SyncWindow{22, 5};
  subscription.publisher = "urn:uuid:1";
  subscription.version = std::numeric_limits<std::int64_t>::max();
  subscription.last_sync_time = at(1);
  subscription.last_success_time = at(2);
  subscription.next_sync_time = at(3);
  subscription.failures = 4;
  subscription.problem = base::Message{"quire.test", "A {text}", {{"text", std::string("value")}}};
  return subscription;
}

Item an_item(const std::string& id, const std::string& name, const std::string& library = "library") {
  Item item;
  item.id = ItemId(id);
  item.library_id = LibraryId(library);
  item.name = name;
  item.creator = "alice@vsphere.local";
  item.creation_time = at(10);
  item.last_modified_time = at(11);
  return item;
}

Task a_task(const std::string& id, const std::string& target = "item") {
  Task task;
  task.id = TaskId(id);
  task.service = "com.vmware.content.library.item";
  task.operation = "copy";
  task.target_type = "com.vmware.content.library.Item";
  task.target = target;
  task.user = "administrator@vsphere.local";
  task.description = {"quire.test", "A test", {}};
  task.created = at(20);
  task.due = at(20);
  return task;
}

UpdateSession an_update_session(const std::string& id, const std::string& item = "item") {
  UpdateSession session;
  session.id = UpdateSessionId(id);
  session.item_id = ItemId(item);
  session.creator = "administrator@vsphere.local";
  session.login = LoginId("login");
  session.created = at(20);
  session.changed = at(21);
  session.expires_at = at(1000);
  return session;
}

DownloadSession a_download_session(const std::string& id, const std::string& item = "item") {
  DownloadSession session;
  session.id = DownloadSessionId(id);
  session.item_id = ItemId(item);
  session.creator = "administrator@vsphere.local";
  session.login = LoginId("login");
  session.token = TransferToken("token of " + id);
  session.created = at(30);
  session.expires_at = at(1000);
  return session;
}

SessionFile a_session_file(const std::string& name) {
  SessionFile file;
  file.name = name;
  return file;
}

Blob a_blob(const std::string& id, const std::string& sha256 = "00ff", std::int64_t size = 5) {
  return {BlobId(id), StorageId("datastore-11"), size, sha256};
}

ContentFile a_content_file(const std::string& name, const std::string& blob) {
  ContentFile file;
  file.name = name;
  file.blob = BlobId(blob);
  file.size = 5;
  file.checksum = {base::DigestAlgorithm::SHA256, "00ff"};
  return file;
}

base::Message a_message() {
  return {"quire.test",
          "A {text} with \"quotes\", \xC3\xA4 and \n",
          {{"text", std::string("value")},
           {"empty", std::string()},
           {"number", std::int64_t{-9'000'000'000'000'000'000}},
           {"time", at(-7)}}};
}

Event an_event(EventKind kind, Time time) {
  Event event;
  event.kind = kind;
  event.time = time;
  event.actor = "administrator@vsphere.local";
  return event;
}

/// A library `library` with an item `item`.
void put_item(CatalogWriter& writer) {
  writer.insert(a_library("library"));
  writer.insert(an_item("item", "photon"));
}

/// A content set of one file `disk` on the blob `blob`, which the item points to.
void put_content(CatalogWriter& writer, const std::string& content, const std::string& blob) {
  writer.insert(a_blob(blob));
  writer.insert(Content{ContentId(content), ItemId("item"), 2, at(40)});
  writer.insert(ContentId(content), a_content_file("disk", blob));
  auto item = *writer.find<Item>(ItemId("item"));
  item.content = ContentId(content);
  writer.update(item);
}

template <class Id>
std::vector<std::string> texts(const std::vector<Id>& ids) {
  std::vector<std::string> all;
  all.reserve(ids.size());
  for (const auto& id : ids) all.push_back(id.text());
  return all;
}

std::vector<std::string> names(const std::vector<SessionFile>& files) {
  std::vector<std::string> all;
  all.reserve(files.size());
  for (const auto& file : files) all.push_back(file.name);
  return all;
}

}  // namespace

// ---- each kind of row ----

TEST_P(CatalogSuite, KnowsNothingAtFirst) {
  look([](CatalogReader& reader) {
    EXPECT_FALSE(reader.setting("server_guid"));
    EXPECT_FALSE(reader.find<User>("nobody"));
    EXPECT_FALSE(reader.find<LoginSession>(LoginId("x")));
    EXPECT_EQ(reader.login_count(), 0U);
    EXPECT_FALSE(reader.find<ClientToken>({"user", "operation", "token"}));
    EXPECT_FALSE(reader.find<Library>(LibraryId("x")));
    EXPECT_THAT(reader.libraries({}), IsEmpty());
    EXPECT_THAT(reader.trusted_certificates(), IsEmpty());
    EXPECT_FALSE(reader.find<Item>(ItemId("x")));
    EXPECT_FALSE(reader.item_named(LibraryId("x"), "y"));
    EXPECT_THAT(reader.items({}), IsEmpty());
    EXPECT_THAT(reader.list<ContentFile>(ContentId("x")), IsEmpty());
    EXPECT_THAT(reader.events_after(0, 10), IsEmpty());
    EXPECT_THAT(reader.list<ContentFile>(ContentId()), IsEmpty());
    EXPECT_FALSE(reader.find<ContentFile>({ContentId("x"), "y"}));
    EXPECT_THAT(reader.list<Change>(ItemId("x")), IsEmpty());
    EXPECT_FALSE(reader.find<Blob>(BlobId("x")));
    EXPECT_FALSE(reader.blob_with(StorageId("x"), "00", 0));
    EXPECT_FALSE(reader.library_has_blob(LibraryId("x"), BlobId("x")));
    EXPECT_THAT(reader.blobs_after(StorageId("x"), BlobId(), 10), IsEmpty());
    EXPECT_FALSE(reader.find<UpdateSession>(UpdateSessionId("x")));
    EXPECT_FALSE(reader.active_update_session(ItemId("x")));
    EXPECT_THAT(reader.update_sessions("", std::nullopt), IsEmpty());
    EXPECT_EQ(reader.update_session_count(UpdateSessionState::ACTIVE), 0U);
    EXPECT_THAT(reader.expired_update_sessions(at(0), 10), IsEmpty());
    EXPECT_THAT(reader.ended_update_sessions(at(0), 10), IsEmpty());
    EXPECT_THAT(reader.active_update_sessions_after(UpdateSessionId(), 10), IsEmpty());
    EXPECT_THAT(reader.list<SessionFile>(UpdateSessionId("x")), IsEmpty());
    EXPECT_FALSE(reader.find<SessionFile>({UpdateSessionId("x"), "y"}));
    EXPECT_FALSE(reader.session_file_of(TransferToken("x")));
    EXPECT_FALSE(reader.session_file_of(TransferToken()));
    EXPECT_FALSE(reader.find<DownloadSession>(DownloadSessionId("x")));
    EXPECT_FALSE(reader.download_session_of(TransferToken("x")));
    EXPECT_FALSE(reader.download_session_of(TransferToken()));
    EXPECT_THAT(reader.download_sessions("", std::nullopt), IsEmpty());
    EXPECT_EQ(reader.download_session_count(), 0U);
    EXPECT_THAT(reader.expired_download_sessions(at(0), 10), IsEmpty());
    EXPECT_FALSE(reader.find<PreparedFile>({DownloadSessionId("x"), "y"}));
    EXPECT_FALSE(reader.find<Task>(TaskId("x")));
    EXPECT_THAT(reader.list<TaskBlob>(TaskId("x")), IsEmpty());
    EXPECT_THAT(reader.tasks("", 10), IsEmpty());
    EXPECT_THAT(reader.due_tasks(at(0), 10), IsEmpty());
    EXPECT_THAT(reader.ended_tasks(at(0), 10), IsEmpty());
    EXPECT_EQ(reader.active_task_count(), 0U);
    EXPECT_THAT(reader.active_tasks_on("x"), IsEmpty());
    EXPECT_FALSE(reader.find<SourceItem>(ItemId("x")));
    EXPECT_THAT(reader.list<LibrarySubscription>(LibraryId("x")), IsEmpty());
    return true;
  });
}

TEST_P(CatalogSuite, RemovingWhatIsNotThereIsFine) {
  change([](CatalogWriter& writer) {
    writer.touch_login(LoginId("x"), at(0));
    writer.remove<LoginSession>(LoginId("x"));
    writer.remove_logins(at(0), at(0));
    writer.remove_client_tokens(at(0));
    writer.remove<Library>(LibraryId("x"));
    writer.remove<Item>(ItemId("x"));
    writer.remove<SourceItem>(ItemId("x"));
    EXPECT_THAT(writer.remove_content_if_unused(ContentId("x")), IsEmpty());
    const std::array blobs = {BlobId("x"), BlobId()};
    EXPECT_THAT(writer.remove_unreferenced_blobs(blobs), IsEmpty());
    EXPECT_THAT(writer.remove_unreferenced_blobs({}), IsEmpty());
    writer.remove<UpdateSession>(UpdateSessionId("x"));
    writer.remove<SessionFile>({UpdateSessionId("x"), "y"});
    writer.remove<DownloadSession>(DownloadSessionId("x"));
    writer.restart_leases(at(0), {at(0), at(0)}, {at(0), at(0)});
    EXPECT_EQ(writer.remove_events(at(0), 10), 0U);
  });
}

TEST_P(CatalogSuite, KeepsSettings) {
  change([](CatalogWriter& writer) {
    writer.put_setting("server_guid", "first");
    writer.put_setting("other", "");
    EXPECT_EQ(writer.setting("server_guid"), "first");
    writer.put_setting("server_guid", "second");
  });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("server_guid"); }), "second");
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("other"); }), "");
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("Server_guid"); }), std::nullopt);
}

TEST_P(CatalogSuite, FindsUsersWithoutRegardToCase) {
  const User user{"Bj\xC3\x96rn@vsphere.local", "$argon2id$1", "Engineer"};
  const User same{"bj\xC3\xB6rn@VSPHERE.LOCAL", "$argon2id$2"};
  change([&](CatalogWriter& writer) { writer.put(user); });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<User>("BJ\xC3\xB6RN@vsphere.local"); }), user);
  change([&](CatalogWriter& writer) { writer.put(same); });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<User>("Bj\xC3\x96rn@vsphere.local"); }), same);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<User>("bjorn@vsphere.local"); }), std::nullopt);
}

TEST_P(CatalogSuite, KeepsGroupsRolesAndPermissions) {
  const Group team{group_id("Team"), "Team", "Who works"};
  const Group bosses{group_id("Bosses"), "Bosses", ""};
  const Role role{7, "Uploader", {Privilege::System_Read, Privilege::ContentLibrary_AddLibraryItem}};
  const LibraryId library("library");
  const LibraryId root;
  const Permission own{"Alice", PrincipalType::USER, library, read_only_role, false};
  const Permission by_team{"Team", PrincipalType::GROUP, root, 7, true};
  const Permission by_bosses{"Bosses", PrincipalType::GROUP, library, administrator_role, true};
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("library"));
    for (const auto* name : {"Bob", "Alice"}) writer.insert(User{name, "hash", ""});
    for (const auto& group : {team, bosses}) writer.insert(group);
    for (const auto* name : {"Bob", "Alice"}) writer.put(team.id, GroupMember{name});
    writer.put(team.id, GroupMember{"ALICE"});
    writer.put(bosses.id, GroupMember{"Bob"});
    writer.insert(role);
    for (const auto& permission : {own, by_team, by_bosses}) writer.insert(permission);
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(reader.users(), ElementsAre(User{"Alice", "hash", ""}, User{"Bob", "hash", ""}));
    EXPECT_THAT(reader.groups(), ElementsAre(bosses, team));
    EXPECT_THAT(reader.list<GroupMember>(team.id), ElementsAre(GroupMember{"ALICE"}, GroupMember{"Bob"}));
    EXPECT_EQ(reader.find<GroupMember>({team.id, "bob"}), GroupMember{"Bob"});
    EXPECT_THAT(reader.groups_of("bob"), ElementsAre("Bosses", "Team"));
    EXPECT_THAT(reader.roles(), ElementsAre(role));
    EXPECT_EQ(reader.role_named("UPLOADER"), role);
    EXPECT_EQ(reader.role_named("nothing"), std::nullopt);
    EXPECT_EQ(reader.find<Permission>({"ALICE", PrincipalType::USER, library}), own);
    EXPECT_EQ(reader.find<Permission>({"team", PrincipalType::GROUP, root}), by_team);
    EXPECT_EQ(reader.find<Permission>({"team", PrincipalType::USER, root}), std::nullopt);
    const auto found = [&](const PermissionFilter& filter) { return reader.permissions(filter); };
    EXPECT_THAT(found({}), ElementsAre(by_team, own, by_bosses));
    EXPECT_THAT(found({root, {}, {}, {}}), ElementsAre(by_team));
    EXPECT_THAT(found({library, {}, {}, {}}), ElementsAre(own, by_bosses));
    EXPECT_THAT(found({library, "alice", PrincipalType::USER, {}}), ElementsAre(own));
    EXPECT_THAT(found({{}, {}, {}, 7}), ElementsAre(by_team));
    const auto granted = [&](std::string_view user, const std::vector<std::string>& groups) {
      std::vector<std::pair<std::string, bool>> all;  // whose, and whether it lets add items
      for (const auto& one : reader.granted_roles(user, groups))
        all.emplace_back(one.permission.principal, one.privileges.has(Privilege::ContentLibrary_AddLibraryItem));
      return all;
    };
    EXPECT_THAT(granted("alice", {}), UnorderedElementsAre(std::pair("Alice", false), std::pair("Team", true)));
    EXPECT_THAT(granted("BOB", {}), UnorderedElementsAre(std::pair("Team", true), std::pair("Bosses", true)));
    EXPECT_THAT(granted("stranger", {}), IsEmpty());
    EXPECT_THAT(granted("stranger", {"bosses", "unknown", "also unknown"}),
                UnorderedElementsAre(std::pair("Bosses", true)));
    return 0;
  });
  change([&](CatalogWriter& writer) {
    writer.remove_memberships("BOB");
    writer.remove_permissions({{}, "ALICE", PrincipalType::USER, {}});
    writer.remove<GroupMember>({team.id, "alice"});
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(reader.list<GroupMember>(team.id), IsEmpty());
    EXPECT_THAT(reader.permissions({}), ElementsAre(by_team, by_bosses));
    return 0;
  });
  change([&](CatalogWriter& writer) {
    writer.put(team.id, GroupMember{"Bob"});
    writer.remove<Group>(team.id);
    writer.remove_permissions({library, {}, {}, {}});
    writer.remove<Library>(library);
    writer.remove<Role>(7);
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(reader.groups_of("bob"), IsEmpty());
    EXPECT_THAT(reader.roles(), IsEmpty());
    return 0;
  });
}

TEST_P(CatalogSuite, FindsAmongSomeLibraries) {
  change([&](CatalogWriter& writer) {
    for (int i = 10; i < 50; ++i) {
      const auto number = std::to_string(i);
      writer.insert(a_library("l" + number, "library"));
      writer.insert(an_item("i" + number, "item", "l" + number));
    }
  });
  const auto counts = [&](bool all_but_named, int first, int end) {
    LibrarySelection among{all_but_named, {}};
    for (int i = first; i < end; ++i) among.named.emplace_back("l" + std::to_string(i));
    return look([&](CatalogReader& reader) {
      LibraryFilter libraries;
      libraries.among = &among;
      LibraryFilter named = libraries;
      named.name = "LIBRARY";
      ItemFilter items;
      items.among = &among;
      ItemFilter by_name = items;
      by_name.name = "ITEM";
      ItemFilter in_one = items;
      in_one.library_id = LibraryId("l12");
      EXPECT_EQ(reader.libraries(named), reader.libraries(libraries));
      EXPECT_EQ(reader.items(by_name), reader.items(items));
      EXPECT_EQ(reader.items(items).size(), reader.libraries(libraries).size());
      EXPECT_EQ(reader.items(in_one).size(), among.contains(LibraryId("l12")) ? 1U : 0U);
      return reader.libraries(libraries).size();
    });
  };
  EXPECT_EQ(counts(true, 10, 10), 40U);
  EXPECT_EQ(counts(false, 10, 10), 0U);
  EXPECT_EQ(counts(false, 10, 13), 3U);
  EXPECT_EQ(counts(false, 10, 26), 16U);
  EXPECT_EQ(counts(false, 10, 35), 25U);
  EXPECT_EQ(counts(true, 10, 13), 37U);
  EXPECT_EQ(counts(true, 10, 35), 15U);
}

TEST_P(CatalogSuite, KeepsLogins) {
  const LoginSession first{LoginId("first"), "user", at(0), at(50)};
  const LoginSession second{LoginId("second"), "user", at(10), at(20)};
  const LoginSession third{LoginId("third"), "user", at(20), at(60), {"from outside"}};
  change([&](CatalogWriter& writer) {
    for (const auto& login : {first, second, third}) writer.insert(login);
  });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<LoginSession>(LoginId("second")); }), second);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.login_count(); }), 3U);

  change([&](CatalogWriter& writer) { writer.touch_login(second.id, at(10'020)); });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<LoginSession>(LoginId("second"))->last_accessed; }),
            at(10'020));
  change([&](CatalogWriter& writer) { writer.remove_logins(at(60), at(0)); });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<LoginSession>(LoginId("first")); }), std::nullopt);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.login_count(); }), 2U);
  change([&](CatalogWriter& writer) { writer.remove_logins(at(0), at(20)); });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<LoginSession>(LoginId("second")); }), std::nullopt);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<LoginSession>(LoginId("third")); }), third);
  change([&](CatalogWriter& writer) { writer.remove_logins_of("somebody else", {}); });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.login_count(); }), 1U);
  change([&](CatalogWriter& writer) {
    writer.insert(first);
    writer.remove_logins_of("user", third.id);
  });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<LoginSession>(LoginId("third")); }), third);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.login_count(); }), 1U);
  change([&](CatalogWriter& writer) { writer.remove_logins_of("user", {}); });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.login_count(); }), 0U);
}

TEST_P(CatalogSuite, KeepsClientTokens) {
  const ClientToken token{"user", "com.vmware.content.library.item.create", "t", "digest", "result", at(5)};
  auto other_user = token;
  other_user.user = "other";
  auto other_operation = token;
  other_operation.operation = "com.vmware.content.local_library.create";
  other_operation.created = at(6);
  change([&](CatalogWriter& writer) {
    for (const auto& one : {token, other_user, other_operation}) writer.insert(one);
  });
  const auto find = [&](const ClientToken& one) {
    return look([&](CatalogReader& reader) { return reader.find<ClientToken>({one.user, one.operation, one.token}); });
  };
  EXPECT_EQ(find(token), token);
  EXPECT_EQ(find(other_user), other_user);
  change([&](CatalogWriter& writer) { writer.remove_client_tokens(at(6)); });
  EXPECT_EQ(find(token), std::nullopt);
  EXPECT_EQ(find(other_user), std::nullopt);
  EXPECT_EQ(find(other_operation), other_operation);
}

TEST_P(CatalogSuite, KeepsLibraries) {
  auto library = a_library("library");
  library.description = "d\xC3\xA9j\xC3\xA0 vu '; DROP TABLE libraries; -- :name";
  library.type = LibraryType::SUBSCRIBED;
  library.version = 7;
  library.backing = {StorageBackingType::OTHER, std::nullopt, "file:///srv/images"};
  library.optimize_remote_publishing = true;
  library.security_policy_id = "policy";
  library.state = content::LibraryState::MAINTENANCE;
  library.usage_protects_items = true;
  library.published = true;
  library.publish_authentication = content::AuthenticationMethod::BASIC;
  library.publish_password_hash = "$argon2id$";
  library.generation = 41;
  library.persist_json = true;
  library.migration = {{StorageBackingType::DATASTORE, "datastore-12", std::nullopt}, StorageId("datastore-12")};
  library.subscription = a_subscription();
  change([&](CatalogWriter& writer) { writer.insert(library); });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Library>(library.id); }), library);
  library.subscription = Subscription{"https://host/lib.json"};
  change([&](CatalogWriter& writer) { writer.update(library); });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Library>(library.id); }), library);

  auto changed = a_library("library", "Renamed");
  changed.last_modified_time = at(99);
  changed.version = 8;
  change([&](CatalogWriter& writer) { writer.update(changed); });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Library>(library.id); }), changed);
  change([&](CatalogWriter& writer) { writer.remove<Library>(library.id); });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Library>(library.id); }), std::nullopt);
}

TEST_P(CatalogSuite, KeepsWebhooksWithWhatWaitsForThem) {
  using content::DeliveryState;
  using content::Webhook;
  using content::WebhookDelivery;
  using content::WebhookId;
  const Webhook late{WebhookId("a"), "https://b.example/", "secret", "", true, {}, {}, "Bob", at(2), 7};
  Webhook early{WebhookId("b"),
                "https://a.example/",
                "another secret",
                "of x",
                false,
                {EventKind::item_created, EventKind::login_refused},
                LibraryId("library"),
                "Alice",
                at(1),
                0};
  WebhookDelivery delivery{12, DeliveryState::PENDING, 3, at(50), "no answer"};
  const WebhookDelivery dead{9, DeliveryState::DEAD, 12, at(60), ""};
  change([&](CatalogWriter& writer) {
    writer.insert(late);
    writer.insert(early);
    writer.insert(early.id, delivery);
    writer.insert(early.id, dead);
    writer.insert(late.id, dead);
  });
  early.queued_to = 12;
  delivery.attempts = 4;
  change([&](CatalogWriter& writer) {
    writer.update(early);
    writer.put(early.id, delivery);
    writer.remove<Webhook>(late.id);
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(reader.webhooks(), ElementsAre(early));
    EXPECT_EQ(reader.find<Webhook>(early.id), early);
    EXPECT_THAT(reader.list<WebhookDelivery>(early.id), ElementsAre(delivery, dead));
    EXPECT_EQ(reader.find<WebhookDelivery>({early.id, 9}), dead);
    EXPECT_THAT(reader.list<WebhookDelivery>(late.id), IsEmpty());
    return true;
  });
  change([&](CatalogWriter& writer) { writer.remove<Webhook>(early.id); });
}

TEST_P(CatalogSuite, ListsTrustedCertificatesAsTheyWereAdded) {
  const content::TrustedCertificate second{"0a", "second", at(2)};
  const content::TrustedCertificate first{"0b", "first", at(1)};
  change([&](CatalogWriter& writer) {
    writer.insert(second);
    writer.insert(first);
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(reader.trusted_certificates(), ElementsAre(first, second));
    EXPECT_EQ(reader.find<content::TrustedCertificate>("0a"), second);
    EXPECT_FALSE(reader.find<content::TrustedCertificate>("0A"));
    return true;
  });
  change([](CatalogWriter& writer) { writer.remove<content::TrustedCertificate>("0a"); });
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.trusted_certificates(); }), ElementsAre(first));
}

TEST_P(CatalogSuite, KeepsTags) {
  const content::TagCategory stage{
      content::TagCategoryId("1"), "stage", "of testing", content::TagCardinality::MULTIPLE, {"a", "b \""}};
  const content::TagCategory owner{content::TagCategoryId("2"), "owner", "", content::TagCardinality::SINGLE, {}};
  const content::Tag tested{content::TagId("1"), stage.id, "tested", "well"};
  const content::Tag released{content::TagId("2"), stage.id, "released", ""};
  const content::Tag team{content::TagId("3"), owner.id, "tested", ""};
  const content::TagAttachment on_library{tested.id, "Library", "1"};
  const content::TagAttachment on_item{tested.id, "Item", "1"};
  const content::TagAttachment other{team.id, "Item", "1"};
  change([&](CatalogWriter& writer) {
    for (const auto& category : {stage, owner}) writer.insert(category);
    for (const auto& tag : {tested, released, team}) writer.insert(tag);
    for (const auto& attachment : {on_library, on_item, other}) writer.insert(attachment);
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(reader.tag_categories(), ElementsAre(owner, stage));
    EXPECT_EQ(reader.tag_category_named("stage"), stage);
    EXPECT_EQ(reader.tag_category_named("Stage"), std::nullopt);
    EXPECT_THAT(reader.tags(std::nullopt), ElementsAre(released, tested, team));
    EXPECT_THAT(reader.tags(stage.id), ElementsAre(released, tested));
    EXPECT_EQ(reader.tag_named(owner.id, "tested"), team);
    EXPECT_EQ(reader.tag_named(owner.id, "released"), std::nullopt);
    EXPECT_EQ(reader.find<content::TagAttachment>({tested.id, "Item", "1"}), on_item);
    EXPECT_EQ(reader.find<content::TagAttachment>({tested.id, "Item", "2"}), std::nullopt);
    EXPECT_THAT(reader.attachments_of_tag(tested.id), ElementsAre(on_item, on_library));
    EXPECT_THAT(reader.attachments_of_object("Item", "1"), ElementsAre(on_item, other));
    return 0;
  });
  change([&](CatalogWriter& writer) {
    writer.remove<content::TagAttachment>({tested.id, "Item", "1"});
    EXPECT_THAT(writer.attachments_of_tag(tested.id), ElementsAre(on_library));
    writer.remove_attachments_of_tag(tested.id);
    writer.remove_attachments_of_object("Item", "1");
    EXPECT_THAT(writer.attachments_of_tag(team.id), IsEmpty());
    for (const auto& tag : {tested, released, team}) writer.remove<content::Tag>(tag.id);
    writer.remove<content::TagCategory>(stage.id);
    EXPECT_THAT(writer.tag_categories(), ElementsAre(owner));
  });
}

TEST_P(CatalogSuite, KeepsUsagesOfLibraries) {
  const LibraryId library("library");
  const content::LibraryUsage first{content::UsageId("2"), "urn:vmomi:vm:vm-1", at(1)};
  const content::LibraryUsage second{content::UsageId("1"), "urn:vmomi:vm:vm-2", at(2)};
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("library"));
    writer.insert(a_library("other"));
    writer.insert(library, first);
    writer.insert(library, second);
    writer.insert(LibraryId("other"), first);
  });
  const auto list = [&](const LibraryId& id) {
    return look([&](CatalogReader& reader) { return reader.list<content::LibraryUsage>(id); });
  };
  EXPECT_THAT(list(library), ElementsAre(first, second));
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<content::LibraryUsage>({library, "1"}); }), second);
  change([&](CatalogWriter& writer) { writer.remove<content::LibraryUsage>({library, "2"}); });
  EXPECT_THAT(list(library), ElementsAre(second));
  change([&](CatalogWriter& writer) { writer.remove<Library>(library); });
  EXPECT_THAT(list(library), IsEmpty());
  EXPECT_THAT(list(LibraryId("other")), ElementsAre(first));
}

TEST_P(CatalogSuite, KeepsTheSubscriptionsOfALibrary) {
  const LibraryId library("library");
  LibrarySubscription remote{SubscriptionId("2"), "far", "Images"};
  remote.location = SubscriptionLocation::REMOTE;
  remote.server = SubscriberServer{"host", 8443, "guid"};
  remote.placement = {"folder", "cluster", "pool", "host-1", "network"};
  remote.last_notified = at(5);
  remote.waiting_since = at(6);
  remote.problem = a_message();
  const LibrarySubscription local{SubscriptionId("1"), "near", ""};
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("library"));
    writer.insert(a_library("other"));
    writer.insert(library, remote);
    writer.insert(library, local);
    writer.insert(LibraryId("other"), local);
  });
  const auto list = [&](const LibraryId& id) {
    return look([&](CatalogReader& reader) { return reader.list<LibrarySubscription>(id); });
  };
  EXPECT_THAT(list(library), ElementsAre(remote, local));
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<LibrarySubscription>({library, "1"}); }), local);
  remote.server->https_port.reset();
  remote.problem.reset();
  change([&](CatalogWriter& writer) { writer.put(library, remote); });
  EXPECT_THAT(list(library), ElementsAre(remote, local));
  change([&](CatalogWriter& writer) { writer.remove<LibrarySubscription>({library, "1"}); });
  EXPECT_THAT(list(library), ElementsAre(remote));
  change([&](CatalogWriter& writer) { writer.remove<Library>(library); });
  EXPECT_THAT(list(library), IsEmpty());
  EXPECT_THAT(list(LibraryId("other")), ElementsAre(local));
}

TEST_P(CatalogSuite, ListsAndFindsLibraries) {
  auto late = a_library("1", "Images");
  late.creation_time = at(5);
  auto subscribed = a_library("2", "IMAGES");
  subscribed.type = LibraryType::SUBSCRIBED;
  change([&](CatalogWriter& writer) {
    writer.insert(late);
    writer.insert(a_library("4", "Im\xC3\x84ges"));
    writer.insert(a_library("3", "images"));
    writer.insert(subscribed);
  });
  const auto find = [&](const LibraryFilter& filter) {
    return texts(look([&](CatalogReader& reader) { return reader.libraries(filter); }));
  };
  EXPECT_THAT(find({}), ElementsAre("2", "3", "4", "1"));
  EXPECT_THAT(find({"iMages", std::nullopt}), ElementsAre("2", "3", "1"));
  EXPECT_THAT(find({"iM\xC3\xA4ges", std::nullopt}), ElementsAre("4"));
  EXPECT_THAT(find({"image", std::nullopt}), IsEmpty());
  EXPECT_THAT(find({std::nullopt, LibraryType::LOCAL}), ElementsAre("3", "4", "1"));
  EXPECT_THAT(find({"images", LibraryType::SUBSCRIBED}), ElementsAre("2"));
  EXPECT_THAT(find({std::nullopt, std::nullopt, late.backing}), ElementsAre("2", "3", "4", "1"));
  EXPECT_THAT(find({"images", LibraryType::LOCAL, late.backing}), ElementsAre("3", "1"));
  EXPECT_THAT(
      find({std::nullopt, std::nullopt, content::StorageBacking{StorageBackingType::DATASTORE, "datastore-12", {}}}),
      IsEmpty());
  LibraryFilter persisted;
  persisted.persisted = true;
  EXPECT_THAT(find(persisted), IsEmpty());
  change([&](CatalogWriter& writer) {
    for (const std::string id : {"1", "3", "4"}) {
      auto changed = a_library(id);
      changed.published = id != "3";
      changed.persist_json = id != "4";
      changed.name = writer.find<Library>(LibraryId(id))->name;
      writer.update(changed);
    }
  });
  EXPECT_THAT(find(persisted), ElementsAre("1"));
  auto renamed = a_library("3", "Other");
  change([&](CatalogWriter& writer) { writer.update(renamed); });
  EXPECT_THAT(find({"OTHER", std::nullopt}), ElementsAre("3"));
}

/// Two items of a library whose files share a blob, each with content, an update session and a download session that
/// still has the content before.
TEST_P(CatalogSuite, FindsAndReplacesTheBlobsOfAnItem) {
  const auto blob_of = [](const std::string& item, const std::string& place) { return "blob " + item + " " + place; };
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("library"));
    writer.insert_blob(a_blob("blob shared"), {});
    for (const std::string item : {"1", "2"}) {
      for (const std::string place : {"old", "new", "session"}) writer.insert_blob(a_blob(blob_of(item, place)), {});
      auto there = a_blob(blob_of(item, "there"));
      there.storage = StorageId("datastore-12");
      writer.insert_blob(there, {});
      for (const std::string content : {"old", "new"}) {
        const ContentId id(item + " " + content);
        writer.insert(Content{id, ItemId(item), 1, at(1)});
        writer.insert(id, a_content_file("a", blob_of(item, content)));
      }
      writer.insert(ContentId(item + " new"), a_content_file("b", "blob shared"));
      writer.insert(ContentId(item + " new"), a_content_file("c", blob_of(item, "there")));
      auto row = an_item(item, "item " + item);
      row.content = ContentId(item + " new");
      writer.insert(row);
      writer.insert(an_update_session("update " + item, item));
      auto file = a_session_file("d");
      file.blob = BlobId(blob_of(item, "session"));
      writer.insert(UpdateSessionId("update " + item), file);
      writer.insert(UpdateSessionId("update " + item), a_session_file("without bytes"));
      auto download = a_download_session("download " + item, item);
      download.content = ContentId(item + " old");
      writer.insert(download);
    }
  });
  const auto elsewhere = [&](const std::string& item, const std::string& storage) {
    std::vector<std::string> ids;
    for (const auto& blob :
         look([&](CatalogReader& reader) { return reader.blobs_elsewhere(ItemId(item), StorageId(storage)); }))
      ids.push_back(blob.id.text());
    return ids;
  };
  EXPECT_THAT(elsewhere("1", "datastore-12"), ElementsAre("blob 1 new", "blob 1 old", "blob 1 session", "blob shared"));
  EXPECT_THAT(elsewhere("1", "datastore-11"), ElementsAre("blob 1 there"));
  EXPECT_THAT(elsewhere("x", "datastore-11"), IsEmpty());

  change([&](CatalogWriter& writer) {
    for (const std::string blob : {"blob 1 new", "blob 1 old", "blob 1 session", "blob shared"})
      writer.replace_blob(ItemId("1"), BlobId(blob), BlobId("blob 1 there"));
    EXPECT_EQ(writer.find<SessionFile>({UpdateSessionId("update 1"), "d"})->blob, BlobId("blob 1 there"));
  });
  EXPECT_THAT(elsewhere("1", "datastore-12"), IsEmpty());
  EXPECT_THAT(elsewhere("2", "datastore-12"), ElementsAre("blob 2 new", "blob 2 old", "blob 2 session", "blob shared"));
}

TEST_P(CatalogSuite, KnowsWhichBytesAreReadWhereTheyLie) {
  auto session = a_download_session("download");
  session.content = ContentId("content");
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert_blob(a_blob("direct"), {});
    writer.insert_blob(a_blob("served"), {});
    writer.insert(Content{ContentId("content"), ItemId("item"), 1, at(1)});
    writer.insert(ContentId("content"), a_content_file("a", "direct"));
    writer.insert(ContentId("content"), a_content_file("b", "served"));
    writer.insert(session);
    writer.put(session.id, content::PreparedFile{"a", content::DownloadAccess::DIRECT});
    writer.put(session.id, content::PreparedFile{"b", content::DownloadAccess::HTTPS});
  });
  const auto is_direct = [&](const std::string& blob) {
    return look([&](CatalogReader& reader) { return reader.is_prepared_direct(BlobId(blob)); });
  };
  EXPECT_TRUE(is_direct("direct"));
  EXPECT_FALSE(is_direct("served"));
  EXPECT_FALSE(is_direct("x"));
  session.state = content::DownloadSessionState::CANCELED;
  change([&](CatalogWriter& writer) { writer.update(session); });
  EXPECT_FALSE(is_direct("direct"));
}

TEST_P(CatalogSuite, KeepsItems) {
  auto item = an_item("item", "photon");
  item.description = "text";
  item.type = "ovf";
  item.version = 3;
  item.metadata_version = 4;
  item.content_version = 5;
  item.content = ContentId("content");
  item.size = 6'000'000'000;
  item.source_id = "source";
  item.security_compliance = false;
  item.certificate_verification = {CertVerificationStatus::UNTRUSTED, {"bGVhZg==", "cm9vdA=="}};
  item.cached = false;
  item.last_sync_time = at(12);
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("library"));
    writer.insert(Content{item.content, item.id, 5, at(1)});
    writer.insert(item);
  });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Item>(item.id); }), item);
  const auto changed = an_item("item", "renamed");
  change([&](CatalogWriter& writer) { writer.update(changed); });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Item>(item.id); }), changed);
  change([&](CatalogWriter& writer) {
    writer.remove_content_if_unused(item.content);
    writer.remove<Item>(item.id);
    writer.remove<Library>(item.library_id);
  });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Item>(item.id); }), std::nullopt);
}

TEST_P(CatalogSuite, KeepsWhatAPublisherSaysOfAnItem) {
  SourceItem source{ItemId("item"), R"({"id":"\u00e4"})", ""};
  const SourceItem other{ItemId("other"), "{}", "{}", a_message()};
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_item("other", "other"));
    writer.insert(source);
    writer.insert(other);
  });
  const auto find = [&](const std::string& id) {
    return look([&](CatalogReader& reader) { return reader.find<SourceItem>(ItemId(id)); });
  };
  EXPECT_EQ(find("item"), source);
  EXPECT_EQ(find("other"), other);
  source.content_document = source.document;
  source.problem = a_message();
  change([&](CatalogWriter& writer) { writer.update(source); });
  EXPECT_EQ(find("item"), source);
  source.problem.reset();
  change([&](CatalogWriter& writer) { writer.put(source); });
  EXPECT_EQ(find("item"), source);
  change([&](CatalogWriter& writer) { writer.remove<Item>(ItemId("item")); });
  EXPECT_EQ(find("item"), std::nullopt) << "it goes with its item";
  change([&](CatalogWriter& writer) { writer.remove<SourceItem>(ItemId("other")); });
  EXPECT_EQ(find("other"), std::nullopt);
  EXPECT_TRUE(look([](CatalogReader& reader) { return reader.find<Item>(ItemId("other")); }));
}

TEST_P(CatalogSuite, CountsTheItemsOfASubscribedLibrary) {
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("library", "library"));
    writer.insert(a_library("elsewhere", "elsewhere"));
    int number = 0;
    for (const auto* id : {"c", "a", "d", "b"}) {
      auto item = an_item(id, id);
      item.cached = ++number > 1;
      writer.insert(item);
      writer.insert(SourceItem{item.id, "{}", "", number < 4 ? std::optional(a_message()) : std::nullopt});
    }
    auto other = an_item("other", "other");
    other.library_id = LibraryId("elsewhere");
    writer.insert(other);
    writer.insert(SourceItem{other.id, "{}", "", a_message()});
  });
  const auto counts_of = [&](const char* library) {
    return look([&](CatalogReader& reader) { return reader.synced_item_counts(LibraryId(library)); });
  };
  const auto problems = [&](std::size_t limit) {
    return look([&](CatalogReader& reader) { return reader.items_with_problem(LibraryId("library"), limit); });
  };
  EXPECT_EQ(counts_of("library"), (content::SyncedItemCounts{4, 3, 3}));
  EXPECT_EQ(counts_of("elsewhere"), (content::SyncedItemCounts{1, 1, 1}));
  EXPECT_EQ(counts_of("nowhere"), content::SyncedItemCounts());
  EXPECT_EQ(problems(10), (std::vector{ItemId("a"), ItemId("c"), ItemId("d")}));
  EXPECT_EQ(problems(2), (std::vector{ItemId("a"), ItemId("c")}));
}

TEST_P(CatalogSuite, ListsAndFindsItems) {
  auto late = an_item("1", "Photon");
  late.creation_time = at(500);
  late.type = "OVF";
  auto second = an_item("2", "photon");
  second.type = "iso";
  second.source_id = "source";
  auto elsewhere = an_item("3", "PHOTON", "other");
  elsewhere.type = "ovf";
  elsewhere.source_id = "source";
  elsewhere.cached = false;
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("library"));
    writer.insert(a_library("other"));
    for (const auto& item : {late, elsewhere, second}) writer.insert(item);
  });
  const auto find = [&](ItemFilter filter) {
    return texts(look([&](CatalogReader& reader) { return reader.items(filter); }));
  };
  const std::optional<LibraryId> library("library");
  const std::optional<LibraryId> other("other");
  EXPECT_THAT(find({}), ElementsAre("2", "3", "1"));
  EXPECT_THAT(find({"phOTon", {}, {}, {}, {}}), ElementsAre("2", "3", "1"));
  EXPECT_THAT(find({{}, library, {}, {}, {}}), ElementsAre("2", "1"));
  EXPECT_THAT(find({"photon", other, {}, {}, {}}), ElementsAre("3"));
  EXPECT_THAT(find({{}, {}, "source", {}, {}}), ElementsAre("2", "3"));
  EXPECT_THAT(find({{}, {}, "Source", {}, {}}), IsEmpty());
  EXPECT_THAT(find({{}, {}, {}, "oVf", {}}), ElementsAre("3", "1"));
  EXPECT_THAT(find({"photon", library, "source", "ISO", {}}), ElementsAre("2"));
  EXPECT_THAT(find({{}, {}, {}, {}, true}), ElementsAre("2", "1"));
  EXPECT_THAT(find({{}, {}, {}, {}, false}), ElementsAre("3"));
  EXPECT_THAT(find({{}, library, {}, {}, false}), IsEmpty());
  EXPECT_THAT(find({"photon", other, "source", "ovf", false}), ElementsAre("3"));

  const auto named = [&](const std::string& in, const std::string& name) {
    return look([&](CatalogReader& reader) { return reader.item_named(LibraryId(in), name); });
  };
  EXPECT_EQ(named("library", "Photon"), ItemId("1"));
  EXPECT_EQ(named("library", "photon"), ItemId("2"));
  EXPECT_EQ(named("library", "PHOTON"), std::nullopt);
  EXPECT_EQ(named("other", "PHOTON"), ItemId("3"));
}

TEST_P(CatalogSuite, ListsContentFilesAsInserted) {
  const ContentId id("content");
  auto disk = a_content_file("z-disk.vmdk", "blob-1");
  disk.version = 4;
  disk.size = 5'000'000'000;
  disk.checksum = {base::DigestAlgorithm::SHA1, "abcd"};
  const auto descriptor = a_content_file("a.ovf", "blob-2");
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(a_blob("blob-1"));
    writer.insert(a_blob("blob-2"));
    writer.insert(Content{id, ItemId("item"), 2, at(0)});
    writer.insert(Content{ContentId("other"), ItemId("item"), 3, at(0)});
    writer.insert(id, disk);
    writer.insert(ContentId("other"), descriptor);
    writer.insert(id, descriptor);
  });
  EXPECT_THAT(look([&](CatalogReader& reader) { return reader.list<ContentFile>(id); }), ElementsAre(disk, descriptor));
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<ContentFile>({id, "a.ovf"}); }), descriptor);
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<ContentFile>({id, "A.ovf"}); }), std::nullopt);
}

TEST_P(CatalogSuite, ListsChangesOldestFirst) {
  const Change first{2, at(9), "b"};
  const Change second{3, at(9), "a"};
  const Change third{4, at(8), "c"};
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_item("other", "other"));
    writer.insert(ItemId("item"), first);
    writer.insert(ItemId("other"), Change{2, at(9), "x"});
  });
  change([&](CatalogWriter& writer) {
    writer.insert(ItemId("item"), second);
    writer.insert(ItemId("item"), third);
  });
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.list<Change>(ItemId("item")); }),
              ElementsAre(first, second, third));
  change([](CatalogWriter& writer) { writer.remove<Item>(ItemId("item")); });
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.list<Change>(ItemId("item")); }), IsEmpty());
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.list<Change>(ItemId("other")); }), SizeIs(1));
}

TEST_P(CatalogSuite, KeepsWhatTheFilesOfAContentSay) {
  auto unknown = a_content_file("unknown", "blob");
  auto known = a_content_file("no metadata", "blob");
  known.facts.emplace();
  auto descriptor = a_content_file("a.ovf", "blob");
  descriptor.facts = DescriptorFacts{{{"disk.vmdk", 5}}};
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(a_blob("blob"));
    writer.insert(Content{ContentId("content"), ItemId("item"), 2, at(0)});
    for (const auto& file : {unknown, known, descriptor}) writer.insert(ContentId("content"), file);
  });
  const auto stored = [&] {
    return look([&](CatalogReader& reader) { return reader.list<ContentFile>(ContentId("content")); });
  };
  EXPECT_THAT(stored(), ElementsAre(unknown, known, descriptor));
  unknown.facts = ManifestFacts{};
  change([&](CatalogWriter& writer) { writer.put(ContentId("content"), unknown); });
  EXPECT_THAT(stored(), ElementsAre(unknown, known, descriptor));
}

// ---- events ----

TEST_P(CatalogSuite, NumbersEventsInTheOrderOfCommits) {
  auto created = an_event(EventKind::item_created, at(5));
  created.library_id = LibraryId("library");
  created.item_id = ItemId("item");
  created.subject_id = "item";
  created.details = R"({"name":"photon"})";
  created.operation = "com.vmware.content.library.item.create";
  created.address = "192.0.2.1";
  created.operation_id = "of the client";
  created.number = 700;  // is not looked at
  change([&](CatalogWriter& writer) {
    writer.append_event(created);
    writer.append_event(an_event(EventKind::update_session_file_added, at(4)));
  });
  EXPECT_FALSE(catalog_->write([](CatalogWriter& writer) -> Result<void> {
    writer.append_event(an_event(EventKind::library_deleted, at(6)));
    return Error(ErrorKind::not_found, "quire.test", "absent");
  }));
  change([](CatalogWriter& writer) { writer.append_event(an_event(EventKind::configuration_updated, at(6))); });

  const auto after = [&](std::int64_t number, std::size_t limit) {
    return look([&](CatalogReader& reader) { return reader.events_after(number, limit); });
  };
  const auto all = after(0, 10);
  ASSERT_THAT(all, SizeIs(3));
  created.number = all[0].number;
  EXPECT_EQ(all[0], created);
  EXPECT_EQ(all[1].kind, EventKind::update_session_file_added);
  EXPECT_EQ(all[2].kind, EventKind::configuration_updated);
  EXPECT_GT(all[0].number, 0);
  EXPECT_LT(all[0].number, all[1].number);
  EXPECT_LT(all[1].number, all[2].number);
  EXPECT_THAT(after(0, 2), ElementsAre(all[0], all[1]));
  EXPECT_THAT(after(all[0].number, 10), ElementsAre(all[1], all[2]));
  EXPECT_THAT(after(all[2].number, 10), IsEmpty());
  const auto before = [&](std::int64_t number, std::size_t limit) {
    return look([&](CatalogReader& reader) { return reader.events_before(number, limit); });
  };
  EXPECT_THAT(before(std::numeric_limits<std::int64_t>::max(), 2), ElementsAre(all[2], all[1]));
  EXPECT_THAT(before(all[1].number, 10), ElementsAre(all[0]));
}

TEST_P(CatalogSuite, NeverUsesTheNumberOfAnEventAgain) {
  const auto append = [&] {
    change([](CatalogWriter& writer) { writer.append_event(an_event(EventKind::library_created, at(0))); });
    return look([](CatalogReader& reader) { return reader.events_after(0, 10); }).back().number;
  };
  append();
  const auto last = append();
  change([](CatalogWriter& writer) { EXPECT_EQ(writer.remove_events(at(1), 10), 1U); });
  reopen();
  EXPECT_GT(append(), last);
}

TEST_P(CatalogSuite, RemovesEventsThatAreOld) {
  change([](CatalogWriter& writer) {
    for (int i = 0; i < 5; ++i) writer.append_event(an_event(EventKind::library_created, at(i)));
  });
  change([](CatalogWriter& writer) {
    EXPECT_EQ(writer.remove_events(at(4), 3), 3U);
    EXPECT_EQ(writer.remove_events(at(4), 3), 1U);
    EXPECT_EQ(writer.remove_events(at(4), 3), 0U);
  });
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.events_after(0, 10); }), SizeIs(1));
}

/// On PostgreSQL a transaction that had taken a low number could commit after one with a higher number: who reads on
/// from the last number that it saw would never see the first.
TEST_P(CatalogSuite, WhoFollowsTheEventsMissesNone) {
  constexpr int writers = 4;
  constexpr int each = 25;
  std::atomic<int> running = writers;
  std::vector<std::thread> threads;
  threads.reserve(writers);
  for (int i = 0; i < writers; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < each; ++k)
        change([&](CatalogWriter& writer) { writer.append_event(an_event(EventKind::library_created, at(k))); });
      --running;
    });
  std::size_t seen = 0;
  std::int64_t last = 0;
  for (bool more = true; more;) {
    more = running > 0;
    for (const auto& event : look([&](CatalogReader& reader) { return reader.events_after(last, 7); })) {
      last = event.number;
      ++seen;
      more = true;
    }
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seen, static_cast<std::size_t>(writers * each));
}

TEST_P(CatalogSuite, TellsWhetherALibraryHasABlob) {
  const auto has = [&](const std::string& library, const std::string& blob) {
    return look([&](CatalogReader& reader) { return reader.library_has_blob(LibraryId(library), BlobId(blob)); });
  };
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(a_library("other"));
    put_content(writer, "content", "blob");
    writer.insert(a_blob("loose", "bb", 1));
  });
  EXPECT_TRUE(has("library", "blob"));
  EXPECT_FALSE(has("other", "blob"));
  EXPECT_FALSE(has("library", "loose"));
  change([](CatalogWriter& writer) { writer.update(an_item("item", "photon")); });
  EXPECT_FALSE(has("library", "blob")) << "the item has that set of files no more";
}

TEST_P(CatalogSuite, FindsBlobs) {
  const auto blob = a_blob("B", "aa", 7'000'000'000);
  auto elsewhere = a_blob("D", "aa", 7'000'000'000);
  elsewhere.storage = StorageId("datastore-12");
  change([&](CatalogWriter& writer) {
    for (const auto& one : {a_blob("a", "bb", 1), blob, elsewhere, a_blob("c", "aa", 3)}) writer.insert(one);
  });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Blob>(blob.id); }), blob);
  const auto with = [&](const std::string& storage, const std::string& sha256, std::int64_t size) {
    return look([&](CatalogReader& reader) { return reader.blob_with(StorageId(storage), sha256, size); });
  };
  EXPECT_EQ(with("datastore-11", "aa", 7'000'000'000), blob);
  EXPECT_EQ(with("datastore-12", "aa", 7'000'000'000), elsewhere);
  EXPECT_EQ(with("datastore-11", "aa", 8), std::nullopt);
  EXPECT_EQ(with("datastore-11", "cc", 1), std::nullopt);

  // Ids are ordered byte by byte: capitals first.
  const auto after = [&](const std::string& id, std::size_t limit) {
    std::vector<std::string> ids;
    for (const auto& one :
         look([&](CatalogReader& reader) { return reader.blobs_after(StorageId("datastore-11"), BlobId(id), limit); }))
      ids.push_back(one.id.text());
    return ids;
  };
  EXPECT_THAT(after("", 10), ElementsAre("B", "a", "c"));
  EXPECT_THAT(after("", 2), ElementsAre("B", "a"));
  EXPECT_THAT(after("a", 2), ElementsAre("c"));
  EXPECT_THAT(after("c", 2), IsEmpty());
}

TEST_P(CatalogSuite, KeepsUpdateSessions) {
  auto session = an_update_session("session");
  session.item_content_version = 3;
  session.completing = true;
  session.completed_itself = true;
  session.client_progress = 55;
  session.warning_behavior = {{WarningType::SELF_SIGNED_CERTIFICATE, true},
                              {WarningType::EXPIRED_CERTIFICATE, false},
                              {WarningType::NOT_YET_VALID_CERTIFICATE, true},
                              {WarningType::UNTRUSTED_CERTIFICATE, true}};
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(session);
  });
  const auto stored = [&] {
    return look([&](CatalogReader& reader) { return reader.find<UpdateSession>(session.id); });
  };
  EXPECT_EQ(stored(), session);
  auto ended = an_update_session("session");
  ended.login = LoginId();
  ended.state = UpdateSessionState::ERROR;
  ended.error_message = a_message();
  ended.ended_at = at(77);
  ended.warning_behavior = std::vector<WarningBehavior>();
  change([&](CatalogWriter& writer) { writer.update(ended); });
  EXPECT_EQ(stored(), ended);
  for (const auto state : {UpdateSessionState::DONE, UpdateSessionState::CANCELED, UpdateSessionState::ACTIVE}) {
    ended.state = state;
    change([&](CatalogWriter& writer) { writer.update(ended); });
    EXPECT_EQ(stored(), ended);
  }
  change([&](CatalogWriter& writer) { writer.remove<UpdateSession>(session.id); });
  EXPECT_EQ(stored(), std::nullopt);
}

TEST_P(CatalogSuite, ListsUpdateSessions) {
  auto late = an_update_session("1", "item");
  late.created = at(900);
  auto done = an_update_session("2", "item");
  done.state = UpdateSessionState::DONE;
  done.ended_at = at(50);
  auto canceled = an_update_session("3", "other");
  canceled.creator = "somebody";
  canceled.state = UpdateSessionState::CANCELED;
  canceled.ended_at = at(40);
  auto active = an_update_session("4", "other");
  active.expires_at = at(999);
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_item("other", "other"));
    for (const auto& session : {late, done, canceled, active}) writer.insert(session);
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(texts(reader.update_sessions("", std::nullopt)), ElementsAre("2", "3", "4", "1"));
    EXPECT_THAT(texts(reader.update_sessions("administrator@vsphere.local", std::nullopt)), ElementsAre("2", "4", "1"));
    EXPECT_THAT(texts(reader.update_sessions("", ItemId("item"))), ElementsAre("2", "1"));
    EXPECT_THAT(texts(reader.update_sessions("somebody", ItemId("other"))), ElementsAre("3"));
    EXPECT_THAT(texts(reader.update_sessions("somebody", ItemId("item"))), IsEmpty());
    EXPECT_EQ(reader.active_update_session(ItemId("item")), late);
    EXPECT_EQ(reader.active_update_session(ItemId("other")), active);
    EXPECT_EQ(reader.update_session_count(UpdateSessionState::ACTIVE), 2U);
    EXPECT_EQ(reader.update_session_count(UpdateSessionState::DONE), 1U);
    EXPECT_EQ(reader.update_session_count(UpdateSessionState::ERROR), 0U);
    EXPECT_THAT(texts(reader.expired_update_sessions(at(999), 10)), IsEmpty());
    EXPECT_THAT(texts(reader.expired_update_sessions(at(1000), 10)), ElementsAre("4"));
    EXPECT_THAT(texts(reader.expired_update_sessions(at(1001), 10)), ElementsAre("4", "1"));
    EXPECT_THAT(texts(reader.expired_update_sessions(at(1001), 1)), ElementsAre("4"));
    EXPECT_THAT(texts(reader.ended_update_sessions(at(40), 10)), IsEmpty());
    EXPECT_THAT(texts(reader.ended_update_sessions(at(41), 10)), ElementsAre("3"));
    EXPECT_THAT(texts(reader.ended_update_sessions(at(2000), 10)), ElementsAre("2", "3"));
    EXPECT_THAT(texts(reader.ended_update_sessions(at(2000), 1)), ElementsAre("2"));
    EXPECT_THAT(texts(reader.active_update_sessions_after(UpdateSessionId(), 10)), ElementsAre("1", "4"));
    EXPECT_THAT(texts(reader.active_update_sessions_after(UpdateSessionId(), 1)), ElementsAre("1"));
    EXPECT_THAT(texts(reader.active_update_sessions_after(UpdateSessionId("1"), 10)), ElementsAre("4"));
    return true;
  });
}

TEST_P(CatalogSuite, AnItemHasAtMostOneActiveUpdateSession) {
  auto second = an_update_session("2");
  second.state = UpdateSessionState::CANCELED;
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_update_session("1"));
    writer.insert(second);
  });
  const auto inserted = catalog_->write([](CatalogWriter& writer) -> Result<void> {
    writer.insert(an_update_session("3"));
    return {};
  });
  ASSERT_FALSE(inserted);
  EXPECT_EQ(inserted.error().kind(), ErrorKind::internal_server_error);
  EXPECT_FALSE(inserted.error().cause().empty());
  second.state = UpdateSessionState::ACTIVE;
  EXPECT_FALSE(catalog_->write([&](CatalogWriter& writer) -> Result<void> {
    writer.update(second);
    return {};
  }));
  EXPECT_THAT(texts(look([](CatalogReader& reader) { return reader.update_sessions("", std::nullopt); })),
              ElementsAre("1", "2"));
}

TEST_P(CatalogSuite, KeepsSessionFiles) {
  const UpdateSessionId id("session");
  auto pulled = a_session_file("pulled.ova");
  pulled.source_type = SourceType::PULL;
  pulled.source_endpoint = {"https://example.org/a?b=c", "AB:CD", "-----BEGIN CERTIFICATE-----\n"};
  pulled.declared_size = 0;
  pulled.declared_checksum = {base::DigestAlgorithm::MD5, "ffff"};
  pulled.status = TransferStatus::ERROR;
  pulled.bytes_transferred = 7'000'000'000;
  pulled.error_message = a_message();
  pulled.attempt = 3;
  pulled.reserved = 8'000'000'000;
  auto pushed = a_session_file("pushed.mf");
  pushed.source_type = SourceType::PUSH;
  pushed.upload_token = TransferToken("secret");
  pushed.size = 5;
  pushed.digests = {{base::DigestAlgorithm::SHA1, "1"}, {base::DigestAlgorithm::SHA512, "5"}};
  pushed.blob = BlobId("blob");
  pushed.keep_in_storage = false;
  pushed.archive = "pulled.ova";
  auto snapshot = a_session_file("a snapshot");
  snapshot.source_endpoint = SourceEndpoint{"http://example.org/", std::nullopt, std::nullopt};
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(a_blob("blob"));
    writer.insert(an_update_session("session"));
    writer.put(id, pulled);
    writer.put(id, pushed);
    writer.put(id, snapshot);
  });
  const auto stored = [&] { return look([&](CatalogReader& reader) { return reader.list<SessionFile>(id); }); };
  EXPECT_THAT(stored(), ElementsAre(pulled, pushed, snapshot));
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<SessionFile>({id, "pushed.mf"}); }), pushed);
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<SessionFile>({id, "PUSHED.mf"}); }), std::nullopt);
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.session_file_of(TransferToken("secret")); }),
            std::make_pair(id, pushed));

  // Replaced, it keeps its place; every status comes back.
  for (const auto status : {TransferStatus::WAITING_FOR_TRANSFER, TransferStatus::TRANSFERRING, TransferStatus::READY,
                            TransferStatus::VALIDATING}) {
    auto replaced = a_session_file("pulled.ova");
    replaced.status = status;
    change([&](CatalogWriter& writer) { writer.put(id, replaced); });
    EXPECT_THAT(stored(), ElementsAre(replaced, pushed, snapshot));
  }
  change([&](CatalogWriter& writer) { writer.remove<SessionFile>({id, "pulled.ova"}); });
  EXPECT_THAT(names(stored()), ElementsAre("pushed.mf", "a snapshot"));
  change([&](CatalogWriter& writer) { writer.put(id, pulled); });
  EXPECT_THAT(names(stored()), ElementsAre("pushed.mf", "a snapshot", "pulled.ova"));
  change([&](CatalogWriter& writer) { writer.remove<UpdateSession>(id); });
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_P(CatalogSuite, ListsPullsThatAreToBeDone) {
  const auto pulled = [](const std::string& name, TransferStatus status) {
    auto file = a_session_file(name);
    file.source_type = SourceType::PULL;
    file.source_endpoint = SourceEndpoint{"http://example.org/", std::nullopt, std::nullopt};
    file.status = status;
    return file;
  };
  auto completing = an_update_session("2", "other");
  completing.completing = true;
  auto canceled = an_update_session("3");
  canceled.state = UpdateSessionState::CANCELED;
  auto pushing = an_update_session("4", "third");
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_item("other", "other"));
    writer.insert(an_item("third", "third"));
    for (const auto& session : {an_update_session("1"), completing, canceled, pushing}) {
      writer.insert(session);
      if (session.id == pushing.id) continue;
      writer.put(session.id, pulled("waiting", TransferStatus::WAITING_FOR_TRANSFER));
      writer.put(session.id, pulled("done", TransferStatus::READY));
      writer.put(session.id, pulled("failed", TransferStatus::ERROR));
      writer.put(session.id, pulled("running", TransferStatus::TRANSFERRING));
    }
    auto pushed = pulled("pushed", TransferStatus::WAITING_FOR_TRANSFER);
    pushed.source_type = SourceType::PUSH;
    writer.put(pushing.id, pushed);
  });
  look([&](CatalogReader& reader) {
    using Pull = std::pair<UpdateSessionId, std::string>;
    const UpdateSessionId first("1");
    EXPECT_THAT(reader.pending_pulls(10),
                UnorderedElementsAre(Pull(first, "waiting"), Pull(first, "running"), Pull(completing.id, "waiting"),
                                     Pull(completing.id, "running")));
    EXPECT_THAT(reader.pending_pulls(3), SizeIs(3));
    EXPECT_THAT(texts(reader.idle_pull_sessions(at(22), 10)), ElementsAre("1"));
    EXPECT_THAT(texts(reader.idle_pull_sessions(at(21), 10)), IsEmpty());
    return true;
  });
}

TEST_P(CatalogSuite, KeepsEveryKindOfPackageFacts) {
  const UpdateSessionId id("session");
  SignatureFacts signature;
  signature.signature_valid = true;
  signature.subject = "CN=\xC3\xB6";
  signature.issuer = "CN=\xC3\xA4, O=\"Quoted\"";
  signature.self_signed = true;
  signature.x509 = "-----BEGIN CERTIFICATE-----\nAAAA\n";
  signature.cert_chain = {"AA==", "BB=="};
  const std::vector<PackageFacts> all = {
      std::monostate(),  DescriptorFacts{{{"disk.vmdk", 5'000'000'000}, {"nvram", std::nullopt}}},
      DescriptorFacts{}, ManifestFacts{{{"disk.vmdk", {base::DigestAlgorithm::SHA256, "ab"}}, {"a.ovf", {}}}},
      ManifestFacts{},   signature,
      SignatureFacts{},  UnreadableFacts{a_message()},
      UnreadableFacts{},
  };
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_update_session("session"));
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto file = a_session_file(std::to_string(i));
      file.facts = all[i];
      writer.put(id, file);
    }
  });
  const auto files = look([&](CatalogReader& reader) { return reader.list<SessionFile>(id); });
  ASSERT_THAT(files, SizeIs(all.size()));
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(files[i].facts, all[i]) << i;
}

TEST_P(CatalogSuite, KeepsWhatHasArrivedOfAFile) {
  const UpdateSessionId id("session");
  auto file = a_session_file("disk");
  file.blob = BlobId();
  file.unfinished.emplace();
  file.unfinished->blob = BlobId("begun");
  file.unfinished->storage = StorageId("storage");
  file.unfinished->received.add({0, 4096});
  file.unfinished->received.add({5'000'000'000, 5'000'000'001});
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_update_session("session"));
    writer.put(id, file);
  });
  const auto stored = [&] {
    return look([&](CatalogReader& reader) { return reader.find<SessionFile>({id, "disk"}); });
  };
  EXPECT_EQ(stored(), file);
  file.unfinished->length = 6'000'000'000;
  change([&](CatalogWriter& writer) { writer.put(id, file); });
  EXPECT_EQ(stored(), file);
  file.unfinished.reset();
  change([&](CatalogWriter& writer) { writer.put(id, file); });
  EXPECT_EQ(stored(), file);
}

TEST_P(CatalogSuite, KeepsDownloadSessions) {
  auto session = a_download_session("session");
  session.item_content_version = 3;
  session.content = ContentId("content");
  session.client_progress = 4;
  session.awaits_content = true;
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(session);
  });
  const auto stored = [&] {
    return look([&](CatalogReader& reader) { return reader.find<DownloadSession>(session.id); });
  };
  EXPECT_EQ(stored(), session);
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.download_session_of(session.token); }), session);
  auto failed = a_download_session("session");
  failed.state = DownloadSessionState::ERROR;
  failed.error_message = a_message();
  failed.login = LoginId();
  change([&](CatalogWriter& writer) { writer.update(failed); });
  EXPECT_EQ(stored(), failed);
  failed.state = DownloadSessionState::CANCELED;
  change([&](CatalogWriter& writer) { writer.update(failed); });
  EXPECT_EQ(stored(), failed);

  using content::DownloadAccess;
  const auto prepared = [&](const std::string& name) {
    const auto file = look([&](CatalogReader& reader) { return reader.find<PreparedFile>({session.id, name}); });
    return file ? std::optional(file->access) : std::nullopt;
  };
  EXPECT_EQ(prepared("disk"), std::nullopt);
  change([&](CatalogWriter& writer) {
    writer.put(session.id, PreparedFile{"disk", DownloadAccess::HTTPS});
    writer.put(session.id, PreparedFile{"image", DownloadAccess::HTTPS});
    writer.put(session.id, PreparedFile{"image", DownloadAccess::DIRECT});
  });
  EXPECT_EQ(prepared("disk"), DownloadAccess::HTTPS);
  EXPECT_EQ(prepared("image"), DownloadAccess::DIRECT);
  EXPECT_EQ(prepared("other"), std::nullopt);
  change([&](CatalogWriter& writer) { writer.remove<DownloadSession>(session.id); });
  EXPECT_EQ(stored(), std::nullopt);
  EXPECT_EQ(prepared("disk"), std::nullopt);
}

TEST_P(CatalogSuite, ListsDownloadSessions) {
  auto late = a_download_session("1");
  late.created = at(900);
  auto canceled = a_download_session("2");
  canceled.state = DownloadSessionState::CANCELED;
  canceled.expires_at = at(999);
  auto other = a_download_session("3", "other");
  other.creator = "somebody";
  auto kept = a_download_session("4", "other");
  kept.creator = content::publication_user;
  kept.expires_at = at(9999);
  kept.created = at(901);
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_item("other", "other"));
    for (const auto& session : {late, canceled, other, kept}) writer.insert(session);
  });
  look([&](CatalogReader& reader) {
    EXPECT_THAT(texts(reader.download_sessions("", std::nullopt)), ElementsAre("2", "3", "1", "4"));
    EXPECT_THAT(texts(reader.download_sessions("administrator@vsphere.local", std::nullopt)), ElementsAre("2", "1"));
    EXPECT_THAT(texts(reader.download_sessions("", ItemId("other"))), ElementsAre("3", "4"));
    EXPECT_THAT(texts(reader.download_sessions(content::publication_user, ItemId("other"))), ElementsAre("4"));
    EXPECT_THAT(texts(reader.download_sessions("somebody", ItemId("item"))), IsEmpty());
    EXPECT_EQ(reader.download_session_count(), 3U) << "those of clients";
    EXPECT_THAT(texts(reader.expired_download_sessions(at(999), 10)), IsEmpty());
    EXPECT_THAT(texts(reader.expired_download_sessions(at(1000), 10)), ElementsAre("2"));
    EXPECT_THAT(texts(reader.expired_download_sessions(at(1001), 10)), ElementsAre("2", "3", "1"));
    EXPECT_THAT(texts(reader.expired_download_sessions(at(1001), 2)), ElementsAre("2", "3"));
    return true;
  });
}

TEST_P(CatalogSuite, KeepsTasks) {
  auto task = a_task("task");
  task.total = 5'000'000'000;
  task.completed = 4'000'000'000;
  task.cancel_requested = true;
  task.content = ContentId("content");
  task.source = ItemId("source");
  task.claim = "claim";
  task.attempts = 3;
  task.started = at(21);
  change([&](CatalogWriter& writer) {
    put_item(writer);
    put_content(writer, "content", "blob");
    writer.insert(task);
    writer.insert(task.id, TaskBlob{BlobId("blob")});
    EXPECT_EQ(writer.find<Task>(task.id), task);
  });
  task.status = TaskStatus::FAILED;
  task.error = TaskError{ErrorKind::resource_inaccessible, {a_message(), a_message()}};
  task.content = ContentId();
  task.source = ItemId();
  task.ended = at(22);
  change([&](CatalogWriter& writer) { writer.update(task); });
  look([&](CatalogReader& reader) {
    EXPECT_EQ(reader.find<Task>(task.id), task);
    EXPECT_THAT(reader.list<TaskBlob>(task.id), ElementsAre(TaskBlob{BlobId("blob")}));
    return true;
  });
  change([&](CatalogWriter& writer) { writer.remove<Task>(task.id); });
  look([&](CatalogReader& reader) {
    EXPECT_FALSE(reader.find<Task>(task.id));
    EXPECT_THAT(reader.list<TaskBlob>(task.id), IsEmpty());
    return true;
  });
}

TEST_P(CatalogSuite, ListsTasks) {
  change([&](CatalogWriter& writer) {
    for (const auto* id : {"a", "b", "c", "d"}) {
      auto task = a_task(id, std::string("target of ") + id);
      task.created = at(id[0]);
      if (*id == 'b') task.user = "somebody";
      if (*id == 'c') task.cancel_requested = true;
      if (*id == 'd') task.due = at(100);
      writer.insert(task);
    }
    auto ended = a_task("ended", "target of a");
    ended.status = TaskStatus::SUCCEEDED;
    ended.created = at(1);
    ended.ended = at(50);
    writer.insert(ended);
    auto elder = a_task("elder", "target of d");
    elder.created = at(2);
    elder.due = at(200);
    writer.insert(elder);
  });
  look([](CatalogReader& reader) {
    EXPECT_THAT(texts(reader.tasks("", 10)), ElementsAre("d", "c", "b", "a", "elder", "ended"));
    EXPECT_THAT(texts(reader.tasks("", 2)), ElementsAre("d", "c"));
    EXPECT_THAT(texts(reader.tasks("somebody", 10)), ElementsAre("b"));
    EXPECT_THAT(texts(reader.due_tasks(at(20), 10)), ElementsAre("c", "a", "b"));
    EXPECT_THAT(texts(reader.due_tasks(at(19), 10)), IsEmpty());
    EXPECT_THAT(texts(reader.due_tasks(at(100), 2)), ElementsAre("c", "a"));
    EXPECT_THAT(texts(reader.ended_tasks(at(51), 10)), ElementsAre("ended"));
    EXPECT_THAT(texts(reader.ended_tasks(at(50), 10)), IsEmpty());
    EXPECT_EQ(reader.active_task_count(), 5U);
    const auto on = [&](const char* target) {
      std::vector<TaskId> found;
      for (const auto& task : reader.active_tasks_on(target)) found.push_back(task.id);
      return texts(found);
    };
    EXPECT_THAT(on("target of a"), ElementsAre("a"));
    EXPECT_THAT(on("target of d"), ElementsAre("elder", "d"));
    EXPECT_THAT(on("target"), IsEmpty());
    return true;
  });
}

TEST_P(CatalogSuite, KeepsQuotasAndTheirUse) {
  const auto of_library = QuotaOwner::of_library(LibraryId("library"));
  const auto of_alice = QuotaOwner::of_user("Alice@vsphere.local");
  const auto use = [&](const QuotaOwner& owner) {
    return look([&](CatalogReader& reader) {
      const auto quota = reader.find<Quota>(owner);
      EXPECT_EQ(quota->use(), reader.use_of(owner));
      return quota->use();
    });
  };
  EXPECT_FALSE(look([](CatalogReader& reader) { return reader.has_quotas(); }));
  change([&](CatalogWriter& writer) {
    put_item(writer);
    EXPECT_THAT(writer.exceeded_quotas(), IsEmpty());
    for (const auto& owner : {of_library, of_alice}) {
      const auto now = writer.use_of(owner);
      writer.put(Quota{owner.kind, owner.name, 2, 100, now.items, now.bytes, now.reserved});
    }
  });
  EXPECT_TRUE(look([](CatalogReader& reader) { return reader.has_quotas(); }));
  EXPECT_EQ(use(of_library), (QuotaUse{1, 0, 0}));
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.quotas(QuotaKind::USER); }),
            std::vector<Quota>({{QuotaKind::USER, "alice@vsphere.local", 2, 100, 1, 0, 0}}));

  // Items of other libraries and users do not count; what only some count is counted by those.
  auto item = an_item("by bob", "by Bob");
  item.creator = "bob@vsphere.local";
  item.size = 40;
  auto elsewhere = an_item("elsewhere", "elsewhere", "other");
  elsewhere.reserved = 7;
  const UpdateSessionId session("session");
  auto file = a_session_file("disk");
  file.source_type = SourceType::PUSH;
  file.status = TransferStatus::WAITING_FOR_TRANSFER;
  file.declared_size = 60;
  change([&](CatalogWriter& writer) {
    writer.insert(a_library("other"));
    writer.insert(item);
    writer.insert(elsewhere);
    writer.insert(an_update_session("session", "by bob"));
    writer.put(session, file);
    writer.put(session, a_session_file("of the snapshot"));
    EXPECT_THAT(writer.exceeded_quotas(), IsEmpty());
  });
  EXPECT_EQ(use(of_library), (QuotaUse{2, 40, 60}));
  EXPECT_EQ(use(of_alice), (QuotaUse{2, 0, 7}));

  const auto exceeded = [&](auto function) {
    std::vector<std::string> owners;
    change([&](CatalogWriter& writer) {
      function(writer);
      owners.clear();
      for (const auto& one : writer.exceeded_quotas()) owners.push_back(one.quota.owner);
    });
    return owners;
  };
  file.declared_size = 61;
  EXPECT_THAT(exceeded([&](CatalogWriter& writer) { writer.put(session, file); }), ElementsAre("library"));
  file.declared_size = 60;
  EXPECT_THAT(exceeded([&](CatalogWriter& writer) { writer.put(session, file); }), IsEmpty());
  // What one row takes and another gives back is no growth.
  EXPECT_THAT(exceeded([&](CatalogWriter& writer) {
                writer.put(session, a_session_file("disk"));
                writer.remove<SessionFile>({session, "disk"});
                writer.put(session, file);
              }),
              IsEmpty());
  EXPECT_THAT(exceeded([&](CatalogWriter& writer) { writer.insert(an_item("third", "third")); }),
              UnorderedElementsAre("library", "alice@vsphere.local"));
  change([&](CatalogWriter& writer) { writer.remove<Item>(ItemId("third")); });
  EXPECT_EQ(use(of_library), (QuotaUse{2, 40, 60}));

  auto ended = an_update_session("session", "by bob");
  ended.state = UpdateSessionState::CANCELED;
  change([&](CatalogWriter& writer) { writer.update(ended); });
  EXPECT_EQ(use(of_library), (QuotaUse{2, 40, 0}));
  change([&](CatalogWriter& writer) {
    writer.remove<SessionFile>({session, "disk"});
    writer.remove<UpdateSession>(session);
    writer.insert(an_update_session("session", "by bob"));
    writer.put(session, file);
  });
  EXPECT_EQ(use(of_library), (QuotaUse{2, 40, 60}));
  change([&](CatalogWriter& writer) {
    writer.remove<UpdateSession>(session);
    item.size = 50;
    writer.update(item);
  });
  EXPECT_EQ(use(of_library), (QuotaUse{2, 50, 0}));
  change([&](CatalogWriter& writer) {
    writer.remove<Item>(item.id);
    writer.remove<Item>(elsewhere.id);
  });
  EXPECT_EQ(use(of_library), (QuotaUse{1, 0, 0}));
  EXPECT_EQ(use(of_alice), (QuotaUse{1, 0, 0}));
  change([&](CatalogWriter& writer) {
    writer.remove<Quota>(of_library);
    writer.remove<Quota>(of_alice);
  });
  EXPECT_FALSE(look([](CatalogReader& reader) { return reader.has_quotas(); }));
}

TEST_P(CatalogSuite, KeepsTheUseOfTheDefaultsOwners) {
  const auto of_library = QuotaOwner::of_library(LibraryId("library"));
  change([&](CatalogWriter& writer) {
    put_item(writer);
    put_default_quotas(writer, {.library_items = 2, .user_bytes = 5});
  });
  EXPECT_TRUE(look([](CatalogReader& reader) { return reader.has_quotas(); }));
  EXPECT_EQ(look([](CatalogReader& reader) { return default_quota(reader, QuotaKind::LIBRARY); }),
            (QuotaLimits{2, std::nullopt}));
  EXPECT_EQ(look([](CatalogReader& reader) { return default_quota(reader, QuotaKind::USER); }),
            (QuotaLimits{std::nullopt, 5}));
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.quotas(QuotaKind::LIBRARY); }), IsEmpty());
  change([&](CatalogWriter& writer) {
    writer.insert(an_item("second", "second"));
    EXPECT_THAT(writer.exceeded_quotas(), IsEmpty());
  });
  const Quota kept{QuotaKind::LIBRARY, "library", {}, {}, 2, 0, 0};
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Quota>(of_library); }), kept) << "without limits";
  change([&](CatalogWriter& writer) {
    auto item = an_item("third", "third");
    item.size = 6;
    writer.insert(item);
    const auto exceeded = writer.exceeded_quotas();
    ASSERT_THAT(exceeded, SizeIs(2));
    EXPECT_EQ(exceeded[0].quota, (Quota{QuotaKind::LIBRARY, "library", 2, {}, 3, 6, 0}));
    EXPECT_EQ(exceeded[1].quota, (Quota{QuotaKind::USER, "alice@vsphere.local", {}, 5, 3, 6, 0}));
    writer.remove<Item>(item.id);
  });
  EXPECT_EQ(look([&](CatalogReader& reader) { return reader.find<Quota>(of_library); }), kept);
  change([](CatalogWriter& writer) { put_default_quotas(writer, {}); });
  EXPECT_FALSE(look([](CatalogReader& reader) { return reader.has_quotas(); })) << "nor is any use kept";
}

TEST_P(CatalogSuite, CountsDeliveriesByState) {
  const auto count = [&](DeliveryState state) {
    return look([&](CatalogReader& reader) { return reader.webhook_delivery_count(state); });
  };
  EXPECT_EQ(count(DeliveryState::DEAD), 0U);
  change([](CatalogWriter& writer) {
    for (const auto* id : {"one", "two"}) {
      Webhook webhook;
      webhook.id = WebhookId(id);
      writer.insert(webhook);
      writer.insert(webhook.id, WebhookDelivery{1, DeliveryState::DEAD, 3, at(0), "broken"});
      writer.insert(webhook.id, WebhookDelivery{2, DeliveryState::PENDING, 0, at(0), ""});
    }
    writer.insert(WebhookId("one"), WebhookDelivery{3, DeliveryState::PENDING, 0, at(0), ""});
  });
  EXPECT_EQ(count(DeliveryState::DEAD), 2U);
  EXPECT_EQ(count(DeliveryState::PENDING), 3U);
}

TEST_P(CatalogSuite, AStartGivesActiveSessionsTheirTime) {
  auto soon = an_update_session("1");
  soon.expires_at = at(100);
  auto later = an_update_session("2", "other");
  later.expires_at = at(800);
  auto ended = an_update_session("3");
  ended.state = UpdateSessionState::DONE;
  ended.expires_at = at(100);
  auto download = a_download_session("4");
  download.expires_at = at(1000);
  auto canceled = a_download_session("5");
  canceled.state = DownloadSessionState::CANCELED;
  canceled.expires_at = at(100);
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_item("other", "other"));
    for (const auto& session : {soon, later, ended}) writer.insert(session);
    for (const auto& session : {download, canceled}) writer.insert(session);
    writer.restart_leases(at(450), {at(500), at(900)}, {at(460), at(600)});
  });
  look([&](CatalogReader& reader) {
    EXPECT_EQ(reader.find<UpdateSession>(soon.id)->expires_at, at(500));
    EXPECT_EQ(reader.find<UpdateSession>(later.id)->expires_at, at(800));
    EXPECT_EQ(reader.find<UpdateSession>(ended.id)->expires_at, at(100));
    EXPECT_EQ(reader.find<DownloadSession>(download.id)->expires_at, at(600));
    EXPECT_EQ(reader.find<DownloadSession>(canceled.id)->expires_at, at(100));
    return true;
  });
}

TEST_P(CatalogSuite, AStartLeavesNoMomentInTheFuture) {
  auto ended = an_update_session("1");
  ended.state = UpdateSessionState::DONE;
  ended.changed = at(300);
  ended.ended_at = at(700);
  auto changed = an_update_session("2", "other");
  changed.changed = at(600);
  change([&](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(an_item("other", "other"));
    for (const auto& session : {ended, changed}) writer.insert(session);
    writer.insert(LoginSession{content::LoginId("past"), "me", at(100), at(200)});
    writer.insert(LoginSession{content::LoginId("future"), "me", at(600), at(700)});
    writer.insert(ClientToken{"me", "create", "token", "digest", "id", at(900)});
    writer.restart_leases(at(500), {at(0), at(10'000)}, {at(0), at(10'000)});
  });
  look([&](CatalogReader& reader) {
    EXPECT_EQ(reader.find<LoginSession>(content::LoginId("past"))->last_accessed, at(200));
    EXPECT_EQ(reader.find<LoginSession>(content::LoginId("future"))->created, at(500));
    EXPECT_EQ(reader.find<LoginSession>(content::LoginId("future"))->last_accessed, at(500));
    EXPECT_EQ(reader.find<ClientToken>({"me", "create", "token"})->created, at(500));
    EXPECT_EQ(reader.find<UpdateSession>(ended.id)->changed, at(300));
    EXPECT_EQ(reader.find<UpdateSession>(ended.id)->ended_at, at(500));
    EXPECT_EQ(reader.find<UpdateSession>(changed.id)->changed, at(500));
    EXPECT_EQ(reader.find<UpdateSession>(changed.id)->ended_at, std::nullopt);
    return true;
  });
}

// ---- what is still in use stays ----

TEST_P(CatalogSuite, RemovesContentThatNothingUses) {
  change([&](CatalogWriter& writer) {
    put_item(writer);
    put_content(writer, "old", "blob-1");
    writer.insert(ContentId("old"), a_content_file("same bytes", "blob-1"));
    auto pinning = a_download_session("pinning");
    pinning.content = ContentId("old");
    writer.insert(pinning);
    // The item points to it.
    EXPECT_THAT(writer.remove_content_if_unused(ContentId("old")), IsEmpty());
    put_content(writer, "new", "blob-2");
    // The download session pins it.
    EXPECT_THAT(writer.remove_content_if_unused(ContentId("old")), IsEmpty());
    EXPECT_THAT(writer.list<ContentFile>(ContentId("old")), SizeIs(2));
    auto task = a_task("task");
    task.content = ContentId("old");
    writer.insert(task);
    pinning.state = DownloadSessionState::CANCELED;
    writer.update(pinning);
    // The task pins it.
    EXPECT_THAT(writer.remove_content_if_unused(ContentId("old")), IsEmpty());
    task.content = ContentId();
    writer.update(task);
    EXPECT_THAT(texts(writer.remove_content_if_unused(ContentId("old"))), ElementsAre("blob-1"));
    EXPECT_THAT(writer.list<ContentFile>(ContentId("old")), IsEmpty());
    EXPECT_THAT(writer.remove_content_if_unused(ContentId("new")), IsEmpty());
    EXPECT_THAT(writer.list<ContentFile>(ContentId("new")), SizeIs(1));
  });
}

TEST_P(CatalogSuite, RemovesBlobsThatNothingNames) {
  change([&](CatalogWriter& writer) {
    put_item(writer);
    put_content(writer, "content", "in content");
    writer.insert(a_blob("in session"));
    writer.insert(a_blob("free", "aa", 9));
    writer.insert(a_blob("not asked"));
    writer.insert(an_update_session("session"));
    auto file = a_session_file("file");
    file.blob = BlobId("in session");
    writer.put(UpdateSessionId("session"), file);

    const std::array candidates = {BlobId("in content"), BlobId("free"), BlobId("in session"), BlobId("free"),
                                   BlobId("never was")};
    writer.insert(a_task("task"));
    writer.insert(TaskId("task"), TaskBlob{BlobId("free")});
    EXPECT_THAT(writer.remove_unreferenced_blobs(candidates), IsEmpty());
    writer.remove<TaskBlob>({TaskId("task"), "free"});
    EXPECT_THAT(writer.remove_unreferenced_blobs(candidates), ElementsAre(a_blob("free", "aa", 9)));
    EXPECT_FALSE(writer.find<Blob>(BlobId("free")));
    for (const auto* kept : {"in content", "in session", "not asked"})
      EXPECT_TRUE(writer.find<Blob>(BlobId(kept))) << kept;
    writer.remove<SessionFile>({UpdateSessionId("session"), "file"});
    EXPECT_THAT(writer.remove_unreferenced_blobs(candidates), ElementsAre(a_blob("in session")));
  });
}

TEST_P(CatalogSuite, HoldsTheBytesOfSmallBlobs) {
  std::vector<std::byte> bytes(256);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  auto small = a_blob("small", "aa", 256);
  small.in_catalog = true;
  auto empty = a_blob("empty", "bb", 0);
  empty.in_catalog = true;
  change([&](CatalogWriter& writer) {
    writer.insert_blob(small, bytes);
    writer.insert_blob(empty, {});
    writer.insert(a_blob("elsewhere", "cc", 256));
  });
  reopen();
  const auto held = [&](const char* id) {
    return look([&](CatalogReader& reader) { return reader.blob_bytes(BlobId(id)); });
  };
  EXPECT_EQ(held("small"), bytes);
  EXPECT_EQ(held("empty"), std::vector<std::byte>());
  EXPECT_EQ(held("elsewhere"), std::nullopt);
  EXPECT_EQ(held("never was"), std::nullopt);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<Blob>(BlobId("small")); }), small);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.blob_with(StorageId("datastore-11"), "aa", 256); }), small);

  change([](CatalogWriter& writer) { writer.move_blob_to_storage(BlobId("small")); });
  small.in_catalog = false;
  EXPECT_EQ(held("small"), std::nullopt);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<Blob>(BlobId("small")); }), small);

  change([&](CatalogWriter& writer) {
    const std::array candidates = {BlobId("small"), BlobId("empty")};
    EXPECT_THAT(writer.remove_unreferenced_blobs(candidates), ElementsAre(small, empty));
  });
  EXPECT_EQ(held("empty"), std::nullopt);
}

TEST_P(CatalogSuite, SaysWhenLoginsMayHaveChanged) {
  const LoginSession login{LoginId("login"), "alice", at(0), at(0)};
  change([&](CatalogWriter& writer) { writer.insert(login); });
  if (!catalog_->logins_version()) GTEST_SKIP() << "other servers may write to this catalog";
  const auto changes = [&](auto write) {
    const auto before = catalog_->logins_version();
    change(write);
    return catalog_->logins_version() != before;
  };
  EXPECT_FALSE(changes([](CatalogWriter& writer) { writer.put_setting("a", "b"); }));
  EXPECT_FALSE(changes([](CatalogWriter& writer) { writer.touch_login(LoginId("login"), at(9'999)); }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.touch_login(LoginId("login"), at(10'000)); }));
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<LoginSession>(LoginId("login"))->last_accessed; }),
            at(10'000));
  EXPECT_FALSE(changes([](CatalogWriter& writer) { writer.remove_logins(at(5), at(0)); }));
  EXPECT_FALSE(changes([](CatalogWriter& writer) { writer.put(User{"alice", "hash"}); }));
  EXPECT_FALSE(changes([](CatalogWriter& writer) { writer.remove_logins_of("bob", {}); }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.remove<LoginSession>(LoginId("login")); }));
  change([&](CatalogWriter& writer) { writer.insert(login); });
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.remove_logins(at(20'000), at(0)); }));
}

TEST_P(CatalogSuite, SaysWhenAccessMayHaveChanged) {
  if (!catalog_->access_version()) GTEST_SKIP() << "other servers may write to this catalog";
  const auto changes = [&](auto write) {
    const auto before = catalog_->access_version();
    change(write);
    return catalog_->access_version() != before;
  };
  const Group group{group_id("Team"), "Team", ""};
  const LibraryId root;
  EXPECT_FALSE(changes([](CatalogWriter& writer) { writer.put_setting("a", "b"); }));
  EXPECT_FALSE(changes([](CatalogWriter& writer) {
    writer.insert(LoginSession{LoginId("login"), "alice", at(0), at(0)});
    writer.touch_login(LoginId("login"), at(10'000));
  }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.insert(User{"alice", "hash"}); }));
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.insert(group); }));
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.put(group.id, GroupMember{"alice"}); }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.insert(Role{1, "Role", {}}); }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.update(Role{1, "Other", {}}); }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.put(Permission{"alice", PrincipalType::USER, {}, 1}); }));
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.remove<Permission>({"alice", PrincipalType::USER, root}); }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.remove_memberships("alice"); }));
  EXPECT_TRUE(changes([](CatalogWriter& writer) { writer.remove_permissions({}); }));
}

TEST_P(CatalogSuite, MovesTheGenerationOfPublishedLibraries) {
  auto published = a_library("published");
  published.published = true;
  published.generation = 7;
  const auto unpublished = a_library("unpublished");
  change([&](CatalogWriter& writer) {
    writer.insert(published);
    writer.insert(unpublished);
  });
  change([&](CatalogWriter& writer) {
    EXPECT_TRUE(writer.find<Library>(published.id));
    for (const auto& id : {published.id, unpublished.id, LibraryId("none")}) writer.advance_generation(id);
    EXPECT_EQ(writer.find<Library>(published.id)->generation, 8);
  });
  look([&](CatalogReader& reader) {
    EXPECT_EQ(reader.find<Library>(published.id)->generation, 8);
    EXPECT_EQ(reader.find<Library>(unpublished.id), unpublished);
    return true;
  });
}

TEST_P(CatalogSuite, SaysWhenLibrariesMayHaveChanged) {
  if (!catalog_->libraries_version()) GTEST_SKIP() << "other servers may write to this catalog";
  const auto changes = [&](auto write) {
    const auto before = catalog_->libraries_version();
    change(write);
    return catalog_->libraries_version() != before;
  };
  auto library = a_library("library");
  EXPECT_FALSE(changes([](CatalogWriter& writer) { writer.put_setting("a", "b"); }));
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.insert(library); }));
  EXPECT_FALSE(changes([&](CatalogWriter& writer) { writer.advance_generation(library.id); })) << "it is not published";
  library.published = true;
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.update(library); }));
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.advance_generation(library.id); }));
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.put(library); }));
  EXPECT_TRUE(changes([&](CatalogWriter& writer) { writer.remove<Library>(library.id); }));
}

// ---- broken invariants ----

TEST_P(CatalogSuite, RefusesWhatBreaksAnInvariant) {
  change([](CatalogWriter& writer) {
    put_item(writer);
    put_content(writer, "content", "blob");
    writer.insert(an_update_session("session"));
  });
  using Break = std::function<void(CatalogWriter&)>;
  const std::vector<std::pair<const char*, Break>> all = {
      {"library again", [](CatalogWriter& writer) { writer.insert(a_library("library")); }},
      {"no such library", [](CatalogWriter& writer) { writer.update(a_library("x")); }},
      {"library with items", [](CatalogWriter& writer) { writer.remove<Library>(LibraryId("library")); }},
      {"item again", [](CatalogWriter& writer) { writer.insert(an_item("item", "other")); }},
      {"item without library", [](CatalogWriter& writer) { writer.insert(an_item("x", "x", "x")); }},
      {"same name", [](CatalogWriter& writer) { writer.insert(an_item("x", "photon")); }},
      {"no such item", [](CatalogWriter& writer) { writer.update(an_item("x", "x")); }},
      {"item with sessions", [](CatalogWriter& writer) { writer.remove<Item>(ItemId("item")); }},
      {"item of no content",
       [](CatalogWriter& writer) {
         auto item = an_item("item", "photon");
         item.content = ContentId("x");
         writer.update(item);
       }},
      {"file without blob",
       [](CatalogWriter& writer) { writer.insert(ContentId("content"), a_content_file("x", "x")); }},
      {"file twice",
       [](CatalogWriter& writer) { writer.insert(ContentId("content"), a_content_file("disk", "blob")); }},
      {"file of no content", [](CatalogWriter& writer) { writer.insert(ContentId("x"), a_content_file("x", "blob")); }},
      {"blob again", [](CatalogWriter& writer) { writer.insert(a_blob("blob")); }},
      {"session again",
       [](CatalogWriter& writer) {
         auto session = an_update_session("session");
         session.state = UpdateSessionState::DONE;
         writer.insert(session);
       }},
      {"no such session", [](CatalogWriter& writer) { writer.update(an_update_session("x")); }},
      {"file of no session", [](CatalogWriter& writer) { writer.put(UpdateSessionId("x"), a_session_file("x")); }},
      {"source of no item", [](CatalogWriter& writer) { writer.insert(SourceItem{ItemId("x"), "{}", ""}); }},
      {"subscription of no library",
       [](CatalogWriter& writer) { writer.insert(LibraryId("x"), LibrarySubscription{SubscriptionId("x"), "", ""}); }},
      {"no such download", [](CatalogWriter& writer) { writer.update(a_download_session("x")); }},
  };
  for (const auto& [what, breaking] : all) {
    SCOPED_TRACE(what);
    const auto done = catalog_->write([&, run = breaking](CatalogWriter& writer) -> Result<void> {
      writer.put_setting("trace", "left");
      run(writer);
      return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), ErrorKind::internal_server_error);
    EXPECT_FALSE(done.error().cause().empty());
    EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("trace"); }), std::nullopt);
  }
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.find<Item>(ItemId("item"))->content; }),
            ContentId("content"));
}

TEST_P(CatalogSuite, SaysWhenAStoredValueIsDamaged) {
  change([](CatalogWriter& writer) {
    put_item(writer);
    writer.insert(a_library("enum"));
    writer.insert(a_library("json"));
    writer.insert(a_library("member"));
  });
  place_->execute("UPDATE libraries SET type = 'ROMAN' WHERE id = 'enum'");
  place_->execute("UPDATE libraries SET backing = '{' WHERE id = 'json'");
  place_->execute("UPDATE libraries SET backing = '{}' WHERE id = 'member'");
  for (const auto* id : {"enum", "json", "member"}) {
    SCOPED_TRACE(id);
    const auto read = catalog_->read(
        [&](CatalogReader& reader) -> Result<std::optional<Library>> { return reader.find<Library>(LibraryId(id)); });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind(), ErrorKind::internal_server_error);
    EXPECT_NE(read.error().cause().find("no Quire stores"), std::string::npos) << read.error().cause();
  }
  EXPECT_TRUE(look([](CatalogReader& reader) { return reader.find<Library>(LibraryId("library")); }));
}

TEST_P(CatalogSuite, ADamagedSubscriptionShowsNoPassword) {
  auto library = a_library("library");
  library.type = LibraryType::SUBSCRIBED;
  library.subscription = a_subscription();
  library.subscription->password = "opensesame";
  change([&](CatalogWriter& writer) { writer.insert(library); });
  place_->execute("UPDATE libraries SET subscription = replace(subscription, 'on_demand', 'in_demand')");
  const auto read = catalog_->read(
      [&](CatalogReader& reader) -> Result<std::optional<Library>> { return reader.find<Library>(library.id); });
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().cause().find("no Quire stores"), std::string::npos) << read.error().cause();
  EXPECT_EQ(read.error().cause().find("opensesame"), std::string::npos) << read.error().cause();
}

TEST_P(CatalogSuite, RefusesTextWithNul) {
  // PostgreSQL's text cannot hold it; the adapters shall not differ.
  const auto done = catalog_->write([](CatalogWriter& writer) -> Result<void> {
    writer.insert(a_library("library", std::string("a\0b", 3)));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::invalid_argument);
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.libraries({}); }), IsEmpty());
}

// ---- transactions ----

TEST_P(CatalogSuite, AnErrorLeavesNothing) {
  const auto done = catalog_->write([](CatalogWriter& writer) -> Result<int> {
    put_item(writer);
    writer.put_setting("a", "b");
    return Error(ErrorKind::resource_busy, "quire.test", "busy");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::resource_busy);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("a"); }), std::nullopt);
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.libraries({}); }), IsEmpty());
}

TEST_P(CatalogSuite, ReturnsWhatTheFunctionReturns) {
  const auto written = catalog_->write([](CatalogWriter& writer) -> Result<std::string> {
    writer.put_setting("a", "b");
    return *writer.setting("a") + "!";
  });
  ASSERT_TRUE(written);
  EXPECT_EQ(*written, "b!");
  const auto failed =
      catalog_->read([](CatalogReader&) -> Result<int> { return Error(ErrorKind::not_found, "quire.test", "absent"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::not_found);
}

TEST_P(CatalogSuite, AFailureLeavesNothing) {
  const Error error(ErrorKind::unable_to_allocate_resource, "quire.test", "full");
  const auto written = catalog_->write([&](CatalogWriter& writer) -> Result<void> {
    writer.put_setting("a", "b");
    throw CatalogFailure(error);
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind(), ErrorKind::unable_to_allocate_resource);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("a"); }), std::nullopt);
  const auto read = catalog_->read([&](CatalogReader&) -> Result<void> { throw CatalogFailure(error); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind(), ErrorKind::unable_to_allocate_resource);
}

TEST_P(CatalogSuite, AnExceptionOfTheFunctionReachesItsCallerAndLeavesNothing) {
  const auto throwing = [&] {
    (void)catalog_->write([&](CatalogWriter& writer) -> Result<void> {
      writer.put_setting("a", "b");
      throw std::runtime_error("of the test");
    });
  };
  EXPECT_THROW(throwing(), std::runtime_error);
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("a"); }), std::nullopt);
  const auto reading = [&] {
    (void)catalog_->read([&](CatalogReader&) -> Result<void> { throw std::runtime_error("of the test"); });
  };
  EXPECT_THROW(reading(), std::runtime_error);
  change([](CatalogWriter& writer) { writer.put_setting("a", "c"); });
}

TEST_P(CatalogSuite, ConcurrentWritesAreAsIfOneAfterTheOther) {
  constexpr int threads = 8;
  constexpr int increments = 25;
  change([](CatalogWriter& writer) { writer.put_setting("counter", "0"); });
  std::vector<std::thread> running;
  running.reserve(threads);
  for (int i = 0; i < threads; ++i)
    running.emplace_back([&] {
      for (int k = 0; k < increments; ++k) {
        const auto done = catalog_->write([](CatalogWriter& writer) -> Result<void> {
          writer.put_setting("counter", std::to_string(std::stoi(*writer.setting("counter")) + 1));
          return {};
        });
        EXPECT_TRUE(done) << done.error().text() << done.error().cause();
      }
    });
  for (auto& thread : running) thread.join();
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("counter"); }),
            std::to_string(threads * increments));
}

TEST_P(CatalogSuite, AWriteThatFailsDoesNotDisturbOthers) {
  constexpr int threads = 8;
  constexpr int rounds = 30;
  std::barrier together(threads);
  std::vector<std::thread> running;
  running.reserve(threads);
  for (int i = 0; i < threads; ++i)
    running.emplace_back([&, i] {
      for (int k = 0; k < rounds; ++k) {
        together.arrive_and_wait();
        const auto name = std::to_string(i) + "-" + std::to_string(k);
        const auto write = [&] {
          return catalog_->write([&](CatalogWriter& writer) -> Result<void> {
            writer.put_setting(name, "x");
            if (i % 4 == 1) return Error(ErrorKind::not_found, "quire.test", "absent");
            if (i % 4 == 2) writer.update(a_library("x"));
            if (i % 4 == 3) throw std::runtime_error("of the test");
            return {};
          });
        };
        if (i % 4 == 3) {
          EXPECT_THROW((void)write(), std::runtime_error);
          continue;
        }
        const auto done = write();
        const auto kind = done ? std::nullopt : std::optional<ErrorKind>(done.error().kind());
        constexpr std::array<std::optional<ErrorKind>, 3> expected = {std::nullopt, ErrorKind::not_found,
                                                                      ErrorKind::internal_server_error};
        EXPECT_EQ(kind, expected[static_cast<std::size_t>(i % 4)]);
      }
    });
  for (auto& thread : running) thread.join();
  for (int i = 0; i < threads; ++i)
    for (int k = 0; k < rounds; ++k)
      EXPECT_EQ(look([&](CatalogReader& reader) {
                  return reader.setting(std::to_string(i) + "-" + std::to_string(k));
                }).has_value(),
                i % 4 == 0);
}

TEST_P(CatalogSuite, AReadSeesOneState) {
  change([](CatalogWriter& writer) {
    writer.put_setting("a", "0");
    writer.put_setting("b", "0");
  });
  // Inside one read transaction, another thread changes both.
  look([&](CatalogReader& reader) {
    EXPECT_EQ(reader.setting("a"), "0");
    std::thread([&] {
      change([](CatalogWriter& writer) {
        writer.put_setting("a", "1");
        writer.put_setting("b", "1");
      });
    }).join();
    EXPECT_EQ(reader.setting("b"), "0");
    EXPECT_EQ(reader.setting("a"), "0");
    return true;
  });
  EXPECT_EQ(look([](CatalogReader& reader) { return reader.setting("b"); }), "1");

  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!done) {
        const auto pair = look([](CatalogReader& reader) {
          auto a = reader.setting("a");
          auto b = reader.setting("b");
          return std::make_pair(std::move(a), std::move(b));
        });
        EXPECT_EQ(pair.first, pair.second);
      }
    });
  for (int k = 2; k < 100; ++k)
    change([&](CatalogWriter& writer) {
      writer.put_setting("a", std::to_string(k));
      writer.put_setting("b", std::to_string(k));
    });
  done = true;
  for (auto& thread : readers) thread.join();
}

TEST_P(CatalogSuite, AWriteSeesItsOwnChangesAndThoseBefore) {
  change([](CatalogWriter& writer) { writer.put_setting("a", "1"); });
  change([](CatalogWriter& writer) {
    EXPECT_EQ(writer.setting("a"), "1");
    writer.put_setting("a", "2");
    EXPECT_EQ(writer.setting("a"), "2");
  });
}

// ---- opening ----

TEST_P(CatalogSuite, ReopeningKeepsEverything) {
  auto session = an_update_session("session");
  auto file = a_session_file("file");
  file.facts = ManifestFacts{{{"disk", {base::DigestAlgorithm::SHA1, "aa"}}}};
  change([&](CatalogWriter& writer) {
    put_item(writer);
    put_content(writer, "content", "blob");
    writer.insert(session);
    writer.put(session.id, file);
    writer.put_setting("server_guid", "g");
  });
  for (int times = 0; times < 2; ++times) {
    reopen();
    look([&](CatalogReader& reader) {
      EXPECT_EQ(reader.setting("server_guid"), "g");
      EXPECT_EQ(reader.find<Library>(LibraryId("library")), a_library("library"));
      EXPECT_THAT(reader.list<ContentFile>(ContentId("content")), ElementsAre(a_content_file("disk", "blob")));
      EXPECT_EQ(reader.find<UpdateSession>(session.id), session);
      EXPECT_THAT(reader.list<SessionFile>(session.id), ElementsAre(file));
      return true;
    });
  }
}

TEST_P(CatalogSuite, OpensACatalogOfSchema4) {
  auto file = a_content_file("disk", "blob");
  file.facts.emplace();
  change([&](CatalogWriter& writer) {
    put_item(writer);
    put_content(writer, "content", "blob");
    writer.put(ContentId("content"), file);
    writer.insert(ItemId("item"), Change{2, at(12), "Alice@vsphere.local"});
    writer.insert(ItemId("item"), Change{3, at(13), "Bob@vsphere.local"});
    for (const auto* name : {"Alice", "Bob"}) writer.insert(User{name, "hash"});
    writer.insert(LoginSession{LoginId("login"), "Alice", at(0), at(0)});
  });
  catalog_.reset();
  for (const auto* statement : {"DROP TABLE group_members",
                                "DROP TABLE user_groups",
                                "DROP TABLE roles",
                                "DROP TABLE permissions",
                                "ALTER TABLE users DROP COLUMN enabled",
                                "ALTER TABLE users DROP COLUMN description",
                                "ALTER TABLE users ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0",
                                "UPDATE users SET administrator = 1 WHERE name = 'Alice'",
                                "ALTER TABLE logins DROP COLUMN outside_groups",
                                "DROP INDEX api_tokens_by_user",
                                "ALTER TABLE logins DROP COLUMN api_token",
                                "CREATE INDEX blobs_by_storage ON blobs (storage, id)",
                                "DROP TABLE tag_attachments",
                                "DROP TABLE tags",
                                "DROP TABLE tag_categories",
                                "DROP TABLE library_usages",
                                "DROP TABLE subscriptions",
                                "DROP TABLE source_items",
                                "ALTER TABLE items DROP COLUMN cached",
                                "ALTER TABLE items DROP COLUMN last_sync_time",
                                "ALTER TABLE download_sessions DROP COLUMN awaits_content",
                                "ALTER TABLE libraries DROP COLUMN subscription",
                                "ALTER TABLE libraries DROP COLUMN usage_protects_items",
                                "ALTER TABLE libraries DROP COLUMN state",
                                "ALTER TABLE libraries DROP COLUMN migration",
                                "DROP TABLE task_blobs",
                                "DROP TABLE tasks",
                                "DROP TABLE webhook_deliveries",
                                "DROP TABLE webhooks",
                                "DROP TABLE events",
                                "DROP TABLE trusted_certificates",
                                "ALTER TABLE libraries DROP COLUMN security_policy_id",
                                "DROP TABLE quotas",
                                "ALTER TABLE items DROP COLUMN creator",
                                "ALTER TABLE items DROP COLUMN reserved",
                                "ALTER TABLE session_files DROP COLUMN reserved",
                                "ALTER TABLE content_files DROP COLUMN facts",
                                "ALTER TABLE content_files DROP COLUMN since",
                                "ALTER TABLE libraries DROP COLUMN published",
                                "ALTER TABLE libraries DROP COLUMN publish_authentication",
                                "ALTER TABLE libraries DROP COLUMN publish_password_hash",
                                "ALTER TABLE libraries DROP COLUMN generation",
                                "ALTER TABLE libraries DROP COLUMN persist_json",
                                "DELETE FROM schema_migrations WHERE number > 4"})
    place_->execute(statement);
  reopen();
  file.facts = std::nullopt;
  file.since = 2;  // of its set
  look([&](CatalogReader& reader) {
    EXPECT_EQ(reader.find<Library>(LibraryId("library")), a_library("library"));
    EXPECT_THAT(reader.list<ContentFile>(ContentId("content")), ElementsAre(file));
    EXPECT_THAT(reader.events_after(0, 1), IsEmpty());
    EXPECT_EQ(reader.find<Item>(ItemId("item"))->creator, "alice@vsphere.local") << "who gave it its first content";
    EXPECT_THAT(reader.users(), ElementsAre(User{"Alice", "hash", ""}, User{"Bob", "hash", ""}));
    EXPECT_THAT(reader.permissions({}),
                ElementsAre(Permission{"Alice", PrincipalType::USER, {}, administrator_role, true},
                            Permission{"Bob", PrincipalType::USER, {}, contributor_role, true}));
    EXPECT_EQ(reader.find<LoginSession>(LoginId("login"))->user, "Alice");
    return true;
  });
  change([](CatalogWriter& writer) { writer.append_event(an_event(EventKind::library_created, at(0))); });
}

TEST_P(CatalogSuite, RefusesANewerSchema) {
  catalog_.reset();
  place_->execute("INSERT INTO schema_migrations (number, name) VALUES (1000, 'from the future')");
  const auto opened = place_->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::unsupported);
  EXPECT_NE(opened.error().text().find("1000"), std::string::npos) << opened.error().text();
  place_->execute("DELETE FROM schema_migrations WHERE number = 1000");
  reopen();
}

}  // namespace quire::test_suites
