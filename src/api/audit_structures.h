#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/type.h"
#include "base/time.h"
#include "content/event.h"

/// The structures of the audit trail, which are this server's own.
namespace quire::api {

struct AuditEntry {
  static constexpr std::string_view canonical_name = "com.quire.audit.entry";
  std::int64_t number = 0;  ///< ascends; never used twice
  base::Time time;
  std::string user;   ///< or `system:` and the name of a worker
  std::string event;  ///< `library.created`
  bool refused = false;
  std::optional<std::string> api_token;  ///< name of the one that the user used
  std::optional<std::string> operation;
  std::optional<std::string> address;
  std::optional<std::string> operation_id;
  std::optional<std::string> library_id;
  std::optional<std::string> library_item_id;
  std::optional<std::string> subject;  ///< what the event speaks of: the identifier of a session or task, a name
  std::map<std::string, std::string> details;  ///< what changed; of a refusal, why
};
struct AuditPage {
  static constexpr std::string_view canonical_name = "com.quire.audit.page";
  std::vector<AuditEntry> entries;
  std::optional<std::int64_t> next;  ///< the `after` of the next page; unset at the end
};
/// An event as the trail shows it, and the description of that structure.
AuditEntry audit_entry(content::Event event);
const Type& audit_entry_type();

}  // namespace quire::api
