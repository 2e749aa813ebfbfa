#pragma once

#include <optional>
#include <string>
#include <vector>

#include "content/fetcher.h"
#include "service/library/libraries.h"

namespace quire::service {

/// What a client may say of a subscription (content-library-api.md §4.2); unset = default or unchanged.
struct SubscriptionSpec {
  std::optional<content::AuthenticationMethod> authentication_method = {};
  std::optional<bool> automatic_sync_enabled = {};
  std::optional<bool> on_demand = {};
  std::optional<std::string> subscription_url = {};
  std::optional<std::string> user_name = {};
  std::optional<std::string> password = {};
  std::optional<std::string> ssl_thumbprint = {};   ///< empty: none
  std::optional<std::string> ssl_certificate = {};  ///< empty: none
  std::optional<content::SourceInfo> source_info = {};
};

/// What came of asking a publisher (§6 `probe_result`). Never an Error of the call.
enum class SubscriptionProbe {
  success,
  invalid_url,
  timed_out,
  host_not_found,
  resource_not_found,
  invalid_credentials,
  certificate_error,
  unknown_error,
};
struct ProbedSubscription {
  SubscriptionProbe status = SubscriptionProbe::success;
  std::optional<content::PeerCertificate> presented = {};
  std::vector<base::Message> messages = {};  ///< none with success
};

/// Bounds that a subscription has besides what the API knows of.
struct SubscriptionLimits {
  std::int64_t bytes_per_second_max = 0;  ///< 0: none
  std::optional<content::SyncWindow> window = {};
};

/// An item that is not as the publisher has it, and why.
struct SyncProblem {
  content::ItemId item;
  std::string name;
  base::Message reason;
};

/// How far a subscribed library has got, for people.
struct SubscriptionStatus {
  content::Subscription subscription;  ///< without password
  std::optional<content::Task> running;
  content::SyncedItemCounts counts = {};
  std::vector<SyncProblem> problems = {};  ///< the first hundred, by the items' order
};

/// Subscribed libraries and what one asks of their items (content-library-api.md §6, §18, §23.9; decision 21). All
/// threads may call it. Each call needs its privilege (§1.9): what the caller may not read is NotFound, what may not be
/// done is Unauthorized. What is asked of a local library or its items is InvalidElementType. A publisher is asked
/// within the call by create, update and probe, for at most half a minute.
class SubscribedLibraries {
 public:
  explicit SubscribedLibraries(Context& context) : context_(context) {}

  /// Begins with a first synchronization. InvalidArgument: bad spec or client token; Unsupported: several storage
  /// backings; ResourceInaccessible: the publisher cannot be reached, is not trusted, or refuses the password.
  base::Result<content::LibraryId> create(const content::Caller& caller, const LibrarySpec& spec,
                                          const std::optional<SubscriptionSpec>& subscription,
                                          const std::optional<std::string>& client_token);
  /// A publisher that is another one drops what is here and begins anew. InvalidArgument; ConcurrentChange for a
  /// version that is not current; ResourceInaccessible as create; ResourceBusy when somebody else changes the
  /// subscription at the same time.
  base::Result<void> update(const content::Caller& caller, const content::LibraryId& id, const LibrarySpec& spec,
                            const std::optional<SubscriptionSpec>& subscription);
  /// NotAllowedInCurrentState in maintenance, or unless forced while something uses it.
  base::Result<void> remove(const content::Caller& caller, const content::LibraryId& id, Deletion deletion);

  /// Asks the task for it; no effect while one runs. NotAllowedInCurrentState in maintenance.
  base::Result<void> sync(const content::Caller& caller, const content::LibraryId& id);
  /// Drops the content of all items. NotAllowedInCurrentState unless the library is on demand, and in maintenance.
  base::Result<void> evict(const content::Caller& caller, const content::LibraryId& id);
  /// Every outcome is in the answer.
  base::Result<ProbedSubscription> probe(const content::Caller& caller, const SubscriptionSpec& subscription);

  /// The item's metadata, and its content where the library is not on demand or `force_content` is set.
  base::Result<void> sync_item(const content::Caller& caller, const content::ItemId& id, bool force_content);
  /// InvalidElementConfiguration unless the library is on demand; NotAllowedInCurrentState in maintenance.
  base::Result<void> evict_item(const content::Caller& caller, const content::ItemId& id);

  base::Result<SubscriptionStatus> status(const content::Caller& caller, const content::LibraryId& id);
  /// InvalidArgument for a negative rate, or hours that are none.
  base::Result<void> set_limits(const content::Caller& caller, const content::LibraryId& id,
                                const SubscriptionLimits& limits);

  /// Makes it a local library that is published: with the password of the subscription, if it had one, else for
  /// everybody (§4.1 convert). NotAllowedInCurrentState while it is synchronized, in maintenance, or when the content
  /// of an item is not here.
  base::Result<void> convert(const content::Caller& caller, const content::LibraryId& id);

  /// For a worker: asks for the automatic synchronizations whose time has come.
  base::Result<void> sync_due();

 private:
  base::Result<content::Subscription> accept(const content::Caller& caller, const SubscriptionSpec& spec,
                                             content::Subscription subscription) const;

  Context& context_;
};

}  // namespace quire::service
