#pragma once

#include <cstdint>
#include <optional>

#include "service/transaction/context.h"

namespace quire::service {

/// The service-wide settings of content-library-api.md §3.
struct ConfigurationModel {
  std::optional<bool> automatic_sync_enabled;
  std::optional<std::int64_t> automatic_sync_start_hour;
  std::optional<std::int64_t> automatic_sync_stop_hour;
  std::optional<std::int64_t> maximum_concurrent_item_syncs;
};

/// All threads may call it.
class Configuration {
 public:
  explicit Configuration(Context& context) : context_(context) {}
  base::Result<ConfigurationModel> get(const content::Caller& caller);
  /// Unset members stay. InvalidArgument when a value is out of range; then nothing changes.
  base::Result<void> update(const content::Caller& caller, const ConfigurationModel& model);

 private:
  Context& context_;
};

}  // namespace quire::service
