#include "bundle/scrubber.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

// Texts that leave a machine: what must go, and what must stay so that they still help.

namespace quire::bundle {
namespace {

const std::string drawn = "0123456789abcdef0123456789abcdef";

std::string free_text(const std::string& text) { return Scrubber().scrub_free_text(text); }

TEST(Scrubber, TakesWhatItKnowsInEachForm) {
  Scrubber scrubber;
  scrubber.add("a \"secret\" text");
  EXPECT_EQ(scrubber.scrub("x a \"secret\" text y"), "x (removed) y");
  EXPECT_EQ(scrubber.scrub(R"({"m":"a \"secret\" text"})"), R"x({"m":"(removed)"})x");
  EXPECT_EQ(scrubber.scrub("?x=a%20%22secret%22%20text"), "?x=(removed)");
  scrubber.add("short");
  EXPECT_EQ(scrubber.scrub("short"), "short") << "too short to be known by itself";
  scrubber.add("longer-secret");
  scrubber.add("longer-secret-and-more");
  EXPECT_EQ(scrubber.scrub("longer-secret-and-more"), "(removed)");
}

TEST(Scrubber, TakesWhatIsDrawnByItsShape) {
  EXPECT_EQ(free_text("GET /cls/data/" + drawn + "/disk.vmdk"), "GET /cls/data/(removed)/disk.vmdk");
  EXPECT_EQ(free_text("https://host:1/cls/data/" + drawn + "/a"), "https://host:1/cls/data/(removed)/a");
  EXPECT_EQ(free_text("(" + drawn + ")"), "((removed))");
  EXPECT_EQ(free_text(drawn + drawn), drawn + drawn) << "a SHA-256";
  EXPECT_EQ(free_text("7f0c2ab1-1111-4222-8333-0123456789ab"), "7f0c2ab1-1111-4222-8333-0123456789ab");
}

TEST(Scrubber, LeavesHostAndPathOfAUrl) {
  EXPECT_EQ(free_text("from https://user:pass@host:8443/a/b.iso?key=value#x failed"),
            "from https://(removed)@host:8443/a/b.iso?(removed) failed");
  EXPECT_EQ(Scrubber().scrub("postgresql://quire:pa%40ss@db/quire?sslmode=require&password=x"),
            "postgresql://(removed)@db/quire?(removed)");
  EXPECT_EQ(free_text("see \"https://host/a\", then"), "see \"https://host/a\", then");
  EXPECT_EQ(free_text("http://a@b@c/d"), "http://(removed)@c/d");
}

TEST(Scrubber, TakesPrivateKeysAndDigestsOfPasswords) {
  EXPECT_EQ(free_text("a\n-----BEGIN EC PRIVATE KEY-----\nMHc\nabc=\n-----END EC PRIVATE KEY-----\nb"),
            "a\n(removed)\nb");
  EXPECT_EQ(free_text("-----BEGIN PRIVATE KEY-----\nMHc"), "(removed)") << "one that was cut off";
  EXPECT_EQ(free_text("-----BEGIN CERTIFICATE-----\nMHc"), "-----BEGIN CERTIFICATE-----\nMHc");
  EXPECT_EQ(free_text("hash $argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA end"), "hash (removed) end");
}

TEST(Scrubber, TakesValuesBehindNamesOfSecrets) {
  EXPECT_EQ(free_text("password=hunter2 next"), "password=(removed) next");
  EXPECT_EQ(free_text("?access_token=abc&x=1"), "?access_token=(removed)&x=1");
  EXPECT_EQ(free_text(R"({"new_password": "it's \u0022", "name": "carol"})"),
            R"x({"new_password": "(removed)", "name": "carol"})x");
  EXPECT_EQ(free_text(R"("{\"secret\":\"abc\",\"a\":1}")"), R"x("{\"secret\":\"(removed)\",\"a\":1}")x");
  EXPECT_EQ(free_text("vmware-api-session-id: abc\nHost: x"), "vmware-api-session-id: (removed)\nHost: x");
  EXPECT_EQ(free_text("Authorization: Basic dXNlcjpwYXNz\r\nHost: x"), "Authorization: (removed)\r\nHost: x");
  EXPECT_EQ(free_text("Cookie: a=b; c=d\nx"), "Cookie: (removed)\nx");
  EXPECT_EQ(free_text("curl -H 'Bearer abc.def-123'"), "curl -H 'Bearer (removed)'");
  EXPECT_EQ(free_text("PGPASSWORD='a b' psql"), "PGPASSWORD='(removed)' psql");
}

TEST(Scrubber, TakesThePasswordOfAFirstStart) {
  EXPECT_EQ(free_text("The password of administrator@vsphere.local is 1f2e3d4c5b6a79880112 (shown only this once)"),
            "The password of administrator@vsphere.local is (removed) (shown only this once)");
}

TEST(Scrubber, LeavesWhatHelps) {
  for (const std::string text :
       {"The user name or the password is wrong.",
        "2026-11-28T22:00:00.000Z info  Webhook 5b1f was not told of event 57: The server answered with status 500.",
        "debug call com.quire.access.tokens.create POST /api/quire/access/tokens govc",
        "quire_requests_total{operation=\"com.vmware.cis.session.create\",result=\"ok\"} 1"})
    EXPECT_EQ(free_text(text), text);
}

TEST(Scrubber, GoesThroughJson) {
  Scrubber scrubber;
  scrubber.add("known-secret");
  const auto value = boost::json::parse(
      R"({"rows":{"client_tokens":5},"secret":"x","list":["known-secret","fine"],"url":"http://u:p@h/","n":1,"t":true})");
  EXPECT_EQ(
      boost::json::serialize(scrubber.scrub_value(value)),
      R"x({"rows":{"client_tokens":5},"secret":"(removed)","list":["(removed)","fine"],"url":"http://(removed)@h/","n":1,"t":true})x");
}

TEST(Scrubber, LearnsThePasswordsOfUrls) {
  Scrubber scrubber;
  scrubber.add_secrets_of_url("postgresql://quire:pa%40ssword@db/quire?sslmode=require&sslpassword=keypass1");
  EXPECT_EQ(scrubber.scrub("pa@ssword pa%40ssword keypass1 require"), "(removed) (removed) (removed) require");
}

}  // namespace
}  // namespace quire::bundle
