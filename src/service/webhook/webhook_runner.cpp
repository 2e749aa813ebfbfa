#include "service/webhook/webhook_runner.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/hmac.h"
#include "base/log.h"
#include "base/utf8.h"
#include "service/event_feed/event_feed.h"
#include "service/transaction/transaction.h"

namespace quire::service {
namespace {

using base::Duration;
using base::Result;
using content::DeliveryState;
using content::Event;
using content::Webhook;
using content::WebhookDelivery;

constexpr std::size_t events_at_once = 200;
constexpr std::size_t sent_at_once = 20;
constexpr Duration backoff_first = std::chrono::seconds(1);
constexpr Duration backoff_max = std::chrono::minutes(30);
constexpr std::size_t problem_bytes_max = 500;

/// 1 s, 2 s, 4 s … with up to half of it more, so that what failed together does not come back together.
Duration backoff(std::int64_t failures, std::uint64_t random) {
  const auto pause = base::backoff(failures, backoff_first, backoff_max);
  return pause + Duration(static_cast<Duration::rep>(random % static_cast<std::uint64_t>(pause.count() / 2 + 1)));
}

bool fits(const Webhook& webhook, const Event& event) {
  return (webhook.library.empty() || webhook.library == event.library_id) &&
         (webhook.kinds.empty() || std::ranges::find(webhook.kinds, event.kind) != webhook.kinds.end());
}

content::OutgoingMessage message_of(const Webhook& webhook, const Event& event, base::Time now) {
  content::OutgoingMessage message;
  message.url = webhook.url;
  message.body = event_json(event);
  message.headers = {{"Content-Type", "application/json"},
                     {"Quire-Webhook", webhook.id.text()},
                     {"Quire-Event", std::string(base::name_of(event.kind))},
                     {"Quire-Event-Number", std::to_string(event.number)},
                     {"Quire-Signature", webhook_signature(webhook.secret, now, message.body)}};
  return message;
}

const content::Caller& the_worker() {
  static const auto caller = system_caller("webhooks");
  return caller;
}

/// What came of sending some of what is due.
struct Sent {
  std::vector<std::int64_t> done;  ///< delivered, or gone from the table of events
  std::optional<std::int64_t> failed;
  std::string problem;
  bool reached = true;  ///< false: no answer came, so no other delivery would have got one
};

/// How many deliveries died by it.
Result<std::uint64_t> store(Context& context, const Webhook& webhook, const Sent& sent) {
  return write(context, the_worker(), [&](Transaction& t) -> Result<std::uint64_t> {
    std::uint64_t died = 0;
    if (!t->find<Webhook>(webhook.id)) return died;  // deleted meanwhile
    for (const auto number : sent.done) t->remove<WebhookDelivery>({webhook.id, number});
    if (!sent.failed) return died;
    for (auto& delivery : t->list<WebhookDelivery>(webhook.id)) {
      const bool concerned = sent.reached ? delivery.event == *sent.failed
                                          : delivery.state == DeliveryState::PENDING && delivery.due <= t.now();
      if (!concerned) continue;
      ++delivery.attempts;
      delivery.problem = sent.problem;
      delivery.due = t.now() + backoff(delivery.attempts, t.context().identities.number());
      if (delivery.attempts >= static_cast<std::int64_t>(t.context().settings.webhook_attempts)) {
        delivery.state = DeliveryState::DEAD;
        ++died;
      }
      t->put(webhook.id, delivery);
    }
    return died;
  });
}

}  // namespace

std::string webhook_signature(std::string_view secret, base::Time at, std::string_view body) {
  const auto seconds = std::to_string(std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count());
  return "t=" + seconds + ",v1=" + base::hmac_sha256(secret, seconds + '.' + std::string(body));
}

/// A webhook that a thread serves, as long as it lives.
class WebhookRunner::Turn {
 public:
  Turn(WebhookRunner& runner, const Webhook& webhook) : runner_(runner), id_(webhook.id.text()) {
    const std::lock_guard lock(runner_.mutex_);
    taken_ = runner_.served_.insert(id_).second;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (!taken_) return;
    const std::lock_guard lock(runner_.mutex_);
    runner_.served_.erase(id_);
  }
  bool taken() const { return taken_; }

 private:
  WebhookRunner& runner_;
  const std::string id_;
  bool taken_ = false;
};

Result<bool> WebhookRunner::run_round() {
  QUIRE_ASSIGN_OR_RETURN(const auto webhooks, read(context_, the_worker(), [](View view) {
                           return Result<std::vector<Webhook>>(view->webhooks());
                         }));
  bool did = false;
  for (const auto& webhook : webhooks) {
    if (stopping_) return false;
    if (!webhook.enabled) continue;
    const Turn turn(*this, webhook);
    if (!turn.taken()) continue;
    QUIRE_ASSIGN_OR_RETURN(const bool queued, queue_new(webhook));
    QUIRE_ASSIGN_OR_RETURN(const bool sent, send_due(webhook));
    did = did || queued || sent;
  }
  return did;
}

/// Queues events behind those that were queued; false when there is none, or no room for one that fits.
Result<bool> WebhookRunner::queue_new(const Webhook& webhook) {
  auto more = read(context_, the_worker(), [&](View view) -> Result<bool> {
    const auto known = view->find<Webhook>(webhook.id);
    return known && !view->events_after(known->queued_to, 1).empty();
  });
  if (!more || !*more) return more;
  return write(context_, the_worker(), [&](Transaction& t) -> Result<bool> {
    auto now = t->find<Webhook>(webhook.id);
    if (!now || !now->enabled) return false;
    const auto before = now->queued_to;
    const auto waiting = t->list<WebhookDelivery>(webhook.id);
    auto room = static_cast<std::int64_t>(context_.limits.webhook_deliveries_max) -
                std::ranges::count(waiting, DeliveryState::PENDING, &WebhookDelivery::state);
    for (const auto& event : t->events_after(now->queued_to, events_at_once)) {
      if (fits(*now, event)) {
        if (room-- <= 0) break;
        t->insert(webhook.id, WebhookDelivery{event.number, DeliveryState::PENDING, 0, t.now(), ""});
      }
      now->queued_to = event.number;
    }
    if (now->queued_to == before) return false;
    t->update(*now);
    return true;
  });
}

/// False when nothing was due.
Result<bool> WebhookRunner::send_due(const Webhook& webhook) {
  struct Due {
    std::int64_t number;
    std::optional<Event> event;
  };
  const auto now = context_.leases.now();
  QUIRE_ASSIGN_OR_RETURN(const auto due, read(context_, the_worker(), [&](View view) -> Result<std::vector<Due>> {
                           std::vector<Due> found;
                           for (const auto& delivery : view->list<WebhookDelivery>(webhook.id)) {
                             if (delivery.state != DeliveryState::PENDING || delivery.due > now) continue;
                             found.push_back({delivery.event, view->find<Event>(delivery.event)});
                             if (found.size() == sent_at_once) break;
                           }
                           return found;
                         }));
  if (due.empty()) return false;
  auto& measured = context_.catalog.measurements().webhooks;
  Sent sent;
  for (const auto& [number, event] : due) {
    if (stopping_) break;
    if (event) {
      auto outcome = context_.message_sender->send(message_of(webhook, *event, context_.clock.now()), stopping_);
      if (stopping_ && !outcome.problem.empty()) break;
      if (!outcome.problem.empty()) {
        sent.failed = number;
        sent.problem = base::displayable(outcome.problem, problem_bytes_max);
        sent.reached = outcome.status.has_value();
        (sent.reached ? measured.refused : measured.unreached).add();
        spdlog::info("Webhook {} was not told of event {}: {}", webhook.id.text(), number, sent.problem);
        break;
      }
      measured.delivered.add();
    }
    sent.done.push_back(number);
  }
  QUIRE_ASSIGN_OR_RETURN(const auto died, store(context_, webhook, sent));
  if (died > 0) {
    measured.died.add(died);
    spdlog::warn("Webhook {}: {} deliveries are given up after their last attempt: {}", webhook.id.text(), died,
                 sent.problem);
  }
  return true;
}

Result<void> WebhookRunner::remove_old() {
  const auto any = read(context_, the_worker(), [](View view) -> Result<bool> { return !view->webhooks().empty(); });
  if (!any) return any.error();
  if (!*any) return {};
  return write(context_, the_worker(), [](Transaction& t) -> Result<void> {
    const auto oldest = t->events_after(0, 1);
    if (oldest.empty()) return {};
    for (const auto& webhook : t->webhooks())
      for (const auto& delivery : t->list<WebhookDelivery>(webhook.id))
        if (delivery.event < oldest.front().number) t->remove<WebhookDelivery>({webhook.id, delivery.event});
    return {};
  });
}

bool WebhookRunner::wait(Duration at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return stopping_.load(); });
  return !stopping_;
}

void WebhookRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

}  // namespace quire::service
