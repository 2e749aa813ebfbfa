#include "wire/page/web_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace quire::wire {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Response get(std::string target, std::vector<std::pair<std::string, std::string>> fields = {}) {
  Request request;
  request.method = "GET";
  request.target = std::move(target);
  for (auto& [name, value] : fields) request.headers.add(name, value);
  return WebPage::handle(request);
}

/// The address of the script that the HTML names.
std::string script() {
  const auto html = get("/").body;
  const auto begin = html.find("/ui/app-");
  EXPECT_NE(begin, std::string::npos) << html;
  return html.substr(begin, html.find('"', begin) - begin);
}

TEST(WebPage, AnswersEveryAddressOfItsOwnWithTheHtml) {
  for (const auto* path : {"/", "/ui", "/ui/", "/ui/libraries/0a1b", "/ui/items/x?tab=files"}) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.headers.find("Content-Type"), "text/html; charset=utf-8") << path;
    EXPECT_THAT(response.body, StartsWith("<!doctype html>")) << path;
    EXPECT_EQ(response.headers.find("Cache-Control"), "no-cache");
  }
  for (const auto* path : {"/uix", "/api/session", "/cls/data/x", "/sdk"}) {
    EXPECT_FALSE(WebPage::owns(path)) << path;
  }
}

TEST(WebPage, LetsNothingInFromElsewhere) {
  const auto html = get("/");
  const auto policy = std::string(html.headers.find("Content-Security-Policy").value_or(""));
  EXPECT_THAT(policy, StartsWith("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_THAT(html.body, Not(HasSubstr("http")));
  EXPECT_THAT(html.body, Not(HasSubstr("style=")));
  EXPECT_EQ(html.headers.find("X-Content-Type-Options"), "nosniff");
}

TEST(WebPage, FilesWithAHashInTheirNamesStay) {
  const auto response = get(script());
  EXPECT_EQ(response.headers.find("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(response.headers.find("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_THAT(response.body, Not(StartsWith("<!doctype")));
}

TEST(WebPage, IsCompressedForWhoTakesIt) {
  const auto plain = get(script());
  EXPECT_FALSE(plain.headers.contains("Content-Encoding"));
  const auto packed = get(script(), {{"Accept-Encoding", "gzip, deflate, br;q=0.8"}});
  EXPECT_EQ(packed.headers.find("Content-Encoding"), "br");
  EXPECT_LT(packed.body.size() * 2, plain.body.size());
  EXPECT_NE(packed.headers.find("ETag"), plain.headers.find("ETag"));
  EXPECT_EQ(packed.headers.find("Vary"), "Accept-Encoding");
  const auto refused = get(script(), {{"Accept-Encoding", "br;q=0, gzip"}});
  EXPECT_FALSE(refused.headers.contains("Content-Encoding"));
}

TEST(WebPage, IsNotSentAgain) {
  const auto tag = std::string(*get("/").headers.find("ETag"));
  for (const auto& known : {tag, "\"x\", " + tag, "W/" + tag}) {
    const auto response = get("/", {{"If-None-Match", known}});
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.headers.find("ETag"), tag);
    EXPECT_TRUE(response.body.empty());
  }
  EXPECT_EQ(get("/", {{"If-None-Match", "\"x\""}}).status, 200);
}

TEST(WebPage, IsThereToBeReadOnly) {
  Request request;
  request.method = "POST";
  request.target = "/";
  const auto response = WebPage::handle(request);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD");
}

TEST(WebPage, StaysSmall) {
  // What a browser loads to show the page, compressed: the aim of docs/web-page.md.
  const auto html = get("/").body;
  const std::vector<std::pair<std::string, std::string>> accept = {{"Accept-Encoding", "br"}};
  std::size_t bytes = get("/", accept).body.size();
  for (auto at = html.find("\"/ui/"); at != std::string::npos; at = html.find("\"/ui/", at + 1))
    bytes += get(html.substr(at + 1, html.find('"', at + 1) - at - 1), accept).body.size();
  RecordProperty("compressed_bytes", static_cast<int>(bytes));
  EXPECT_LE(bytes, 60U << 10U);
}

}  // namespace
}  // namespace quire::wire
