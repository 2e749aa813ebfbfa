#include "service/transaction/transaction.h"

#include <boost/json.hpp>
#include <set>
#include <string>

#include "base/time.h"
#include "base/utf8.h"
#include "service/transaction/quota_check.h"

namespace quire::service {

void AfterCommit::run(Context& context) const {
  for (const auto& token : transfers) context.transfers.stop(token);
  remove_bytes(context, bytes);
  if (wake_pulls && context.on_pull_added) context.on_pull_added();
  if (wake_tasks && context.on_task_added) context.on_task_added();
  if (has_events && context.on_events) context.on_events();
}

void Transaction::release(const std::vector<content::BlobId>& blobs) {
  for (auto& removed : writer_.remove_unreferenced_blobs(blobs)) remove_bytes_after_commit(std::move(removed));
}

void Transaction::release(const content::ContentId& content) {
  if (!content.empty()) release(writer_.remove_content_if_unused(content));
}

void Transaction::discard_partial(content::SessionFile& file) {
  if (file.unfinished) remove_bytes_after_commit({file.unfinished->blob, file.unfinished->storage, 0, ""});
  file.unfinished.reset();
}

namespace {

std::string json_of(const EventDetails& details) {
  if (details.empty()) return "";
  boost::json::object object;
  for (const auto& [name, value] : details) {
    auto& member = object[name];
    if (const auto* text = std::get_if<std::string>(&value)) member = *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) member = *number;
    if (const auto* time = std::get_if<base::Time>(&value)) member = base::to_text(*time);
  }
  return boost::json::serialize(object);
}

}  // namespace

base::Result<void> Transaction::check_quotas() {
  const auto exceeded = writer_.exceeded_quotas();
  if (exceeded.empty()) return {};
  return quota_full(*this, exceeded.front());
}

/// Whoever changes an item records it, so no change can miss its place here. A new item has no files yet: subscribers
/// see it with its first content.
void Transaction::advance_generations() {
  std::set<content::LibraryId> changed;
  for (const auto& event : events_)
    if (event.kind == content::EventKind::item_updated || event.kind == content::EventKind::item_content_changed ||
        event.kind == content::EventKind::item_deleted)
      changed.insert(event.library);
  for (const auto& library : changed) writer_.advance_generation(library);
}

void Transaction::append_events() {
  effects_.has_events = !events_.empty();
  if (events_.empty()) return;
  const auto& origin = caller_.origin;
  const auto operation_id = base::displayable(origin.operation_id);
  for (const auto& event : events_)
    writer_.append_event({0, event.kind, wall_time_, caller_.user, event.library, event.item, event.subject,
                          json_of(event.details), std::string(origin.operation), std::string(origin.address),
                          operation_id, caller_.api_token});
}

content::Caller system_caller(std::string_view worker) {
  return {"system:" + std::string(worker), content::LoginId(), content::Grants::everything()};
}

}  // namespace quire::service
