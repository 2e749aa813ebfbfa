#include "base/file_name.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace quire::base {
namespace {

using std::string_literals::operator""s;

std::string repeat(std::string_view part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

TEST(FileName, AcceptsWhatPeopleUse) {
  for (const auto& name : {"a"s, "disk-0.vmdk"s, "dir/disk.vmdk"s, "a b (1)=%20.iso"s, "..."s, "..a"s, ".hidden"s,
                           "Gr\xC3\xB6\xC3\x9F"
                           "e.iso"s,
                           "\xF0\x9F\x92\xBE.img"s, "C:x"s, "\xC2\xA0"s, repeat("x", 255), repeat("\xC3\xA9", 127),
                           repeat("0123456/", 127) + "01234567" /* 1,024 bytes */}) {
    EXPECT_TRUE(check_file_name(name)) << displayable(name);
  }
}

TEST(FileName, RefusesWhatCouldHarm) {
  for (const auto& name : {""s,
                           "/"s,
                           "/etc/passwd"s,
                           "a/"s,
                           "a//b"s,
                           "."s,
                           ".."s,
                           "../a"s,
                           "a/../b"s,
                           "a/."s,
                           "./a"s,
                           "a\\b"s,
                           "..\\a"s,
                           "a\0b"s,
                           "\0"s,
                           "a\n"s,
                           "\x1F"s,
                           "a\x7F"s,
                           "\xC2\x80"s,
                           "\xC2\x9F"s,
                           "\xFF"s,
                           "\xC0\xAF"s,
                           "\xE0\x80\xAF"s,
                           "\xED\xA0\x80"s,
                           "\xF4\x90\x80\x80"s,
                           "\xF8\x88\x80\x80\x80"s,
                           "a\xC3"s,
                           "\xE2\x82"s,
                           "\x80"s,
                           "http://host/disk.vmdk"s,
                           repeat("x", 256),
                           repeat("\xC3\xA9", 128),
                           "a/" + repeat("x", 256),
                           repeat("0123456/", 127) + "012345678"}) {
    const auto checked = check_file_name(name);
    ASSERT_FALSE(checked) << displayable(name);
    EXPECT_EQ(checked.error().kind(), ErrorKind::invalid_argument);
    EXPECT_EQ(checked.error().messages().front().id, "quire.file_name.invalid");
  }
}

// An archive member `%2e%2e/x` was taken; whoever decodes names once more would have left its folder.
TEST(FileName, RefusesWhatWouldHarmDecoded) {
  for (const auto& name :
       {"%2e%2e/x"s,   "%2E./x"s,      "a/%2e%2e/x"s,   "%2Fetc"s,    "%2fetc/passwd"s, "a%2f"s,
        "a%2f%2fb"s,   "a%00b"s,       "a%5Cb"s,        "a%0Ab"s,     "a%7f"s,          "%2e"s,
        "a/%2e"s,      "%ff"s,         "%C3"s,          "%C0%AF"s,    "%252e%252e/x"s,  "%25252e%25252e/x"s,
        "%2%65%2e/x"s, "100%/%2e%2e"s, "%zz/%2e%2e/x"s, "a%25%30%30"s}) {
    const auto problem = file_name_problem(name);
    ASSERT_TRUE(problem) << name;
    EXPECT_TRUE(problem->starts_with("percent-decoded, ")) << *problem;
    EXPECT_FALSE(check_file_name(name));
  }
  for (const auto& name : {"50%25.vmdk"s, "50%2525.vmdk"s, "My%20VM-disk1.vmdk"s, "a%2Fb"s, "100%"s, "100%.iso"s,
                           "%zz"s, "a%2"s, "Gr%C3%B6sse"s, "%2e%2e%2e"s, "%2ehidden"s, "..%2e"s})
    EXPECT_TRUE(check_file_name(name)) << name;
}

TEST(FileName, AHrefNamesItsDecodedForm) {
  EXPECT_EQ(decoded_file_name("The%20Image-disk1.vmdk"), "The Image-disk1.vmdk");
  EXPECT_EQ(decoded_file_name("50%25.vmdk"), "50%.vmdk");
  EXPECT_EQ(decoded_file_name("d%2Fa"), "d/a");
  for (const char* same : {"plain.vmdk", "100%.vmdk", "", "%2e%2e", "a%00"}) EXPECT_FALSE(decoded_file_name(same));
}

TEST(FileName, LeadingDotsGo) {
  EXPECT_EQ(without_leading_dot("./a/b"), "a/b");
  EXPECT_EQ(without_leading_dot("././a"), "a");
  EXPECT_EQ(without_leading_dot("./"), "");
  for (const char* same : {"a", ".", "..", "../a", ".a", "a/./b", "/./a"}) EXPECT_EQ(without_leading_dot(same), same);
}

TEST(FileName, MacOsKeepsDoublesBesideFiles) {
  EXPECT_EQ(apple_double_of("._vm.ovf"), "vm.ovf");
  EXPECT_EQ(apple_double_of("d/e/._vm.ovf"), "d/e/vm.ovf");
  for (const auto* other : {"vm.ovf", "._", "d/._", "._/a", "a._b", "._d/a", "_.a", ""})
    EXPECT_FALSE(apple_double_of(other));
}

TEST(Utf8, DisplayableIsAlwaysFitForAMessage) {
  EXPECT_EQ(displayable("plain \xC3\xA9"), "plain \xC3\xA9");
  EXPECT_EQ(displayable("a\nb\0"s), "a\\x0ab\\x00");
  EXPECT_EQ(displayable("\xFF\xC2\x85"), "\\xff\\xc2\\x85");
  EXPECT_EQ(displayable("abcdef", 3), "abc\xE2\x80\xA6");
  EXPECT_EQ(displayable("ab\xC3\xA9", 3), "ab\xE2\x80\xA6");
  EXPECT_EQ(displayable("abc", 3), "abc");
}

TEST(Utf8, TakesCodePointsAtTheEdges) {
  struct Case {
    std::string_view bytes;
    char32_t point;
  };
  for (const auto& [bytes, point] :
       {Case{"\x7F", 0x7F}, Case{"\xC2\x80", 0x80}, Case{"\xDF\xBF", 0x7FF}, Case{"\xE0\xA0\x80", 0x800},
        Case{"\xED\x9F\xBF", 0xD7FF}, Case{"\xEE\x80\x80", 0xE000}, Case{"\xEF\xBF\xBF", 0xFFFF},
        Case{"\xF0\x90\x80\x80", 0x10000}, Case{"\xF4\x8F\xBF\xBF", 0x10FFFF}}) {
    auto rest = bytes;
    EXPECT_EQ(take_code_point(rest), point);
    EXPECT_TRUE(rest.empty());
    std::string again;
    append_code_point(again, point);
    EXPECT_EQ(again, bytes);
  }
}

}  // namespace
}  // namespace quire::base
