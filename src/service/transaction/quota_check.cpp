#include "service/transaction/quota_check.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using content::QuotaKind;

constexpr std::string_view items_full_id = "quire.quota.items_full";
constexpr std::string_view bytes_full_id = "quire.quota.bytes_full";

/// `library builds`, `user alice@vsphere.local`
std::string shown_owner(View view, const content::Quota& quota) {
  if (quota.kind == QuotaKind::USER) return "user " + quota.owner;
  const auto library = view->find<content::Library>(content::LibraryId(quota.owner));
  return "library " + (library ? library->name : quota.owner);
}

}  // namespace

Error quota_full(View view, const content::ExceededQuota& exceeded) {
  const auto& [quota, growth] = exceeded;
  const auto owner = shown_owner(view, quota);
  const auto before = quota.use() - growth;
  if (growth.items > 0 && quota.items_max && quota.items > *quota.items_max)
    return {ErrorKind::unable_to_allocate_resource,
            std::string(items_full_id),
            "The quota of {owner} is {limit} items, and {used} are there. Delete items that are not needed, or ask an "
            "administrator for a larger quota.",
            {{"owner", owner}, {"limit", *quota.items_max}, {"used", before.items}}};
  return {ErrorKind::unable_to_allocate_resource,
          std::string(bytes_full_id),
          "The quota of {owner} is {limit} bytes. {used} are used and {reserved} reserved by uploads and copies that "
          "have not ended, so {needed} more do not fit. Delete items that are not needed, end other uploads, or ask an "
          "administrator for a larger quota.",
          {{"owner", owner},
           {"limit", quota.bytes_max.value_or(0)},
           {"used", before.bytes},
           {"reserved", before.reserved},
           {"needed", growth.all_bytes()}}};
}

bool is_quota_full(const Error& error) {
  if (error.messages().empty()) return false;
  const auto& id = error.messages().front().id;
  return id == items_full_id || id == bytes_full_id;
}

}  // namespace quire::service
