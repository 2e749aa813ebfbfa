#include <algorithm>
#include <chrono>
#include <optional>

#include "service/access/catalog_authenticator.h"
#include "service/access/passwords.h"
#include "suites/authenticator_suite.h"
#include "support/service_world.h"

namespace quire::test_suites {
namespace {

using content::CatalogWriter;
using content::User;
using test_support::Engine;
using test_support::ServiceWorld;

class CatalogUsers final : public AuthenticatorPlace {
 public:
  explicit CatalogUsers(Engine engine, service::PasswordCost cost = service::least_password_cost)
      : world_(test_support::WorldOptions{engine, {}, {}, cost}) {}

  content::Authenticator& authenticator() override { return *authenticator_; }
  void put(const std::string& user, const std::string& password) override {
    const auto hash = *service::hash_of_password(password, world_.context().settings.password_cost);
    world_.change([&](CatalogWriter& writer) {
      if (writer.find<User>(user))
        writer.update(User{user, hash});
      else
        writer.insert(User{user, hash});
    });
  }
  void disable(const std::string& user) override {
    world_.change([&](CatalogWriter& writer) {
      auto stored = writer.find<User>(user).value();
      stored.enabled = false;
      writer.update(stored);
    });
  }
  void remove(const std::string& user) override {
    world_.change([&](CatalogWriter& writer) { writer.remove<User>(user); });
  }
  void cut_off() override {
    auto& whole = world_.context();
    cut_off_.emplace(service::Context{no_catalog_, whole.storages, whole.clock, whole.leases, whole.identities,
                                      whole.transfers, whole.settings, whole.limits});
    authenticator_ = std::make_unique<service::CatalogAuthenticator>(*cut_off_);
  }

 private:
  /// Every question fails.
  class NoCatalog final : public content::Catalog {
   public:
    std::optional<std::uint64_t> logins_version() const override { return std::nullopt; }
    std::optional<std::uint64_t> access_version() const override { return std::nullopt; }
    base::Result<void> read_transaction(const std::function<base::Result<void>(content::CatalogReader&)>&) override {
      return error_;
    }
    base::Result<void> write_transaction(const std::function<base::Result<void>(CatalogWriter&)>&) override {
      return error_;
    }

   private:
    const base::Error error_{base::ErrorKind::service_unavailable, "quire.test.cut_off", "Cut off."};
  };

  ServiceWorld world_;
  NoCatalog no_catalog_;
  std::optional<service::Context> cut_off_;
  std::unique_ptr<service::CatalogAuthenticator> authenticator_ =
      std::make_unique<service::CatalogAuthenticator>(world_.context());
};

AuthenticatorAdapter on(Engine engine) {
  return {"Catalog", [engine](std::string& why) -> std::unique_ptr<AuthenticatorPlace> {
            if (test_support::has_engine(engine)) return std::make_unique<CatalogUsers>(engine);
            why = "QUIRE_TEST_POSTGRESQL is not set; run under with-postgresql";
            return nullptr;
          }};
}

INSTANTIATE_TEST_SUITE_P(Sqlite, AuthenticatorSuite, testing::Values(on(Engine::Sqlite)),
                         [](const auto& row) { return row.param.name; });
INSTANTIATE_TEST_SUITE_P(Postgresql, AuthenticatorSuite, testing::Values(on(Engine::Postgresql)),
                         [](const auto& row) { return row.param.name; });

/// Names cannot be found out by the clock: an unknown one takes as long as a wrong password, or a disabled user. At the
/// full cost: that of looking a user up must not count.
TEST(CatalogAuthenticatorTest, AnUnknownNameTakesAsLongAsAWrongPassword) {
  CatalogUsers place(Engine::Sqlite, service::PasswordCost());
  place.put("carol", "correct horse");
  place.put("dave", "correct horse");
  place.disable("dave");
  const auto fastest = [&](const char* user) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_FALSE(place.authenticator().authenticate(user, "wrong"));
      best = std::min(best, std::chrono::steady_clock::now() - start);
    }
    return best;
  };
  const auto wrong_password = fastest("carol");
  EXPECT_GT(fastest("nobody"), wrong_password / 4);
  EXPECT_GT(fastest("dave"), wrong_password / 4);
}

/// Digests are compared at the cost that they were made with, and get the cost of the settings at the next good login.
TEST(CatalogAuthenticatorTest, AGoodLoginRenewsADigestOfAnotherCost) {
  // The first as libsodium wrote them before costs could be set.
  const std::string before =
      "$argon2id$v=19$m=19456,t=2,p=1$frhvkqGFyZEsPdJggnFX1g$dTm7PiFDVgNaS81mOn/swSSnz0mpTd72ra/ca0+CQlo";
  const std::string costly = *service::hash_of_password("secret", {2 << 20, 3, 2});
  EXPECT_TRUE(costly.starts_with("$argon2id$v=19$m=2048,t=3,p=2$")) << costly;
  for (const auto& old : {before, costly}) {
    SCOPED_TRACE(old);
    ServiceWorld world;
    const auto& cost = world.context().settings.password_cost;
    world.change([&](CatalogWriter& writer) { writer.insert(User{"carol", old, "Releases"}); });
    const auto stored = [&] {
      return *world.look([](content::CatalogReader& reader) { return reader.find<User>("carol"); });
    };
    service::CatalogAuthenticator authenticator(world.context());
    EXPECT_FALSE(authenticator.authenticate("carol", "wrong"));
    EXPECT_EQ(stored().password_hash, old);

    auto full = world.context();
    full.has_room_to_grow = [] { return false; };
    EXPECT_TRUE(service::CatalogAuthenticator(full).authenticate("carol", "secret")) << "it can wait";
    EXPECT_EQ(stored().password_hash, old);

    const auto principal = authenticator.authenticate("carol", "secret");
    ASSERT_TRUE(principal);
    EXPECT_TRUE(service::has_cost(stored().password_hash, cost)) << stored().password_hash;
    EXPECT_EQ(principal->stored, stored());
    EXPECT_EQ(stored().description, "Releases");
    const auto renewed = stored().password_hash;
    EXPECT_TRUE(authenticator.authenticate("carol", "secret"));
    EXPECT_TRUE(service::CatalogAuthenticator(world.context()).authenticate("carol", "secret"));
    EXPECT_FALSE(authenticator.authenticate("carol", "wrong"));
    EXPECT_EQ(stored().password_hash, renewed);
  }
}

}  // namespace
}  // namespace quire::test_suites
