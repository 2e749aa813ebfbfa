#include "wire/codec/error_table.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace quire::wire {
namespace {

namespace json = boost::json;
using base::ErrorKind;

const base::Error refusal(ErrorKind::not_found, "quire.test.gone", "{what} of {size} bytes left at {when}.",
                          {{"what", std::string("disk%1")},
                           {"size", std::int64_t{7}},
                           {"when", base::Time(base::Duration(0))}});

TEST(ErrorTable, EveryKindOnEveryWire) {
  for (const auto kind : base::all_error_kinds()) {
    for (const auto form : {RestForm::legacy, RestForm::current}) {
      EXPECT_GE(status_of(kind, form), 400);
      EXPECT_LE(status_of(kind, form), 504);
    }
    const base::Error error(kind, "quire.test", "Text.");
    const auto legacy = rest_error_body(error, RestForm::legacy);
    EXPECT_EQ(legacy.at("type").as_string(), canonical_error_name(kind));
    EXPECT_EQ(legacy.at("value").at("error_type").as_string(), error_type(kind));
    EXPECT_EQ(rest_error_body(error, RestForm::current).at("error_type").as_string(), error_type(kind));
    EXPECT_TRUE(vapi_error(error).at("ERROR").as_object().contains(canonical_error_name(kind)));
  }
}

TEST(ErrorTable, StatusesOfTheReference) {
  EXPECT_EQ(status_of(ErrorKind::resource_busy, RestForm::legacy), 400);
  EXPECT_EQ(status_of(ErrorKind::resource_busy, RestForm::current), 500);
  EXPECT_EQ(status_of(ErrorKind::concurrent_change, RestForm::legacy), 409);
  EXPECT_EQ(status_of(ErrorKind::unauthenticated, RestForm::legacy), 401);
  EXPECT_EQ(status_of(ErrorKind::not_found, RestForm::current), 404);
  EXPECT_EQ(status_of(ErrorKind::error, RestForm::legacy), 400);
  EXPECT_EQ(status_of(ErrorKind::error, RestForm::current), 500);
}

TEST(ErrorTable, Bodies) {
  EXPECT_EQ(json::serialize(rest_error_body(refusal.with_cause("/secret/path"), RestForm::current)),
            R"({"error_type":"NOT_FOUND","messages":[{"id":"quire.test.gone",)"
            R"("default_message":"disk％1 of 7 bytes left at 1970-01-01T00:00:00.000Z.",)"
            R"("args":["disk%1","7","1970-01-01T00:00:00.000Z"],)"
            R"("params":{"size":{"i":7},"what":{"s":"disk%1"},"when":{"dt":"1970-01-01T00:00:00.000Z"}}}]})");
  const base::Error plain(ErrorKind::unauthenticated, "quire.test", "Text.");
  EXPECT_EQ(json::serialize(rest_error_body(plain, RestForm::current, "Basic")),
            R"({"error_type":"UNAUTHENTICATED","messages":[{"id":"quire.test","default_message":"Text.","args":[]}],)"
            R"("challenge":"Basic"})");
  EXPECT_EQ(json::serialize(rest_error_body(plain.because(base::make_message("quire.why", "Why.")), RestForm::legacy)),
            R"({"type":"com.vmware.vapi.std.errors.unauthenticated","value":{"error_type":"UNAUTHENTICATED",)"
            R"("messages":[{"id":"quire.test","default_message":"Text.","args":[]},)"
            R"({"id":"quire.why","default_message":"Why.","args":[]}]}})");
  const auto legacy = rest_error_body(refusal, RestForm::legacy).at("value").at("messages").at(0).at("params");
  EXPECT_EQ(json::serialize(legacy.at(0)), R"({"key":"size","value":{"i":7}})");
  EXPECT_EQ(json::serialize(vapi_error(base::Error(ErrorKind::not_found, "quire.test", "Text."))),
            R"({"ERROR":{"com.vmware.vapi.std.errors.not_found":{"messages":[{"STRUCTURE":{)"
            R"("com.vmware.vapi.std.localizable_message":{"id":"quire.test","default_message":"Text.","args":[],)"
            R"("params":{"OPTIONAL":null},"localized":{"OPTIONAL":null}}}}],"data":{"OPTIONAL":null},)"
            R"("error_type":{"OPTIONAL":"NOT_FOUND"}}}})");
}

}  // namespace
}  // namespace quire::wire
