#include "service/library/configuration.h"

#include <gtest/gtest.h>

#include "support/service_world.h"

// The service-wide settings (content-library-api.md §3).

namespace quire {
namespace {

using service::Configuration;
using service::ConfigurationModel;
using test_support::alice;
using test_support::Engine;
using test_support::kind;

class ConfigurationTest : public test_support::ServiceTest {
 protected:
  Configuration configuration() { return Configuration(world_->context()); }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, ConfigurationTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, ConfigurationTest, testing::Values(Engine::Postgresql));

TEST_P(ConfigurationTest, NumbersAreTheirDefaultsUntilTheyAreSet) {
  auto model = must(configuration().get(alice()));
  EXPECT_EQ(model.automatic_sync_enabled, true);
  for (const auto& number : service::configuration_numbers())
    EXPECT_EQ(model.*number.member, number.fallback) << number.name;
  for (const auto& number : service::configuration_numbers()) {
    ConfigurationModel change;
    change.*number.member = number.most;
    must(configuration().update(alice(), change));
    model.*number.member = number.most;
    const auto now = must(configuration().get(alice()));
    for (const auto& other : service::configuration_numbers())
      EXPECT_EQ(now.*other.member, model.*other.member) << other.name << " after " << number.name;
  }
}

TEST_P(ConfigurationTest, OneValueOutOfRangeChangesNothing) {
  for (const auto& number : service::configuration_numbers())
    for (const auto value : {number.least - 1, number.most + 1}) {
      ConfigurationModel change;
      change.automatic_sync_enabled = false;
      change.*number.member = value;
      EXPECT_EQ(kind(configuration().update(alice(), change)), "invalid_argument") << number.name;
    }
  EXPECT_EQ(must(configuration().get(alice())).automatic_sync_enabled, true);
}

}  // namespace
}  // namespace quire
