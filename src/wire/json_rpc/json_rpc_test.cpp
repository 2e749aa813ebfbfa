#include "wire/json_rpc/json_rpc.h"

#include "wire/binding_fixture.h"

namespace quire::wire {
namespace {

namespace json = boost::json;
using test::header;

constexpr auto session_context = R"({"schemeId":"com.vmware.vapi.std.security.session_id","sessionId":"good"})";
constexpr auto password_context =
    R"({"schemeId":"com.vmware.vapi.std.security.user_pass","userName":"admin","password":"secret"})";

class JsonRpcTest : public ::testing::Test {
 protected:
  Response send(std::string body, Headers headers = {}) {
    invoker.ran.clear();
    Request request;
    request.method = "POST";
    request.target = "/api";
    request.headers = std::move(headers);
    request.body = std::move(body);
    auto response = binding.handle(request);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header(response, "Content-Type"), "application/json");
    return response;
  }

  static std::string call(const std::string& service, const std::string& operation, const std::string& input,
                          const std::string& security = session_context) {
    return R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":{"serviceId":"com.vmware.)" + service +
           R"(","operationId":")" + operation + R"(","input":{"STRUCTURE":{"operation-input":)" + input +
           R"(}},"ctx":{"appCtx":{"opId":"x"},"securityCtx":)" + security + "}}}";
  }

  /// The canonical error name, or the whole body when there is none.
  std::string error_of(const std::string& body, Headers headers = {}) {
    const auto response = send(body, std::move(headers));
    const auto answer = json::parse(response.body);
    const auto* result = answer.as_object().if_contains("result");
    const auto* error = result ? result->as_object().if_contains("error") : nullptr;
    if (!error) return response.body;
    const std::string name(error->at("ERROR").as_object().begin()->key());
    EXPECT_EQ(header(response, "vapi-error"), name);
    EXPECT_FALSE(result->as_object().contains("output"));
    return name.substr(name.rfind('.') + 1);
  }

  test::RecordingInvoker invoker;
  JsonRpc binding{api::all_operations(), invoker};
};

TEST_F(JsonRpcTest, Call) {
  invoker.result = R"(["a"])";
  EXPECT_EQ(send(call("content.library", "list", "{}")).body,
            R"({"jsonrpc":"2.0","id":"1","result":{"output":["a"]}})");
  invoker.result =
      R"({"user":"u","created_time":"2026-02-11T08:04:17.512Z","last_accessed_time":"2026-02-11T08:04:17.5Z"})";
  EXPECT_EQ(
      send(call("cis.session", "get", "{}")).body,
      R"({"jsonrpc":"2.0","id":"1","result":{"output":{"STRUCTURE":{"com.vmware.cis.session.info":{)"
      R"("user":"u","created_time":"2026-02-11T08:04:17.512Z","last_accessed_time":"2026-02-11T08:04:17.500Z"}}}}})");
}

TEST_F(JsonRpcTest, VoidIsNullOutput) {
  EXPECT_EQ(send(call("content.library.item.update_session", "keep_alive",
                      R"({"update_session_id":"a:b","client_progress":{"OPTIONAL":5}})"))
                .body,
            R"({"jsonrpc":"2.0","id":"1","result":{"output":null}})");
  EXPECT_EQ(invoker.input, R"({"update_session_id":"a:b","client_progress":5})");
}

TEST_F(JsonRpcTest, SessionCreate) {
  invoker.result = R"("token")";
  EXPECT_EQ(send(call("cis.session", "create", "{}", password_context)).body,
            R"({"jsonrpc":"2.0","id":"1","result":{"output":{"SECRET":"token"}}})");
  EXPECT_EQ(invoker.call.credentials->user, "admin");
  EXPECT_EQ(invoker.logins, 0);
}

TEST_F(JsonRpcTest, InputMayBeMissing) {
  invoker.result = "[]";
  EXPECT_EQ(send(R"({"jsonrpc":"2.0","id":1,"method":"invoke","params":{"serviceId":"com.vmware.content.library",)"
                 R"("operationId":"list","ctx":{"securityCtx":)" +
                 std::string(session_context) + "}}}")
                .body,
            R"({"jsonrpc":"2.0","id":1,"result":{"output":[]}})");
}

TEST_F(JsonRpcTest, PasswordOnAnyOperation) {
  invoker.result = "[]";
  EXPECT_EQ(send(call("content.library", "list", "{}", password_context)).body,
            R"({"jsonrpc":"2.0","id":"1","result":{"output":[]}})");
  EXPECT_EQ(invoker.call.caller.login.text(), "of one call");
  EXPECT_EQ(invoker.logins, 0);
  EXPECT_EQ(error_of(call("content.library", "get", "{}", password_context)), "invalid_argument");
  EXPECT_EQ(invoker.logins, 0);
  EXPECT_EQ(
      error_of(call("content.library", "list", "{}",
                    R"({"schemeId":"com.vmware.vapi.std.security.user_pass","userName":"admin","password":"x"})")),
      "unauthenticated");
}

TEST_F(JsonRpcTest, MethodErrors) {
  EXPECT_EQ(error_of(call("content.library", "explode", "{}")), "operation_not_found");
  EXPECT_EQ(error_of(call("content.library", "create$task", "{}")), "operation_not_found");
  EXPECT_EQ(error_of(call("nothing", "get", "{}")), "operation_not_found");
  EXPECT_EQ(error_of(call("content.library", "get", "{}")), "invalid_argument");
  EXPECT_EQ(error_of(call("content.library", "get", R"({"library_id":5})")), "invalid_argument");
  EXPECT_EQ(error_of(call("content.library.item.update_session", "fail", R"({"update_session_id":"a"})")),
            "invalid_argument");
  EXPECT_EQ(error_of(call("content.library", "list", "{}", "{}")), "unauthenticated");
  EXPECT_EQ(error_of(call("content.library", "list", "{}", "null")), "unauthenticated");
  EXPECT_EQ(invoker.ran, "");
  invoker.error = base::Error(base::ErrorKind::not_found, "quire.test", "Gone.");
  EXPECT_EQ(error_of(call("content.library", "get", R"({"library_id":"a"})")), "not_found");
}

TEST_F(JsonRpcTest, ProtocolErrors) {
  struct Case {
    std::string body, id;
    int code;
  };
  const std::string params = R"("params":{"serviceId":"a","operationId":"b"})";
  for (const auto& [body, id, code] : std::vector<Case>{
           {"", "null", -32700},
           {"{", "null", -32700},
           {R"({"id":"1","id":"1"})", "null", -32700},
           {"[]", "null", -32600},
           {"[" + call("content.library", "list", "{}") + "]", "null", -32600},
           {"5", "null", -32600},
           {R"({"id":"1"})", "null", -32600},
           {R"({"jsonrpc":"1.0","id":"1","method":"invoke",)" + params + "}", "null", -32600},
           {R"({"id":"1","method":"invoke",)" + params + "}", "null", -32600},
           {R"({"jsonrpc":"2.0","id":"1","method":5,)" + params + "}", "null", -32600},
           {R"({"jsonrpc":"2.0","id":"1","method":"invoke"})", "null", -32600},
           {R"({"jsonrpc":"2.0","id":{},"method":"invoke",)" + params + "}", "null", -32600},
           {R"({"jsonrpc":"2.0","id":"1","method":"list",)" + params + "}", R"("1")", -32601},
           {R"({"jsonrpc":"2.0","id":7,"method":"list",)" + params + "}", "7", -32601},
           {R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":[]})", R"("1")", -32602},
           {R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":{"serviceId":"a"}})", R"("1")", -32602},
           {R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":{"operationId":"a","serviceId":1}})", R"("1")",
            -32602},
           {R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":{"serviceId":"a","operationId":"b","input":{}}})",
            R"("1")", -32602},
       }) {
    const auto answer = json::parse(send(body).body).as_object();
    EXPECT_EQ(answer.at("jsonrpc").as_string(), "2.0");
    EXPECT_EQ(json::serialize(answer.at("id")), id) << body;
    EXPECT_EQ(answer.at("error").at("code").as_int64(), code) << body;
    EXPECT_FALSE(answer.contains("result"));
  }
}

TEST_F(JsonRpcTest, HeadersThatRepeatTheOperationMustAgree) {
  const auto code = [&](std::initializer_list<std::pair<const char*, const char*>> fields) {
    Headers headers;
    for (const auto& [name, value] : fields) headers.add(name, value);
    const auto answer = json::parse(send(call("content.library", "list", "{}"), headers).body).as_object();
    const auto* error = answer.if_contains("error");
    EXPECT_EQ(answer.at("id").as_string(), "1");
    return error ? error->at("code").as_int64() : 0;
  };
  EXPECT_EQ(code({{"vapi-service", "com.vmware.content.library"}, {"vapi-operation", "list"}}), 0);
  EXPECT_EQ(code({{"vapi-service", "com.vmware.content.library"}}), -31001);
  EXPECT_EQ(code({{"vapi-operation", "list"}}), -31001);
  EXPECT_EQ(code({{"vapi-service", "com.vmware.content.library"}, {"vapi-operation", "get"}}), -31001);
}

TEST_F(JsonRpcTest, HeaderTokenWins) {
  Headers headers;
  headers.add("vmware-api-session-id", "stale");
  EXPECT_EQ(error_of(call("content.library", "list", "{}"), headers), "unauthenticated");
  headers = {};
  headers.add("vmware-api-session-id", "good");
  EXPECT_NE(error_of(call("content.library", "list", "{}", "{}"), headers), "unauthenticated");
}

}  // namespace
}  // namespace quire::wire
