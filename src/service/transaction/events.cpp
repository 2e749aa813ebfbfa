#include "service/transaction/events.h"

#include <boost/json.hpp>

namespace quire::service {
namespace {

/// A session does not say which library its item is in; the item is there as long as the session is.
content::LibraryId library_of(Transaction& t, const content::ItemId& id) {
  const auto item = t->find<content::Item>(id);
  return item ? item->library_id : content::LibraryId();
}

/// Whose session it is, where somebody else acts on it: its creator may learn of that (EventFeed).
template <class Session>
EventDetails with_creator(const Transaction& t, const Session& session, EventDetails details) {
  if (session.creator != t.caller().user) details.push_back({std::string(session_creator_detail), session.creator});
  return details;
}

}  // namespace

void record(Transaction& t, content::EventKind kind, const content::Library& library, EventDetails details) {
  t.record({kind, library.id, content::ItemId(), library.id.text(), std::move(details)});
}

void record(Transaction& t, content::EventKind kind, const content::Item& item, EventDetails details) {
  t.record({kind, item.library_id, item.id, item.id.text(), std::move(details)});
}

void record(Transaction& t, content::EventKind kind, const content::UpdateSession& session, EventDetails details) {
  t.record({kind, library_of(t, session.item_id), session.item_id, session.id.text(),
            with_creator(t, session, std::move(details))});
}

void record(Transaction& t, content::EventKind kind, const content::DownloadSession& session, EventDetails details) {
  t.record({kind, library_of(t, session.item_id), session.item_id, session.id.text(),
            with_creator(t, session, std::move(details))});
}

std::map<std::string, std::string> details_of(const content::Event& event) {
  std::map<std::string, std::string> details;
  if (event.details.empty()) return details;
  const auto parsed = boost::json::parse(event.details);
  for (const auto& [name, value] : parsed.as_object())
    details[name] = value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
  return details;
}

base::Result<void> remove_old_events(Context& context) {
  return write_in_batches(context, system_caller("event retention"), 1000, [&](Transaction& t, std::size_t batch) {
    return t->remove_events(t.wall_time() - context.settings.event_retention, batch);
  });
}

}  // namespace quire::service
