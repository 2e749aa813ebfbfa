#include <benchmark/benchmark.h>

#include "base/instruments.h"

// What it costs to be counted: below 100 ns, also where several threads count the same.

namespace quire {
namespace {

base::Counter counter;
base::Durations durations;

void count(benchmark::State& state) {
  for ([[maybe_unused]] const auto round : state) counter.add();
}
BENCHMARK(count)->Threads(1)->Threads(2);

void time_with_a_stopwatch(benchmark::State& state) {
  for ([[maybe_unused]] const auto round : state) const base::Stopwatch stopwatch(durations);
}
BENCHMARK(time_with_a_stopwatch)->Threads(1)->Threads(2);

}  // namespace
}  // namespace quire
