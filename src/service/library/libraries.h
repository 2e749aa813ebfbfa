#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/access/login_throttle.h"
#include "service/transaction/context.h"

namespace quire::service {

/// What a client may say about publication (content-library-api.md §4.2; publishing.h says what comes of it).
struct PublishSpec {
  std::optional<content::AuthenticationMethod> authentication_method;
  std::optional<bool> published;
  std::optional<std::string> user_name = {};
  std::optional<std::string> password = {};
  std::optional<std::string> current_password = {};
  std::optional<bool> persist_json_enabled = {};
};

/// Members of library_model that create and update read; unset = default or unchanged.
struct LibrarySpec {
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::vector<content::StorageBacking>> storage_backings;
  std::optional<bool> optimize_remote_publishing;
  std::optional<std::string> version;
  std::optional<PublishSpec> publish;
  std::optional<std::string> security_policy_id;
  bool unset_security_policy = false;  ///< then `security_policy_id` does not count
  std::optional<bool> usage_protects_items;
};

/// How a library is deleted.
enum class Deletion {
  unless_used,  ///< NotAllowedInCurrentState when something uses it (§20)
  forced,
};

/// A library with what its items come to, for lists that people look at.
struct LibrarySummary {
  content::Library library;
  std::int64_t items = 0;
  std::int64_t bytes = 0;  ///< of all files, also of those stored once for several items
};

/// Libraries (content-library-api.md §4, §5). All threads may call it. Each call needs its privilege (§1.9): what the
/// caller may not read is NotFound and in no list, what may not be done is Unauthorized.
class Libraries {
 public:
  /// `throttle` slows guesses of a publication's password; both outlive this.
  Libraries(Context& context, LoginThrottle& throttle) : context_(context), throttle_(throttle) {}

  base::Result<std::vector<content::LibraryId>> list(const content::Caller& caller);
  /// The same, or the one if given, with what is in them: all in one transaction. NotFound.
  base::Result<std::vector<LibrarySummary>> summaries(const content::Caller& caller,
                                                      const std::optional<content::LibraryId>& only);
  base::Result<std::vector<content::LibraryId>> list_local(const content::Caller& caller);
  /// NotFound.
  base::Result<content::Library> get(const content::Caller& caller, const content::LibraryId& id);
  /// NotFound; InvalidElementType for a subscribed library.
  base::Result<content::Library> get_local(const content::Caller& caller, const content::LibraryId& id);
  base::Result<std::vector<content::LibraryId>> list_subscribed(const content::Caller& caller);
  /// NotFound; InvalidElementType for a local library.
  base::Result<content::Library> get_subscribed(const content::Caller& caller, const content::LibraryId& id);
  /// InvalidArgument when nothing is asked for, or an incomplete storage backing.
  base::Result<std::vector<content::LibraryId>> find(const content::Caller& caller,
                                                     const content::LibraryFilter& filter);

  /// InvalidArgument: bad name, description, storage, security policy, publication or client token. Unsupported:
  /// several storage backings.
  base::Result<content::LibraryId> create_local(const content::Caller& caller, const LibrarySpec& spec,
                                                const std::optional<std::string>& client_token);

  /// What all types share: name, description and security policy, by which items that are there are judged.
  /// InvalidArgument also for a `version` that is not current (§4.1).
  base::Result<void> update(const content::Caller& caller, const content::LibraryId& id, const LibrarySpec& spec);
  /// As update, and the publication; but ConcurrentChange for a `version` that is not current (§5). ResourceBusy when
  /// somebody else changes the publication's password at the same time.
  base::Result<void> update_local(const content::Caller& caller, const content::LibraryId& id, const LibrarySpec& spec);

  /// Ends every session on its items and removes them all. NotFound; NotAllowedInCurrentState in maintenance.
  base::Result<void> remove(const content::Caller& caller, const content::LibraryId& id, Deletion deletion);
  /// As remove, and InvalidElementType.
  base::Result<void> remove_local(const content::Caller& caller, const content::LibraryId& id,
                                  Deletion deletion = Deletion::unless_used);

  /// Begins a task that moves the library's bytes to another storage (library_migration.h); until it has ended the
  /// library has its old storage, and new bytes go to the new one. NotFound; InvalidArgument and Unsupported as
  /// create_local; AlreadyInDesiredState when all of it lies there; NotAllowedInCurrentState during another migration.
  base::Result<void> migrate(const content::Caller& caller, const content::LibraryId& id,
                             const std::vector<content::StorageBacking>& target);

  /// Until exit_maintenance nothing changes the library's items. NotFound; NotAllowedInCurrentState when it is in
  /// maintenance, or while something changes them: a migration, a copy, a synchronization, an update session.
  base::Result<void> enter_maintenance(const content::Caller& caller, const content::LibraryId& id);
  /// NotFound; NotAllowedInCurrentState unless it is in maintenance.
  base::Result<void> exit_maintenance(const content::Caller& caller, const content::LibraryId& id);

 private:
  base::Result<void> change(const content::Caller& caller, const content::LibraryId& id, const LibrarySpec& spec,
                            base::ErrorKind stale_version, bool local_only);

  Context& context_;
  LoginThrottle& throttle_;
};

}  // namespace quire::service
