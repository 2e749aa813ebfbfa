#include "service/transaction/transaction.h"

#include <gmock/gmock.h>

#include "support/service_world.h"

// What is put on a change happens with its commit, and never without it.

namespace quire {
namespace {

using base::Result;
using service::Transaction;
using test_support::alice;
using test_support::Engine;
using test_support::FaultPoint;
using test_support::Faults;
using test_support::ServiceWorld;

class TransactionTest : public test_support::ServiceTest {
 protected:
  /// Puts an effect on a change with `outcome`; how often it happened.
  int wakes(const Result<void>& outcome) {
    int woken = 0;
    world_->context().on_pull_added = [&] { ++woken; };
    const auto done = service::write(world_->context(), alice(), [&](Transaction& t) -> Result<void> {
      t->put_setting("transaction_test", "written");
      t.wake_pulls_after_commit();
      EXPECT_EQ(woken, 0) << "inside the transaction";
      return outcome;
    });
    EXPECT_EQ(static_cast<bool>(done), static_cast<bool>(outcome));
    return woken;
  }
  std::optional<std::string> written() {
    return world_->look([](content::CatalogReader& reader) { return reader.setting("transaction_test"); });
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, TransactionTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, TransactionTest, testing::Values(Engine::Postgresql));

TEST_P(TransactionTest, EffectsHappenAfterTheCommit) {
  EXPECT_EQ(wakes({}), 1);
  EXPECT_EQ(written(), "written");
}

TEST_P(TransactionTest, AnErrorHasNoEffects) {
  EXPECT_EQ(wakes(base::internal_error("no")), 0);
  EXPECT_EQ(written(), std::nullopt);
}

TEST_P(TransactionTest, AFailureOfTheEngineHasNoEffects) {
  Faults faults(Faults::Kind::error, 1, {FaultPoint::in_transaction});
  world_->wire_faults(&faults);
  int woken = 0;
  world_->context().on_pull_added = [&] { ++woken; };
  const auto done = service::write(world_->context(), alice(), [&](Transaction& t) -> Result<void> {
    t.wake_pulls_after_commit();
    t->put_setting("transaction_test", "written");
    return {};
  });
  world_->wire_faults(nullptr);
  EXPECT_FALSE(done);
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(written(), std::nullopt);
}

TEST_P(TransactionTest, EveryRunStartsAnew) {
  // As when the engine repeats a transaction that collided.
  service::AfterCommit effects;
  const auto caller = alice();
  world_->change([&](content::CatalogWriter& writer) {
    for (int run = 0; run < 2; ++run) {
      Transaction t(world_->context(), caller, writer, effects);
      t.stop_transfers_after_commit(content::TransferToken("token " + std::to_string(run)));
    }
  });
  EXPECT_EQ(effects.transfers, std::vector{content::TransferToken("token 1")});
}

TEST_P(TransactionTest, ATransferIsNotStoppedByItsOwnChange) {
  service::AfterCommit effects;
  const auto caller = alice();
  world_->change([&](content::CatalogWriter& writer) {
    Transaction t(world_->context(), caller, writer, effects);
    t.stop_transfers_after_commit(content::TransferToken("own"));
    t.stop_transfers_after_commit(content::TransferToken("other"));
    t.spare_transfers(content::TransferToken("own"));
  });
  EXPECT_EQ(effects.transfers, std::vector{content::TransferToken("other")});
}

}  // namespace
}  // namespace quire
