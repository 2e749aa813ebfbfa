#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "adapters/files/file_blob_store.h"
#include "base/identity.h"
#include "support/temporary_folder.h"

namespace quire {
namespace {

constexpr std::size_t mib = 1 << 20;

/// A store on the disk that holds TMPDIR.
struct Place {
  explicit Place(bool direct_io) {
    auto opened =
        adapters::files::open_file_blob_store(folder.path(), {.storage_name = "benchmark", .direct_io = direct_io});
    if (opened) store = *std::move(opened);
  }

  test_support::TemporaryFolder folder;
  std::unique_ptr<content::BlobStore> store;
  base::RandomIdentitySource identities;
};

/// False when a step failed.
bool put(Place& place, const content::BlobId& id, std::span<const std::byte> piece, std::size_t pieces,
         std::optional<std::int64_t> expected_bytes) {
  auto writer = place.store->create(id, expected_bytes);
  if (!writer) return false;
  for (std::size_t i = 0; i < pieces; ++i)
    if (!(*writer)->append(piece)) return false;
  return static_cast<bool>((*writer)->commit());
}

/// Arguments: 1 for O_DIRECT; 1 when the size is known in advance; distance of the memory from a multiple of 4,096.
void append_1_gib_and_commit(benchmark::State& state) {
  Place place(state.range(0) != 0);
  if (!place.store) return state.SkipWithError("the store cannot be opened");
  const std::unique_ptr<void, void (*)(void*)> memory(std::aligned_alloc(4096, 2 * mib), &std::free);
  const std::span<std::byte> piece(static_cast<std::byte*>(memory.get()) + state.range(2), mib);
  std::fill(piece.begin(), piece.end(), std::byte{0x5a});
  const std::optional<std::int64_t> expected =
      state.range(1) != 0 ? std::optional<std::int64_t>(1024 * mib) : std::nullopt;
  for (auto round : state) {
    (void)round;
    const content::BlobId id(place.identities.uuid());
    const bool done = put(place, id, piece, 1024, expected);
    state.PauseTiming();
    if (!done || !place.store->remove(id)) return state.SkipWithError("a blob was not written");
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * 1024 * mib));
}
BENCHMARK(append_1_gib_and_commit)
    ->ArgNames({"direct", "expected", "shift"})
    ->Args({1, 1, 0})
    ->Args({1, 0, 0})
    ->Args({1, 1, 3})
    ->Args({0, 1, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Argument: 1 when the size is known in advance.
void create_1_kib_and_commit(benchmark::State& state) {
  Place place(true);
  if (!place.store) return state.SkipWithError("the store cannot be opened");
  const std::vector<std::byte> bytes(1024, std::byte{0x5a});
  const std::optional<std::int64_t> expected = state.range(0) != 0 ? std::optional<std::int64_t>(1024) : std::nullopt;
  for (int i = 0; i < 1000; ++i)  // the first blob of each of the 256 folders makes it
    if (!put(place, content::BlobId(place.identities.uuid()), bytes, 1, expected))
      return state.SkipWithError("a blob was not written");
  for (auto round : state) {
    (void)round;
    if (!put(place, content::BlobId(place.identities.uuid()), bytes, 1, expected))
      return state.SkipWithError("a blob was not written");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(create_1_kib_and_commit)->ArgName("expected")->Arg(1)->Arg(0)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace quire
