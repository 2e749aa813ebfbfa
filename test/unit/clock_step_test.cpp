#include <gtest/gtest.h>

#include <optional>

#include "service/access/catalog_authenticator.h"
#include "service/access/logins.h"
#include "service/access/passwords.h"
#include "support/service_world.h"

/// The wall clock is set while sessions live. Nothing may expire early, nothing may stay for ever, and what clients are
/// shown must be right by the clock that they see.
namespace quire::test_support {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::Time;

constexpr Duration timeout = 5min;

class ClockStepTest : public ServiceTest {
 protected:
  void sweep() {
    must(service::remember_skew(world_->context()));
    must(sessions().remove_expired());
    must(world_->downloads().remove_expired());
    must(logins().remove_expired());
  }
  /// A login table of its own each time, as after a restart.
  struct Access {
    explicit Access(service::Context& context) : authenticator(context), logins(context, authenticator, {}) {}
    service::CatalogAuthenticator authenticator;
    service::Logins logins;
  };
  service::Logins& logins() { return access_.emplace(world_->context()).logins; }
  void add_alice() {
    const auto hash = must(service::hash_of_password("secret", service::least_password_cost));
    world_->change([&](content::CatalogWriter& writer) { writer.put(content::User{"alice@vsphere.local", hash}); });
  }
  content::DownloadSessionId open_download() {
    return must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  }
  bool alive(const content::UpdateSessionId& id) { return bool(sessions().get(alice(), id)); }
  bool alive(const content::DownloadSessionId& id) { return bool(world_->downloads().get(alice(), id)); }
  Time wall() { return world_->clock().now(); }

 private:
  std::optional<Access> access_;
};

TEST_P(ClockStepTest, AStepForwardExpiresNothing) {
  add_alice();
  const auto id = open();
  const auto download = open_download();
  const auto token = must(logins().log_in("alice@vsphere.local", "secret"));
  world_->clock().step(24h);
  // On access, before any worker has noticed, and by the workers.
  EXPECT_TRUE(alive(id));
  EXPECT_TRUE(alive(download));
  EXPECT_TRUE(logins().authenticate(token));
  EXPECT_EQ(kind(sessions().create(bob(), item_.text(), std::nullopt, std::nullopt)), "resource_busy");
  sweep();
  EXPECT_TRUE(alive(id));
  EXPECT_TRUE(alive(download));
  EXPECT_TRUE(logins().authenticate(token));
  push(id, "a", "bytes");
  must(sessions().complete(alice(), id));
  EXPECT_EQ(content().at("a"), "bytes");
}

TEST_P(ClockStepTest, AStepBackKeepsNothing) {
  add_alice();
  const auto id = open();
  const auto download = open_download();
  const auto token = must(logins().log_in("alice@vsphere.local", "secret"));
  world_->clock().step(-24h);
  sweep();
  EXPECT_TRUE(alive(id)) << "nor is anything lost";
  world_->clock().advance(timeout + 10s);
  EXPECT_FALSE(alive(id));
  EXPECT_FALSE(alive(download));
  world_->clock().advance(3h);
  EXPECT_FALSE(logins().authenticate(token));
  sweep();
  EXPECT_EQ(
      world_->look([&](content::CatalogReader& reader) { return reader.find<content::UpdateSession>(id).has_value(); }),
      false);
  EXPECT_EQ(world_->look([&](content::CatalogReader& reader) { return reader.login_count(); }), 0U);
}

TEST_P(ClockStepTest, ShownTimesAreThoseOfTheWallClock) {
  add_alice();
  const auto id = open();
  const auto download = open_download();
  const auto token = must(logins().log_in("alice@vsphere.local", "secret"));
  for (const Duration step : {Duration(24h), Duration(-49h), Duration(1230ms)}) {
    world_->clock().step(step);
    const auto expected = wall() + timeout;
    for (const auto shown : {session(id).expires_at, must(world_->downloads().get(alice(), download)).expires_at}) {
      EXPECT_GE(shown, expected);
      EXPECT_LE(shown, expected + 10s);
    }
    const auto login = must(logins().session(must(logins().authenticate(token))));
    EXPECT_LE(login.created, wall());
    EXPECT_GE(login.created, wall() - 1s);
  }
  const auto refused = sessions().create(bob(), item_.text(), std::nullopt, std::nullopt);
  EXPECT_NE(refused.error().text().find(base::to_text(wall())), std::string::npos) << refused.error().text();
  push(id, "a", "bytes");
  must(sessions().complete(alice(), id));
  EXPECT_EQ(item().last_modified_time, wall());
}

TEST_P(ClockStepTest, TheCalendarGoesOnOverARestart) {
  add_alice();
  const auto token = must(logins().log_in("alice@vsphere.local", "secret"));
  const auto id = open();
  world_->clock().step(24h);
  sweep();
  world_->restart();
  EXPECT_TRUE(logins().authenticate(token)) << "the step is no time without use";
  world_->clock().advance(timeout - 1s);
  EXPECT_TRUE(alive(id));
  const auto shown = session(id).expires_at;
  EXPECT_GE(shown, wall() + timeout);
  EXPECT_LE(shown, wall() + timeout + 10s);
}

TEST_P(ClockStepTest, AStepBackWhileTheServerIsDownKeepsNothing) {
  add_alice();
  const auto token = must(logins().log_in("alice@vsphere.local", "secret"));
  const auto id = open();
  const auto download = open_download();
  world_->clock().step(-24h);  // nobody looked
  world_->restart();
  world_->clock().advance(timeout - 1s);
  sweep();
  EXPECT_TRUE(world_->look(
      [&](content::CatalogReader& reader) { return reader.find<content::UpdateSession>(id).has_value(); }));
  world_->clock().advance(11s);
  EXPECT_FALSE(alive(id));
  EXPECT_FALSE(alive(download));
  world_->clock().advance(3h);
  EXPECT_FALSE(logins().authenticate(token));
}

TEST_P(ClockStepTest, TheTicksOfTheClocksAreNoStep) {
  auto& context = world_->context();
  const auto stored_skew = [&] {
    return world_->look([](content::CatalogReader& reader) { return reader.setting("lease_clock.lead_ms"); });
  };
  for (const Duration step : {1ms, -2ms, 900ms}) {
    world_->clock().step(step);
    must(service::remember_skew(context));
    EXPECT_EQ(stored_skew(), std::nullopt);
  }
  world_->clock().step(5s);
  must(service::remember_skew(context));
  EXPECT_EQ(stored_skew(), "-5900");
}

INSTANTIATE_TEST_SUITE_P(Sqlite, ClockStepTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, ClockStepTest, testing::Values(Engine::Postgresql));

}  // namespace
}  // namespace quire::test_support
