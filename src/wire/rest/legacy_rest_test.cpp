#include "wire/rest/legacy_rest.h"

#include "wire/binding_fixture.h"

namespace quire::wire {
namespace {

using test::error_type_in;
using test::header;
using test::request_for;

constexpr auto base_path = "/rest/com/vmware/content/";

class LegacyRestTest : public ::testing::Test {
 protected:
  Response send(const std::string& method, const std::string& target, std::string body = {}) {
    invoker.ran.clear();
    invoker.input.clear();
    return binding.handle(request_for(method, target.front() == '/' ? target : base_path + target, std::move(body)));
  }

  test::RecordingInvoker invoker;
  LegacyRest binding{api::all_operations(), invoker};
};

struct Call {
  std::string method, target, body, ran, input;
};

TEST_F(LegacyRestTest, CanonicalAndAlternateRequests) {
  for (const auto& [method, target, body, ran, input] : std::vector<Call>{
           {"GET", "library", "", "library.list", "{}"},
           {"GET", "library/id:a", "", "library.get", R"({"library_id":"a"})"},
           {"GET", "library/id%3Aa%3ab:c", "", "library.get", R"({"library_id":"a:b:c"})"},
           {"GET", "library/item?library_id=a&other=1", "", "item.list", R"({"library_id":"a"})"},
           {"POST", "library/item", R"({"create_spec":{"name":"n"},"client_token":"t","newer":1})", "item.create",
            R"({"client_token":"t","create_spec":{"name":"n"}})"},
           {"PATCH", "library/item/id:a", R"({"update_spec":{"description":""}})", "item.update",
            R"({"library_item_id":"a","update_spec":{"description":""}})"},
           {"DELETE", "library/item/id:a", "", "item.delete", R"({"library_item_id":"a"})"},
           {"DELETE", "library/item/id:a", "{}", "item.delete", R"({"library_item_id":"a"})"},
           {"POST", "library/item/file/id:a?~action=get", R"({"name":"f"})", "file.get",
            R"({"library_item_id":"a","name":"f"})"},
           {"POST", "library/item/update-session/id:a:b?~action=keep-alive", "", "update_session.keep_alive",
            R"({"update_session_id":"a:b"})"},
           {"POST", "library/item/update-session/id:a?~action=keep_alive", R"({"client_progress":40})",
            "update_session.keep_alive", R"({"update_session_id":"a","client_progress":40})"},
           {"POST", "library/item/update-session/id:a?%7Eaction=fail", "", "update_session.fail",
            R"({"update_session_id":"a","client_error_message":""})"},
           {"POST", "library/item/update-session/id:a?~action=complete", "null", "update_session.complete",
            R"({"update_session_id":"a"})"},
           // alternates
           {"POST", "library/item/id:a?~action=delete", "", "item.delete", R"({"library_item_id":"a"})"},
           {"POST", "library/item?~action=delete", R"({"library_item_id":"a"})", "item.delete",
            R"({"library_item_id":"a"})"},
           {"POST", "library/item/id:a?~action=get", "", "item.get", R"({"library_item_id":"a"})"},
           {"POST", "library/item?~action=get", R"({"library_item_id":"a"})", "item.get", R"({"library_item_id":"a"})"},
           {"POST", "library/item/id:a?~action=update", R"({"update_spec":{}})", "item.update",
            R"({"library_item_id":"a","update_spec":{}})"},
           {"POST", "library/item?~action=list", R"({"library_id":"a"})", "item.list", R"({"library_id":"a"})"},
           {"POST", "library/item?~action=create", R"({"create_spec":{}})", "item.create", R"({"create_spec":{}})"},
           {"DELETE", "library/item/id:a?~action=delete", "", "item.delete", R"({"library_item_id":"a"})"},
           {"DELETE", "local-library/id:a?~action=force-delete", "", "local_library.force_delete",
            R"({"library_id":"a"})"},
           {"DELETE", "subscribed-library/id:a?~action=force-delete", "", "subscribed_library.force_delete",
            R"({"library_id":"a"})"},
           {"POST", "configuration?~action=get", "", "configuration.get", "{}"},
           {"GET", "configuration", "", "configuration.get", "{}"},
           {"PATCH", "configuration", R"({"model":{"automatic_sync_enabled":true}})", "configuration.update",
            R"({"model":{"automatic_sync_enabled":true}})"},
           {"GET", "/rest/com/vmware/cis/session", "", "session.get", "{}"},
           {"DELETE", "/rest/com/vmware/cis/session", "", "session.delete", "{}"},
       }) {
    const auto response = send(method, target, body);
    EXPECT_EQ(response.status, 200) << method << " " << target << " " << response.body;
    EXPECT_EQ(invoker.ran, ran) << target;
    EXPECT_EQ(invoker.input, input) << target;
  }
  EXPECT_EQ(invoker.call.base_url, "https://quire.example");
}

TEST_F(LegacyRestTest, WrapsResults) {
  invoker.result = R"(["a"])";
  const auto list = send("GET", "library");
  EXPECT_EQ(list.body, R"({"value":["a"]})");
  EXPECT_EQ(header(list, "content-type"), "application/json");
  const auto done = send("DELETE", "library/item/id:a");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body, "");
  EXPECT_EQ(header(done, "content-type"), "(none)");
  invoker.result = R"("id")";
  EXPECT_EQ(send("POST", "library/item", R"({"create_spec":{}})").body, R"({"value":"id"})");
}

struct Refused {
  std::string method, target, body;
  int status;
  std::string type;
};

TEST_F(LegacyRestTest, Refuses) {
  for (const auto& [method, target, body, status, type] : std::vector<Refused>{
           {"GET", "nothing", "", 404, "OPERATION_NOT_FOUND"},
           {"GET", "library/", "", 404, "OPERATION_NOT_FOUND"},
           {"GET", "library/x", "", 404, "OPERATION_NOT_FOUND"},
           {"POST", "library?~action=explode", "", 404, "OPERATION_NOT_FOUND"},
           {"POST", "library/id:a?~action=find", "{}", 404, "OPERATION_NOT_FOUND"},
           {"POST", "library", "{}", 404, "OPERATION_NOT_FOUND"},
           {"GET", "library/id:a?~action=update", "", 404, "OPERATION_NOT_FOUND"},
           {"GET", "type/id:a", "", 404, "OPERATION_NOT_FOUND"},
           {"PUT", "library/id:a", "{}", 405, "INVALID_REQUEST"},
           {"DELETE", "library", "", 405, "INVALID_REQUEST"},
           {"GET", "library/id:a%", "", 400, "INVALID_REQUEST"},
           {"POST", "library/item", "{", 400, "INVALID_REQUEST"},
           {"POST", "library/item", R"({"create_spec":{},"create_spec":{}})", 400, "INVALID_REQUEST"},
           {"POST", "library/item", "[]", 400, "INVALID_ARGUMENT"},
           {"POST", "library/item", "", 400, "INVALID_ARGUMENT"},
           {"POST", "library/item", R"({"name":"n"})", 400, "INVALID_ARGUMENT"},
           {"POST", "library/item", R"({"create_spec":{"size":"1"}})", 400, "INVALID_ARGUMENT"},
           {"GET", "library/item", "", 400, "INVALID_ARGUMENT"},
           {"POST", "library/item/update-session/id:a?~action=fail", "{}", 400, "INVALID_ARGUMENT"},
       }) {
    const auto response = send(method, target, body);
    EXPECT_EQ(response.status, status) << method << " " << target;
    EXPECT_EQ(error_type_in(response), type) << method << " " << target;
    EXPECT_EQ(invoker.ran, "") << target;
    EXPECT_EQ(response.body.rfind(R"({"type":"com.vmware.vapi.std.errors.)", 0), 0U);
  }
  EXPECT_EQ(header(send("PUT", "library/id:a"), "Allow"), "DELETE, GET, PATCH, POST");
  EXPECT_EQ(header(send("DELETE", "library/item"), "Allow"), "GET, POST");
}

TEST_F(LegacyRestTest, ContentTypes) {
  const auto with_type = [&](const std::string& type, const std::string& body) {
    auto request = request_for("POST", std::string(base_path) + "library/item", body);
    request.headers.add("content-type", type);
    return binding.handle(request).status;
  };
  const std::string body = R"({"create_spec":{}})";
  EXPECT_EQ(with_type("application/json", body), 200);
  EXPECT_EQ(with_type("Application/JSON; charset=UTF-8", body), 200);
  EXPECT_EQ(with_type("application/vnd.x+json", body), 200);
  EXPECT_EQ(with_type("text/plain", body), 415);
  EXPECT_EQ(with_type("application/octet-stream", body), 415);
  EXPECT_EQ(with_type("application/octet-stream", ""), 400);  // only the member is missing
}

TEST_F(LegacyRestTest, NeedsALoginBeforeItLooksAtTheForm) {
  Request request = request_for("POST", std::string(base_path) + "library/item", "{");
  request.headers = {};
  auto response = binding.handle(request);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(error_type_in(response), "UNAUTHENTICATED");
  EXPECT_NE(header(response, "WWW-Authenticate"), "(none)");
  request.headers.add("vmware-api-session-id", "stale");
  EXPECT_EQ(binding.handle(request).status, 401);
  request.headers = {};
  request.headers.add("Authorization", "Basic YWRtaW46c2VjcmV0");  // only for logging in
  EXPECT_EQ(binding.handle(request).status, 401);
}

TEST_F(LegacyRestTest, SessionCreate) {
  invoker.result = R"("token")";
  Request request;
  request.method = "POST";
  request.target = "/rest/com/vmware/cis/session";
  request.headers.add("Authorization", "Basic YWRtaW46c2VjcmV0");
  request.headers.add("Content-Type", "application/octet-stream");
  auto response = binding.handle(request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"value":"token"})");
  EXPECT_EQ(header(response, "Set-Cookie"), "vmware-api-session-id=token;Path=/rest;Secure;HttpOnly");
  EXPECT_EQ(invoker.call.credentials->user, "admin");
  request.headers.add("vmware-use-header-authn", "test");
  EXPECT_EQ(header(binding.handle(request), "Set-Cookie"), "(none)");
  invoker.error = base::Error(base::ErrorKind::unauthenticated, "quire.test", "No.");
  response = binding.handle(request);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(header(response, "WWW-Authenticate").rfind("Basic ", 0), 0U);
}

TEST_F(LegacyRestTest, ErrorsOfOperations) {
  invoker.error = base::Error(base::ErrorKind::resource_busy, "quire.test", "Busy.").with_cause("inner");
  const auto response = send("POST", "library/item/update-session", R"({"create_spec":{}})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            R"({"type":"com.vmware.vapi.std.errors.resource_busy","value":{"error_type":"RESOURCE_BUSY",)"
            R"("messages":[{"id":"quire.test","default_message":"Busy.","args":[]}]}})");
}

}  // namespace
}  // namespace quire::wire
