#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "golden/bindings.h"
#include "golden/plausible.h"

/// The order of checks (content-library-api.md §28.4): authentication, form, existence, privilege, values, state. For
/// every operation of the registry on every binding: with an identifier that names nothing, whatever is wrong besides
/// does not show.
namespace quire::golden {
namespace {

namespace json = boost::json;
using api::ObjectKind;
using api::TypeKind;

constexpr Binding all_bindings[] = {Binding::legacy_rest, Binding::new_rest, Binding::json_rpc};

/// Values that have the form of the type and that no operation, or not every one, takes.
std::vector<json::value> odd_values(const api::Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return {true, false};
    case TypeKind::integer:
      return {-5, 101, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
    case TypeKind::string:
    case TypeKind::secret:
      return {"", " ", "a\x01z", "../../x", "http://127.0.0.1/", json::string(std::string(5000, 'a'))};
    case TypeKind::datetime:
      return {"0001-01-01T00:00:00.000Z"};
    case TypeKind::enumeration:
      return {type.enumerators.begin(), type.enumerators.end()};
    case TypeKind::optional:
      return odd_values(*type.element);
    case TypeKind::list:
      return {json::array(), json::array{plausible(*type.element), plausible(*type.element)}};
    case TypeKind::map:
    case TypeKind::error:
    case TypeKind::structure:
      break;
  }
  return {};
}

/// Calls `visit` with `place`, a part of the input, set to every odd value in turn, with parts of it likewise, and
/// without each part that may miss.
void with_each_oddity(const api::Type& type, json::value& place, const std::string& path,
                      const std::function<bool(const std::string&)>& is_fixed,
                      const std::function<void(const std::string&)>& visit) {
  if (is_fixed(path)) return;
  const json::value before = place;
  for (auto& odd : odd_values(type)) {
    place = odd;
    visit(path + " = " + json::serialize(odd).substr(0, 60));
  }
  place = before;
  const auto& inner = type.kind == TypeKind::optional ? *type.element : type;
  if (inner.kind == TypeKind::list)
    with_each_oddity(*inner.element, place.as_array().at(0), path + "[0]", is_fixed, visit);
  if (inner.kind != TypeKind::structure) return;
  for (const auto& field : inner.fields) {
    const auto part = path.empty() ? field.name : path + "." + field.name;
    with_each_oddity(*field.type, place.as_object().at(field.name), part, is_fixed, visit);
    if (field.type->kind != TypeKind::optional || is_fixed(part)) continue;
    const json::value kept = place.as_object().at(field.name);
    place.as_object().erase(field.name);
    visit("no " + part);
    place.as_object().emplace(field.name, kept);
  }
}

/// One binding, somebody logged in, and one object of each kind.
struct World {
  explicit World(Binding binding) : client(binding, server, transcript) {
    client.authenticate_once("administrator@vsphere.local", "secret");
    client.use(std::string(client.done("cis.session.create").as_string()));
    const auto make = [&](std::string_view operation, json::object spec) {
      return std::string(client.done(operation, {{"create_spec", std::move(spec)}}).as_string());
    };
    auto& library = ids[ObjectKind::library] = make("content.local_library.create", {{"name", "l"}});
    auto& item = ids[ObjectKind::library_item] =
        make("content.library.item.create", {{"library_id", library}, {"name", "i"}});
    ids[ObjectKind::update_session] = make("content.library.item.update_session.create", {{"library_item_id", item}});
    ids[ObjectKind::download_session] =
        make("content.library.item.download_session.create", {{"library_item_id", item}});
    ids[ObjectKind::trusted_certificate] =
        client.done("content.trusted_certificates.create", {{"spec", json::object{{"cert_text", a_certificate}}}})
            .as_string();
  }

  GoldenServer server;
  Transcript transcript;
  Client client;
  std::map<ObjectKind, std::string> ids;
};

bool is_served(const api::Operation& operation, Binding binding) {
  return binding != Binding::new_rest || operation.facts.in_new_rest;
}

TEST(CheckOrder, IdentifiersAreMarkedInTheRegistry) {
  const auto is_identifier = [](std::string_view name) {
    return name == "library_id" || name == "library_item_id" || name == "library_item" ||
           name == "ovf_library_item_id" || name == "template_library_item" || name == "source_library_item_id" ||
           name == "update_session_id" || name == "download_session_id" || name == "certificate" || name == "task";
  };
  for (const auto& operation : api::all_operations()) {
    if (operation.facts.service == "com.quire.audit") continue;  // filters, also for what is gone
    std::vector<std::string> expected;
    const bool needs_hypervisor = operation.facts.service.starts_with("com.vmware.vcenter.");
    for (const auto& field : operation.input->fields) {
      // Setting a quota is decided on the root, whatever library it is of.
      const bool is_quota = operation.facts.service == "com.quire.quota.libraries" && operation.facts.name == "get";
      const bool is_library =
          field.name == "library" && (is_quota || operation.facts.service == "com.vmware.content.library.usages" ||
                                      operation.facts.service == "com.vmware.content.library.subscriptions");
      if (is_library || is_identifier(field.name)) expected.push_back(field.name);
      if (field.name != "create_spec" && field.name != "destination_create_spec" && field.name != "set_spec" &&
          !(needs_hypervisor && (field.name == "target" || field.name == "spec")))
        continue;
      for (const auto& member : field.type->fields)
        if (is_identifier(member.name) || (needs_hypervisor && member.name == "library"))
          expected.push_back(field.name + "." + member.name);
    }
    std::vector<std::string> marked;
    for (const auto& object : operation.objects) marked.emplace_back(object.member);
    EXPECT_EQ(marked, expected) << operation.facts.service << "." << operation.facts.name
                                << ": give its input the member `objects` (api/inputs.h)";
  }
}

/// Found from outside: keep_alive with the progress 101 of a session that is not there was InvalidArgument.
TEST(CheckOrder, ExistenceBeforeValues) {
  for (const auto binding : all_bindings) {
    World world(binding);
    for (const auto& operation : api::all_operations()) {
      if (!is_served(operation, binding)) continue;
      for (const auto& unknown : operation.objects) {
        json::value input = plausible(*operation.input);
        for (const auto& object : operation.objects)
          at_path(input, object.member) = json::string(world.ids[object.kind]);
        const auto is_fixed = [&](const std::string& path) {
          return std::any_of(operation.objects.begin(), operation.objects.end(),
                             [&](const auto& object) { return object.member == path; });
        };
        const auto refused = [&](const std::string& what) {
          // New REST has no place for an empty text in a path.
          for (const auto& member : input.as_object())
            if (member.value() == "" &&
                operation.facts.path.find("{" + std::string(member.key()) + "}") != std::string::npos)
              return;
          SCOPED_TRACE(short_name(operation) + ", unknown " + std::string(unknown.member) + ", " + what);
          world.client.refused("NOT_FOUND", short_name(operation), input.as_object());
        };
        for (const auto* id : {"nonsense", "a b/c?d#e%", "00000000-0000-4000-8000-0000000000ff"}) {
          at_path(input, unknown.member) = id;
          refused(id);
        }
        with_each_oddity(*operation.input, input, "", is_fixed, refused);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(CheckOrder, AuthenticationBeforeForm) {
  for (const auto binding : all_bindings) {
    World world(binding);
    world.client.use(std::nullopt);
    for (const auto& operation : api::all_operations()) {
      if (!is_served(operation, binding) || !operation.facts.needs_login) continue;
      json::object input;  // without the members that it needs besides
      for (const auto& field : operation.input->fields)
        if (field.type->kind == TypeKind::string) input.emplace(field.name, "x");
      SCOPED_TRACE(short_name(operation));
      world.client.refused("UNAUTHENTICATED", short_name(operation), input);
    }
  }
}

TEST(CheckOrder, ValuesBeforeState) {
  for (const auto binding : all_bindings) {
    World world(binding);
    auto& client = world.client;
    const json::value update(world.ids[ObjectKind::update_session]);
    const json::value download(world.ids[ObjectKind::download_session]);
    const std::string update_session = "content.library.item.update_session.";
    const std::string download_session = "content.library.item.download_session.";
    client.done(update_session + "cancel", {{"update_session_id", update}});
    client.done(download_session + "cancel", {{"download_session_id", download}});

    const json::value long_text(std::string(100'000, 'a'));
    const json::object warning{{"type", "EXPIRED_CERTIFICATE"}, {"ignored", true}};
    client.refused("INVALID_ARGUMENT", update_session + "keep_alive",
                   {{"update_session_id", update}, {"client_progress", 101}});
    client.refused("INVALID_ARGUMENT", update_session + "fail",
                   {{"update_session_id", update}, {"client_error_message", long_text}});
    client.refused("INVALID_ARGUMENT", update_session + "update",
                   {{"update_session_id", update},
                    {"update_spec", json::object{{"warning_behavior", json::array{warning, warning}}}}});
    client.refused(
        "INVALID_ARGUMENT", "content.library.item.updatesession.file.add",
        {{"update_session_id", update}, {"file_spec", json::object{{"name", "../x"}, {"source_type", "PUSH"}}}});
    client.refused("INVALID_ARGUMENT", download_session + "keep_alive",
                   {{"download_session_id", download}, {"progress", -1}});
    client.refused("INVALID_ARGUMENT", download_session + "fail",
                   {{"download_session_id", download}, {"client_error_message", long_text}});
    client.refused("NOT_ALLOWED_IN_CURRENT_STATE", update_session + "keep_alive",
                   {{"update_session_id", update}, {"client_progress", 100}});
  }
}

/// A client token is a value too: sent before with another spec, or no UUID.
TEST(CheckOrder, ExistenceBeforeClientTokens) {
  constexpr auto token = "b8a2a2e3-2314-43cd-a871-6ede0f429751";
  const std::map<std::string, std::string> containers = {
      {"content.library.item.create", "library_id"},
      {"content.library.item.update_session.create", "library_item_id"},
      {"content.library.item.download_session.create", "library_item_id"}};
  for (const auto binding : all_bindings) {
    World world(binding);
    world.client.done("content.library.item.update_session.cancel",
                      {{"update_session_id", world.ids[ObjectKind::update_session]}});
    for (const auto& [operation, member] : containers) {
      const auto id = world.ids[member == "library_id" ? ObjectKind::library : ObjectKind::library_item];
      const auto input = [&](std::string_view container) {
        return json::object{{"client_token", token},
                            {"create_spec", json::object{{member, container}, {"name", "made once"}}}};
      };
      const auto made = world.client.done(operation, input(id));
      EXPECT_TRUE(world.client.done(operation, input(id)) == made);
      world.client.refused("NOT_FOUND", operation, input("nonsense"));
    }
  }
}

}  // namespace
}  // namespace quire::golden
