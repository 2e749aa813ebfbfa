#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "service/transaction/context.h"

namespace quire::service {

/// Which entries of the audit trail are wanted; unset members want all.
struct AuditFilter {
  std::optional<std::string> user = {};       ///< without regard to case
  std::optional<std::string> operation = {};  ///< the whole name
  std::optional<std::string> address = {};
  std::optional<content::EventKind> event = {};
  std::optional<bool> refused = {};  ///< only what was refused, or only what was done
  std::optional<content::LibraryId> library = {};
  std::optional<content::ItemId> item = {};
  std::optional<base::Time> since = {};   ///< that moment and later
  std::optional<base::Time> before = {};  ///< earlier than that moment
};

enum class AuditOrder { oldest_first, newest_first };

struct AuditPage {
  std::vector<content::Event> entries;
  std::optional<std::int64_t> next;  ///< where the next page goes on; unset when nothing can follow
};

/// The audit trail: the events of all changes, with who made them, from where and by which call, and the attempts that
/// were refused. All threads may call it.
class Audit {
 public:
  static constexpr std::size_t entries_max = 1000;

  explicit Audit(Context& context) : context_(context) {}

  /// At most `limit` entries behind the number `after`. A call looks at a bounded number of entries, so a page can be
  /// short, or empty, and `next` be set all the same. InvalidArgument for a limit that is not 1 to entries_max;
  /// Unauthorized without Global.Diagnostics.
  base::Result<AuditPage> list(const content::Caller& caller, const AuditFilter& filter, AuditOrder order,
                               std::optional<std::int64_t> after, std::int64_t limit);

  /// Stores the attempt when `error` says that it was refused (refusals.h); whether it was.
  bool record_if_refused(const content::Caller& caller, const base::Error& error);

 private:
  Context& context_;
};

bool is_refusal(content::EventKind kind);

}  // namespace quire::service
