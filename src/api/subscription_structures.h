#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/structures.h"
#include "base/time.h"
#include "content/subscription.h"
#include "service/subscription/subscriptions.h"

/// The structures of subscriptions of published libraries (content-library-api.md §7), members in the order of the
/// published bindings.
namespace quire::api {

struct SubscriptionVcenterSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.create_spec_vcenter";
  std::string hostname;
  std::optional<std::int64_t> https_port;
};

struct SubscriptionNewLibrarySpec {
  static constexpr std::string_view canonical_name =
      "com.vmware.content.library.subscriptions.create_spec_new_subscribed_library";
  std::string name;
  std::optional<std::string> description;
  std::vector<StorageBacking> storage_backings;
  bool automatic_sync_enabled = false;
  bool on_demand = false;
};

struct SubscriptionPlacementSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.create_spec_placement";
  std::optional<std::string> folder;
  std::optional<std::string> cluster;
  std::optional<std::string> resource_pool;
  std::optional<std::string> host;
  std::optional<std::string> network;
};

struct SubscriptionLibrarySpec {
  static constexpr std::string_view canonical_name =
      "com.vmware.content.library.subscriptions.create_spec_subscribed_library";
  service::SubscriptionTarget target = service::SubscriptionTarget::USE_EXISTING;
  std::optional<SubscriptionNewLibrarySpec> new_subscribed_library;
  std::optional<std::string> subscribed_library;
  content::SubscriptionLocation location = content::SubscriptionLocation::LOCAL;
  std::optional<SubscriptionVcenterSpec> vcenter;
  std::optional<SubscriptionPlacementSpec> placement;
};

struct SubscriptionCreateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.create_spec";
  SubscriptionLibrarySpec subscribed_library;
};

struct SubscriptionSummary {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.summary";
  std::string subscription;
  std::string subscribed_library;
  std::string subscribed_library_name;
  std::optional<std::string> subscribed_library_vcenter_hostname;
};

struct SubscriptionVcenterInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.vcenter_info";
  std::string hostname;
  std::optional<std::int64_t> https_port;
  std::string server_guid;
};

struct SubscriptionPlacementInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.placement_info";
  std::optional<std::string> folder;
  std::optional<std::string> cluster;
  std::optional<std::string> resource_pool;
  std::optional<std::string> host;
  std::optional<std::string> network;
};

struct LibrarySubscriptionInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.info";
  std::string subscribed_library;
  std::string subscribed_library_name;
  content::SubscriptionLocation subscribed_library_location = content::SubscriptionLocation::LOCAL;
  std::optional<SubscriptionVcenterInfo> subscribed_library_vcenter;
  SubscriptionPlacementInfo subscribed_library_placement;
};

struct SubscriptionVcenterUpdateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.update_spec_vcenter";
  std::optional<std::string> hostname;
  std::optional<std::int64_t> https_port;
};

struct SubscriptionPlacementUpdateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.update_spec_placement";
  std::optional<std::string> folder;
  std::optional<std::string> cluster;
  std::optional<std::string> resource_pool;
  std::optional<std::string> host;
  std::optional<std::string> network;
};

struct SubscriptionUpdateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscriptions.update_spec";
  std::optional<SubscriptionVcenterUpdateSpec> subscribed_library_vcenter;
  std::optional<SubscriptionPlacementUpdateSpec> subscribed_library_placement;
};

/// Somebody who has read of a published library. This and what follows is Quire's own.
struct PublicationReader {
  static constexpr std::string_view canonical_name = "com.quire.local_library.reader";
  std::string address;
  std::optional<std::string> user_agent;
  base::Time last_read_time;
  std::optional<std::int64_t> version;  ///< that it has learned of; unset while it only read files
};

/// What became of telling a subscription, besides what subscriptions.list says of it.
struct SubscriptionNotification {
  static constexpr std::string_view canonical_name = "com.quire.local_library.notification";
  std::string subscription;
  std::string subscribed_library;
  std::string subscribed_library_name;
  std::optional<std::string> subscribed_library_vcenter_hostname;
  std::optional<base::Time> last_notified_time;
  std::optional<base::Time> waiting_since;  ///< published then, and its server is still to be told
  std::optional<LocalizableMessage> problem;
};

struct PublicationInfo {
  static constexpr std::string_view canonical_name = "com.quire.local_library.publication_info";
  std::int64_t version = 0;  ///< the counter that subscribers see
  base::Time readers_since;  ///< earlier ones are forgotten
  std::vector<PublicationReader> readers;
  std::vector<SubscriptionNotification> subscriptions;
  std::vector<std::string> peers;  ///< servers whose libraries can be subscriptions, `host:port`
};

/// A subscription that local_library.publish names (§5).
struct ItemPublishDestination {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.destination_spec";
  std::string subscription;
};

struct PublishDestination {
  static constexpr std::string_view canonical_name = "com.vmware.content.local_library.destination_spec";
  std::string subscription;
};

}  // namespace quire::api
