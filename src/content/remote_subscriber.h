#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "content/library.h"
#include "content/subscription.h"

namespace quire::content {

/// A subscribed library of another server, as that server tells of it.
struct RemoteLibrary {
  std::string name;
  SourceUrl subscription_url;
  std::string server_guid;  ///< of that server
};

/// A subscribed library to be made on another server.
struct RemoteLibrarySpec {
  std::string name;
  std::optional<std::string> description = {};
  StorageBacking backing;  ///< of that server
  bool automatic_sync_enabled = false;
  bool on_demand = false;
  SourceUrl subscription_url;
  SourceInfo source_info;
};

/// Asks other servers, by the public API that this one has too, to subscribe and to synchronize
/// (content-library-api.md §6, §7). It asks only those that its administrator has given a credential of. All threads
/// may call it. Each call is one attempt, blocking, within a time-out; `stop` set from another thread ends it within
/// about a second.
///
/// Errors: ResourceInaccessible when there is no credential for the server, or it cannot be reached, is not trusted,
/// does not take the credential, or does not answer as it should; InvalidArgument with that server's reason when it
/// refuses what it was asked.
class RemoteSubscriber {
 public:
  virtual ~RemoteSubscriber() = default;

  /// Those that it may ask, each `host:port`.
  virtual std::vector<std::string> servers() const = 0;
  /// Also NotFound: that server has no such subscribed library. `server_guid` of `server` does not count.
  virtual base::Result<RemoteLibrary> find(const SubscriberServer& server, const std::string& library,
                                           const std::atomic<bool>& stop) = 0;
  /// The new library's identifier. That server makes one only, however often the same `client_token` comes.
  virtual base::Result<std::string> create(const SubscriberServer& server, const RemoteLibrarySpec& spec,
                                           const std::optional<std::string>& client_token,
                                           const std::atomic<bool>& stop) = 0;
  /// Returns when that server has taken it; the synchronization runs on. Also NotFound, as find().
  virtual base::Result<void> sync(const SubscriberServer& server, const std::string& library,
                                  const std::atomic<bool>& stop) = 0;
};

}  // namespace quire::content
