#include "service/webhook/webhooks.h"

#include <limits>
#include <utility>

#include "base/utf8.h"
#include "content/text.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::Webhook;
using content::WebhookDelivery;
using content::WebhookId;

constexpr std::size_t url_bytes_max = 2048;
constexpr std::size_t secret_bytes_min = 16;
constexpr std::size_t secret_bytes_max = 256;

Error invalid(std::string id, std::string_view text, std::vector<base::MessageParam> params = {}) {
  return {ErrorKind::invalid_argument, std::move(id), text, std::move(params)};
}

Result<void> check_access(const Caller& caller) {
  return check_privilege(caller, content::Privilege::Global_Diagnostics);
}

Result<Webhook> find_webhook(View view, const WebhookId& id) {
  if (auto webhook = view->find<Webhook>(id)) return *std::move(webhook);
  return Error(ErrorKind::not_found, "quire.webhook.not_found", "There is no webhook {webhook}.",
               {{"webhook", id.text()}});
}

Result<void> check_url(const Context& context, const std::string& text) {
  const content::SourceUrl url(text);
  if (text.size() > url_bytes_max)
    return invalid("quire.webhook.url_too_long", "The URL is longer than {limit} bytes.",
                   {{"limit", static_cast<std::int64_t>(url_bytes_max)}});
  if (context.message_sender == nullptr)
    return Error(ErrorKind::unsupported, "quire.webhook.unsupported", "This server cannot send to webhooks.");
  return context.message_sender->check(url);
}

Result<void> check_secret(const std::string& secret) {
  if (secret.size() >= secret_bytes_min && secret.size() <= secret_bytes_max && base::is_text(secret)) return {};
  return invalid(
      "quire.webhook.bad_secret",
      "The secret must be a text of {least} to {most} bytes. Both sides need the same to check signatures.",
      {{"least", static_cast<std::int64_t>(secret_bytes_min)}, {"most", static_cast<std::int64_t>(secret_bytes_max)}});
}

Result<void> check_spec(const Context& context, View view, const WebhookSpec& spec) {
  if (spec.library && !spec.library->empty())
    QUIRE_RETURN_IF_ERROR(find_library(view, content::LibraryId(*spec.library), content::Privilege::System_Read));
  if (spec.url) QUIRE_RETURN_IF_ERROR(check_url(context, *spec.url));
  if (spec.secret) QUIRE_RETURN_IF_ERROR(check_secret(*spec.secret));
  if (spec.description)
    return content::check_text("description", *spec.description, context.limits.description_chars_max);
  return {};
}

void apply(const WebhookSpec& spec, Webhook& webhook) {
  webhook.url = spec.url.value_or(webhook.url);
  webhook.secret = spec.secret.value_or(webhook.secret);
  webhook.description = spec.description.value_or(webhook.description);
  webhook.enabled = spec.enabled.value_or(webhook.enabled);
  webhook.kinds = spec.kinds.value_or(webhook.kinds);
  if (spec.library) webhook.library = content::LibraryId(*spec.library);
}

std::int64_t newest_event(Transaction& t) {
  const auto newest = t->events_before(std::numeric_limits<std::int64_t>::max(), 1);
  return newest.empty() ? 0 : newest.front().number;
}

void record_webhook(Transaction& t, EventKind kind, const Webhook& webhook, const WebhookSpec& spec = {}) {
  EventDetails details{{"url", content::SourceUrl(webhook.url).shown()}};
  if (spec.enabled) details.push_back({"enabled", std::string(*spec.enabled ? "true" : "false")});
  if (spec.secret && kind == EventKind::webhook_updated) details.push_back({"secret", std::string("changed")});
  t.record({kind, content::LibraryId(), content::ItemId(), webhook.id.text(), std::move(details)});
}

}  // namespace

Result<WebhookId> Webhooks::create(const Caller& caller, const WebhookSpec& spec) {
  const WebhookId id(context_.identities.uuid());
  return write(context_, caller, [&](Transaction& t) -> Result<WebhookId> {
    QUIRE_RETURN_IF_ERROR(check_access(caller));
    QUIRE_RETURN_IF_ERROR(check_spec(context_, t, spec));
    if (t->webhooks().size() >= context_.limits.webhooks_max)
      return Error(ErrorKind::unable_to_allocate_resource, "quire.webhook.too_many",
                   "There are {limit} webhooks, which is the limit; delete some that are not needed any more.",
                   {{"limit", static_cast<std::int64_t>(context_.limits.webhooks_max)}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    Webhook webhook;
    webhook.id = id;
    webhook.creator = caller.user;
    webhook.created = t.wall_time();
    webhook.queued_to = newest_event(t);
    apply(spec, webhook);
    t->insert(webhook);
    record_webhook(t, EventKind::webhook_created, webhook);
    return id;
  });
}

Result<std::vector<Webhook>> Webhooks::list(const Caller& caller) {
  QUIRE_RETURN_IF_ERROR(check_access(caller));
  return read(context_, caller, [](View view) -> Result<std::vector<Webhook>> { return view->webhooks(); });
}

Result<Webhook> Webhooks::get(const Caller& caller, const WebhookId& id) {
  QUIRE_RETURN_IF_ERROR(check_access(caller));
  return read(context_, caller, [&](View view) { return find_webhook(view, id); });
}

Result<void> Webhooks::update(const Caller& caller, const WebhookId& id, const WebhookSpec& spec) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(check_access(caller));
    QUIRE_ASSIGN_OR_RETURN(auto webhook, find_webhook(t, id));
    QUIRE_RETURN_IF_ERROR(check_spec(context_, t, spec));
    const auto before = webhook;
    apply(spec, webhook);
    if (webhook == before) return {};
    if (webhook.enabled && !before.enabled) webhook.queued_to = newest_event(t);
    t->update(webhook);
    record_webhook(t, EventKind::webhook_updated, webhook, spec);
    return {};
  });
}

Result<void> Webhooks::remove(const Caller& caller, const WebhookId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(check_access(caller));
    QUIRE_ASSIGN_OR_RETURN(const auto webhook, find_webhook(t, id));
    t->remove<Webhook>(id);
    record_webhook(t, EventKind::webhook_deleted, webhook);
    return {};
  });
}

Result<std::vector<WebhookDelivery>> Webhooks::deliveries(const Caller& caller, const WebhookId& id) {
  QUIRE_RETURN_IF_ERROR(check_access(caller));
  return read(context_, caller, [&](View view) -> Result<std::vector<WebhookDelivery>> {
    QUIRE_RETURN_IF_ERROR(find_webhook(view, id));
    auto all = view->list<WebhookDelivery>(id);
    for (auto& delivery : all) delivery.due = context_.leases.shown(delivery.due);
    return all;
  });
}

Result<void> Webhooks::redeliver(const Caller& caller, const WebhookId& id, std::int64_t event) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(check_access(caller));
    QUIRE_RETURN_IF_ERROR(find_webhook(t, id));
    auto delivery = t->find<WebhookDelivery>({id, event});
    if (!delivery)
      return Error(ErrorKind::not_found, "quire.webhook.no_delivery",
                   "Webhook {webhook} has no delivery of event {event} that waits or is dead.",
                   {{"webhook", id.text()}, {"event", event}});
    delivery->state = content::DeliveryState::PENDING;
    delivery->attempts = 0;
    delivery->due = t.now();
    t->put(id, *delivery);
    return {};
  });
}

}  // namespace quire::service
