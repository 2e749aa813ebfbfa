#pragma once

#include "service/transaction/transaction.h"

/// What changes tell: an event for each change that commits, none for one that does not. Calls that only keep a session
/// alive, and what a transfer has brought so far, are no events.
namespace quire::service {

void record(Transaction& t, content::EventKind kind, const content::Library& library, EventDetails details = {});
void record(Transaction& t, content::EventKind kind, const content::Item& item, EventDetails details = {});
void record(Transaction& t, content::EventKind kind, const content::UpdateSession& session, EventDetails details = {});
void record(Transaction& t, content::EventKind kind, const content::DownloadSession& session,
            EventDetails details = {});

/// For a worker: removes events that are older than Settings::event_retention.
base::Result<void> remove_old_events(Context& context);

}  // namespace quire::service
