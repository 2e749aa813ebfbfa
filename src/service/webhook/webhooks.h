#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "content/webhook.h"
#include "service/transaction/context.h"

namespace quire::service {

/// What a client says of a webhook. To create one, url and secret must be set; an update leaves alone what is unset.
struct WebhookSpec {
  std::optional<std::string> url = {};
  std::optional<std::string> secret = {};
  std::optional<std::string> description = {};
  std::optional<bool> enabled = {};
  std::optional<std::vector<content::EventKind>> kinds = {};  ///< empty: all
  std::optional<std::string> library = {};                    ///< its identifier; empty: all
};

/// Servers that are told of events, and what they have not been told of yet (docs/events.md). They learn everything
/// that the audit trail holds, so all of it needs Global.Diagnostics. All threads may call it.
class Webhooks {
 public:
  explicit Webhooks(Context& context) : context_(context) {}

  /// It is told of what happens from now on; its own creation is the first event, where that kind is wanted.
  /// InvalidArgument for an URL that cannot be used, a secret that is too short, a library that is not there;
  /// UnableToAllocateResource beyond Limits::webhooks_max; Unsupported where nothing can be sent.
  base::Result<content::WebhookId> create(const content::Caller& caller, const WebhookSpec& spec);
  base::Result<std::vector<content::Webhook>> list(const content::Caller& caller);
  base::Result<content::Webhook> get(const content::Caller& caller, const content::WebhookId& id);
  /// One that is enabled again is told of what happens from then on, besides what still waits.
  base::Result<void> update(const content::Caller& caller, const content::WebhookId& id, const WebhookSpec& spec);
  base::Result<void> remove(const content::Caller& caller, const content::WebhookId& id);

  /// What waits and what is dead, in the order of the events.
  base::Result<std::vector<content::WebhookDelivery>> deliveries(const content::Caller& caller,
                                                                 const content::WebhookId& id);
  /// A delivery is tried again from the beginning, as soon as may be. NotFound when it has been delivered.
  base::Result<void> redeliver(const content::Caller& caller, const content::WebhookId& id, std::int64_t event);

 private:
  Context& context_;
};

}  // namespace quire::service
