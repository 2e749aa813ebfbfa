#include "adapters/curl/http_url.h"

#include <gtest/gtest.h>

namespace quire::adapters::curl {
namespace {

TEST(HttpUrl, KeepsCredentialsFromWhatIsShown) {
  const auto url = HttpUrl::parse("https://us%65r:p%40ss@Host.Example:8443/a%20b/c.iso?X-Signature=secret#part");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->credentials()->user, "user");
  EXPECT_EQ(url->credentials()->password, "p@ss");
  EXPECT_EQ(url->host(), "host.example");
  EXPECT_TRUE(url->is_https());
  EXPECT_TRUE(url->text().ends_with("/a%20b/c.iso?X-Signature=secret")) << url->text();
  EXPECT_TRUE(url->shown().ends_with(":8443/a%20b/c.iso")) << url->shown();
  for (const auto& text : {url->text(), url->shown()}) EXPECT_EQ(text.find('@'), std::string::npos) << text;
}

TEST(HttpUrl, EncodesBlanks) {
  EXPECT_EQ(HttpUrl::parse("http://host.example/a b.iso")->text(), "http://host.example/a%20b.iso");
}

TEST(HttpUrl, ReadsNumericHosts) {
  EXPECT_EQ(HttpUrl::parse("http://[2001:DB8::1]:80/")->host(), "2001:db8::1");
  EXPECT_EQ(HttpUrl::parse("http://2130706433/")->host(), "127.0.0.1");
  EXPECT_EQ(HttpUrl::parse("http://0x7f.1/")->host(), "127.0.0.1");
}

TEST(HttpUrl, RefusesWhatIsNotHttp) {
  for (const char* text : {"",
                           " ",
                           "host.example",
                           "host.example/a",
                           "/a",
                           "//host.example/a",
                           "ftp://host.example/a",
                           "file:///etc/passwd",
                           "ds:///vmfs/volumes/x/y",
                           "gopher://host.example/",
                           "http:",
                           "http://",
                           "http://:80/",
                           "http:/host.example/a",
                           "http:///host.example/a",
                           "https:////host.example/a",
                           "http://host.example:99999/",
                           "http://host.example:x/",
                           "http://[::1/",
                           "http://ho st/",
                           "javascript:alert(1)",
                           "http://a%0d%0ab@host.example/",
                           "http://host.example/\r\nX: y",
                           "data:text/plain,x",
                           "http://１２７.０.０.１/",
                           "http://①②⑦.0.0.1/",
                           "http://h%C3%B6st.example/"}) {
    EXPECT_FALSE(HttpUrl::parse(text)) << text;
  }
  EXPECT_FALSE(HttpUrl::parse(std::string("http://host.example/\0/x", 23)));
  EXPECT_TRUE(HttpUrl::parse("http://host.example/" + std::string(16'000, 'x')));
  EXPECT_FALSE(HttpUrl::parse("http://host.example/" + std::string(17'000, 'x')));
}

TEST(HttpUrl, ResolvesLocations) {
  const auto url = HttpUrl::parse("http://user:secret@host.example/a/b?q=1");
  const auto resolved = [&](const char* reference) {
    const auto target = url->resolve(reference);
    EXPECT_FALSE(target && target->credentials());
    return target ? target->text() : "none";
  };
  EXPECT_EQ(resolved("c"), "http://host.example/a/c");
  EXPECT_EQ(resolved("/c d?x=y z"), "http://host.example/c%20d?x=y+z");
  EXPECT_EQ(resolved("../c"), "http://host.example/c");
  EXPECT_EQ(resolved("//other.example/c"), "http://other.example/c");
  EXPECT_EQ(resolved("https://u:p@other.example/c#x"), "https://other.example/c");
  EXPECT_EQ(resolved("ftp://other.example/c"), "none");
  EXPECT_EQ(resolved("file:///etc/passwd"), "none");
}

TEST(HttpUrl, ComparesOrigins) {
  const auto url = *HttpUrl::parse("http://host.example/a");
  const auto same = [&](const char* text) { return url.same_origin(*HttpUrl::parse(text)); };
  EXPECT_TRUE(same("http://HOST.example:80/b"));
  EXPECT_FALSE(same("https://host.example/a"));
  EXPECT_FALSE(same("http://host.example:8080/a"));
  EXPECT_FALSE(same("http://host.example.evil.example/a"));
}

}  // namespace
}  // namespace quire::adapters::curl
