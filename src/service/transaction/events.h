#pragma once

#include <map>
#include <string>
#include <string_view>

#include "service/transaction/transaction.h"

/// What changes tell: an event for each change that commits, none for one that does not. Calls that only keep a session
/// alive, and what a transfer has brought so far, are no events.
namespace quire::service {

void record(Transaction& t, content::EventKind kind, const content::Library& library, EventDetails details = {});
void record(Transaction& t, content::EventKind kind, const content::Item& item, EventDetails details = {});
void record(Transaction& t, content::EventKind kind, const content::UpdateSession& session, EventDetails details = {});
void record(Transaction& t, content::EventKind kind, const content::DownloadSession& session,
            EventDetails details = {});

/// Names the creator of a session in the details of its events, where somebody else is the actor.
inline constexpr std::string_view session_creator_detail = "creator";

/// What an update of a library or an item changed, each member with its new value; the name always, and the one before
/// it when it is another.
template <class Subject>
EventDetails changes_between(const Subject& before, const Subject& after) {
  EventDetails details{{"name", after.name}};
  if (after.name != before.name) details.push_back({"previous_name", before.name});
  if (after.description != before.description) details.push_back({"description", after.description});
  return details;
}

/// What the details of an event say, by name, as text.
std::map<std::string, std::string> details_of(const content::Event& event);

/// For a worker: removes events that are older than Settings::event_retention.
base::Result<void> remove_old_events(Context& context);

}  // namespace quire::service
