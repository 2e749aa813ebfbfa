#include "content/address_policy.h"

#include <gtest/gtest.h>

namespace quire::content {
namespace {

AddressPolicy policy(std::vector<std::string> allow, std::vector<std::string> deny) {
  auto made = AddressPolicy::make(allow, deny);
  EXPECT_TRUE(made) << (made ? "" : made.error().text());
  return made ? *made : AddressPolicy();
}

TEST(AddressPolicy, RefusesByDefaultInEveryForm) {
  const AddressPolicy policy;
  for (const char* address :
       {// loopback
        "127.0.0.1", "127.0.0.0", "127.255.255.255", "127.8.8.8", "::1", "0:0:0:0:0:0:0:1",
        "0000:0000:0000:0000:0000:0000:0000:0001", "::ffff:127.0.0.1", "::FFFF:7F00:1", "0:0:0:0:0:ffff:7f00:0001",
        "::127.0.0.1", "::7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::127.0.0.1",
        "::ffff:0:127.0.0.1", "2002:7f00:1::", "2002:7f00:1::5", "2002:7fff:ffff:1:2:3:4:5",
        // link-local and metadata services
        "169.254.0.1", "169.254.169.254", "169.254.255.255", "fe80::1", "fe80::", "febf:ffff::1",
        "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
        "100.100.100.200", "::ffff:100.100.100.200", "fd00:ec2::254", "FD00:0EC2::0254", "fd20:ce::254",
        "168.63.129.16", "192.0.0.192",
        // unspecified
        "0.0.0.0", "0.1.2.3", "::", "0::0", "::ffff:0.0.0.0", "64:ff9b::", "2002::",
        // multicast and broadcast
        "224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::fb", "::ffff:224.0.0.1", "2002:e000:1::", "255.255.255.255",
        "::ffff:255.255.255.255", "64:ff9b::ffff:ffff"}) {
    EXPECT_FALSE(policy.allows(address)) << address;
    EXPECT_TRUE(IpAddress::parse(address)) << address;
  }
}

TEST(AddressPolicy, AllowsPublicAndPrivateAddresses) {
  const AddressPolicy policy;
  for (const char* address : {"10.0.0.1",         "172.16.5.4",      "192.168.1.1",     "100.64.0.1",
                              "100.100.100.199",  "100.100.100.201", "192.0.2.1",       "8.8.8.8",
                              "1.0.0.0",          "126.255.255.255", "128.0.0.0",       "169.253.255.255",
                              "169.255.0.0",      "223.255.255.255", "255.255.255.254", "fd00::1",
                              "fc00::1",          "fd00:ec2::253",   "2001:db8::1",     "2606:4700::1111",
                              "fe7f::1",          "fec0::1",         "feff::1",         "::ffff:10.0.0.1",
                              "64:ff9b::808:808", "2002:808:808::1", "::2:0:0:0",       "1::"}) {
    EXPECT_TRUE(policy.allows(address)) << address;
  }
}

TEST(AddressPolicy, RefusesWhatIsNoAddress) {
  const AddressPolicy policy = quire::content::policy({"0.0.0.0/0", "::/0"}, {});
  for (const char* text : {"",
                           " ",
                           "localhost",
                           "127.1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "0177.0.0.1",
                           "010.0.0.1",
                           "0x7f.0.0.1",
                           "2130706433",
                           "0x7f000001",
                           "256.0.0.1",
                           "1.2.3.-4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1.2.3.4/32",
                           "1.2.3.4:80",
                           "[::1]",
                           "::1%lo",
                           "fe80::1%eth0",
                           ":::",
                           "1::2::3",
                           "12345::",
                           "::g",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "::256.1.1.1"}) {
    EXPECT_FALSE(policy.allows(text)) << text;
  }
  EXPECT_FALSE(policy.allows(std::string_view("8.8.8.8\0", 8)));
  EXPECT_FALSE(policy.allows(std::string_view("8.8.8.8\0x", 9)));
}

TEST(AddressPolicy, AllowBeatsTheDefaultsAndDenyBeatsAllow) {
  const auto policy = quire::content::policy({"127.0.0.0/8", "::1", "169.254.169.254"}, {"127.0.0.8/29", "10.0.0.0/8"});
  for (const char* address : {"127.0.0.1", "127.0.0.7", "127.0.0.16", "::1", "169.254.169.254", "::ffff:127.0.0.1",
                              "2002:7f00:1::", "192.168.0.1"}) {
    EXPECT_TRUE(policy.allows(address)) << address;
  }
  for (const char* address : {"127.0.0.8", "127.0.0.15", "::ffff:127.0.0.8", "10.1.2.3", "::ffff:10.1.2.3",
                              "64:ff9b::10.1.2.3", "2002:a01:203::", "169.254.169.253", "fe80::1"}) {
    EXPECT_FALSE(policy.allows(address)) << address;
  }
}

// Whoever allows all of IPv6 has not allowed the IPv4 addresses that some of it leads to.
TEST(AddressPolicy, AnIpv6NetworkAllowsNoEmbeddedAddress) {
  const auto policy = quire::content::policy({"::/0"}, {});
  EXPECT_TRUE(policy.allows("fe80::1"));
  EXPECT_TRUE(policy.allows("::1"));
  EXPECT_FALSE(policy.allows("::ffff:127.0.0.1"));
  EXPECT_FALSE(policy.allows("64:ff9b::7f00:1"));
  EXPECT_FALSE(policy.allows("127.0.0.1"));
}

TEST(AddressPolicy, AnIpv6NetworkDeniesTheOuterForm) {
  const auto policy = quire::content::policy({}, {"64:ff9b::/96", "2002::/16"});
  EXPECT_FALSE(policy.allows("64:ff9b::8.8.8.8"));
  EXPECT_FALSE(policy.allows("2002:808:808::1"));
  EXPECT_TRUE(policy.allows("8.8.8.8"));
}

TEST(AddressPolicy, DenyOfEverythingWithExceptionsElsewhere) {
  const auto policy = quire::content::policy({"192.0.2.0/24"}, {"0.0.0.0/0", "::/0"});
  EXPECT_FALSE(policy.allows("192.0.2.1"));
  EXPECT_FALSE(policy.allows("2001:db8::1"));
}

IpAddress ipv4(std::uint32_t number) {
  const std::array<std::byte, 4> bytes = {std::byte(number >> 24), std::byte(number >> 16), std::byte(number >> 8),
                                          std::byte(number)};
  return *IpAddress::from_bytes(bytes);
}

TEST(AddressPolicy, ReadsNetworksOfEveryLength) {
  for (int prefix = 2; prefix <= 32; ++prefix) {
    const auto policy = quire::content::policy({}, {"128.0.0.0/" + std::to_string(prefix)});
    const auto end = static_cast<std::uint32_t>(0x80000000ULL + (1ULL << (32 - prefix)));
    EXPECT_FALSE(policy.allows(ipv4(0x80000000))) << prefix;
    EXPECT_FALSE(policy.allows(ipv4(end - 1))) << prefix;
    EXPECT_TRUE(policy.allows(ipv4(end))) << prefix;
  }
}

TEST(AddressPolicy, NamesTheEntryThatIsNoNetwork) {
  for (const char* text : {"", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
                           "10.0.0.0/8 ", "10.1.2.3/8", "fd00::1/8", "::/129", "host.example", "10.0.0.0-10.0.0.9",
                           "10.0.0.0/255.0.0.0", "/8", "10.0.0.0/0x8", "10.0.0.0/ 8"}) {
    const std::vector<std::string> list = {"10.0.0.0/8", text};
    const std::vector<std::string> none;
    const auto allow = AddressPolicy::make(list, none);
    const auto deny = AddressPolicy::make(none, list);
    ASSERT_FALSE(allow) << text;
    ASSERT_FALSE(deny) << text;
    EXPECT_EQ(allow.error().kind(), base::ErrorKind::invalid_argument);
    EXPECT_NE(allow.error().text().find("'" + std::string(text) + "'"), std::string::npos) << allow.error().text();
    EXPECT_NE(deny.error().text().find("to deny"), std::string::npos) << deny.error().text();
  }
}

TEST(AddressPolicy, SaysWhy) {
  const auto policy = quire::content::policy({}, {"10.0.0.0/8"});
  EXPECT_EQ(policy.refusal(*IpAddress::parse("::ffff:127.0.0.1")), "a loopback address");
  EXPECT_EQ(policy.refusal(*IpAddress::parse("169.254.169.254")), "a cloud's metadata service");
  EXPECT_EQ(policy.refusal(*IpAddress::parse("10.0.0.1")), "in a network that this server denies");
  EXPECT_EQ(policy.refusal(*IpAddress::parse("192.0.2.1")), std::nullopt);
}

TEST(IpAddress, ReadsBytesAndWritesText) {
  const std::array<std::byte, 4> four = {std::byte{192}, std::byte{0}, std::byte{2}, std::byte{1}};
  EXPECT_EQ(IpAddress::from_bytes(four)->text(), "192.0.2.1");
  std::array<std::byte, 16> sixteen{};
  sixteen[15] = std::byte{1};
  EXPECT_EQ(IpAddress::from_bytes(sixteen)->text(), "::1");
  EXPECT_FALSE(IpAddress::from_bytes(std::span(sixteen).first(5)));
  EXPECT_FALSE(IpAddress::from_bytes({}));
}

}  // namespace
}  // namespace quire::content
