#include "api/identifiers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace quire::api {

std::string_view resource_type_of(std::string_view member) {
  static constexpr auto types = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"library_id", resource::library},
      {"library", resource::library},
      {"library_ids", resource::library},
      {"library_item_id", resource::library_item},
      {"library_item", resource::library_item},
      {"source_library_item_id", resource::library_item},
      {"ovf_library_item_id", resource::library_item},
      {"template_library_item", resource::library_item},
      {"file_name", resource::item_file},
      {"update_session_id", resource::update_session},
      {"update_session", resource::update_session},
      {"download_session_id", resource::download_session},
      {"subscription", resource::subscription},
      {"usage", resource::usage},
      {"certificate", resource::trusted_certificate},
      {"security_policy_id", resource::security_policy},
      {"category_id", resource::tag_category},
      {"tag_id", resource::tag},
      {"tag_ids", resource::tag},
      {"task", resource::task},
      {"tasks", resource::task},
      {"datastore", resource::datastore},
      {"datastore_id", resource::datastore},
      {"datastores", resource::datastore},
      {"datacenter", resource::datacenter},
      {"datacenters", resource::datacenter},
      {"folder", resource::folder},
      {"folders", resource::folder},
      {"parent_folders", resource::folder},
      {"role", resource::role},
      {"user", resource::user},
      {"users", resource::user},
      {"group", resource::group},
      {"token", resource::api_token},
      {"webhook", resource::webhook},
  });
  const auto* found = std::find_if(types.begin(), types.end(), [&](const auto& each) { return each.first == member; });
  return found == types.end() ? std::string_view() : found->second;
}

}  // namespace quire::api
