#include "wire/rest/new_rest.h"

#include "wire/binding_fixture.h"

namespace quire::wire {
namespace {

using test::error_type_in;
using test::header;
using test::request_for;

class NewRestTest : public ::testing::Test {
 protected:
  Response send(const std::string& method, const std::string& target, std::string body = {}) {
    invoker.ran.clear();
    invoker.input.clear();
    return binding.handle(request_for(method, "/api" + target, std::move(body)));
  }

  test::RecordingInvoker invoker;
  NewRest binding{api::all_operations(), invoker};
};

struct Call {
  std::string method, target, body;
  int status;
  std::string ran, input;
};

TEST_F(NewRestTest, Requests) {
  const std::string item = "/content/library/item";
  const std::string update = item + "/update-session";
  const std::string download = item + "/download-session";
  for (const auto& [method, target, body, status, ran, input] : std::vector<Call>{
           {"GET", "/session", "", 200, "session.get", "{}"},
           {"DELETE", "/session", "{}", 204, "session.delete", "{}"},
           {"GET", "/content/library", "", 200, "library.list", "{}"},
           {"GET", "/content/library/a%2Fb:c", "", 200, "library.get", R"({"library_id":"a/b:c"})"},
           {"POST", "/content/library?action=find", R"({"name":"n","type":"LOCAL"})", 200, "library.find",
            R"({"spec":{"name":"n","type":"LOCAL"}})"},
           {"PATCH", "/content/library/a", R"({"name":"n","newer":[]})", 204, "library.update",
            R"({"library_id":"a","update_spec":{"name":"n"}})"},
           {"DELETE", "/content/local-library/a", "{}", 204, "local_library.delete", R"({"library_id":"a"})"},
           {"DELETE", "/content/local-library/a", "{", 204, "local_library.delete", R"({"library_id":"a"})"},
           {"GET", item + "?library_id=a", "", 200, "item.list", R"({"library_id":"a"})"},
           {"GET", item + "?library_id?library_id=a", "", 200, "item.list", R"({"library_id":"a"})"},
           {"GET", item + "?library_id%3Flibrary_id=a", "", 200, "item.list", R"({"library_id":"a"})"},
           {"POST", item + "?client_token=t", R"({"name":"n"})", 201, "item.create",
            R"({"client_token":"t","create_spec":{"name":"n"}})"},
           {"POST", item + "?action=create", R"({"name":"n"})", 201, "item.create", R"({"create_spec":{"name":"n"}})"},
           {"POST", item + "/a?action=copy&client_token=t", R"({"name":"n"})", 200, "item.copy",
            R"({"source_library_item_id":"a","client_token":"t","destination_create_spec":{"name":"n"}})"},
           {"GET", item + "/a/file", "", 200, "file.list", R"({"library_item_id":"a"})"},
           {"GET", item + "/a/file?name=x+y", "", 200, "file.get", R"({"library_item_id":"a","name":"x y"})"},
           {"GET", item + "/a/storage?file_name=", "", 200, "storage.get", R"({"library_item_id":"a","file_name":""})"},
           {"GET", update, "", 200, "update_session.list", "{}"},
           {"GET", update + "?library_item_id=a", "", 200, "update_session.list", R"({"library_item_id":"a"})"},
           {"GET", update + "/a:b", "", 200, "update_session.get", R"({"update_session_id":"a:b"})"},
           {"POST", update + "/a?action=keep-alive", "", 204, "update_session.keep_alive",
            R"({"update_session_id":"a"})"},
           {"POST", update + "/a?action=keep_alive", R"({"client_progress":40})", 204, "update_session.keep_alive",
            R"({"update_session_id":"a","client_progress":40})"},
           {"POST", update + "/a?action=fail", "", 204, "update_session.fail",
            R"({"update_session_id":"a","client_error_message":""})"},
           {"POST", update + "/a?action=complete", "", 204, "update_session.complete", R"({"update_session_id":"a"})"},
           {"POST", update + "/a/file", R"({"name":"f","source_type":"PUSH","size":6021})", 201, "file.add",
            R"({"update_session_id":"a","file_spec":{"name":"f","source_type":"PUSH","size":6021}})"},
           {"POST", update + "/a/file?action=add", R"({"name":"f","source_type":"PUSH"})", 201, "file.add",
            R"({"update_session_id":"a","file_spec":{"name":"f","source_type":"PUSH"}})"},
           {"POST", update + "/a/file?action=validate", "", 200, "file.validate", R"({"update_session_id":"a"})"},
           {"GET", update + "/a/file", "", 200, "file.list", R"({"update_session_id":"a"})"},
           {"GET", update + "/a/file/d%2Ff.ovf", "", 200, "file.get",
            R"({"update_session_id":"a","file_name":"d/f.ovf"})"},
           {"DELETE", update + "/a/file/f", "{}", 204, "file.remove", R"({"update_session_id":"a","file_name":"f"})"},
           {"GET", download + "/a/file?file_name=f", "", 200, "file.get",
            R"({"download_session_id":"a","file_name":"f"})"},
           {"POST", download + "/a/file?action=prepare", R"({"file_name":"f","endpoint_type":"HTTPS"})", 200,
            "file.prepare", R"({"download_session_id":"a","file_name":"f","endpoint_type":"HTTPS"})"},
       }) {
    const auto response = send(method, target, body);
    EXPECT_EQ(response.status, status) << method << " " << target << " " << response.body;
    EXPECT_EQ(invoker.ran, ran) << target;
    EXPECT_EQ(invoker.input, input) << target;
    EXPECT_EQ(header(response, "content-type"), status == 204 ? "(none)" : "application/json") << target;
    EXPECT_EQ(response.body.empty(), status == 204) << target;
  }
}

TEST_F(NewRestTest, ClientTokenInHeader) {
  auto request = request_for("POST", "/api/content/library/item", "{}");
  request.headers.add("client-token", "h");
  EXPECT_EQ(binding.handle(request).status, 201);
  EXPECT_EQ(invoker.input, R"({"client_token":"h","create_spec":{}})");
  request.target += "?client_token=q";
  EXPECT_EQ(binding.handle(request).status, 201);
  EXPECT_EQ(invoker.input, R"({"client_token":"q","create_spec":{}})");
}

TEST_F(NewRestTest, BareResults) {
  invoker.result = R"("id")";
  EXPECT_EQ(send("POST", "/content/library/item", "{}").body, R"("id")");
  invoker.result = R"(["a","b"])";
  EXPECT_EQ(send("GET", "/content/library").body, R"(["a","b"])");
}

/// Services since 6.7.2 have new paths with the bodies and answers of legacy REST (§1.2).
TEST_F(NewRestTest, AtPathsOfLegacyRest) {
  const NewRest legacy(api::all_operations(), invoker, RestForm::legacy);
  invoker.result = "[]";
  const auto list = legacy.handle(request_for("GET", "/rest/content/library/item/a%2Fb/changes"));
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(list.body, R"({"value":[]})");
  EXPECT_EQ(invoker.ran, "changes.list");
  EXPECT_EQ(invoker.input, R"({"library_item":"a/b"})");
  invoker.result = "{}";
  EXPECT_EQ(legacy.handle(request_for("GET", "/rest/cis/tasks?filter_spec.tasks.1=a&filter_spec.tasks.2=b")).status,
            200);
  EXPECT_EQ(invoker.ran, "tasks.list");
  EXPECT_EQ(invoker.input, R"({"filter_spec":{"tasks":["a","b"]}})");
  EXPECT_EQ(legacy.handle(request_for("GET", "/rest/cis/tasks?services=a")).status, 200);
  EXPECT_EQ(invoker.input, R"({"filter_spec":{"services":["a"]}})");
  EXPECT_EQ(legacy.handle(request_for("POST", "/rest/cis/tasks/a?action=cancel")).status, 200);
  EXPECT_EQ(invoker.ran, "tasks.cancel");
  const auto unknown = legacy.handle(request_for("GET", "/rest/content/library"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(boost::json::parse(unknown.body).at("type").as_string(), "com.vmware.vapi.std.errors.operation_not_found");
  EXPECT_EQ(legacy.handle(request_for("POST", "/rest/content/library/item/a/changes")).status, 405);
}

struct Refused {
  std::string method, target, body;
  int status;
  std::string type;
};

TEST_F(NewRestTest, Refuses) {
  const std::string update = "/content/library/item/update-session";
  for (const auto& [method, target, body, status, type] : std::vector<Refused>{
           {"GET", "/nothing", "", 404, "OPERATION_NOT_FOUND"},
           {"GET", "/content/library/", "", 404, "OPERATION_NOT_FOUND"},
           {"GET", "/", "", 404, "OPERATION_NOT_FOUND"},
           {"GET", "//content/library", "", 404, "OPERATION_NOT_FOUND"},
           {"POST", "/content/library?action=explode", "", 404, "OPERATION_NOT_FOUND"},
           {"POST", "/content/library", "{}", 404, "OPERATION_NOT_FOUND"},
           {"POST", update + "/a?action=update", "{}", 404, "OPERATION_NOT_FOUND"},
           {"PUT", "/content/library/a", "{}", 405, "INVALID_REQUEST"},
           {"GET", "/content/library/%zz", "", 400, "INVALID_REQUEST"},
           {"POST", "/content/library/item", R"({"name":"n")", 400, "INVALID_REQUEST"},
           {"POST", "/content/library/item", R"({"name":"n","name":"n"})", 400, "INVALID_REQUEST"},
           {"POST", "/content/library/item", "", 400, "INVALID_ARGUMENT"},
           {"POST", "/content/library/item", "5", 400, "INVALID_ARGUMENT"},
           {"POST", "/content/library/item", R"({"name":5})", 400, "INVALID_ARGUMENT"},
           {"POST", "/content/library/item?vmw-task=true", "{}", 400, "INVALID_ARGUMENT"},
           {"GET", "/content/library/item", "", 400, "INVALID_ARGUMENT"},
           {"GET", "/content/library/item/a/file?nmae=x", "", 400, "INVALID_ARGUMENT"},
           {"GET", "/content/library/item/a/file?name=x&name=y", "", 400, "INVALID_ARGUMENT"},
           {"GET", "/content/library?library_id?library_id=x", "", 400, "INVALID_ARGUMENT"},
           {"POST", update + "/a?action=fail", "{}", 400, "INVALID_ARGUMENT"},
           {"POST", update + "/a/file", R"({"name":"f","source_type":"push"})", 400, "INVALID_ARGUMENT"},
       }) {
    const auto response = send(method, target, body);
    EXPECT_EQ(response.status, status) << method << " " << target;
    EXPECT_EQ(error_type_in(response), type) << method << " " << target;
    EXPECT_EQ(header(response, "content-type"), "application/json");
    EXPECT_EQ(invoker.ran, "") << target;
  }
  EXPECT_EQ(header(send("PUT", "/content/library/a"), "Allow"), "DELETE, GET, PATCH");
  EXPECT_EQ(send("GET", "/content/library/item?library_id=a&x=1").body,
            R"({"error_type":"INVALID_ARGUMENT","messages":[{"id":"quire.wire.unsupported_property",)"
            R"("default_message":"Unsupported property with name: x","args":["x"],"params":{"name":{"s":"x"}}}]})");
}

TEST_F(NewRestTest, OtherContentTypes) {
  auto request = request_for("POST", "/api/content/library/item", "name=n");
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  const auto response = binding.handle(request);
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(error_type_in(response), "INVALID_REQUEST");
}

TEST_F(NewRestTest, Logins) {
  invoker.result = R"("token")";
  Request request;
  request.method = "POST";
  request.target = "/api/session";
  request.headers.add("Authorization", "Basic YWRtaW46c2VjcmV0");
  auto response = binding.handle(request);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, R"("token")");
  EXPECT_EQ(header(response, "Set-Cookie"), "(none)");
  EXPECT_EQ(invoker.call.credentials->password, "secret");

  request.target = "/api/content/library?x=1";
  request.method = "GET";
  response = binding.handle(request);
  EXPECT_EQ(response.status, 401);
  EXPECT_NE(response.body.find(R"("challenge":)"), std::string::npos);
  EXPECT_NE(header(response, "WWW-Authenticate"), "(none)");
}

TEST_F(NewRestTest, ErrorsOfOperations) {
  invoker.error = base::Error(base::ErrorKind::resource_busy, "quire.test", "Busy.");
  const auto response = send("POST", "/content/library/item/update-session", "{}");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body,
            R"({"error_type":"RESOURCE_BUSY","messages":[{"id":"quire.test","default_message":"Busy.","args":[]}]})");
}

}  // namespace
}  // namespace quire::wire
