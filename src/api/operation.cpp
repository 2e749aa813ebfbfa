#include "api/operation.h"

#include <algorithm>

#include "api/operations.h"
#include "api/structures.h"
#include "base/uri.h"

namespace quire::api {

const std::vector<Operation>& all_operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> operations;
    add_session_operations(operations);
    add_configuration_operations(operations);
    add_security_operations(operations);
    add_library_operations(operations);
    add_subscribed_library_operations(operations);
    add_subscription_operations(operations);
    add_item_operations(operations);
    add_item_change_operations(operations);
    add_update_session_operations(operations);
    add_download_session_operations(operations);
    add_usage_operations(operations);
    add_inventory_operations(operations);
    add_tagging_operations(operations);
    add_task_operations(operations);
    add_hypervisor_operations(operations);
    add_server_operations(operations);
    add_access_operations(operations);
    add_overview_operations(operations);
    add_audit_operations(operations);
    add_quota_operations(operations);
    add_webhook_operations(operations);
    return operations;
  }();
  return all;
}

const Operation* find_operation(std::string_view service, std::string_view name) {
  const auto& all = all_operations();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Operation& operation) {
    return operation.facts.service == service && operation.facts.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

std::string transfer_uri(std::string_view base_url, std::string_view token, std::string_view file_name) {
  std::string uri(base_url);
  uri += "/cls/data/";
  uri += token;
  uri += '/';
  uri += base::percent_encode_path(file_name);
  return uri;
}

ChecksumInfo checksum_to_api(const base::Checksum& checksum) { return {checksum.algorithm, checksum.hex}; }

LocalizableMessage message_to_api(const base::Message& message) {
  LocalizableMessage out;
  out.id = message.id;
  out.default_message = message.default_message;
  out.args = message.args();
  if (!message.params.empty()) {
    auto& params = out.params.emplace();
    for (const auto& param : message.params) {
      LocalizationParam& value = params[param.name];
      if (const auto* number = std::get_if<std::int64_t>(&param.value))
        value.i = *number;
      else if (const auto* time = std::get_if<base::Time>(&param.value))
        value.dt = *time;
      else
        value.s = std::get<std::string>(param.value);
    }
  }
  return out;
}

}  // namespace quire::api
