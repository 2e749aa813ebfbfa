#include "content/resource_urn.h"

#include <gtest/gtest.h>

#include <string>

namespace quire::content {
namespace {

TEST(ResourceUrnTest, NamesAResource) {
  for (const auto* good : {"urn:vmomi:vm:vm-12", "urn:vmomi:supervisor:sup-56789", "a:b:c:d:e", "urn:x:y:%20/z"})
    EXPECT_TRUE(check_resource_urn(good)) << good;
}

TEST(ResourceUrnTest, RefusesAnythingElse) {
  for (const auto& bad :
       {std::string(), std::string("vm-12"), std::string("urn:vmomi:vm"), std::string("urn:vmomi:vm:"),
        std::string(":vmomi:vm:vm-12"), std::string("urn::vm:vm-12"), std::string("urn:vmomi:vm:vm 12"),
        std::string("urn:vmomi:vm:vm\n"), std::string("urn:a:b:\xC3\xA4"), "urn:a:b:" + std::string(1100, 'x')})
    EXPECT_EQ(check_resource_urn(bad).error().kind(), base::ErrorKind::invalid_argument) << bad;
}

}  // namespace
}  // namespace quire::content
