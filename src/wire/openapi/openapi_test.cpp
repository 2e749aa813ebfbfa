#include "wire/openapi/openapi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "api/examples.h"
#include "api/identifiers.h"
#include "content/event.h"
#include "wire/codec/rest_codec.h"
#include "wire/rest/new_rest_mapping.h"

namespace quire::wire {
namespace {

namespace json = boost::json;

const json::object& document() {
  static const json::object value = openapi_document(api::all_operations());
  return value;
}

void check_references(const json::value& value) {
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) check_references(element);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      check_references(member.value());
      if (member.key() != "$ref") continue;
      const std::string name(member.value().as_string());
      EXPECT_TRUE(document().at("components").at("schemas").as_object().contains(name.substr(name.rfind('/') + 1)))
          << name;
    }
  }
}

TEST(OpenApi, EveryOperationOnce) {
  std::set<std::string> found;
  for (const auto& path : document().at("paths").as_object())
    for (const auto& method : path.value().as_object()) {
      const auto& operation = method.value().as_object();
      const std::string name(operation.at("operationId").as_string());
      EXPECT_TRUE(found.insert(name).second) << name;
      EXPECT_FALSE(operation.at("summary").as_string().empty()) << name;
    }
  std::size_t expected = 1;  // the stream of events, which is no operation
  for (const auto& operation : api::all_operations()) expected += operation.facts.in_new_rest ? 1U : 0U;
  EXPECT_EQ(found.size(), expected);
}

TEST(OpenApi, TheSameEveryTime) {
  EXPECT_EQ(json::serialize(document()), json::serialize(openapi_document(api::all_operations())));
}

TEST(OpenApi, ReferencesLeadSomewhere) { check_references(document()); }

TEST(OpenApi, DescribesAnOperation) {
  const auto& paths = document().at("paths").as_object();
  const auto& keep_alive =
      paths.at("/content/library/item/update-session/{update_session_id}?action=keep-alive").at("post").as_object();
  EXPECT_EQ(keep_alive.at("x-vapi-operation").as_string(), "keep_alive");
  EXPECT_EQ(keep_alive.at("x-privilege").as_string(), "System.Anonymous");
  EXPECT_FALSE(keep_alive.at("requestBody").at("required").as_bool());
  EXPECT_TRUE(keep_alive.at("responses").as_object().contains("204"));
  EXPECT_TRUE(paths.contains("/content/library/item/{library_item_id}/file?name={name}"));
  EXPECT_EQ(json::serialize(paths.at("/session").at("post").at("security")), R"([{"password":[]}])");
  EXPECT_EQ(json::serialize(document()
                                .at("components")
                                .at("schemas")
                                .at("com.vmware.content.library.item.updatesession.file.source_type")),
            R"({"type":"string","enum":["NONE","PUSH","PULL"]})");
}

TEST(OpenApi, DescribesTheStreamOfEvents) {
  const auto& stream = document().at("paths").at("/events").at("get").as_object();
  std::set<std::string> parameters;
  for (const auto& parameter : stream.at("parameters").as_array())
    parameters.insert(std::string(parameter.at("name").as_string()));
  EXPECT_EQ(parameters, (std::set<std::string>{"library", "item", "kind", "after", "progress", "Last-Event-ID"}));
  EXPECT_TRUE(stream.at("responses").at("200").at("content").as_object().contains("text/event-stream"));
  for (const auto* status : {"400", "401", "503"}) EXPECT_TRUE(stream.at("responses").as_object().contains(status));
  const auto& schemas = document().at("components").at("schemas").as_object();
  const auto& kinds = schemas.at("com.quire.events.kind").at("enum").as_array();
  EXPECT_EQ(kinds.size(), base::enumerators<content::EventKind>.size());
  EXPECT_EQ(kinds.front().as_string(), "library.created");
  const auto& event = schemas.at("com.quire.events.event").as_object();
  EXPECT_EQ(json::serialize(event.at("required")), R"(["number","time","kind","actor"])");
  EXPECT_EQ(json::serialize(event.at("properties").at("details").at("type")), R"("object")");
}

const json::object& links_of(const char* path, const char* status) {
  const auto& responses = document().at("paths").at(path).at("post").at("responses");
  return responses.at(status).at("links").as_object();
}

/// From what creates an object to what can be done with it: clients that explore the API follow these.
TEST(OpenApi, LinksLeadFromAnObjectToItsOperations) {
  const auto& links = links_of("/content/local-library", "201");
  EXPECT_EQ(
      json::serialize(links.at("com.vmware.content.local_library.delete")),
      R"({"operationId":"com.vmware.content.local_library.delete","parameters":{"library_id":"$response.body"}})");
  EXPECT_TRUE(links.contains("com.vmware.content.library.get"));
  EXPECT_FALSE(links.contains("com.vmware.content.library.item.get"));
  const auto& create = links.at("com.vmware.content.library.item.create");
  EXPECT_EQ(create.at("requestBody").at("library_id").as_string(), "$response.body");
  EXPECT_FALSE(create.at("requestBody").at("name").as_string().empty());
  EXPECT_FALSE(create.as_object().contains("parameters"));
}

TEST(OpenApi, LinksKnowWhereAnIdentifierStands) {
  const auto parameters = [](const json::object& links, std::string_view operation) {
    return json::serialize(links.at(operation).at("parameters"));
  };
  EXPECT_EQ(parameters(links_of("/quire/access/tokens", "201"), "com.quire.access.tokens.delete"),
            R"({"token":"$response.body#/token"})");
  EXPECT_EQ(parameters(links_of("/quire/access/users", "204"), "com.quire.quota.users.set"),
            R"({"user":"$request.body#/name"})");
  EXPECT_EQ(parameters(links_of("/content/library/{library}/usages", "200"), "com.vmware.content.library.usages.get"),
            R"({"library":"$request.path.library","usage":"$response.body"})");
  EXPECT_EQ(parameters(links_of("/content/library/item/update-session/{update_session_id}/file", "201"),
                       "com.vmware.content.library.item.updatesession.file.remove"),
            R"({"update_session_id":"$request.path.update_session_id","file_name":"$response.body#/name"})");
  // The item of the file is not told.
  EXPECT_FALSE(links_of("/content/library/item/update-session/{update_session_id}/file", "201")
                   .contains("com.vmware.content.library.item.storage.get"));
}

TEST(OpenApi, EveryBodyHasAnExampleThatTheServerCanRead) {
  for (const auto& operation : api::all_operations()) {
    if (!operation.facts.in_new_rest) continue;
    const auto mapping = new_rest_mapping(operation);
    const auto example = api::example_of(operation.full_name);
    json::object input;
    bool takes_body = false;
    for (std::size_t i = 0; i < mapping.places.size(); ++i) {
      const auto place = mapping.places[i];
      const auto& field = operation.input->fields[i];
      const bool whole = place == InputPlace::whole_body;
      takes_body = takes_body || whole || place == InputPlace::body_member;
      if (!example.empty() && whole) input.emplace(field.name, json::parse(example));
      if (!example.empty() && place == InputPlace::body_member) {
        const auto body = json::parse(example).as_object();
        if (const auto* member = body.if_contains(field.name)) input.emplace(field.name, *member);
      }
      if (!input.contains(field.name) && field.type->kind == api::TypeKind::string) input.emplace(field.name, "x");
    }
    EXPECT_EQ(takes_body, !example.empty()) << operation.full_name << ": api/examples.cpp";
    if (example.empty()) continue;
    const auto decoded = operation.make_input();
    const auto result = decode_rest(input, *operation.input, decoded.get(), RestForm::current, InputPath{});
    EXPECT_TRUE(result) << operation.full_name << ": " << (result ? std::string() : result.error().text());
  }
}

/// What a call names and what a member is said to identify are one thing.
TEST(OpenApi, ResourceTypesAgreeWithTheObjectsOfCalls) {
  using api::ObjectKind;
  namespace resource = api::resource;
  const std::map<ObjectKind, std::string_view> types = {
      {ObjectKind::library, resource::library},
      {ObjectKind::library_item, resource::library_item},
      {ObjectKind::update_session, resource::update_session},
      {ObjectKind::download_session, resource::download_session},
      {ObjectKind::trusted_certificate, resource::trusted_certificate},
      {ObjectKind::task, resource::task},
  };
  for (const auto& operation : api::all_operations())
    for (const auto& object : operation.objects)
      EXPECT_EQ(api::resource_type_of(object.member.substr(object.member.rfind('.') + 1)), types.at(object.kind))
          << operation.full_name << " " << object.member;
  const auto& get = document().at("paths").at("/content/library/{library_id}").at("get");
  EXPECT_EQ(get.at("parameters").at(0).at("schema").at("x-resource-type").as_string(), resource::library);
}

/// The operations of the hypervisor were once entered without their names, and two links led to an operation `.`.
TEST(OpenApi, LinksLeadToOperationsOfTheDocument) {
  std::set<std::string> operations;
  std::set<std::string> linked;
  for (const auto& path : document().at("paths").as_object())
    for (const auto& method : path.value().as_object()) {
      operations.insert(std::string(method.value().at("operationId").as_string()));
      for (const auto& response : method.value().at("responses").as_object())
        if (const auto* links = response.value().as_object().if_contains("links"))
          for (const auto& link : links->as_object())
            linked.insert(std::string(link.value().at("operationId").as_string()));
    }
  EXPECT_GT(linked.size(), 10U);
  EXPECT_TRUE(std::ranges::includes(operations, linked));
}

TEST(OpenApi, IsTheDocumentThatIsCheckedIn) {
  const std::string file = QUIRE_DOCS_FOLDER "/openapi.json";
  const auto text = openapi_text(api::all_operations());
  std::ifstream golden(file);
  const std::string checked_in((std::istreambuf_iterator<char>(golden)), std::istreambuf_iterator<char>());
  EXPECT_TRUE(text == checked_in) << file << " is not what the operations say. If the change is meant, run "
                                  << "`make generate` and look at the difference.";
}

}  // namespace
}  // namespace quire::wire
