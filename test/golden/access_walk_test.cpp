#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <map>
#include <string>
#include <vector>

#include "golden/bindings.h"
#include "golden/plausible.h"

/// Who may call what (content-library-api.md §1.9, §28.4): every operation of the registry, on every binding, by users
/// whom the privileges of the operation allow it, whom they do not, and who cannot even see the object. An operation is
/// found wrong when what it checks is not what it declares.
namespace quire::golden {
namespace {

namespace json = boost::json;
using api::ObjectKind;
using content::Privilege;
using content::PrivilegeSet;

constexpr auto administrator = "administrator@vsphere.local";
constexpr auto walker = "walker@vsphere.local";
constexpr auto unknown_id = "00000000-0000-4000-8000-0000000000ff";

enum class Cell {
  may,         ///< whatever it says, it is no refusal by privileges
  may_not,     ///< Unauthorized, and the answer names the privilege
  cannot_see,  ///< NotFound, in the words for an object that does not exist
};

PrivilegeSet without(PrivilegeSet set, Privilege privilege) {
  set.remove(privilege);
  return set;
}

/// One binding, with objects of the administrator's and of the walker's.
class AccessWalk {
 public:
  explicit AccessWalk(Binding binding) : client_(binding, server_, transcript_) {
    server_.limits().logins_max = 1'000'000;
    server_.limits().update_sessions_active_max = 1'000'000;
    server_.limits().download_sessions_max = 1'000'000;
    server_.add_user(walker, {});
  }

  void walk(const api::Operation& operation) {
    const auto name = short_name(operation);
    const Privilege privilege = operation.facts.privilege;
    SCOPED_TRACE(name);
    const bool is_somebodys = std::any_of(operation.objects.begin(), operation.objects.end(), [](const auto& object) {
      return object.kind == ObjectKind::update_session || object.kind == ObjectKind::download_session ||
             object.kind == ObjectKind::task;
    });
    for (const auto& role : content::system_roles()) {
      SCOPED_TRACE(role.name);
      check(expected(operation, role.privileges, is_somebodys), operation, [&] { return on_root(role.privileges); });
    }
    const auto all = PrivilegeSet::all();
    // The privilege alone, with what reading needs; making a library needs room on a storage besides.
    PrivilegeSet needed = content::with_reading({privilege});
    if (privilege == Privilege::ContentLibrary_CreateLocalLibrary ||
        privilege == Privilege::ContentLibrary_CreateSubscribedLibrary)
      needed.add(Privilege::Datastore_AllocateSpace);
    if (is_somebodys) {
      // Whoever made a session or began a task goes on with it, whatever they may do by now; whoever did not needs all.
      check(Cell::may, operation, [&] { return on_root({}); }, walker);
      check(Cell::cannot_see, operation, [&] { return on_root(without(all, Privilege::Global_Diagnostics)); });
      return;
    }
    const bool is_read = privilege == Privilege::System_Read || privilege == Privilege::System_Anonymous;
    check(Cell::may, operation, [&] { return on_root(needed); });
    if (!is_read) check(Cell::may_not, operation, [&] { return on_root(without(all, privilege)); });
    if (!is_in_library(operation)) return;
    // What is said of the library counts, whatever is said of the root; but nobody locks out who governs all.
    const bool governs = privilege == Privilege::Authorization_ModifyPermissions;
    check(governs ? Cell::may : Cell::cannot_see, operation, [&] { return given(all, {}); });
    check(Cell::may, operation, [&] { return given({}, needed); });
    if (!is_read && !governs) check(Cell::may_not, operation, [&] { return given(needed, without(all, privilege)); });
  }

  /// For whoever asks, with whatever privileges, an object that is not there is not there.
  void walk_unknown(const api::Operation& operation) {
    SCOPED_TRACE(short_name(operation) + ", unknown identifiers");
    for (auto& [kind, id] : ids_) id = unknown_id;
    for (const auto& privileges : {PrivilegeSet::all(), PrivilegeSet(), content::with_reading({})}) {
      server_.give(walker, on_root(privileges));
      expect(Cell::cannot_see, operation);
    }
  }

 private:
  /// Certificates everybody sees.
  static bool is_in_library(const api::Operation& operation) {
    return std::any_of(operation.objects.begin(), operation.objects.end(),
                       [](const auto& object) { return object.kind != ObjectKind::trusted_certificate; });
  }

  static Cell expected(const api::Operation& operation, const PrivilegeSet& held, bool is_somebodys) {
    if (is_somebodys) return held == PrivilegeSet::all() ? Cell::may : Cell::cannot_see;
    const Privilege privilege = operation.facts.privilege;
    if (is_in_library(operation) && !held.has(Privilege::System_Read)) return Cell::cannot_see;
    // Lists are filtered instead of refused.
    if (privilege == Privilege::System_Anonymous || privilege == Privilege::System_Read) return Cell::may;
    return held.has(privilege) ? Cell::may : Cell::may_not;
  }

  static std::vector<GoldenServer::Given> on_root(const PrivilegeSet& privileges) { return {{privileges, {}}}; }
  std::vector<GoldenServer::Given> given(const PrivilegeSet& root, const PrivilegeSet& on_library) const {
    return {{root, {}}, {on_library, library()}};
  }

  content::LibraryId library() const { return content::LibraryId(ids_.at(ObjectKind::library)); }

  void log_in(const char* user) {
    client_.authenticate_once(user, "secret");
    client_.use(std::string(client_.done("cis.session.create").as_string()));
  }

  /// A library with an item, a session of each kind and a task, all by this user.
  void make_objects(const char* user) {
    server_.give(walker, {{PrivilegeSet::all()}});
    log_in(user);
    const auto make = [&](std::string_view operation, json::object spec) {
      return std::string(client_.done(operation, {{"create_spec", std::move(spec)}}).as_string());
    };
    const auto& made = ids_[ObjectKind::library] = make("content.local_library.create", {{"name", "l"}});
    const auto& item = ids_[ObjectKind::library_item] =
        make("content.library.item.create", {{"library_id", made}, {"name", "i"}});
    ids_[ObjectKind::update_session] = make("content.library.item.update_session.create", {{"library_item_id", item}});
    ids_[ObjectKind::download_session] =
        make("content.library.item.download_session.create", {{"library_item_id", item}});
    ids_[ObjectKind::task] = server_.add_task(user);
    ids_[ObjectKind::trusted_certificate] =
        client_.done("content.trusted_certificates.create", {{"spec", json::object{{"cert_text", a_certificate}}}})
            .as_string();
  }

  json::object input_of(const api::Operation& operation) const {
    json::value input = plausible(*operation.input);
    for (const auto& object : operation.objects) at_path(input, object.member) = json::string(ids_.at(object.kind));
    // Quotas of libraries are set by whoever may do so on the root.
    if (operation.facts.service == "com.quire.quota.libraries" && input.as_object().contains("library"))
      input.as_object()["library"] = json::string(ids_.at(ObjectKind::library));
    // Of oneself: to ask of others needs more.
    const bool asks_of_user =
        operation.facts.name == "effective" || operation.facts.service == "com.quire.access.tokens";
    if (asks_of_user) input.as_object().erase("user");
    if (auto* spec = input.as_object().if_contains("create_spec"); spec != nullptr && asks_of_user)
      spec->as_object().erase("library_ids");
    if (operation.facts.service == "com.quire.webhooks")  // no object, but a filter
      for (const auto* name : {"create_spec", "update_spec"})
        if (auto* spec = input.as_object().if_contains(name)) spec->as_object().erase("library");
    return input.as_object();
  }

  /// One cell, with fresh objects of `owner` and what `given()` says that the walker may.
  template <class F>
  void check(Cell cell, const api::Operation& operation, F what, const char* owner = administrator) {
    make_objects(owner);
    server_.give(walker, what());
    expect(cell, operation);
  }

  void expect(Cell cell, const api::Operation& operation) {
    log_in(walker);
    const auto outcome = client_.attempt(short_name(operation), input_of(operation));
    const auto id = outcome.error_id();
    const bool hidden = id == "quire.library.not_found" || id == "quire.item.not_found" ||
                        id == "quire.update_session.not_found" || id == "quire.download_session.not_found" ||
                        id == "quire.trust.certificate_not_found" || id == "quire.task.not_found";
    const auto said = json::serialize(outcome.error);
    switch (cell) {
      case Cell::may:
        EXPECT_FALSE(hidden || id == "quire.access.unauthorized") << said;
        break;
      case Cell::may_not: {
        const Privilege privilege = operation.facts.privilege;
        EXPECT_EQ(outcome.error_type, "UNAUTHORIZED") << said;
        EXPECT_NE(said.find(base::name_of(privilege)), std::string::npos) << said;
        break;
      }
      case Cell::cannot_see:
        EXPECT_EQ(outcome.error_type, "NOT_FOUND") << said;
        EXPECT_TRUE(hidden) << said;
        break;
    }
  }

  GoldenServer server_;
  Transcript transcript_;
  Client client_;
  std::map<ObjectKind, std::string> ids_;
};

class AccessWalkTest : public testing::TestWithParam<Binding> {};
INSTANTIATE_TEST_SUITE_P(Bindings, AccessWalkTest,
                         testing::Values(Binding::legacy_rest, Binding::new_rest, Binding::json_rpc));

TEST_P(AccessWalkTest, EveryOperationChecksWhatItDeclares) {
  AccessWalk walk(GetParam());
  for (const auto& operation : api::all_operations()) {
    const bool is_served = GetParam() != Binding::new_rest || operation.facts.in_new_rest;
    if (!is_served || !operation.facts.needs_login) continue;
    walk.walk(operation);
    if (!operation.objects.empty()) walk.walk_unknown(operation);
  }
}

}  // namespace
}  // namespace quire::golden
