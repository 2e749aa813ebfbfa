#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace quire::base {
namespace {

TEST(Message, FillsNamedPlaceholdersAndKeepsArgsInOrder) {
  const auto message =
      make_message("quire.x", "File {name} has {size} bytes.", {{"name", "a.iso"}, {"size", std::int64_t{7}}});
  EXPECT_EQ(message.default_message, "File a.iso has 7 bytes.");
  EXPECT_EQ(message.args(), (std::vector<std::string>{"a.iso", "7"}));
}

// Ansible's content modules evaluate `default_message % args`: a file named "100%.iso" broke them.
TEST(Message, HoldsNoPercentSign) {
  const auto message = make_message("quire.x", "File {name} is missing.", {{"name", "100%.iso"}});
  EXPECT_EQ(message.default_message.find('%'), std::string::npos);
  EXPECT_EQ(message.args().front(), "100%.iso");
}

TEST(ErrorKinds, HaveDistinctNames) {
  std::set<std::string_view> names;
  for (const auto kind : all_error_kinds()) names.insert(name_of(kind));
  EXPECT_EQ(names.size(), 25U);
}

TEST(Error, StacksReasons) {
  const Error error(ErrorKind::not_found, "quire.a", "outer");
  const Error stacked = error.because(make_message("quire.b", "inner"));
  ASSERT_EQ(stacked.messages().size(), 2U);
  EXPECT_EQ(stacked.text(), "outer");
  EXPECT_EQ(stacked.messages()[1].default_message, "inner");
}

}  // namespace
}  // namespace quire::base
