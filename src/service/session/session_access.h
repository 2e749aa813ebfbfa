#pragma once

#include <string_view>
#include <vector>

#include "content/update_session_rules.h"
#include "service/transaction/transaction.h"

/// What the services of sessions share: who may see one, when it expires, how it ends. Not for the layers above.
/// `Session` is content::UpdateSession or content::DownloadSession.
namespace quire::service {

template <class Session>
using IdOf = decltype(Session::id);

template <class Session>
bool is_active(const Session& session) {
  return session.state == decltype(session.state)::ACTIVE;
}

/// How much longer than the time-out a session is promised, so that calls in quick succession need not each write its
/// expiration; a session never expires early (content-library-api.md §14.5).
base::Duration expiration_slack(base::Duration timeout);

/// The expiration that activity at `now` gives a session that had `current`: at least `now + timeout`, never less than
/// before.
base::Time extended(base::Time current, base::Time now, base::Duration timeout);
/// True when activity at `now` must be written to keep the promise of `timeout`.
bool needs_extension(base::Time current, base::Time now, base::Duration timeout);

/// A session that the caller may use: its creator's, or one on an item of a library that the caller administers (§1.9,
/// §28.1); session_not_found() otherwise, and when it has expired at `now`.
template <class Session>
base::Result<Session> find_session(View view, const IdOf<Session>& id, base::Time now);
base::Error session_not_found(const content::UpdateSessionId& id);
base::Error session_not_found(const content::DownloadSessionId& id);
bool has_expired(const content::UpdateSession& session, base::Time now);
bool has_expired(const content::DownloadSession& session, base::Time now);

/// A session for a call that only reads; such a call counts as activity too.
template <class Session>
base::Result<Session> read_session(Context& context, const content::Caller& caller, const IdOf<Session>& id);

/// A session that the caller may use, in a state that allows `operation`; else NotAllowedInCurrentState.
base::Result<content::UpdateSession> open_update_session(Transaction& t, const content::UpdateSessionId& id,
                                                         content::SessionOperation operation);
/// NotAllowedInCurrentState for an `operation` on a session that has ended.
base::Result<void> check_active(const content::DownloadSession& session, std::string_view operation);

/// The item that a session is about.
base::Result<content::Item> item_of(View view, const content::UpdateSession& session);

/// The row as clients see it: what runs right now counts.
content::SessionFile live(const Context& context, content::SessionFile file);

/// What somebody does with a session.
enum class Activity {
  reads,      ///< a call that changes nothing
  changes,    ///< any other call
  transfers,  ///< bytes come or go, or will: activity also of the login that carries the session (§1.7)
};
/// Moves the session's expiration, and the moment of its last change unless the call only reads. Before the rows of its
/// files are written: everything that ends a session takes the rows in this order, so that two such changes wait for
/// each other.
template <class Session>
void record_activity(Transaction& t, Session& session, Activity activity);

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
void end_session(Transaction& t, content::DownloadSession session, content::DownloadSessionState state,
                 std::optional<base::Message> error_message);

/// Removes a session of any state without a trace; `why` tells how one that is ACTIVE ended by it.
void discard_session(Transaction& t, const content::UpdateSession& session, const std::string& why);
void discard_session(Transaction& t, const content::DownloadSession& session, const std::string& why);

/// The event that an ACTIVE session has ended. `how`: the state it ended in, or why it went.
void record_end(Transaction& t, const content::UpdateSession& session, const std::string& how);
void record_end(Transaction& t, const content::DownloadSession& session, const std::string& how);

}  // namespace quire::service
