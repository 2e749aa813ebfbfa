#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "wire/codec/rest_codec.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"

/// For tests of the bindings: requests, and an invoker that runs nothing.
namespace quire::wire::test {

/// Knows the token `good` and the user `admin` with the password `secret`. Notes the operation and the input that a
/// binding passed, as new REST would write it, and answers as told.
class RecordingInvoker final : public Invoker {
 public:
  base::Result<content::Caller> authenticate(std::string_view token) override {
    if (token != "good") return refused();
    return content::Caller{"admin", content::LoginId("login")};
  }
  base::Result<content::Caller> log_in(const api::Credentials& credentials,
                                       const content::CallOrigin& origin) override {
    if (credentials.user != "admin" || credentials.password != "secret") return refused();
    ++logins;
    return content::Caller{"admin", content::LoginId("of one call"), content::Grants::none(), {}, origin};
  }
  void log_out(const content::Caller& caller) override {
    EXPECT_EQ(caller.login.text(), "of one call");
    --logins;
  }
  base::Result<void> run(const api::Operation& operation, const api::CallContext& context, const void* given,
                         void* output) override {
    ran = operation.facts.service.substr(operation.facts.service.rfind('.') + 1) + "." + operation.facts.name;
    input = boost::json::serialize(encode_rest(*operation.input, given, RestForm::current));
    call = context;
    if (error) return *error;
    if (output && !result.empty()) {
      const auto value = boost::json::parse(result);
      const auto filled = decode_rest(value, *operation.output, output, RestForm::current, InputPath{});
      EXPECT_TRUE(filled) << (filled ? "" : filled.error().text());
    }
    return {};
  }

  std::string ran;  ///< `update_session.get`; empty when nothing ran
  std::string input;
  api::CallContext call;
  std::string result;                ///< the output as new REST writes it; empty: a default one
  std::optional<base::Error> error;  ///< instead of a result
  int logins = 0;                    ///< of one call, alive

 private:
  static base::Error refused() {
    return base::Error(base::ErrorKind::unauthenticated, "quire.test.refused", "Not let in.");
  }
};

inline Request request_for(std::string method, std::string target, std::string body = {}) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  request.base_url = "https://quire.example";
  request.headers.add("Vmware-Api-Session-Id", "good");
  return request;
}

inline std::string header(const Response& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or("(none)"));
}

/// `error_type` of the body of either REST form, or what is there instead.
inline std::string error_type_in(const Response& response) {
  boost::json::error_code failed;
  const auto body = boost::json::parse(response.body, failed);
  const auto* object = failed ? nullptr : body.if_object();
  if (object && object->contains("value")) object = object->at("value").if_object();
  const auto* type = object ? object->if_contains("error_type") : nullptr;
  return type && type->is_string() ? std::string(type->get_string()) : response.body;
}

}  // namespace quire::wire::test
