#include "formats/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/mutation.h"
#include "support/seed.h"

namespace quire::formats {
namespace {

using base::DigestAlgorithm;
using testing::HasSubstr;
using std::string_literals::operator""s;

const std::string sha1_digits(40, 'a');
const std::string sha256_digits(64, 'b');
const std::string sha512_digits(128, 'c');

base::Result<std::vector<ManifestEntry>> parse(std::string_view text) {
  return parse_manifest(std::as_bytes(std::span(text)));
}

TEST(Manifest, ReadsEveryFormThatToolsWrite) {
  const auto upper = std::string(64, 'B');
  struct Case {
    std::string text;
    ManifestEntry entry;
  };
  for (const auto& [text, entry] : std::vector<Case>{
           {"SHA256(a.ovf)= " + sha256_digits + "\n", {"a.ovf", {DigestAlgorithm::SHA256, sha256_digits}}},
           {"SHA1(a.ovf)= " + sha1_digits, {"a.ovf", {DigestAlgorithm::SHA1, sha1_digits}}},
           {"SHA512(a.ovf)=" + sha512_digits + "\r\n", {"a.ovf", {DigestAlgorithm::SHA512, sha512_digits}}},
           {"sha256(a.ovf) = " + upper + "  \r\n", {"a.ovf", {DigestAlgorithm::SHA256, sha256_digits}}},
           {"SHA256 (a.ovf)\t=\t" + sha256_digits, {"a.ovf", {DigestAlgorithm::SHA256, sha256_digits}}},
           {"\n\r\nSHA1(a (1).ovf)= " + sha1_digits + "\n\n", {"a (1).ovf", {DigestAlgorithm::SHA1, sha1_digits}}},
           {"SHA1(a)=b (.ovf)= " + sha1_digits, {"a)=b (.ovf", {DigestAlgorithm::SHA1, sha1_digits}}},
           {"SHA2-256(a.ovf)= " + sha256_digits + "\n", {"a.ovf", {DigestAlgorithm::SHA256, sha256_digits}}},
           {"sha2-512(a.ovf)= " + sha512_digits, {"a.ovf", {DigestAlgorithm::SHA512, sha512_digits}}},
           {"\xEF\xBB\xBFSHA1(a.ovf)= " + sha1_digits, {"a.ovf", {DigestAlgorithm::SHA1, sha1_digits}}},
           {" SHA256(a.ovf)=  " + sha256_digits + " \r\n\r\n", {"a.ovf", {DigestAlgorithm::SHA256, sha256_digits}}},
           {"SHA1(./d/a.ovf)= " + sha1_digits, {"d/a.ovf", {DigestAlgorithm::SHA1, sha1_digits}}},
           {"SHA1(50%25.vmdk)= " + sha1_digits, {"50%25.vmdk", {DigestAlgorithm::SHA1, sha1_digits}}},
           {"SHA1(())= " + sha1_digits, {"()", {DigestAlgorithm::SHA1, sha1_digits}}},
           {"SHA1(d/\xC3\xA9)= " + sha1_digits, {"d/\xC3\xA9", {DigestAlgorithm::SHA1, sha1_digits}}}}) {
    const auto entries = parse(text);
    ASSERT_TRUE(entries) << entries.error().text();
    ASSERT_EQ(entries->size(), 1U) << text;
    EXPECT_EQ(entries->front(), entry) << text;
  }
}

TEST(Manifest, KeepsTheOrderAndMayBeEmpty) {
  const auto entries = parse("SHA1(b)= " + sha1_digits + "\nSHA256(a)= " + sha256_digits + "\n");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ(entries->at(0).name, "b");
  EXPECT_EQ(entries->at(1).name, "a");
  EXPECT_TRUE(parse("")->empty());
  EXPECT_TRUE(parse(" \n\r\n")->empty());
}

TEST(Manifest, MayPromiseSeveralDigestsOfOneFile) {
  const auto entries = parse("SHA1(a)= " + sha1_digits + "\nSHA256(a)= " + sha256_digits + "\nSHA1(a)= " + sha1_digits);
  ASSERT_TRUE(entries) << entries.error().text();
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ(entries->at(1), (ManifestEntry{"a", {DigestAlgorithm::SHA256, sha256_digits}}));
}

TEST(Manifest, SaysWhatCameInItsPlace) {
  EXPECT_THAT(parse("<!DOCTYPE html><html>").error().text(), HasSubstr("it looks like an HTML page"));
  EXPECT_THAT(parse("\x1F\x8B\x08"s + std::string(20, '\0')).error().text(), HasSubstr("gzip-compressed data"));
}

TEST(Manifest, SaysWhatIsWrongAndWhere) {
  const auto good = "SHA1(good)= " + sha1_digits + "\n";
  struct Case {
    std::string line;
    std::string reason;
  };
  for (const auto& [line, reason] :
       std::vector<Case>{{"MD5(a)= " + std::string(32, 'a'), "none of SHA1, SHA256, SHA512"},
                         {"SHA2-1(a)= " + sha1_digits, "none of SHA1"},
                         {"SHA2-224(a)= " + std::string(56, 'a'), "none of SHA1"},
                         {"SHA2-md5(a)= " + std::string(32, 'a'), "none of SHA1"},
                         {"SHA2-(a)= " + sha1_digits, "none of SHA1"},
                         {"\xEF\xBB\xBFSHA1(a)= " + sha1_digits, "none of SHA1"},
                         {"SHA1(%2e%2e/a)= " + sha1_digits, "percent-decoded, a part is"},
                         {"SHA1(./)= " + sha1_digits, "it is empty"},
                         {"CRC(a)= 00", "none of SHA1"},
                         {"(a)= " + sha1_digits, "none of SHA1"},
                         {"SHA1(a)= " + sha256_digits, "wrong length"},
                         {"SHA256(a)= " + sha1_digits, "wrong length"},
                         {"SHA1(a)= " + sha1_digits.substr(1), "hexadecimal"},
                         {"SHA1(a)= " + sha1_digits.substr(1) + "g", "hexadecimal"},
                         {"SHA1(a)= " + sha1_digits + " b", "hexadecimal"},
                         {"SHA1(a)= " + sha1_digits + "\r", "hexadecimal"},
                         {"SHA1(a)=", "hexadecimal"},
                         {"SHA1(a) " + sha1_digits, "form"},
                         {"SHA1 a = " + sha1_digits, "form"},
                         {"SHA1(a = " + sha1_digits, "form"},
                         {"=SHA1(a)", "form"},
                         {"nonsense", "form"},
                         {"\0"s, "form"},
                         {"SHA1()= " + sha1_digits, "it is empty"},
                         {"SHA1(../a)= " + sha1_digits, "a part is"},
                         {"SHA1(/a)= " + sha1_digits, "a part between slashes is empty"},
                         {"SHA1(a\tb)= " + sha1_digits, "control character"},
                         {"SHA1(a\0b)= "s + sha1_digits, "control character"},
                         {"SHA1(\xFF)= " + sha1_digits, "not UTF-8"}}) {
    const auto entries = parse(good + line);
    ASSERT_FALSE(entries) << line;
    EXPECT_EQ(entries.error().kind(), base::ErrorKind::invalid_argument);
    EXPECT_EQ(entries.error().messages().front().id, "quire.manifest.invalid");
    EXPECT_THAT(entries.error().text(), HasSubstr(reason)) << line;
    EXPECT_THAT(entries.error().text(), HasSubstr("(line 2)")) << line;
  }
}

TEST(Manifest, HasLimits) {
  std::string text;
  for (std::size_t i = 0; i < max_manifest_entries; ++i)
    text += "SHA1(" + std::to_string(i) + ")= " + sha1_digits + "\n";
  ASSERT_LT(text.size(), max_manifest_bytes);
  EXPECT_TRUE(parse(text));
  EXPECT_FALSE(parse(text + "SHA1(one more)= " + sha1_digits + "\n"));
  EXPECT_TRUE(parse(std::string(max_manifest_bytes, '\n')));
  EXPECT_FALSE(parse(std::string(max_manifest_bytes + 1, '\n')));
}

TEST(Manifest, SurvivesDamage) {
  test_support::Mutator mutator(test_support::test_seed());
  const auto original = "SHA256(a.ovf)= " + sha256_digits + "\r\nSHA1(d/b (1).vmdk)= " + sha1_digits + "\n";
  for (int i = 0; i < 5000; ++i) {
    const auto entries = parse(mutator.damaged(original));
    EXPECT_TRUE(!entries || entries->size() <= 10);
  }
}

}  // namespace
}  // namespace quire::formats
