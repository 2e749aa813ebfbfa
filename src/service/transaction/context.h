#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/identity.h"
#include "base/result.h"
#include "content/catalog.h"
#include "content/fetcher.h"
#include "content/limits.h"
#include "content/message_sender.h"
#include "content/remote_subscriber.h"
#include "content/storage.h"
#include "service/transaction/lease_clock.h"
#include "service/transaction/refusal_rate.h"
#include "service/transfer/measurements.h"
#include "service/transfer/transfer_board.h"

namespace quire::service {

/// What a digest of a password costs whoever computes it, those who guess included (Argon2id, RFC 9106). The defaults
/// are the least that OWASP recommends, so that logins do not push the server's memory around.
struct PasswordCost {
  std::int64_t memory_bytes = 19LL << 20U;
  std::size_t passes = 2;  ///< over the memory
  std::size_t lanes = 1;   ///< parts of the memory that can be filled at once
  bool operator==(const PasswordCost&) const = default;
};
/// The bounds of the settings. Tests where the cost does not matter take the least.
inline constexpr PasswordCost least_password_cost{1LL << 20U, 1, 1};
inline constexpr PasswordCost most_password_cost{1LL << 30U, 16, 16};

struct Settings {
  base::Duration update_session_timeout = std::chrono::minutes(5);
  base::Duration download_session_timeout = std::chrono::minutes(5);
  base::Duration ended_session_retention = std::chrono::hours(24);  ///< how long DONE, ERROR, CANCELED sessions stay
  base::Duration complete_idle_pulls_after = std::chrono::seconds(30);  ///< §28.1; 0: never
  std::size_t pull_attempts = 5;                                        ///< §28.3
  base::Duration event_retention = std::chrono::hours(30 * 24);
  base::Duration event_heartbeat = std::chrono::seconds(15);  ///< a stream of events says something so often
  base::Duration task_retention = std::chrono::hours(24);     ///< how long ended tasks stay
  std::size_t task_attempts = 5;                              ///< that fail in a row before a task does
  /// The most bytes that a copy of an item moves to another storage before it answers; more become a task.
  std::int64_t copy_in_call_bytes_max = 16LL << 20U;
  std::size_t webhook_attempts = 12;  ///< that fail before a delivery is dead
  /// How long files of a published item can be read at their old addresses after it got others.
  base::Duration replaced_content_retention = std::chrono::hours(1);
  base::Duration client_token_retention = std::chrono::hours(48);  ///< §28.1: at least 24 h
  PasswordCost password_cost = {};  ///< of passwords set from now on; others get it at their next good login
};

class Transaction;

/// The catalog as services see it: they look here and change it through write() (transaction.h).
class ReadableCatalog {
 public:
  ReadableCatalog(content::Catalog& catalog) : catalog_(catalog) {}  // NOLINT(google-explicit-constructor)

  /// As content::Catalog.
  template <class F>
  auto read(F&& function) {
    const base::Stopwatch stopwatch(measurements_->catalog_reads);
    return catalog_.read(std::forward<F>(function));
  }
  /// What the server counts of itself; here, because it is the one thing that every service has.
  Measurements& measurements() const { return *measurements_; }
  std::optional<std::uint64_t> logins_version() const { return catalog_.logins_version(); }
  std::optional<std::uint64_t> access_version() const { return catalog_.access_version(); }
  std::optional<std::uint64_t> libraries_version() const { return catalog_.libraries_version(); }

 private:
  friend class Transaction;
  content::Catalog& catalog_;
  std::shared_ptr<Measurements> measurements_ = std::make_shared<Measurements>();
};

/// What every service works on. Owned by main; outlives the services. The ports are thread-safe.
struct Context {
  ReadableCatalog catalog;
  content::Storages& storages;
  base::Clock& clock;  ///< for what people are shown, and for uptime
  LeaseClock leases;   ///< for what lasts a length of time: sessions, client tokens
  base::IdentitySource& identities;
  TransferBoard& transfers;
  Settings settings;
  content::Limits limits;
  content::MessageSender* message_sender = nullptr;  ///< nullptr: webhooks are Unsupported
  content::Fetcher* fetcher = nullptr;               ///< reads what lies elsewhere; nullptr: pulls are Unsupported
  content::RemoteSubscriber* remote_subscriber = nullptr;  ///< nullptr: subscriptions on other servers are Unsupported
  std::function<void()> on_pull_added = {};                ///< wakes whoever runs pulls; called after the commit
  std::function<void()> on_task_added = {};                ///< wakes whoever runs tasks; called after the commit
  std::function<void()> on_events = {};  ///< tells whoever follows the events of new ones; called after the commit
  /// False while the catalog's disk is so full that what is left is kept for ending and deleting. From any thread.
  std::function<bool()> has_room_to_grow = [] { return true; };
  std::shared_ptr<RefusalRate> refusals = std::make_shared<RefusalRate>();
  /// Held while a blob moves from the catalog to its storage.
  std::shared_ptr<std::mutex> moving_blobs = std::make_shared<std::mutex>();
};

/// Removes the bytes of blobs whose rows have just been removed. Call it after the transaction has committed, never
/// inside. A failure is logged only: the sweep finds such bytes later.
void remove_bytes(Context& context, const std::vector<content::Blob>& blobs);

/// Removes the bytes of `blobs` after the transaction that was to insert their rows has failed with `failure`. A
/// failure can hide a commit whose answer was lost; then the catalog is asked, and when it does not answer, the bytes
/// stay for the sweep.
void remove_bytes_after_failure(Context& context, const base::Error& failure, const std::vector<content::Blob>& blobs);

/// UnableToAllocateResource unless the catalog has room for something new: asked by all that makes items, libraries and
/// their content grow, never by what logs in, downloads, ends or deletes.
base::Result<void> check_room_to_grow(const Context& context);

}  // namespace quire::service
