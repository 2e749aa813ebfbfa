#include "content/text.h"

#include <gtest/gtest.h>

namespace quire::content {
namespace {

TEST(Text, CountsCodePointsAndRefusesWhatIsNotUtf8) {
  EXPECT_EQ(code_points("abc"), 3U);
  EXPECT_EQ(code_points("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), 3U);
  for (const char* bad : {"\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82"})
    EXPECT_EQ(code_points(bad), std::nullopt);
}

TEST(Text, FoldsCaseBeyondAscii) { EXPECT_EQ(fold_case("Ubuntu-\xC3\x84\xCE\xA9"), "ubuntu-\xC3\xA4\xCF\x89"); }

TEST(Text, NamesHaveOneToEightyCharactersNotOnlyBlanks) {
  EXPECT_TRUE(check_name("name", "images", 80));
  EXPECT_TRUE(check_name("name", std::string(80, 'x'), 80));
  std::string umlauts;
  for (int i = 0; i < 80; ++i) umlauts += "\xC3\xA4";
  EXPECT_TRUE(check_name("name", umlauts, 80));
  for (const std::string& bad : {std::string(), std::string("   "), std::string(81, 'x'), std::string("a\nb"),
                                 std::string("a\x7F"), std::string("\xFF")})
    EXPECT_FALSE(check_name("name", bad, 80)) << bad;
}

}  // namespace
}  // namespace quire::content
