#include "adapters/curl/proxy_choice.h"

#include <gtest/gtest.h>

#include <map>

namespace quire::adapters::curl {
namespace {

std::string choice(const std::string& url, const std::map<std::string, std::string>& environment) {
  const auto proxy = proxy_for(*HttpUrl::parse(url), [&](const char* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
  return proxy.value_or("none");
}

TEST(ProxyChoice, DependsOnTheScheme) {
  EXPECT_EQ(choice("http://a.example/", {}), "none");
  EXPECT_EQ(choice("http://a.example/", {{"http_proxy", "p"}, {"https_proxy", "s"}}), "p");
  EXPECT_EQ(choice("https://a.example/", {{"http_proxy", "p"}, {"https_proxy", "s"}}), "s");
  EXPECT_EQ(choice("https://a.example/", {{"HTTPS_PROXY", "s"}}), "s");
  EXPECT_EQ(choice("http://a.example/", {{"HTTP_PROXY", "p"}}), "none");
  EXPECT_EQ(choice("http://a.example/", {{"http_proxy", ""}, {"ALL_PROXY", "a"}}), "a");
  EXPECT_EQ(choice("https://a.example/", {{"http_proxy", "p"}, {"all_proxy", "a"}}), "a");
}

TEST(ProxyChoice, HonoursExemptions) {
  const auto used = [](const std::string& host, const std::string& no_proxy) {
    return choice("http://" + host + "/", {{"http_proxy", "p"}, {"no_proxy", no_proxy}}) == "p";
  };
  for (const auto& [host, list] : std::map<std::string, std::string>{
           {"a.example", "*"},
           {"b.example", "x.example, b.example"},
           {"deep.c.example", "c.example"},
           {"deep.d.example", ".d.example"},
           {"e.example", ".e.example"},
           {"F.Example", "f.EXAMPLE"},
           {"g.example.", "g.example"},
           {"h.example", "h.example."},
           {"10.1.2.3", "192.0.2.1 10.0.0.0/8"},
           {"192.0.2.1", "192.0.2.1"},
           {"[fd00::1]", "fd00::/8"},
           {"[fd00::2]", "[fd00::2]"},
       })
    EXPECT_FALSE(used(host, list)) << host << " with " << list;
  for (const auto& [host, list] : std::map<std::string, std::string>{
           {"a.example", ""},
           {"b.example", ","},
           {"notc.example", "c.example"},
           {"d.example", "deep.d.example"},
           {"10.1.2.3", "11.0.0.0/8"},
           {"110.1.2.3", "10.1.2.3"},
           {"e.example", "example/8"},
       })
    EXPECT_TRUE(used(host, list)) << host << " with " << list;
  EXPECT_EQ(choice("http://a.example/", {{"http_proxy", "p"}, {"NO_PROXY", "a.example"}}), "none");
}

}  // namespace
}  // namespace quire::adapters::curl
