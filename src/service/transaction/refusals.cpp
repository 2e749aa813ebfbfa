#include "service/transaction/refusals.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/utf8.h"
#include "service/transaction/transaction.h"

namespace quire::service {
namespace {

using base::ErrorKind;

constexpr std::string_view hidden_cause = "it is there, but the caller may not read it";

/// The parameter of the error's first message that is called `name`.
std::string parameter(const base::Error& error, std::string_view name) {
  const auto& params = error.messages().front().params;
  const auto found =
      std::find_if(params.begin(), params.end(), [&](const base::MessageParam& param) { return param.name == name; });
  const auto* text = found == params.end() ? nullptr : std::get_if<std::string>(&found->value);
  return text == nullptr ? std::string() : *text;
}

EventRecord refused_call(const base::Error& error) {
  EventRecord event{content::EventKind::call_refused,
                    content::LibraryId(parameter(error, "library_id")),
                    content::ItemId(parameter(error, "library_item_id")),
                    parameter(error, "object"),
                    {{"error", std::string(base::name_of(error.kind()))}}};
  if (event.subject.empty()) event.subject = event.item.empty() ? event.library.text() : event.item.text();
  for (const auto* other : {"update_session_id", "download_session_id", "path"})
    if (event.subject.empty()) event.subject = parameter(error, other);
  if (auto privilege = parameter(error, "privilege"); !privilege.empty())
    event.details.push_back({"privilege", std::move(privilege)});
  return event;
}

}  // namespace

base::Error hidden(const base::Error& not_found) { return not_found.with_cause(std::string(hidden_cause)); }

bool is_refusal(const base::Error& error) {
  return error.kind() == ErrorKind::unauthorized ||
         (error.kind() == ErrorKind::not_found && error.cause() == hidden_cause);
}

void record_refusal(Context& context, const content::Caller& caller, const base::Error& error) {
  const bool login = error.kind() == ErrorKind::unauthenticated;
  const auto rate = context.refusals->count(login ? std::string_view("login") : caller.user, context.clock.uptime());
  if (rate == RefusalRate::Answer::first_too_many)
    spdlog::warn("So many calls are refused that the audit trail does not hold all of this minute.");
  if (rate != RefusalRate::Answer::record || !context.has_room_to_grow()) return;
  auto who = caller;
  if (login) who.user = base::displayable(caller.user);  // it may be anything, of any length
  const auto recorded = write(context, who, [&](Transaction& t) -> base::Result<void> {
    if (login)
      t.record({content::EventKind::login_refused, content::LibraryId(), content::ItemId(), who.user});
    else
      t.record(refused_call(error));
    return {};
  });
  if (!recorded)
    spdlog::warn("A refusal to {} could not be recorded: {} ({})", who.user, recorded.error().text(),
                 recorded.error().cause());
}

}  // namespace quire::service
