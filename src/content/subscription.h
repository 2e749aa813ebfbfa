#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/enumeration.h"
#include "base/error.h"
#include "base/time.h"
#include "content/ids.h"
#include "content/source_url.h"

namespace quire::content {

/// Spelled as on the wire (content-library-api.md §4.2).
QUIRE_ENUM(AuthenticationMethod, BASIC, NONE)

/// The subscription at the publisher that made this library its target (§4.2 `source_info`, §7).
struct SourceInfo {
  std::string source_library;
  std::string subscription;
  bool operator==(const SourceInfo&) const = default;
};

/// Hours of the day in UTC: [start, stop), over midnight when `start` is the later one, the whole day when they agree.
struct SyncWindow {
  std::int64_t start_hour = 0;  ///< 0–23
  std::int64_t stop_hour = 0;   ///< 0–23
  bool operator==(const SyncWindow&) const = default;
};

/// How a subscribed library follows its publisher (§4.2 `subscription_info`, vcsp.md §6), and how far it has got.
struct Subscription {
  SourceUrl url;  ///< of the publisher's lib.json, without user and password
  AuthenticationMethod authentication_method = AuthenticationMethod::NONE;
  std::optional<std::string> user_name = {};
  std::string password = {};  ///< as it is, because it is sent with each request
  std::optional<std::string> ssl_thumbprint = {};
  std::optional<std::string> ssl_certificate = {};  ///< PEM; counts before the thumbprint
  bool automatic_sync_enabled = false;
  bool on_demand = false;
  std::optional<SourceInfo> source_info = {};

  // Bounds of Quire's own.
  std::int64_t bytes_per_second_max = 0;  ///< of all its transfers together; 0: none
  std::optional<SyncWindow> window = {};  ///< for automatic synchronizations, instead of the service-wide one

  // How far it has got. Moments are those of the wall clock.
  std::string publisher = {};                        ///< the `id` of the publisher's library; empty until it was read
  std::optional<std::int64_t> version = {};          ///< the publisher's counter that all here is from; unset while
                                                     ///< something is missing
  std::optional<base::Time> last_sync_time = {};     ///< a synchronization was asked for
  std::optional<base::Time> last_success_time = {};  ///< one ended well
  std::optional<base::Time> next_sync_time = {};     ///< no automatic one before
  std::int64_t failures = 0;                         ///< of synchronizations since one ended well
  std::optional<base::Message> problem = {};         ///< of the last synchronization
  bool operator==(const Subscription&) const = default;
};

/// What a publisher says of an item of a subscribed library. Documents are texts as vcsp.md §5 has them.
struct SourceItem {
  ItemId item;
  std::string document;                       ///< what the item is to be
  std::string content_document;               ///< what the item's content was made from; empty: it has none
  std::optional<base::Message> problem = {};  ///< why the last attempt did not bring that content
  bool operator==(const SourceItem&) const = default;
};

/// How many items of a subscribed library there are.
struct SyncedItemCounts {
  std::int64_t items = 0;
  std::int64_t cached = 0;        ///< with their content here
  std::int64_t with_problem = 0;  ///< whose SourceItem has one
  bool operator==(const SyncedItemCounts&) const = default;
};

/// Where the subscribed library of a subscription is; spelled as on the wire (content-library-api.md §7).
QUIRE_ENUM(SubscriptionLocation, LOCAL, REMOTE)

struct SubscriberServer {
  std::string hostname;
  std::optional<std::int64_t> https_port = {};  ///< unset: 443
  std::string server_guid = {};
  bool operator==(const SubscriberServer&) const = default;
};

/// Where virtual machine templates would go; kept for clients, of no effect here.
struct SubscriptionPlacement {
  std::optional<std::string> folder = {};
  std::optional<std::string> cluster = {};
  std::optional<std::string> resource_pool = {};
  std::optional<std::string> host = {};
  std::optional<std::string> network = {};
  bool operator==(const SubscriptionPlacement&) const = default;
};

/// A subscribed library that a published one tells of its changes when asked to publish (content-library-api.md §7).
struct LibrarySubscription {
  SubscriptionId id;
  std::string subscribed_library;  ///< identifier on its own server
  std::string subscribed_library_name;
  SubscriptionLocation location = SubscriptionLocation::LOCAL;
  std::optional<SubscriberServer> server = {};  ///< exactly with REMOTE
  SubscriptionPlacement placement = {};
  std::optional<base::Time> last_notified = {};  ///< by the wall clock
  std::optional<base::Time> waiting_since = {};  ///< published then, and a task has still to tell its server
  std::optional<base::Message> problem = {};     ///< of the last attempt to tell it
  bool operator==(const LibrarySubscription&) const = default;
};

}  // namespace quire::content
