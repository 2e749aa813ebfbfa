#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "adapters/sql/sql_catalog.h"
#include "content/catalog.h"
#include "support/temporary_folder.h"

namespace quire::bench {
namespace {

using base::Result;
using content::CatalogReader;
using content::CatalogWriter;
using content::LoginId;
using content::LoginSession;

constexpr int logins = 1000;

/// A SQLite catalog on the disk of the temporary folder, with some logins. The threads of a run share it.
class CatalogWithLogins : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State& state) override {
    if (state.thread_index() != 0) return;
    folder_.emplace();
    auto opened = adapters::sql::open_sqlite_catalog(folder_->path() / "catalog.db");
    if (!opened) std::abort();
    catalog_ = *std::move(opened);
    const auto filled = catalog_->write([](CatalogWriter& writer) -> Result<void> {
      for (int i = 0; i < logins; ++i) writer.insert(LoginSession{login_id(i), "administrator@vsphere.local", {}, {}});
      return {};
    });
    if (!filled) std::abort();
  }
  void TearDown(const benchmark::State& state) override {
    if (state.thread_index() != 0) return;
    catalog_.reset();
    folder_.reset();
  }

 protected:
  static LoginId login_id(int number) { return LoginId("6f0c9bbd-0000-4000-8000-" + std::to_string(number)); }

  std::optional<test_support::TemporaryFolder> folder_;
  std::unique_ptr<content::Catalog> catalog_;
};

/// A read transaction of one select by key.
BENCHMARK_DEFINE_F(CatalogWithLogins, PointRead)(benchmark::State& state) {
  int number = state.thread_index() * 37;
  for (auto _ : state) {
    const auto id = login_id(number++ % logins);
    const auto found = catalog_->read(
        [&](CatalogReader& reader) -> Result<std::optional<LoginSession>> { return reader.find<LoginSession>(id); });
    if (!found || !*found) state.SkipWithError("not found");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_REGISTER_F(CatalogWithLogins, PointRead)->Threads(1)->Threads(2)->Threads(4)->UseRealTime();

/// Selects by key inside one read transaction.
BENCHMARK_DEFINE_F(CatalogWithLogins, PointSelect)(benchmark::State& state) {
  const auto done = catalog_->read([&](CatalogReader& reader) -> Result<void> {
    int number = 0;
    for (auto _ : state) benchmark::DoNotOptimize(reader.find<LoginSession>(login_id(number++ % logins)));
    return {};
  });
  if (!done) state.SkipWithError("failed");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_REGISTER_F(CatalogWithLogins, PointSelect);

/// Durable write transactions of one update by key, from as many threads as wait at the same time.
BENCHMARK_DEFINE_F(CatalogWithLogins, DurableWrite)(benchmark::State& state) {
  int number = state.thread_index() * 37;
  for (auto _ : state) {
    const auto id = login_id(number++ % logins);
    const auto done = catalog_->write([&](CatalogWriter& writer) -> Result<void> {
      writer.touch_login(id, base::Time(base::Duration(number)));
      return {};
    });
    if (!done) state.SkipWithError("failed");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_REGISTER_F(CatalogWithLogins, DurableWrite)->Threads(1)->Threads(16)->Threads(64)->UseRealTime();

}  // namespace
}  // namespace quire::bench
