#include "support/mutation.h"
#include "support/seed.h"
#include "wire/binding_fixture.h"
#include "wire/codec/json_text.h"
#include "wire/json_rpc/json_rpc.h"
#include "wire/rest/legacy_rest.h"
#include "wire/rest/new_rest.h"

/// Damaged requests on every binding: no crash, and always a well-formed answer.
namespace quire::wire {
namespace {

constexpr int rounds = 4000;

const std::vector<std::string> methods = {"GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", ""};

void expect_well_formed(const Request& request, const Response& response) {
  const auto what = request.method + " " + request.target + "\n" + request.body;
  EXPECT_GE(response.status, 200) << what;
  EXPECT_LT(response.status, 600) << what;
  EXPECT_NE(response.status, 500) << what;
  if (response.body.empty()) {
    EXPECT_FALSE(response.headers.contains("Content-Type")) << what;
    EXPECT_LT(response.status, 300) << what;
    return;
  }
  const auto body = parse_json(response.body, json_rpc_depth_max);
  EXPECT_TRUE(body) << what << "\n" << response.body;
  EXPECT_EQ(test::header(response, "Content-Type"), "application/json") << what;
  for (const auto& [name, value] : response.headers.all())
    EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos) << name << " of " << what;
}

class BindingMutation : public ::testing::Test {
 protected:
  template <class Binding>
  void bombard(const Binding& binding, const std::vector<Request>& valid) {
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      auto request = valid[mutator.below(valid.size())];
      if (mutator.below(4) == 0) request.method = methods[mutator.below(methods.size())];
      if (mutator.below(2) == 0) request.target = mutator.damaged(request.target);
      if (mutator.below(2) == 0) request.body = mutator.damaged(request.body);
      expect_well_formed(request, binding.handle(request));
    }
  }

  test_support::Mutator mutator{test_support::test_seed()};
  test::RecordingInvoker invoker;
};

TEST_F(BindingMutation, LegacyRest) {
  const std::string item = "/rest/com/vmware/content/library/item";
  bombard(LegacyRest(api::all_operations(), invoker),
          {test::request_for("GET", item + "?library_id=a%3Ab"),
           test::request_for("POST", item,
                             R"({"create_spec":{"name":"n","size":5,"creation_time":"2026-02-11T08:04:17Z"}})"),
           test::request_for("POST", item + "/updatesession/file/id:a%3Ab?~action=add",
                             R"({"file_spec":{"name":"f","source_type":"PUSH","checksum_info":{"checksum":"00"}}})"),
           test::request_for("PATCH", item + "/id:a", R"({"update_spec":{"description":"\u00e4"}})")});
}

TEST_F(BindingMutation, NewRest) {
  const std::string item = "/api/content/library/item";
  bombard(NewRest(api::all_operations(), invoker),
          {test::request_for("GET", item + "?library_id=a%3Ab"), test::request_for("GET", item + "/a/file?name=x%2Fy"),
           test::request_for("POST", item + "?client_token=t", R"({"name":"n","size":5,"cached":true})"),
           test::request_for("POST", item + "/update-session/a/file",
                             R"({"name":"f","source_type":"PUSH","checksum_info":{"checksum":"00"}})"),
           test::request_for("DELETE", item + "/update-session/a/file/d%2Ff", "{}")});
}

TEST_F(BindingMutation, JsonRpc) {
  const auto call = [](const std::string& service, const std::string& operation, const std::string& input) {
    return test::request_for(
        "POST", "/api",
        R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":{"serviceId":"com.vmware.content.)" + service +
            R"(","operationId":")" + operation + R"(","input":{"STRUCTURE":{"operation-input":)" + input + "}}}}");
  };
  bombard(
      JsonRpc(api::all_operations(), invoker),
      {call("library", "list", "{}"),
       call("library.item", "create",
            R"({"client_token":{"OPTIONAL":null},"create_spec":{"STRUCTURE":{"com.vmware.content.library.item_model":)"
            R"({"name":{"OPTIONAL":"n"},"size":{"OPTIONAL":5},"cached":{"OPTIONAL":true}}}}})"),
       call("library.item.update_session", "keep_alive",
            R"({"update_session_id":"a","client_progress":{"OPTIONAL":5}})")});
}

}  // namespace
}  // namespace quire::wire
