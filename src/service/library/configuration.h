#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "service/transaction/transaction.h"

namespace quire::service {

/// The service-wide settings of content-library-api.md §3.
struct ConfigurationModel {
  std::optional<bool> automatic_sync_enabled;
  std::optional<std::int64_t> automatic_sync_start_hour;
  std::optional<std::int64_t> automatic_sync_stop_hour;
  std::optional<std::int64_t> maximum_concurrent_item_syncs;
  std::optional<std::int64_t> automatic_sync_refresh_interval;
  std::optional<std::int64_t> automatic_sync_setting_refresh_interval;
  std::optional<std::int64_t> transfer_throttling_bandwidth_total;
  std::optional<std::int64_t> transfer_nfc_max_concurrent_transfers_per_host;
  std::optional<std::int64_t> priority_transfer_threads_pool_size;
  std::optional<std::int64_t> transfer_threads_pool_size;
};

/// A number of the configuration: its name, what it is until somebody sets it, and what it may be.
struct ConfigurationNumber {
  std::string_view name;
  std::optional<std::int64_t> ConfigurationModel::* member;
  std::int64_t fallback;
  std::int64_t least;
  std::int64_t most;
  bool restart_needed = false;  ///< a change counts from the server's next start on
};
std::span<const ConfigurationNumber> configuration_numbers();

/// What is set, for who acts by it.
ConfigurationModel configuration_of(View view);

/// All threads may call it. Each call needs its privilege on the root (content-library-api.md §1.9): Unauthorized.
class Configuration {
 public:
  explicit Configuration(Context& context) : context_(context) {}
  base::Result<ConfigurationModel> get(const content::Caller& caller);
  /// Unset members stay. InvalidArgument when a value is out of range; then nothing changes.
  base::Result<void> update(const content::Caller& caller, const ConfigurationModel& model);
  /// Whether the caller may read which item types the server knows.
  base::Result<void> check_type_introspection(const content::Caller& caller) const;

 private:
  Context& context_;
};

}  // namespace quire::service
