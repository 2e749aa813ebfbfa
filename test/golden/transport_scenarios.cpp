#include "golden/transport_scenarios.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace quire::golden {
namespace {

namespace json = boost::json;
using json::object;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

constexpr auto basic = "Basic YWRtaW5pc3RyYXRvckB2c3BoZXJlLmxvY2FsOnNlY3JldA==";
const std::string json_type = "application/json";

/// A login, a library and an item to work with, made by ordinary calls.
struct Place {
  std::string token;
  std::string library;
  std::string item;
};

Place prepare(Client& client) {
  client.transcript().heading("The binding's own rules");
  client.use(std::nullopt);
  client.authenticate_once("administrator@vsphere.local", "secret");
  Place place;
  place.token = client.done("cis.session.create").as_string();
  client.use(place.token);
  place.library = client.done("content.local_library.create", {{"create_spec", object{{"name", "rules"}}}}).as_string();
  place.item =
      client
          .done("content.library.item.create", {{"create_spec", object{{"library_id", place.library}, {"name", "x"}}}})
          .as_string();
  return place;
}

}  // namespace

void legacy_rest_transport(Client& client) {
  const auto place = prepare(client);
  const std::string session = "/rest/com/vmware/cis/session";
  const std::string library = "/rest/com/vmware/content/library";
  const std::string item = library + "/item";
  const HeaderList login = {{"vmware-api-session-id", place.token}};
  auto with_json = login;
  with_json.emplace_back("Content-Type", json_type);

  client.raw("A login sets a cookie unless the client promises to use the header", "POST", session, "",
             {{"Authorization", basic}});
  client.raw("A login with a body", "POST", session, "{}", {{"Authorization", basic}, {"Content-Type", json_type}});
  client.raw("The cookie is as good as the header", "GET", library, "",
             {{"Cookie", "a=b; vmware-api-session-id=" + place.token}});
  client.raw("Credentials alone are no session", "GET", library, "", {{"Authorization", basic}});
  client.raw("Single sign-on tokens are not known", "POST", session, "", {{"Authorization", "SIGN token=\"abc\""}});
  client.raw("Session get by GET", "GET", session, "", login);
  client.raw("Configuration get by GET", "GET", "/rest/com/vmware/content/configuration", "", login);
  client.raw("The identifier may be escaped", "GET", library + "/id%3A" + place.library, "", login);
  client.raw("Actions with underscores", "POST", item + "/update-session/id:nonsense?~action=keep_alive", "", login);
  client.raw("The alternate form: get by POST", "POST", library + "/id:" + place.library + "?~action=get", "", login);
  client.raw("The alternate form: list by POST", "POST", library + "?~action=list", "", login);
  client.raw("The alternate form: create by POST", "POST", item + "?~action=create",
             json::serialize(object{{"create_spec", object{{"library_id", place.library}, {"name", "y"}}}}), with_json);
  client.raw("The alternate form: delete by POST, identifier in the body", "POST", item + "?~action=delete",
             json::serialize(object{{"library_item_id", place.item}}), with_json);
  client.raw("Unknown members are ignored", "POST", library + "?~action=find",
             R"({"spec": {"name": "rules", "newer": 1}, "newer": {}})", with_json);
  client.raw("null is unset", "POST", library + "?~action=find", R"({"spec": {"name": "rules", "type": null}})",
             with_json);

  client.raw("Unknown service", "GET", "/rest/com/vmware/content/nothing", "", login);
  client.raw("Unknown action", "POST", library + "?~action=explode", "", login);
  client.raw("Method that no operation has here", "PUT", library, "", login);
  client.raw("Not JSON", "POST", library + "?~action=find", "{\"spec\":", with_json);
  client.raw("No object", "POST", library + "?~action=find", "[]", with_json);
  client.raw("A member of a wrong type", "POST", library + "?~action=find", R"({"spec": {"name": 1}})", with_json);
  client.raw("A required parameter is missing", "POST", library + "?~action=find", "{}", with_json);
  client.raw("A required parameter is missing in the query", "GET", item, "", login);
  client.raw("A member twice", "POST", library + "?~action=find", R"({"spec": {"name": "a", "name": "b"}})", with_json);
  auto with_form = login;
  with_form.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  client.raw("Another content type", "POST", library + "?~action=find", "spec=x", with_form);
  client.raw("Authentication comes before the form of the request", "POST", library + "?~action=find", "{",
             {{"Content-Type", json_type}});
  client.raw("A path that is none", "GET", "/rest/com/vmware/content/library/id:%zz", "", login);
}

void new_rest_transport(Client& client) {
  const auto place = prepare(client);
  const std::string library = "/api/content/library";
  const std::string item = library + "/item";
  const HeaderList login = {{"vmware-api-session-id", place.token}};
  auto with_json = login;
  with_json.emplace_back("Content-Type", json_type);

  client.raw("A login sets no cookie", "POST", "/api/session", "", {{"Authorization", basic}});
  client.raw("The cookie is as good as the header", "GET", library, "",
             {{"Cookie", "vmware-api-session-id=" + place.token}});
  client.raw("Credentials alone are no session", "GET", library, "", {{"Authorization", basic}});
  auto with_client_token = with_json;
  with_client_token.emplace_back("Client-Token", "44444444-0000-4000-8000-000000000001");
  const auto new_item = json::serialize(object{{"library_id", place.library}, {"name", "y"}});
  client.raw("Client-Token as header", "POST", item, new_item, with_client_token);
  client.raw("Client-Token as header again", "POST", item, new_item, with_client_token);
  client.raw("A query that released Ansible modules send", "GET", item + "?library_id?library_id=" + place.library, "",
             login);
  client.raw("Unsupported query parameter", "GET", library + "?newer=1", "", login);
  client.raw("A required query parameter is missing", "GET", item, "", login);
  client.raw("A file is added by an action", "POST", item + "/update-session/nonsense/file?action=add",
             R"({"name": "x", "source_type": "PUSH"})", with_json);
  client.raw("An optional body may be null", "POST", item + "/update-session/nonsense?action=keep-alive", "null",
             with_json);
  client.raw("HEAD", "HEAD", library, "", login);
  client.raw("The OpenAPI document is for GET alone", "POST", "/api/openapi.json", "", {});

  client.raw("Unknown path", "GET", "/api/content/nothing", "", login);
  client.raw("Unknown action", "POST", library + "?action=explode", "", login);
  client.raw("Method that no operation has here", "PUT", library + "/" + place.library, "", login);
  client.raw("GET where JSON-RPC lives", "GET", "/api", "", login);
  client.raw("A path of no binding", "GET", "/elsewhere", "", login);
  client.raw("Not JSON", "POST", library + "?action=find", "{\"name\":", with_json);
  client.raw("No object", "POST", library + "?action=find", "\"x\"", with_json);
  client.raw("A member of a wrong type", "POST", library + "?action=find", R"({"name": ["x"]})", with_json);
  client.raw("No body where one is needed", "POST", library + "?action=find", "", login);
  client.raw("A member twice", "POST", library + "?action=find", R"({"name": "a", "name": "b"})", with_json);
  auto with_text = login;
  with_text.emplace_back("Content-Type", "text/plain");
  client.raw("Another content type", "POST", library + "?action=find", "x", with_text);
  client.raw("A path that is none", "GET", library + "/%zz", "", login);
}

void json_rpc_transport(Client& client) {
  const auto place = prepare(client);
  const HeaderList headers = {{"Content-Type", json_type}};
  const auto post = [&](std::string_view title, const std::string& body, HeaderList extra = {}) {
    extra.insert(extra.begin(), headers.begin(), headers.end());
    client.raw(title, "POST", "/api", body, std::move(extra));
  };
  const object session{{"schemeId", "com.vmware.vapi.std.security.session_id"}, {"sessionId", place.token}};
  const auto call = [&](std::string_view service, std::string_view operation, json::value input,
                        const json::value& security, const json::value& id = "one") {
    object params{{"serviceId", service}, {"operationId", operation}, {"ctx", object{{"securityCtx", security}}}};
    if (!input.is_null()) params.emplace("input", std::move(input));
    return json::serialize(object{{"jsonrpc", "2.0"}, {"method", "invoke"}, {"id", id}, {"params", params}});
  };
  const auto input = [](object members) {
    return object{{"STRUCTURE", object{{"operation-input", std::move(members)}}}};
  };
  constexpr auto library = "com.vmware.content.library";

  post("A number as id comes back as a number", call(library, "list", nullptr, session, 17));
  post("The input may be missing where nothing is needed", call(library, "list", nullptr, session));
  post("The session header wins over the context", call(library, "list", nullptr, object{{"schemeId", "x"}}),
       {{"vmware-api-session-id", place.token}});
  post("User and password are good for one call", call(library, "list", nullptr,
                                                       object{{"schemeId", "com.vmware.vapi.std.security.user_pass"},
                                                              {"userName", "administrator@vsphere.local"},
                                                              {"password", "secret"}}));
  post("Optionals may be missing or bare",
       call(library, "find",
            input({{"spec", object{{"STRUCTURE",
                                    object{{"com.vmware.content.library.find_spec", object{{"name", "rules"}}}}}}}}),
            session));
  post("Unknown members are ignored",
       call(library, "get", input({{"library_id", place.library}, {"newer", object{{"OPTIONAL", nullptr}}}}), session));

  post("No session", call(library, "list", nullptr, object{}));
  post("Unknown service", call("com.vmware.content.nothing", "list", nullptr, session));
  post("Unknown operation", call(library, "explode", nullptr, session));
  post("A mandatory member is missing", call(library, "get", input({}), session));
  post("A mandatory member of a wrong type", call(library, "get", input({{"library_id", 1}}), session));
  post("A structure that is none", call(library, "find", input({{"spec", object{{"name", "rules"}}}}), session));
  post("fail needs its message", call("com.vmware.content.library.item.update_session", "fail",
                                      input({{"update_session_id", "nonsense"}}), session));
  post("An input that is no structure", call(library, "list", object{{"library_id", "x"}}, session));
  post("Not JSON", "{\"jsonrpc\":");
  post("A batch", "[]");
  post("Another version", R"({"jsonrpc": "1.0", "id": "1", "method": "invoke", "params": {}})");
  post("No params", R"({"jsonrpc": "2.0", "id": "1", "method": "invoke"})");
  post("Another method", R"({"jsonrpc": "2.0", "id": "1", "method": "explode", "params": {}})");
  post("No operation", R"({"jsonrpc": "2.0", "id": "1", "method": "invoke", "params": {"serviceId": "x"}})");
  post("Headers that say something else", call(library, "list", nullptr, session),
       {{"vapi-service", library}, {"vapi-operation", "get"}});
  post("One of the two headers", call(library, "list", nullptr, session), {{"vapi-service", library}});
}

}  // namespace quire::golden
