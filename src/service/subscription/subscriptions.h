#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/enumeration.h"
#include "content/remote_subscriber.h"
#include "service/subscription/subscribed_libraries.h"
#include "service/task/task_runner.h"

namespace quire::service {

/// Spelled as on the wire (content-library-api.md §7).
QUIRE_ENUM(SubscriptionTarget, CREATE_NEW, USE_EXISTING)

/// The subscribed library that CREATE_NEW makes.
struct NewSubscribedLibrary {
  std::string name;
  std::optional<std::string> description = {};
  std::vector<content::StorageBacking> storage_backings;  ///< exactly one
  bool automatic_sync_enabled = false;
  bool on_demand = false;
};

/// Where the server of a REMOTE subscription is; unset = default or unchanged.
struct SubscriberAddress {
  std::optional<std::string> hostname = {};
  std::optional<std::int64_t> https_port = {};
};

/// What a client says of a new subscription.
struct SubscriptionCreateSpec {
  SubscriptionTarget target = SubscriptionTarget::USE_EXISTING;
  std::optional<NewSubscribedLibrary> new_subscribed_library = {};  ///< with CREATE_NEW
  std::optional<std::string> subscribed_library = {};               ///< identifier on its server; with USE_EXISTING
  content::SubscriptionLocation location = content::SubscriptionLocation::LOCAL;
  std::optional<SubscriberAddress> server = {};  ///< with REMOTE
  content::SubscriptionPlacement placement = {};
};

/// Unset = unchanged.
struct SubscriptionUpdateSpec {
  std::optional<SubscriberAddress> server = {};
  std::optional<content::SubscriptionPlacement> placement = {};  ///< replaces the whole of it
};

/// The subscribed libraries that published ones tell of their changes (content-library-api.md §7, §5 publish). All
/// threads may call it. Each call needs its privilege on the published library (§1.9). Of each: NotFound: no such
/// library; InvalidElementType: it is a subscribed one; NotAllowedInCurrentState: it is not published.
///
/// Subscribed libraries of other servers are looked after through Context::remote_subscriber; without one they are
/// Unsupported. create and update ask that server within the call.
class Subscriptions {
 public:
  Subscriptions(Context& context, SubscribedLibraries& subscribed_libraries)
      : context_(context), subscribed_libraries_(subscribed_libraries) {}

  /// `publish_url`: of the library, as its clients see it; an existing subscribed library must have that one, and a new
  /// one gets it. A new one needs the privileges to make subscribed libraries too, an existing one of this server that
  /// to synchronize it.
  ///
  /// Also: NotFound: no such subscribed library; InvalidArgument: bad spec or client token, an existing library that
  /// follows another publisher, a new one of a library with a password, which nobody can read, or too many
  /// subscriptions; AlreadyExists: the library has a subscription for it; ResourceInaccessible: the other server, or
  /// this one at `publish_url`, cannot be reached.
  base::Result<content::SubscriptionId> create(const content::Caller& caller, const content::LibraryId& library,
                                               const SubscriptionCreateSpec& spec, const std::string& publish_url,
                                               const std::optional<std::string>& client_token);
  /// In the order in which they were made.
  base::Result<std::vector<content::LibrarySubscription>> list(const content::Caller& caller,
                                                               const content::LibraryId& library);
  /// InvalidArgument: no such subscription.
  base::Result<content::LibrarySubscription> get(const content::Caller& caller, const content::LibraryId& library,
                                                 const content::SubscriptionId& id);
  /// Also: NotFound: no such subscription; InvalidArgument: an address for a subscribed library of this server, or one
  /// where it is not; ResourceInaccessible: that server cannot be reached. `publish_url` as in create().
  base::Result<void> update(const content::Caller& caller, const content::LibraryId& library,
                            const content::SubscriptionId& id, const SubscriptionUpdateSpec& spec,
                            const std::string& publish_url);
  /// The subscribed library stays as it is. NotFound: no such subscription.
  base::Result<void> remove(const content::Caller& caller, const content::LibraryId& library,
                            const content::SubscriptionId& id);

  /// Has the subscribed libraries of these subscriptions synchronized, without any of all of them: on this server by
  /// their tasks, on others by a task that tells those servers (publish_tasks()). Returns when that is queued; what
  /// became of it stands in the subscriptions. InvalidArgument: no such subscription.
  base::Result<void> publish(const content::Caller& caller, const content::LibraryId& library,
                             const std::vector<content::SubscriptionId>& subscriptions);

  /// The same for one item: of subscribed libraries of this server only that item is synchronized where it is there,
  /// with its content if `force_content` says so or its library is not on demand; other servers are told of the
  /// library. NotFound also: no such item.
  base::Result<void> publish_item(const content::Caller& caller, const content::ItemId& item, bool force_content,
                                  const std::vector<content::SubscriptionId>& subscriptions);

  /// The other servers that can have subscribed libraries, each `host:port`.
  std::vector<std::string> peers() const;

 private:
  struct Subscriber;
  base::Result<Subscriber> find_existing(const content::Caller& caller, const SubscriptionCreateSpec& spec,
                                         const std::string& publish_url);
  base::Result<Subscriber> make_new(const content::Caller& caller, const content::Library& library,
                                    const SubscriptionCreateSpec& spec, const content::SubscriptionId& id,
                                    const std::string& publish_url, const std::optional<std::string>& client_token);
  base::Result<content::RemoteLibrary> ask(const content::SubscriberServer& server, const std::string& library,
                                           const std::string& publish_url) const;

  Context& context_;
  SubscribedLibraries& subscribed_libraries_;
};

/// The tasks by which publish() tells other servers. One that cannot be told is told again (Settings::task_attempts);
/// in the end the task fails with a message for each, and each subscription keeps its own.
TaskKind publish_tasks();

}  // namespace quire::service
