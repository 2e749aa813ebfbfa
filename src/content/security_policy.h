#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/enumeration.h"
#include "content/item.h"
#include "content/library.h"

/// What a library asks of the content that comes into it (content-library-api.md §9, §23.10).
namespace quire::content {

/// Spelled as on the wire. OVF_STRICT_VERIFICATION: the package is signed, its manifest names and fits every file, and
/// its signer follows from the trust store.
QUIRE_ENUM(SecurityRule, OVF_STRICT_VERIFICATION)

struct SecurityPolicy {
  std::string id;
  std::string name;
  std::map<std::string, SecurityRule> item_type_rules;  ///< by item type, in lower case
};

/// All that there are; the same on every server.
const std::vector<SecurityPolicy>& security_policies();
const SecurityPolicy* find_security_policy(std::string_view id);  ///< nullptr when there is none

/// What the library's policy asks of items of that type; nullopt: nothing.
std::optional<SecurityRule> rule_for(const Library& library, std::string_view item_type);

/// Sets whether the item complies with its library's policy: an item without content does, a package does when its
/// signature was verified. One whose signature nobody has seen is NOT_AVAILABLE.
void apply_policy(const Library& library, Item& item);

/// The same for an item that was there when the library got its policy: whatever was known of a package's signature, it
/// is NOT_AVAILABLE until new content comes (§23.10).
void apply_new_policy(const Library& library, Item& item);

}  // namespace quire::content
