#include "wire/openapi/openapi.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>

#include "api/event_structures.h"
#include "api/examples.h"
#include "api/identifiers.h"
#include "wire/codec/error_table.h"
#include "wire/rest/new_rest_mapping.h"

namespace quire::wire {
namespace {

namespace json = boost::json;
using api::TypeKind;
using base::ErrorKind;

constexpr std::string_view error_schema_name = "com.vmware.vapi.std.errors.error";
constexpr std::string_view token_scheme = "session";
constexpr std::string_view password_scheme = "password";

json::object reference(std::string_view name) {
  json::object object;
  object.emplace("$ref", "#/components/schemas/" + std::string(name));
  return object;
}

json::object of_type(std::string_view type) {
  json::object object;
  object.emplace("type", type);
  return object;
}

const api::Type& without_optional(const api::Type& type) {
  return type.kind == TypeKind::optional ? *type.element : type;
}

/// Empty when the member holds no identifiers.
std::string_view resource_type_of(const api::Field& member) {
  const auto& type = without_optional(*member.type);
  const auto& element = type.kind == TypeKind::list ? *type.element : type;
  return element.kind == TypeKind::string ? api::resource_type_of(member.name) : std::string_view();
}

/// Schemas of the types that operations use, each named one once under its canonical name.
class Schemas {
 public:
  json::object of(const api::Type& type) {
    switch (type.kind) {
      case TypeKind::boolean:
        return of_type("boolean");
      case TypeKind::integer: {
        auto schema = of_type("integer");
        schema.emplace("format", "int64");
        return schema;
      }
      case TypeKind::string:
        return of_type("string");
      case TypeKind::datetime: {
        auto schema = of_type("string");
        schema.emplace("format", "date-time");
        schema.emplace("examples", json::array{"2026-02-11T08:04:17.512Z"});
        return schema;
      }
      case TypeKind::secret: {
        auto schema = of_type("string");
        schema.emplace("format", "password");
        return schema;
      }
      case TypeKind::error:
        return reference(error_schema_name);
      case TypeKind::optional:
        return of(*type.element);
      case TypeKind::list: {
        auto schema = of_type("array");
        schema.emplace("items", of(*type.element));
        return schema;
      }
      case TypeKind::map: {
        auto schema = of_type("object");
        schema.emplace("additionalProperties", of(*type.element));
        return schema;
      }
      case TypeKind::enumeration:
      case TypeKind::structure:
        break;
    }
    add_named(type);
    return reference(type.name);
  }

  /// The same for a member, telling of what it holds identifiers.
  json::object of_member(const api::Field& member) {
    auto schema = of(*member.type);
    if (const auto resource = resource_type_of(member); !resource.empty()) {
      auto* items = schema.if_contains("items");
      (items ? items->get_object() : schema).emplace("x-resource-type", resource);
    }
    return schema;
  }

  /// An object of some of a structure's fields.
  json::object of_fields(const std::vector<const api::Field*>& fields) {
    auto schema = of_type("object");
    json::object properties;
    json::array required;
    for (const auto* field : fields) {
      properties.emplace(field->name, of_member(*field));
      if (field->type->kind != TypeKind::optional) required.emplace_back(field->name);
    }
    schema.emplace("properties", std::move(properties));
    if (!required.empty()) schema.emplace("required", std::move(required));
    return schema;
  }

  /// To a structure whose schema is there.
  void add_property(std::string_view name, std::string_view property, json::object schema) {
    named_.at(std::string(name)).at("properties").get_object().insert_or_assign(property, std::move(schema));
  }

  void add(std::string_view name, json::object schema) {
    named_.insert_or_assign(std::string(name), std::move(schema));
  }

  json::object all() const {
    json::object object;
    for (const auto& [name, schema] : named_) object.emplace(name, schema);
    return object;
  }

 private:
  void add_named(const api::Type& type) {
    if (!named_.try_emplace(type.name).second) return;  // before its members: one of them may be of the same type
    json::object schema;
    if (type.kind == TypeKind::enumeration) {
      schema = of_type("string");
      schema.emplace("enum", json::array(type.enumerators.begin(), type.enumerators.end()));
    } else {
      std::vector<const api::Field*> fields;
      for (const auto& field : type.fields) fields.push_back(&field);
      schema = of_fields(fields);
    }
    add(type.name, std::move(schema));
  }

  std::map<std::string, json::object> named_;
};

json::object error_schema(Schemas& schemas) {
  json::array types;
  for (const auto kind : base::all_error_kinds()) types.emplace_back(error_type(kind));
  auto type = of_type("string");
  type.emplace("enum", std::move(types));
  auto messages = of_type("array");
  messages.emplace("items", schemas.of(localizable_message_type()));
  json::object properties;
  properties.emplace("error_type", std::move(type));
  properties.emplace("messages", std::move(messages));
  properties.emplace("challenge", of_type("string"));
  auto schema = of_type("object");
  schema.emplace("properties", std::move(properties));
  schema.emplace("required", json::array{"error_type", "messages"});
  return schema;
}

json::object json_content(json::object schema) {
  json::object media;
  media.emplace("schema", std::move(schema));
  json::object content;
  content.emplace("application/json", std::move(media));
  return content;
}

json::object parameter(std::string_view name, std::string_view in, bool required, json::object schema) {
  json::object object;
  object.emplace("name", name);
  object.emplace("in", in);
  object.emplace("required", required);
  object.emplace("schema", std::move(schema));
  return object;
}

/// An operation and where it stands, with the other operations of its method and path known.
struct Entry {
  const api::Operation* operation;
  NewRestMapping mapping;
  bool query_in_key = false;  ///< its mandatory query members tell it from another operation
};

std::string key_of(const Entry& entry) {
  std::string key = entry.operation->facts.path;
  char separator = '?';
  const auto add = [&](std::string_view name, std::string_view value) {
    key += separator;
    key.append(name).append("=").append(value);
    separator = '&';
  };
  if (!entry.operation->facts.action.empty()) add("action", entry.operation->facts.action);
  for (std::size_t i = 0; entry.query_in_key && i < entry.mapping.places.size(); ++i) {
    const auto& name = entry.operation->input->fields[i].name;
    if (entry.mapping.needs_in_query(*entry.operation, i)) add(name, "{" + name + "}");
  }
  return key;
}

json::array parameters_of(const Entry& entry, Schemas& schemas) {
  json::array parameters;
  for (std::size_t i = 0; i < entry.mapping.places.size(); ++i) {
    const auto& field = entry.operation->input->fields[i];
    const auto place = entry.mapping.places[i];
    if (place == InputPlace::body_member || place == InputPlace::whole_body) continue;
    const bool in_key =
        place == InputPlace::path || (entry.query_in_key && entry.mapping.needs_in_query(*entry.operation, i));
    const bool required = field.type->kind != TypeKind::optional;
    auto schema = schemas.of_member(field);
    if (place == InputPlace::client_token) {
      schema.emplace("format", "uuid");
      parameters.push_back(parameter("Client-Token", "header", false, schema));
    }
    parameters.push_back(parameter(field.name, in_key ? "path" : "query", required, std::move(schema)));
  }
  return parameters;
}

/// Empty when the operation takes nothing from the body.
json::object request_body_of(const Entry& entry, Schemas& schemas) {
  std::vector<const api::Field*> members;
  json::object schema;
  bool required = false;
  for (std::size_t i = 0; i < entry.mapping.places.size(); ++i) {
    const auto& field = entry.operation->input->fields[i];
    const auto place = entry.mapping.places[i];
    if (place != InputPlace::body_member && place != InputPlace::whole_body) continue;
    members.push_back(&field);
    required = required || field.type->kind != TypeKind::optional;
    if (place == InputPlace::whole_body) schema = schemas.of(*field.type);
  }
  if (members.empty()) return {};
  if (schema.empty()) schema = schemas.of_fields(members);
  json::object body;
  body.emplace("required", required && !entry.operation->facts.optional_body);
  auto content = json_content(std::move(schema));
  if (const auto example = api::example_of(entry.operation->full_name); !example.empty())
    content.at("application/json").get_object().emplace("example", json::parse(example));
  body.emplace("content", std::move(content));
  return body;
}

/// By status: the kinds that an operation may answer, its declared ones and those that go without saying.
std::map<int, std::vector<std::string>> failures_of(const api::OperationFacts& facts) {
  auto kinds = facts.errors;
  kinds.push_back(ErrorKind::invalid_argument);
  kinds.push_back(ErrorKind::invalid_request);
  kinds.push_back(ErrorKind::internal_server_error);
  kinds.push_back(ErrorKind::service_unavailable);
  if (facts.needs_login) {
    kinds.push_back(ErrorKind::unauthenticated);
    kinds.push_back(ErrorKind::unauthorized);
  }
  std::map<int, std::vector<std::string>> failures;
  for (const auto kind : base::all_error_kinds()) {
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) continue;
    failures[status_of(kind, RestForm::current)].push_back(error_type(kind));
  }
  return failures;
}

/// Where a call tells the identifier of what it has made: the answer, a member of it, or what the request named.
std::string identifier_of_made(const Entry& entry) {
  const auto& operation = *entry.operation;
  if (operation.output && operation.output->kind == TypeKind::string) return "$response.body";
  std::string_view member = "name";
  if (operation.output)
    for (const auto& field : operation.output->fields)
      if (resource_type_of(field) == operation.facts.creates) member = field.name;
  return (operation.output ? "$response.body#/" : "$request.body#/") + std::string(member);
}

/// The member of the path that identifies something of this type; nullptr when there is none.
const api::Field* path_member(const Entry& entry, std::string_view resource) {
  for (std::size_t i = 0; !resource.empty() && i < entry.mapping.places.size(); ++i) {
    const auto& field = entry.operation->input->fields[i];
    if (entry.mapping.places[i] == InputPlace::path && resource_type_of(field) == resource) return &field;
  }
  return nullptr;
}

/// The body of the example with the identifier of what `from` has made in the members that take one; unset when none
/// does.
std::optional<json::object> linked_body(const Entry& from, const Entry& to) {
  const auto example = api::example_of(to.operation->full_name);
  if (example.empty()) return std::nullopt;
  auto body = json::parse(example).as_object();
  bool is_named = false;
  const auto name_in = [&](const api::Field& field) {
    if (resource_type_of(field) != from.operation->facts.creates || !body.contains(field.name)) return;
    json::value identifier(identifier_of_made(from));
    if (without_optional(*field.type).kind == TypeKind::list) identifier = json::array{std::move(identifier)};
    body[field.name] = std::move(identifier);
    is_named = true;
  };
  for (std::size_t i = 0; i < to.mapping.places.size(); ++i) {
    const auto& field = to.operation->input->fields[i];
    if (to.mapping.places[i] == InputPlace::body_member) name_in(field);
    if (to.mapping.places[i] != InputPlace::whole_body) continue;
    for (const auto& member : without_optional(*field.type).fields) name_in(member);
  }
  if (!is_named) return std::nullopt;
  return body;
}

/// From what `from` has made to an operation that takes its identifier; unset when `to` takes none, or needs besides
/// what a call of `from` does not tell.
std::optional<json::object> link_of(const Entry& from, const Entry& to) {
  const auto creates = from.operation->facts.creates;
  json::object parameters;
  bool is_named = false;
  for (std::size_t i = 0; i < to.mapping.places.size(); ++i) {
    const auto place = to.mapping.places[i];
    if (place != InputPlace::path && place != InputPlace::query) continue;
    const auto& field = to.operation->input->fields[i];
    const auto resource = resource_type_of(field);
    if (resource == creates) {
      parameters.emplace(field.name, identifier_of_made(from));
      is_named = true;
    } else if (field.type->kind != TypeKind::optional) {
      const auto* known = path_member(from, resource);
      if (!known) return std::nullopt;
      parameters.emplace(field.name, "$request.path." + known->name);
    }
  }
  auto body = linked_body(from, to);
  if (!is_named && !body) return std::nullopt;
  json::object link{{"operationId", to.operation->full_name}};
  if (!parameters.empty()) link.emplace("parameters", std::move(parameters));
  if (body) link.emplace("requestBody", std::move(*body));
  return link;
}

/// What can be done with what an operation has made: every operation that takes its identifier.
json::object links_of(const Entry& entry, const std::vector<Entry>& all) {
  json::object links;
  if (entry.operation->facts.creates.empty()) return links;
  for (const auto& other : all)
    if (auto link = link_of(entry, other)) links.emplace(other.operation->full_name, std::move(*link));
  return links;
}

void add_failures(json::object& responses, const api::OperationFacts& facts) {
  for (const auto& [status, types] : failures_of(facts)) {
    std::string description;
    for (const auto& type : types) description += (description.empty() ? "" : ", ") + type;
    json::object response;
    response.emplace("description", description);
    response.emplace("content", json_content(reference(error_schema_name)));
    responses.emplace(std::to_string(status), std::move(response));
  }
}

json::object responses_of(const Entry& entry, const std::vector<Entry>& all, Schemas& schemas) {
  const auto& operation = *entry.operation;
  json::object success;
  success.emplace("description", operation.output ? "The result." : "Done.");
  if (operation.output) success.emplace("content", json_content(schemas.of(*operation.output)));
  if (auto links = links_of(entry, all); !links.empty()) success.emplace("links", std::move(links));
  json::object responses;
  responses.emplace(std::to_string(operation.facts.status), std::move(success));
  add_failures(responses, operation.facts);
  return responses;
}
json::object description_of(const Entry& entry, const std::vector<Entry>& all, Schemas& schemas) {
  const auto& facts = entry.operation->facts;
  json::object object;
  object.emplace("operationId", facts.service + "." + facts.name);
  object.emplace("tags", json::array{facts.service});
  object.emplace("summary", facts.summary);
  object.emplace("x-vapi-service", facts.service);
  object.emplace("x-vapi-operation", facts.name);
  if (facts.needs_login) {
    const content::Privilege privilege = facts.privilege;
    object.emplace("x-privilege", base::name_of(privilege));
  }
  auto parameters = parameters_of(entry, schemas);
  if (!parameters.empty()) object.emplace("parameters", std::move(parameters));
  auto body = request_body_of(entry, schemas);
  if (!body.empty()) object.emplace("requestBody", std::move(body));
  object.emplace("responses", responses_of(entry, all, schemas));
  if (!facts.needs_login) {
    json::object scheme;
    scheme.emplace(password_scheme, json::array());
    object.emplace("security", json::array{std::move(scheme)});
  }
  return object;
}

/// `data` of an event: its structure, and what no structure can say.
json::object event_schema(Schemas& schemas) {
  auto event = schemas.of(api::event_message_type());
  auto details = of_type("object");
  details.emplace("description", "What the kind tells besides: new names, versions, how a session ended.");
  schemas.add_property(api::event_message_type().name, "details", std::move(details));
  return event;
}

/// A message of the stream, as OpenAPI 3.2 describes them (`itemSchema`); 3.1 has no word for it.
json::object stream_item_schema(Schemas& schemas) {
  auto others = of_type("string");
  others.emplace("enum", json::array{"events.lost", "update_session.progress", "task.progress"});
  json::object data = of_type("string");
  data.emplace("contentMediaType", "application/json");
  data.emplace("contentSchema",
               json::object{{"anyOf", json::array{event_schema(schemas), schemas.of(api::events_lost_type()),
                                                  schemas.of(api::session_progress_type()),
                                                  schemas.of(api::task_progress_type())}}});
  json::object properties;
  properties.emplace("id", of_type("string"));
  properties.emplace("event",
                     json::object{{"anyOf", json::array{schemas.of(api::event_kind_type()), std::move(others)}}});
  properties.emplace("data", std::move(data));
  auto item = of_type("object");
  item.emplace("properties", std::move(properties));
  item.emplace("required", json::array{"event", "data"});
  return item;
}

/// `GET /events` is no operation of the registry: its answer is a stream (wire/events/event_streams.h).
json::object event_stream_description(Schemas& schemas) {
  const api::OperationFacts facts{.service = "com.quire.events",
                                  .name = "follow",
                                  .privilege = content::Privilege::System_Anonymous,
                                  .errors = {ErrorKind::service_unavailable},
                                  .summary = ""};
  auto kinds = of_type("array");
  kinds.emplace("items", schemas.of(api::event_kind_type()));
  auto number = of_type("integer");
  number.emplace("format", "int64");
  number.emplace("minimum", 0);
  const auto described = [](json::object one, std::string_view description) {
    one.emplace("description", description);
    return one;
  };
  json::object media;
  media.emplace("schema", described(of_type("string"),
                                    "Server-sent events (WHATWG HTML), until the client goes, its "
                                    "login ends or the server stops."));
  media.emplace("x-item-schema", stream_item_schema(schemas));
  json::object responses;
  responses.emplace("200", json::object{{"description", "The events, as they happen."},
                                        {"content", json::object{{"text/event-stream", std::move(media)}}}});
  add_failures(responses, facts);
  json::object object;
  object.emplace("operationId", "com.quire.events.follow");
  object.emplace("tags", json::array{facts.service});
  object.emplace("summary",
                 "Follows the events that one may see: those behind a number first, then what happens. docs/events.md "
                 "tells how clients go on after a break.");
  object.emplace(
      "parameters",
      json::array{described(parameter("library", "query", false, of_type("string")), "Only events of this library."),
                  described(parameter("item", "query", false, of_type("string")), "Only events of this item."),
                  described(parameter("kind", "query", false, std::move(kinds)), "Only events of these kinds."),
                  described(parameter("after", "query", false, number),
                            "Events behind this number first; 0 for all that are kept. Without it: from now on."),
                  described(parameter("progress", "query", false, of_type("boolean")),
                            "Besides, how far update sessions and tasks are, once a second at most."),
                  described(parameter("Last-Event-ID", "header", false, number), "As after, and wins over it.")});
  object.emplace("responses", std::move(responses));
  return object;
}

/// In the order of the operations. Two that share method, path and action are told apart by their query.
std::vector<Entry> entries_of(const std::vector<api::Operation>& operations) {
  std::vector<Entry> entries;
  for (const auto& operation : operations)
    if (operation.facts.in_new_rest) entries.push_back({&operation, new_rest_mapping(operation)});
  std::map<std::string, int> uses;
  for (const auto& entry : entries) ++uses[entry.operation->facts.method + " " + key_of(entry)];
  for (auto& entry : entries) entry.query_in_key = uses[entry.operation->facts.method + " " + key_of(entry)] > 1;
  return entries;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

json::object security_schemes() {
  auto token = of_type("apiKey");
  token.emplace("in", "header");
  token.emplace("name", "vmware-api-session-id");
  token.emplace("description", "The token that POST /session returned.");
  auto password = of_type("http");
  password.emplace("scheme", "basic");
  password.emplace("description", "User and password; only to create a session.");
  json::object schemes;
  schemes.emplace(token_scheme, std::move(token));
  schemes.emplace(password_scheme, std::move(password));
  return schemes;
}

/// One line for each operation and each schema, so that a change shows as a small difference.
std::string in_lines(const json::value& value, int depth = 0) {
  const auto* object = value.if_object();
  if (!object || object->empty() || depth == 4) return json::serialize(value);
  std::string text = "{";
  for (const auto& member : *object) {
    if (text.size() > 1) text += ',';
    text += '\n' + std::string(static_cast<std::size_t>(depth) + 1, ' ') + json::serialize(json::string(member.key())) +
            ": " + in_lines(member.value(), depth + 1);
  }
  return text + '\n' + std::string(static_cast<std::size_t>(depth), ' ') + '}';
}

}  // namespace

json::object openapi_document(const std::vector<api::Operation>& operations) {
  Schemas schemas;
  schemas.add(error_schema_name, error_schema(schemas));
  json::object paths;
  const auto all = entries_of(operations);
  for (const auto& entry : all) {
    auto& place = paths.emplace(key_of(entry), json::object()).first->value().get_object();
    place.emplace(lower(entry.operation->facts.method), description_of(entry, all, schemas));
  }

  paths.emplace("/events", json::object{{"get", event_stream_description(schemas)}});

  json::object info;
  info.emplace("title", "Quire content library API");
  info.emplace("summary", "The new REST form of the vSphere Content Library API as Quire serves it.");
  info.emplace("version", "8.0.2");
  json::object server;
  server.emplace("url", "/api");
  json::object token;
  token.emplace(token_scheme, json::array());
  json::object components;
  components.emplace("schemas", schemas.all());
  components.emplace("securitySchemes", security_schemes());

  json::object document;
  document.emplace("openapi", "3.1.0");
  document.emplace("info", std::move(info));
  document.emplace("servers", json::array{std::move(server)});
  document.emplace("security", json::array{std::move(token)});
  document.emplace("paths", std::move(paths));
  document.emplace("components", std::move(components));
  return document;
}

std::string openapi_text(const std::vector<api::Operation>& operations) {
  return in_lines(openapi_document(operations)) + '\n';
}

}  // namespace quire::wire
