#include "service/transaction/events.h"

namespace quire::service {
namespace {

/// A session does not say which library its item is in; the item is there as long as the session is.
content::LibraryId library_of(Transaction& t, const content::ItemId& id) {
  const auto item = t->find<content::Item>(id);
  return item ? item->library_id : content::LibraryId();
}

}  // namespace

void record(Transaction& t, content::EventKind kind, const content::Library& library, EventDetails details) {
  t.record({kind, library.id, content::ItemId(), library.id.text(), std::move(details)});
}

void record(Transaction& t, content::EventKind kind, const content::Item& item, EventDetails details) {
  t.record({kind, item.library_id, item.id, item.id.text(), std::move(details)});
}

void record(Transaction& t, content::EventKind kind, const content::UpdateSession& session, EventDetails details) {
  t.record({kind, library_of(t, session.item_id), session.item_id, session.id.text(), std::move(details)});
}

void record(Transaction& t, content::EventKind kind, const content::DownloadSession& session, EventDetails details) {
  t.record({kind, library_of(t, session.item_id), session.item_id, session.id.text(), std::move(details)});
}

base::Result<void> remove_old_events(Context& context) {
  constexpr std::size_t batch = 1000;
  const auto worker = system_caller("event retention");
  for (std::size_t count = batch; count == batch;) {
    QUIRE_ASSIGN_OR_RETURN(count, write(context, worker, [&](Transaction& t) -> base::Result<std::size_t> {
                             return t->remove_events(t.wall_time() - context.settings.event_retention, batch);
                           }));
  }
  return {};
}

}  // namespace quire::service
