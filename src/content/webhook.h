#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/enumeration.h"
#include "base/time.h"
#include "content/event.h"
#include "content/ids.h"

namespace quire::content {

/// Somebody's server that is told of events (docs/events.md).
struct Webhook {
  WebhookId id;
  std::string url;     ///< http or https, without user and password
  std::string secret;  ///< signs what is sent; shown to nobody
  std::string description;
  bool enabled = true;
  std::vector<EventKind> kinds;  ///< that are wanted; empty: all
  LibraryId library;             ///< that is wanted; empty: all
  std::string creator;
  base::Time created;
  std::int64_t queued_to = 0;  ///< events up to this number have been queued, where they fit
  bool operator==(const Webhook&) const = default;
};

/// PENDING: it is tried, or tried again. DEAD: it was tried as often as it is worth, and waits for somebody.
QUIRE_ENUM(DeliveryState, PENDING, DEAD)

/// An event that a webhook has not been told of yet. What was delivered has no row.
struct WebhookDelivery {
  std::int64_t event = 0;  ///< its number
  DeliveryState state = DeliveryState::PENDING;
  std::int64_t attempts = 0;  ///< that have failed
  base::Time due;             ///< not tried before
  std::string problem;        ///< of the last attempt; for people
  bool operator==(const WebhookDelivery&) const = default;
};

}  // namespace quire::content
