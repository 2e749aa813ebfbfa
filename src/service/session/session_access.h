#pragma once

#include <vector>

#include "content/update_session_rules.h"
#include "service/transaction/transaction.h"

/// What the services of sessions share: who may see one, when it expires, how it ends. Not for the layers above.
namespace quire::service {

/// How much longer than the time-out a session is promised, so that calls in quick succession need not each write its
/// expiration; a session never expires early (content-library-api.md §14.5).
base::Duration expiration_slack(base::Duration timeout);

/// The expiration that activity at `now` gives a session that had `current`: at least `now + timeout`, never less than
/// before.
base::Time extended(base::Time current, base::Time now, base::Duration timeout);
/// True when activity at `now` must be written to keep the promise of `timeout`.
bool needs_extension(base::Time current, base::Time now, base::Duration timeout);

/// A session that the caller may use: its creator's or for administrators (§28.1); NotFound otherwise, and when it has
/// expired at `now`.
base::Result<content::UpdateSession> find_update_session(View view, const content::UpdateSessionId& id, base::Time now);
bool has_expired(const content::UpdateSession& session, base::Time now);

/// The same in a state that allows `operation`; else NotAllowedInCurrentState.
base::Result<content::UpdateSession> open_update_session(Transaction& t, const content::UpdateSessionId& id,
                                                         content::SessionOperation operation);
/// A session for a call that only reads; such a call counts as activity too.
base::Result<content::UpdateSession> read_update_session(Context& context, const content::Caller& caller,
                                                         const content::UpdateSessionId& id);

/// The item that a session is about.
base::Result<content::Item> item_of(View view, const content::UpdateSession& session);

/// The row as clients see it: what runs right now counts.
content::SessionFile live(const Context& context, content::SessionFile file);

/// InvalidArgument for what a client says of its progress outside 0–100.
base::Result<void> check_progress(const std::optional<std::int64_t>& progress);

/// The error_message of a session that its client failed. InvalidArgument when the text is too long or not UTF-8; a
/// generic text when there is none (§14.1).
base::Result<base::Message> client_failure(const std::optional<std::string>& client_error_message,
                                           const content::Limits& limits);

/// What somebody does with a session.
enum class Activity {
  reads,      ///< a call that changes nothing
  changes,    ///< any other call
  transfers,  ///< bytes come or go, or will: activity also of the login that carries the session (§1.7)
};
/// Moves the session's expiration, and the moment of its last change unless the call only reads. Before the rows of its
/// files are written: everything that ends a session takes the rows in this order, so that two such changes wait for
/// each other.
void record_activity(Transaction& t, content::UpdateSession& session, Activity activity);
void record_activity(Transaction& t, content::DownloadSession& session, Activity activity);

/// The snapshot's entry of a file that the item has.
content::SessionFile unchanged_entry(const content::ContentFile& stored);

/// Takes what came out of `archive` out of an ACTIVE session; files of the snapshot whose place a member took are
/// unchanged again. Adds the members' blobs to `blobs`, which may be unreferenced now.
void take_out_members(Transaction& t, const content::UpdateSessionId& id, const std::string& archive,
                      std::vector<content::BlobId>& blobs);

/// The received content of a session that ends without completing goes, and its transfers stop. The files stay listed,
/// without bytes.
void release_content(Transaction& t, const content::UpdateSessionId& id);

/// Ends an ACTIVE session in ERROR or CANCELED.
void end_session(Transaction& t, content::UpdateSession session, content::UpdateSessionState state,
                 std::optional<base::Message> error_message);

/// Removes a session of any state without a trace; `why` tells how one that is ACTIVE ended by it.
void discard_session(Transaction& t, const content::UpdateSession& session, const std::string& why);

/// The event that an ACTIVE session has ended. `how`: the state it ended in, or why it went.
void record_end(Transaction& t, const content::UpdateSession& session, const std::string& how);
void record_end(Transaction& t, const content::DownloadSession& session, const std::string& how);

}  // namespace quire::service
