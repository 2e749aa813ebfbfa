#include "base/base64.h"

#include <gtest/gtest.h>

namespace quire::base {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST(Base64, WritesAndReadsTheExamplesOfTheRfc) {
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, text] : examples) {
    EXPECT_EQ(to_base64(bytes_of(plain)), text);
    EXPECT_EQ(from_base64(text), bytes_of(plain)) << text;
  }
}

TEST(Base64, KeepsEveryByte) {
  std::vector<std::byte> all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
  EXPECT_EQ(from_base64(to_base64(all)), all);
}

TEST(Base64, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Z===", "====", "Zm9v\n", " Zm9", "Zm9v Zm9", "Zm=v", "Zm9-", "Z\0m9"})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace quire::base
