#include <algorithm>

#include "content/security_policy.h"
#include "service/library/item_content.h"
#include "service/session/session_access.h"
#include "service/trust/trusted_certificates.h"
#include "service/update_session/package_facts_reader.h"
#include "service/update_session/update_sessions.h"

// Judging what a session holds, and making it the item's content.

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::Caller;
using content::Item;
using content::SessionFile;
using content::SessionOperation;
using content::SourceType;
using content::TransferStatus;
using content::UpdateSession;
using content::UpdateSessionId;
using content::UpdateSessionState;

Error not_received(const Context& context, const std::vector<SessionFile>& files, const std::string& name) {
  TransferStatus status{};
  for (const auto& file : files)
    if (file.name == name) status = live(context, file).status;
  const bool waits = status == TransferStatus::WAITING_FOR_TRANSFER;
  return {ErrorKind::not_allowed_in_current_state,
          "com.vmware.vdcs.cls-main.update_session_file_not_received",
          "File {name} has not been received ({status}); send it, or remove it from the session.",
          {{"name", name}, {"status", waits ? "WAITING" : std::string(base::name_of(status))}}};
}

Error missing_files(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return {ErrorKind::not_allowed_in_current_state,
          "quire.package.files_missing",
          "The package refers to files that were not added: {files}. Add them and complete again.",
          {{"files", list}}};
}

/// What the library's policy has against the package, whatever warnings the client ignores (§23.10). A session that
/// leaves nothing, or changes nothing, brings nothing in.
std::optional<Message> policy_problem(View view, const Item& item, const content::PackageVerdict& verdict,
                                      const std::vector<SessionFile>& files) {
  const auto library = view->find<content::Library>(item.library_id);
  if (!library || !content::rule_for(*library, item.type)) return std::nullopt;
  const auto stays = [](const SessionFile& file) { return file.keep_in_storage; };
  const auto unchanged = [](const SessionFile& file) {
    return file.source_type == SourceType::NONE && file.archive.empty();
  };
  if (std::none_of(files.begin(), files.end(), stays)) return std::nullopt;
  if (std::all_of(files.begin(), files.end(), unchanged) && files.size() == files_of(view, item).size())
    return std::nullopt;
  auto reason = content::signature_gap(verdict, files);
  if (!reason && !verdict.warnings.empty()) reason = content::message_of(verdict.warnings.front(), *verdict.signature);
  if (!reason) return std::nullopt;
  return base::make_message("quire.package.against_policy",
                            "Library {library} takes only packages with a verified signature ({policy}): {reason}",
                            {{"library", library->name},
                             {"policy", content::find_security_policy(*library->security_policy_id)->name},
                             {"reason", reason->default_message}});
}

/// A session's files and what they amount to.
struct JudgedPackage {
  Item item;
  std::vector<SessionFile> files;
  content::PackageVerdict verdict;  ///< may point into `files`
  std::optional<Message> policy_problem;
};

/// Why a session with these files must end in ERROR instead of completing, if it must.
std::optional<Message> fatal_problem(const JudgedPackage& package, const UpdateSession& session) {
  const auto& verdict = package.verdict;
  if (!verdict.invalid.empty())
    return content::about_file(verdict.invalid.front().file, verdict.invalid.front().message);
  if (package.policy_problem) return package.policy_problem;
  for (const auto warning : verdict.warnings)
    if (!content::is_ignored(session.warning_behavior, warning))
      return content::message_of(warning, *verdict.signature);
  return std::nullopt;
}

Result<JudgedPackage> judge(View view, const UpdateSession& session, base::Time now, const FactsByBlob& facts) {
  QUIRE_ASSIGN_OR_RETURN(auto item, item_of(view, session));
  JudgedPackage package{std::move(item), view->list<SessionFile>(session.id), {}, {}};
  for (auto& file : package.files) QUIRE_RETURN_IF_ERROR(complete_facts(package.item.type, file, facts));
  judge_signatures(view, now, package.files);
  package.verdict = content::judge_package(package.item.type, package.files);
  package.policy_problem = policy_problem(view, package.item, package.verdict, package.files);
  return package;
}

/// Stands for the package where one file has to be named.
std::string name_of_descriptor(const JudgedPackage& package) {
  for (const auto& file : package.files)
    if (content::package_file(package.item.type, file.name) == content::PackageFile::descriptor) return file.name;
  return package.files.front().name;
}

/// §28.1 "a session that nobody completes": every changed file was pulled and is READY, and nothing stands in the way.
bool is_pulled_and_clean(const JudgedPackage& package, const UpdateSession& session) {
  bool any_pulled = false;
  for (const auto& file : package.files) {
    if (file.source_type == SourceType::PUSH ||
        (file.source_type == SourceType::PULL && file.status != TransferStatus::READY))
      return false;
    any_pulled |= file.source_type == SourceType::PULL;
  }
  return any_pulled && package.verdict.missing.empty() && !fatal_problem(package, session);
}

/// A change that judges the files of session `id`, with the facts that it needs.
template <class F>
auto change_judging(Context& context, const Caller& caller, const UpdateSessionId& id, F&& change) {
  using Answer = std::invoke_result_t<F&, Transaction&, const FactsByBlob&>;
  const auto item = [&](View view) {
    const auto session = view->find<UpdateSession>(id);
    return session ? view->find<Item>(session->item_id) : std::nullopt;
  };
  return with_needed_facts(context, caller, item, [&](const FactsByBlob& facts) -> Answer {
    return write(context, caller, [&](Transaction& t) -> Answer { return change(t, facts); });
  });
}

/// The session's files become the item's, the session is DONE (§14.4).
void commit_content(Transaction& t, UpdateSession session, const JudgedPackage& package) {
  const auto next = content::next_content(package.item.type, files_of(t, package.item), package.files);
  // The session's row first, as everything that ends one does: two such transactions wait for each other in order.
  session.state = UpdateSessionState::DONE;
  session.completing = false;
  session.ended_at = t.now();
  session.changed = t.now();
  t->update(session);
  record_end(t, session, "DONE");
  if (next.changed)
    change_content(t, package.item,
                   {next.files, content::verification_of(package.verdict, package.files), session.creator});
  release_content(t, session.id);
}

}  // namespace

Result<void> UpdateSessions::complete(const Caller& caller, const UpdateSessionId& id) {
  // A refusal that ends the session is an answer of a transaction that commits.
  using Refusal = std::optional<Error>;
  QUIRE_ASSIGN_OR_RETURN(
      const auto refusal,
      change_judging(context_, caller, id, [&](Transaction& t, const FactsByBlob& facts) -> Result<Refusal> {
        QUIRE_ASSIGN_OR_RETURN(auto session, find_session<UpdateSession>(t, id, t.now()));
        if (session.state == UpdateSessionState::DONE && session.completed_itself) return Refusal();
        QUIRE_RETURN_IF_ERROR(content::check_allowed(session, SessionOperation::complete));
        QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
        QUIRE_ASSIGN_OR_RETURN(const auto package, judge(t, session, t.wall_time(), facts));
        if (!package.verdict.not_received.empty())
          return not_received(context_, package.files, package.verdict.not_received.front());
        if (!package.verdict.pulling.empty()) {  // the change becomes visible when the pulls have ended
          session.completing = true;
          record_activity(t, session, Activity::changes);
          return Refusal();
        }
        if (const auto problem = fatal_problem(package, session)) {
          end_session(t, session, UpdateSessionState::ERROR, problem);
          return Refusal(
              Error(ErrorKind::not_allowed_in_current_state, "quire.update_session.content_invalid",
                    "Update session {update_session_id} cannot complete and has ended: its content is not valid.",
                    {{"update_session_id", id.text()}})
                  .because(*problem));
        }
        if (!package.verdict.missing.empty()) return missing_files(package.verdict.missing);
        commit_content(t, session, package);
        return Refusal();
      }));
  if (refusal) return *refusal;
  return {};
}

Result<void> UpdateSessions::finish_completing(const UpdateSessionId& id) {
  return change_judging(context_, system_caller("pulls"), id,
                        [&](Transaction& t, const FactsByBlob& facts) -> Result<void> {
                          const auto session = t->find<UpdateSession>(id);
                          if (!session || content::phase_of(*session) != content::SessionPhase::completing) return {};
                          QUIRE_ASSIGN_OR_RETURN(const auto package, judge(t, *session, t.wall_time(), facts));
                          if (!package.verdict.pulling.empty()) return {};
                          auto problem = fatal_problem(package, *session);
                          // Nobody is there any more to add what is missing.
                          if (!problem && !package.verdict.missing.empty())
                            problem = missing_files(package.verdict.missing).messages().front();
                          if (problem)
                            end_session(t, *session, UpdateSessionState::ERROR, problem);
                          else
                            commit_content(t, *session, package);
                          return {};
                        });
}

Result<void> UpdateSessions::complete_idle_pulls() {
  constexpr std::size_t batch = 100;
  const auto idle = context_.settings.complete_idle_pulls_after;
  if (idle == base::Duration(0)) return {};
  const auto worker = system_caller("completion of idle pulls");
  QUIRE_ASSIGN_OR_RETURN(const auto ids, read(context_, worker, [&](View view) -> Result<std::vector<UpdateSessionId>> {
                           return view->idle_pull_sessions(context_.leases.now() - idle, batch);
                         }));
  for (const auto& id : ids) {
    QUIRE_RETURN_IF_ERROR(
        change_judging(context_, worker, id, [&](Transaction& t, const FactsByBlob& facts) -> Result<void> {
          auto session = t->find<UpdateSession>(id);
          const bool still_idle = session && content::phase_of(*session) == content::SessionPhase::active &&
                                  !has_expired(*session, t.now()) && session->changed + idle < t.now();
          if (!still_idle) return {};
          QUIRE_ASSIGN_OR_RETURN(const auto package, judge(t, *session, t.wall_time(), facts));
          if (!is_pulled_and_clean(package, *session)) return {};
          session->completed_itself = true;
          commit_content(t, *session, package);
          return {};
        }));
  }
  return {};
}

Result<Validation> UpdateSessions::validate(const Caller& caller, const UpdateSessionId& id) {
  return change_judging(context_, caller, id, [&](Transaction& t, const FactsByBlob& facts) -> Result<Validation> {
    QUIRE_ASSIGN_OR_RETURN(auto session, open_update_session(t, id, SessionOperation::validate));
    QUIRE_ASSIGN_OR_RETURN(const auto package, judge(t, session, t.wall_time(), facts));
    if (!package.verdict.not_received.empty())
      return not_received(context_, package.files, package.verdict.not_received.front());
    Validation validation;
    validation.missing_files = package.verdict.missing;
    for (const auto& problem : package.verdict.invalid)
      validation.invalid_files.push_back({problem.file, problem.message});
    if (package.policy_problem && validation.invalid_files.empty())
      validation.invalid_files.push_back({name_of_descriptor(package), *package.policy_problem});
    record_activity(t, session, Activity::changes);
    return validation;
  });
}

}  // namespace quire::service
