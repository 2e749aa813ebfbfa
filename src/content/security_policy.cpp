#include "content/security_policy.h"

#include <algorithm>

#include "base/hex.h"

namespace quire::content {

const std::vector<SecurityPolicy>& security_policies() {
  // Clients look it up by this name (§9).
  static const std::vector<SecurityPolicy> all = {
      {"3f6d1c58-0b7e-4a52-9d35-6a1f0c2e8b94", "OVF default policy", {{"ovf", SecurityRule::OVF_STRICT_VERIFICATION}}}};
  return all;
}

const SecurityPolicy* find_security_policy(std::string_view id) {
  const auto& all = security_policies();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const SecurityPolicy& policy) { return policy.id == id; });
  return found == all.end() ? nullptr : &*found;
}

std::optional<SecurityRule> rule_for(const Library& library, std::string_view item_type) {
  const auto* policy = library.security_policy_id ? find_security_policy(*library.security_policy_id) : nullptr;
  if (policy == nullptr) return std::nullopt;
  const auto rule = policy->item_type_rules.find(base::to_lower(item_type));
  return rule == policy->item_type_rules.end() ? std::nullopt : std::optional(rule->second);
}

void apply_policy(const Library& library, Item& item) {
  item.security_compliance = true;
  if (!rule_for(library, item.type) || item.content.empty()) return;
  if (!item.certificate_verification) item.certificate_verification.emplace();
  const auto status = item.certificate_verification->status;
  item.security_compliance = status == CertVerificationStatus::VERIFIED || status == CertVerificationStatus::INTERNAL;
}

void apply_new_policy(const Library& library, Item& item) {
  if (rule_for(library, item.type) && !item.content.empty()) {
    if (!item.certificate_verification) item.certificate_verification.emplace();
    item.certificate_verification->status = CertVerificationStatus::NOT_AVAILABLE;
  }
  apply_policy(library, item);
}

}  // namespace quire::content
