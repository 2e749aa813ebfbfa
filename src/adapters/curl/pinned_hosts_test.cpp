#include "adapters/curl/pinned_hosts.h"

#include <gmock/gmock.h>

namespace quire::adapters::curl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string digits = "00112233445566778899aabbccddeeff00112233";
const std::string shown = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

PinnedHosts pinned(const std::vector<std::string>& entries) {
  auto made = PinnedHosts::make(entries);
  EXPECT_TRUE(made) << made.error().text();
  return made ? *std::move(made) : PinnedHosts();
}

TEST(PinnedHosts, AreFoundByHostAndPort) {
  const auto hosts = pinned({"Mirror.Example.=" + digits, "other.example:8443=" + digits});
  EXPECT_THAT(hosts.thumbprints_of("mirror.example", "443"), ElementsAre(shown));
  EXPECT_THAT(hosts.thumbprints_of("MIRROR.example.", "8443"), ElementsAre(shown));
  EXPECT_THAT(hosts.thumbprints_of("other.example", "8443"), ElementsAre(shown));
  EXPECT_THAT(hosts.thumbprints_of("other.example", "443"), IsEmpty());
  EXPECT_THAT(hosts.thumbprints_of("a.mirror.example", "443"), IsEmpty());
  EXPECT_THAT(PinnedHosts().thumbprints_of("mirror.example", "443"), IsEmpty());
}

TEST(PinnedHosts, MayBeAddressesInAnyForm) {
  for (const auto* entry : {"[FD00:0::1]:8443=", "[fd00::1]=", "fd00::1="}) {
    const auto hosts = pinned({entry + digits});
    EXPECT_THAT(hosts.thumbprints_of("fd00::1", "8443"), ElementsAre(shown)) << entry;
    EXPECT_THAT(hosts.thumbprints_of("fd00::2", "8443"), IsEmpty()) << entry;
  }
  EXPECT_THAT(pinned({"192.0.2.1:443=" + digits}).thumbprints_of("192.0.2.1", "443"), ElementsAre(shown));
}

TEST(PinnedHosts, MayPresentOneOfSeveralCertificates) {
  const std::string sha256 = digits + std::string(24, 'f');
  const auto hosts = pinned({"host=" + shown, "host:443=" + sha256});
  EXPECT_EQ(hosts.thumbprints_of("host", "443").size(), 2U);
  EXPECT_THAT(hosts.thumbprints_of("host", "444"), ElementsAre(shown));
}

TEST(PinnedHosts, SayWhatIsWrong) {
  for (const auto& [entry, problem] : std::vector<std::pair<std::string, std::string>>{
           {"", "no ="},
           {"host", "no ="},
           {"host=", "thumbprint"},
           {"host=AB:CD", "thumbprint"},
           {"host=" + digits + "0", "thumbprint"},
           {"host=" + digits.substr(1) + "g", "thumbprint"},
           {"=" + digits, "no host"},
           {":443=" + digits, "no host"},
           {"https://host=" + digits, "no host"},
           {"host/path=" + digits, "no host"},
           {"*.host=" + digits, "no host"},
           {"ho st=" + digits, "no host"},
           {"user@host=" + digits, "no host"},
           {"127.1=" + digits, "no host"},
           {"[192.0.2.1]=" + digits, "no host"},
           {"[host]=" + digits, "no host"},
           {"[fd00::1=" + digits, "bracket"},
           {"host:=" + digits, "port"},
           {"host:0=" + digits, "port"},
           {"host:65536=" + digits, "port"},
           {"host:x=" + digits, "port"},
       }) {
    const auto made = PinnedHosts::make(std::vector{entry});
    ASSERT_FALSE(made) << entry;
    EXPECT_THAT(made.error().text(), HasSubstr(problem)) << entry;
    EXPECT_THAT(made.error().text(), HasSubstr(entry)) << entry;
  }
}

}  // namespace
}  // namespace quire::adapters::curl
