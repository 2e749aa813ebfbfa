#include "service/readiness.h"

#include <string>

#include "base/log.h"

namespace quire::service {
namespace {

/// One failure passes; this many in a row are worth a look.
constexpr std::int64_t failures_worth_a_look = 3;

void note(std::vector<std::string>& list, const std::string& what, const base::Error& error) {
  spdlog::warn("Readiness: {}: {} ({})", what, error.text(), error.cause());
  list.push_back(what + ": " + error.text());
}

}  // namespace

Readiness readiness_of(Context& context, const std::vector<WorkerStatus>& workers) {
  Readiness readiness;
  const auto asked = context.catalog.read(
      [](content::CatalogReader& reader) -> base::Result<std::size_t> { return reader.active_task_count(); });
  if (!asked) note(readiness.obstacles, "The catalog cannot be read", asked.error());
  for (const auto& storage : context.storages.all()) {
    const auto space = storage.blobs->space();
    if (!space) note(readiness.obstacles, "Storage " + storage.name + " cannot be used", space.error());
  }
  if (!context.has_room_to_grow())
    readiness.warnings.push_back("The catalog's disk is full: nothing new begins until there is room.");
  for (const auto& worker : workers)
    if (worker.failures_in_a_row >= failures_worth_a_look)
      readiness.warnings.push_back("Background work \"" + worker.name + "\" has failed " +
                                   std::to_string(worker.failures_in_a_row) +
                                   " times in a row: " + worker.last_error.value_or(""));
  return readiness;
}

}  // namespace quire::service
