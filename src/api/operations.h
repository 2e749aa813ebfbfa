#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/operation.h"

/// The parts that all_operations() is put together from; one function per service of the API.
namespace quire::api {

void add_session_operations(std::vector<Operation>& all);
void add_configuration_operations(std::vector<Operation>& all);
void add_security_operations(std::vector<Operation>& all);
void add_library_operations(std::vector<Operation>& all);
void add_subscribed_library_operations(std::vector<Operation>& all);
void add_subscription_operations(std::vector<Operation>& all);
void add_item_operations(std::vector<Operation>& all);
void add_item_change_operations(std::vector<Operation>& all);
void add_update_session_operations(std::vector<Operation>& all);
void add_download_session_operations(std::vector<Operation>& all);
void add_usage_operations(std::vector<Operation>& all);
void add_inventory_operations(std::vector<Operation>& all);
void add_tagging_operations(std::vector<Operation>& all);
void add_task_operations(std::vector<Operation>& all);
void add_hypervisor_operations(std::vector<Operation>& all);
void add_server_operations(std::vector<Operation>& all);
void add_access_operations(std::vector<Operation>& all);
void add_overview_operations(std::vector<Operation>& all);
void add_audit_operations(std::vector<Operation>& all);
void add_quota_operations(std::vector<Operation>& all);
void add_webhook_operations(std::vector<Operation>& all);

/// `<base_url>/cls/data/<token>/<name>`, the name percent-encoded but for its slashes (wire-protocols.md §6.1).
std::string transfer_uri(std::string_view base_url, std::string_view token, std::string_view file_name);

template <class Id>
base::Result<std::string> text_of(const base::Result<Id>& id) {
  if (!id) return id.error();
  return id->text();
}
template <class Id>
base::Result<std::vector<std::string>> texts_of(const base::Result<std::vector<Id>>& ids) {
  if (!ids) return ids.error();
  std::vector<std::string> texts;
  texts.reserve(ids->size());
  for (const auto& id : *ids) texts.push_back(id.text());
  return texts;
}

}  // namespace quire::api
