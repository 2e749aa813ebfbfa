#include "service/audit/audit.h"

#include <limits>
#include <utility>

#include "content/text.h"
#include "service/transaction/find.h"
#include "service/transaction/refusals.h"

namespace quire::service {
namespace {

using content::Event;
using content::EventKind;

constexpr std::size_t events_read_at_once = 1000;
constexpr std::size_t events_seen_max = 20'000;  ///< by one call, so that none takes long

template <class T>
bool fits(const std::optional<T>& wanted, const T& value) {
  return !wanted || *wanted == value;
}

bool fits(const AuditFilter& filter, const Event& event) {
  return (!filter.user || content::fold_case(*filter.user) == content::fold_case(event.actor)) &&
         fits(filter.operation, event.operation) && fits(filter.address, event.address) &&
         fits(filter.event, event.kind) && fits(filter.refused, is_refusal(event.kind)) &&
         fits(filter.library, event.library_id) && fits(filter.item, event.item_id) &&
         (!filter.since || event.time >= *filter.since) && (!filter.before || event.time < *filter.before);
}

}  // namespace

bool is_refusal(EventKind kind) { return kind == EventKind::login_refused || kind == EventKind::call_refused; }

base::Result<AuditPage> Audit::list(const content::Caller& caller, const AuditFilter& filter, AuditOrder order,
                                    std::optional<std::int64_t> after, std::int64_t limit) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, content::Privilege::Global_Diagnostics));
  if (limit < 1 || limit > static_cast<std::int64_t>(entries_max))
    return base::Error(base::ErrorKind::invalid_argument, "quire.audit.limit_out_of_range",
                       "The limit {limit} is not between 1 and {most}.",
                       {{"limit", limit}, {"most", static_cast<std::int64_t>(entries_max)}});
  const bool ascending = order == AuditOrder::oldest_first;
  return read(context_, caller, [&](View view) -> base::Result<AuditPage> {
    AuditPage page;
    auto place = after.value_or(ascending ? 0 : std::numeric_limits<std::int64_t>::max());
    for (std::size_t seen = 0; seen < events_seen_max; seen += events_read_at_once) {
      auto events =
          ascending ? view->events_after(place, events_read_at_once) : view->events_before(place, events_read_at_once);
      for (auto& event : events) {
        place = event.number;
        if (!fits(filter, event)) continue;
        page.entries.push_back(std::move(event));
        if (page.entries.size() == static_cast<std::size_t>(limit)) {
          page.next = place;
          return page;
        }
      }
      if (events.size() < events_read_at_once) return page;
    }
    page.next = place;
    return page;
  });
}

bool Audit::record_if_refused(const content::Caller& caller, const base::Error& error) {
  if (!is_refusal(error)) return false;
  record_refusal(context_, caller, error);
  return true;
}

}  // namespace quire::service
