#include "api/audit_structures.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "service/services.h"
#include "service/transaction/events.h"

/// The audit trail; an operation of our own.
namespace quire::api {

struct AuditListInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<std::string> user;
  std::optional<std::string> operation;
  std::optional<std::string> address;
  std::optional<std::string> event;
  std::optional<bool> refused;
  std::optional<std::string> library_id;
  std::optional<std::string> library_item_id;
  std::optional<base::Time> since;
  std::optional<base::Time> before;
  std::optional<bool> newest_first;
  std::optional<std::int64_t> after;
  std::optional<std::int64_t> limit;
};
BOOST_DESCRIBE_STRUCT(AuditListInput, (),
                      (user, operation, address, event, refused, library_id, library_item_id, since, before,
                       newest_first, after, limit))
BOOST_DESCRIBE_STRUCT(AuditEntry, (),
                      (number, time, user, event, refused, api_token, operation, address, operation_id, library_id,
                       library_item_id, subject, details))
BOOST_DESCRIBE_STRUCT(AuditPage, (), (entries, next))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;

constexpr std::int64_t entries_if_unsaid = 100;

std::optional<std::string> unless_empty(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

template <class Id>
std::optional<Id> id_of(const std::optional<std::string>& text) {
  return text ? std::optional(Id(*text)) : std::nullopt;
}

struct AuditList {
  using Input = AuditListInput;
  using Output = AuditPage;
  static OperationFacts facts() {
    return {.service = "com.quire.audit",
            .name = "list",
            .method = "GET",
            .path = "/quire/audit",
            .privilege = Privilege::Global_Diagnostics,
            .errors = {ErrorKind::invalid_argument},
            .summary =
                "Who changed what, from where and by which call, and who was refused: at most `limit` entries, "
                "those behind the number `after`, that fit all filters. When `next` is there, more can follow: "
                "give it as `after`."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    service::AuditFilter filter{.user = input.user,
                                .operation = input.operation,
                                .address = input.address,
                                .event = std::nullopt,
                                .refused = input.refused,
                                .library = id_of<content::LibraryId>(input.library_id),
                                .item = id_of<content::ItemId>(input.library_item_id),
                                .since = input.since,
                                .before = input.before};
    if (input.event) filter.event = base::enumerator_named<content::EventKind>(*input.event);
    const auto order =
        input.newest_first.value_or(false) ? service::AuditOrder::newest_first : service::AuditOrder::oldest_first;
    QUIRE_ASSIGN_OR_RETURN(auto page, services.audit.list(call.caller, filter, order, input.after,
                                                          input.limit.value_or(entries_if_unsaid)));
    if (input.event && !filter.event)
      return base::Error(ErrorKind::invalid_argument, "quire.audit.unknown_event",
                         "There is no event {event}; they have names such as library.created.",
                         {{"event", *input.event}});
    Output out;
    out.next = page.next;
    for (auto& event : page.entries) out.entries.push_back(audit_entry(std::move(event)));
    return out;
  }
};

}  // namespace

AuditEntry audit_entry(content::Event event) {
  auto details = service::details_of(event);
  return {event.number,
          event.time,
          std::move(event.actor),
          std::string(base::name_of(event.kind)),
          service::is_refusal(event.kind),
          unless_empty(std::move(event.api_token)),
          unless_empty(std::move(event.operation)),
          unless_empty(std::move(event.address)),
          unless_empty(std::move(event.operation_id)),
          unless_empty(event.library_id.text()),
          unless_empty(event.item_id.text()),
          unless_empty(std::move(event.subject_id)),
          std::move(details)};
}

const Type& audit_entry_type() { return type_of<AuditEntry>(); }

void add_audit_operations(std::vector<Operation>& all) { all.push_back(bind<AuditList>()); }

}  // namespace quire::api
