#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/session/sessions.h"

namespace quire::service {

/// What `add` says about a file (content-library-api.md §15.2).
struct AddFileSpec {
  std::string name;
  content::SourceType source_type = content::SourceType::PUSH;
  std::optional<content::SourceEndpoint> source_endpoint;
  std::optional<std::int64_t> size;        ///< 0 and -1 mean not declared (§28.1)
  std::optional<base::Checksum> checksum;  ///< hex in any case
};

QUIRE_ENUM(PreviewState, UNAVAILABLE, PREPARING, AVAILABLE, NOT_APPLICABLE)

/// What a client sees of its package before it completes (content-library-api.md §14.3).
struct PreviewWarning {
  content::WarningType type;
  base::Message message;
  bool ignored = false;
};
struct Preview {
  PreviewState state = PreviewState::UNAVAILABLE;
  std::optional<content::SignatureFacts> signature;  ///< AVAILABLE only, unset when unsigned
  std::vector<PreviewWarning> warnings;              ///< AVAILABLE only
};

struct UpdateSessionView {
  content::UpdateSession session;  ///< its `expires_at` as the wall clock tells it
  std::optional<Preview> preview;  ///< exactly while ACTIVE
};

/// A session as those see it who may open one on its item, whoever it belongs to.
struct UpdateSessionSummary {
  content::UpdateSession session;  ///< its moments as the wall clock tells them
  content::Item item;
  bool usable = false;                      ///< the caller may go on with it, or end it
  std::vector<content::SessionFile> files;  ///< of an ACTIVE one; what runs right now counts
};

struct InvalidFile {
  std::string name;
  base::Message error_message;
};
struct Validation {
  std::vector<std::string> missing_files;
  std::vector<InvalidFile> invalid_files;
  bool has_errors() const { return !missing_files.empty() || !invalid_files.empty(); }
};

/// Update sessions (content-library-api.md §14, §15, §28.1), the only way to change an item's content. All threads may
/// call it. Making one needs ContentLibrary.UpdateSession on the item. Every call that names a session counts as
/// activity, and needs its creator or an administrator of the library: for others it does not exist (NotFound).
class UpdateSessions : public Sessions<content::UpdateSession> {
 public:
  explicit UpdateSessions(Context& context) : Sessions(context) {}

  /// NotFound: no such item; ResourceBusy: another session is ACTIVE (says whose, since when); InvalidElementType: item
  /// of a subscribed library; InvalidArgument: client token, warning list.
  base::Result<content::UpdateSessionId> create(
      const content::Caller& caller, const std::optional<std::string>& item,
      const std::optional<std::vector<content::WarningBehavior>>& warning_behavior,
      const std::optional<std::string>& client_token);
  /// The caller's own sessions in any state; NotFound for an unknown item.
  base::Result<std::vector<content::UpdateSessionId>> list(const content::Caller& caller,
                                                           const std::optional<content::ItemId>& item);
  /// Everybody's sessions on items that the caller may open one on, of one item or of all; of no session's activity.
  /// NotFound and Unauthorized for the item.
  base::Result<std::vector<UpdateSessionSummary>> summaries(const content::Caller& caller,
                                                            const std::optional<content::ItemId>& item);
  base::Result<UpdateSessionView> get(const content::Caller& caller, const content::UpdateSessionId& id);
  /// Replaces the whole list if given. NotAllowedInCurrentState unless ACTIVE.
  base::Result<void> update(const content::Caller& caller, const content::UpdateSessionId& id,
                            const std::optional<std::vector<content::WarningBehavior>>& warning_behavior);
  /// §14.4: on success the change is visible, in one transaction, or pulls still run and it will be.
  /// NotAllowedInCurrentState when not ACTIVE, when files are missing (stays ACTIVE) or when the content is invalid
  /// (then in ERROR).
  base::Result<void> complete(const content::Caller& caller, const content::UpdateSessionId& id);
  /// NotAllowedInCurrentState while ACTIVE.
  base::Result<void> remove(const content::Caller& caller, const content::UpdateSessionId& id);

  /// InvalidArgument: name, size, checksum, source; Unauthorized: PULL from a storage without ReadStorage;
  /// NotAllowedInCurrentState: not ACTIVE, completing, or a manifest or certificate after the descriptor; Unsupported:
  /// PULL where the server has no fetcher; UnableToAllocateResource: no room.
  base::Result<content::SessionFile> add_file(const content::Caller& caller, const content::UpdateSessionId& id,
                                              const AddFileSpec& spec);
  base::Result<std::vector<content::SessionFile>> files(const content::Caller& caller,
                                                        const content::UpdateSessionId& id);
  /// InvalidArgument for an unknown name.
  base::Result<content::SessionFile> file(const content::Caller& caller, const content::UpdateSessionId& id,
                                          const std::string& name);
  base::Result<void> remove_file(const content::Caller& caller, const content::UpdateSessionId& id,
                                 const std::string& name);
  base::Result<Validation> validate(const content::Caller& caller, const content::UpdateSessionId& id);

  /// After a pull has ended: completes the session if `complete` was accepted before and no pull runs any more. What is
  /// wrong then ends the session in ERROR.
  base::Result<void> finish_completing(const content::UpdateSessionId& id);
  /// For a worker, more often than the time-out: sessions with pulls that run or wait for their turn do not expire
  /// (§14.5).
  base::Result<void> keep_pulling_alive();
  /// For a worker: completes sessions that only pulled and that nobody completes (§28.1).
  base::Result<void> complete_idle_pulls();

  /// For the expiry worker: removes sessions past their time, and ended ones past their retention.
  base::Result<void> remove_expired();
  /// After a start: every ACTIVE session gets at least one whole time-out (§28.1).
  base::Result<void> extend_after_start();
};

}  // namespace quire::service
