#include "service/library/configuration.h"

#include <array>
#include <charconv>

#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using content::Caller;
using content::Privilege;

constexpr std::array number_rows = {
    ConfigurationNumber{"automatic_sync_start_hour", &ConfigurationModel::automatic_sync_start_hour, 20, 0, 23},
    ConfigurationNumber{"automatic_sync_stop_hour", &ConfigurationModel::automatic_sync_stop_hour, 7, 0, 23},
    ConfigurationNumber{"maximum_concurrent_item_syncs", &ConfigurationModel::maximum_concurrent_item_syncs, 5, 1,
                        1000},
    ConfigurationNumber{"automatic_sync_refresh_interval", &ConfigurationModel::automatic_sync_refresh_interval, 240, 1,
                        10'080},
    ConfigurationNumber{"automatic_sync_setting_refresh_interval",
                        &ConfigurationModel::automatic_sync_setting_refresh_interval, 600, 1, 86'400, true},
    ConfigurationNumber{"transfer_throttling_bandwidth_total", &ConfigurationModel::transfer_throttling_bandwidth_total,
                        0, 0, 1'000'000},
    ConfigurationNumber{"transfer_nfc_max_concurrent_transfers_per_host",
                        &ConfigurationModel::transfer_nfc_max_concurrent_transfers_per_host, 8, 1, 1000},
    ConfigurationNumber{"priority_transfer_threads_pool_size", &ConfigurationModel::priority_transfer_threads_pool_size,
                        5, 1, 1000, true},
    ConfigurationNumber{"transfer_threads_pool_size", &ConfigurationModel::transfer_threads_pool_size, 20, 1, 1000,
                        true},
};
constexpr std::string_view enabled_name = "automatic_sync_enabled";

std::string key_of(std::string_view name) { return "configuration." + std::string(name); }

std::int64_t stored_number(View view, const ConfigurationNumber& row) {
  const auto text = view->setting(key_of(row.name));
  std::int64_t value = row.fallback;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace

std::span<const ConfigurationNumber> configuration_numbers() { return number_rows; }

ConfigurationModel configuration_of(View view) {
  ConfigurationModel model;
  model.automatic_sync_enabled = view->setting(key_of(enabled_name)).value_or("true") == "true";
  for (const auto& row : number_rows) model.*row.member = stored_number(view, row);
  return model;
}

base::Result<ConfigurationModel> Configuration::get(const Caller& caller) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::ContentLibrary_GetConfiguration));
  return read(context_, caller, [](View view) -> base::Result<ConfigurationModel> { return configuration_of(view); });
}

base::Result<void> Configuration::check_type_introspection(const Caller& caller) const {
  return check_privilege(caller, Privilege::ContentLibrary_TypeIntrospection);
}

base::Result<void> Configuration::update(const Caller& caller, const ConfigurationModel& model) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::ContentLibrary_UpdateConfiguration));
  for (const auto& row : number_rows) {
    const auto value = model.*row.member;
    if (value && (*value < row.least || *value > row.most))
      return Error(ErrorKind::invalid_argument, "quire.configuration.out_of_range",
                   "{name} is {value}; it must be from {least} to {most}.",
                   {{"name", std::string(row.name)}, {"value", *value}, {"least", row.least}, {"most", row.most}});
  }
  return write(context_, caller, [&](Transaction& t) -> base::Result<void> {
    EventDetails changed;
    const auto put = [&](std::string_view name, const std::string& value) {
      const auto key = key_of(name);
      if (t->setting(key) == value) return;
      t->put_setting(key, value);
      changed.push_back({std::string(name), value});
    };
    if (model.automatic_sync_enabled) put(enabled_name, *model.automatic_sync_enabled ? "true" : "false");
    for (const auto& row : number_rows)
      if (const auto value = model.*row.member) put(row.name, std::to_string(*value));
    if (!changed.empty())
      t.record({content::EventKind::configuration_updated, content::LibraryId(), content::ItemId(), "", changed});
    return {};
  });
}

}  // namespace quire::service
