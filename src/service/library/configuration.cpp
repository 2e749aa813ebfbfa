#include "service/library/configuration.h"

#include <array>
#include <charconv>

#include "service/transaction/transaction.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using content::Caller;

/// One row a number: name, default, range (content-library-api.md §3).
struct NumberRow {
  std::string_view name;
  std::optional<std::int64_t> ConfigurationModel::* member;
  std::int64_t fallback;
  std::int64_t least;
  std::int64_t most;
};
constexpr std::array number_rows = {
    NumberRow{"automatic_sync_start_hour", &ConfigurationModel::automatic_sync_start_hour, 20, 0, 23},
    NumberRow{"automatic_sync_stop_hour", &ConfigurationModel::automatic_sync_stop_hour, 7, 0, 23},
    NumberRow{"maximum_concurrent_item_syncs", &ConfigurationModel::maximum_concurrent_item_syncs, 5, 1, 1000},
};
constexpr std::string_view enabled_name = "automatic_sync_enabled";

std::string key_of(std::string_view name) { return "configuration." + std::string(name); }

std::int64_t stored_number(View view, const NumberRow& row) {
  const auto text = view->setting(key_of(row.name));
  std::int64_t value = row.fallback;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace

base::Result<ConfigurationModel> Configuration::get(const Caller& caller) {
  return read(context_, caller, [](View view) -> base::Result<ConfigurationModel> {
    ConfigurationModel model;
    model.automatic_sync_enabled = view->setting(key_of(enabled_name)).value_or("true") == "true";
    for (const auto& row : number_rows) model.*row.member = stored_number(view, row);
    return model;
  });
}

base::Result<void> Configuration::update(const Caller& caller, const ConfigurationModel& model) {
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
