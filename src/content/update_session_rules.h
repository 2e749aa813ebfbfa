#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "content/item.h"
#include "content/update_session.h"

/// The update session's state machine as a table, and what follows from a session's files. Pure: no clock, no I/O.
namespace quire::content {

/// The states of content-library-api.md §14.2, with ACTIVE split at an accepted `complete` (§28.1).
enum class SessionPhase { active, completing, done, error, canceled };
inline constexpr std::array all_session_phases = {SessionPhase::active, SessionPhase::completing, SessionPhase::done,
                                                  SessionPhase::error, SessionPhase::canceled};
SessionPhase phase_of(const UpdateSession& session);

/// Everything that names a session.
enum class SessionOperation {
  get,
  update,
  complete,
  keep_alive,
  cancel,
  fail,
  remove,  ///< the API's `delete`
  list_files,
  get_file,
  add_file,
  remove_file,
  validate,
  upload,
};
inline constexpr std::array all_session_operations = {
    SessionOperation::get,      SessionOperation::update,   SessionOperation::complete,    SessionOperation::keep_alive,
    SessionOperation::cancel,   SessionOperation::fail,     SessionOperation::remove,      SessionOperation::list_files,
    SessionOperation::get_file, SessionOperation::add_file, SessionOperation::remove_file, SessionOperation::validate,
    SessionOperation::upload,
};
std::string_view name_of(SessionOperation operation);

/// §14.5 and §28.1 as a table.
bool allows(SessionPhase phase, SessionOperation operation);

/// NotAllowedInCurrentState when the table says no; names the operation, the state and, of an ERROR, its reason.
base::Result<void> check_allowed(const UpdateSession& session, SessionOperation operation);

/// What kind of file a name stands for in an item of type `ovf`; anything in other items is `other` (§23.6).
enum class PackageFile { descriptor, manifest, certificate, archive, other };
PackageFile package_file(std::string_view item_type, std::string_view file_name);

bool is_ovf(std::string_view item_type);  ///< without regard to case (§8)

/// What stands between a session's files and a completion: §14.4, §15, §28.2.
struct PackageProblem {
  std::string file;
  base::Message message;
};
/// Names the problem of a file whose digest is another one than the manifest's.
inline constexpr std::string_view manifest_mismatch_id = "quire.package.manifest_mismatch";
struct PackageVerdict {
  std::vector<std::string> not_received;  ///< pushed files that are not READY
  std::vector<std::string> pulling;       ///< pulled files that are not READY
  std::vector<std::string> missing;       ///< referenced but not added
  std::vector<PackageProblem> invalid;
  std::vector<WarningType> warnings;          ///< of the signature
  const SignatureFacts* signature = nullptr;  ///< points into the files that were judged
  bool has_descriptor = false;
  std::vector<std::string> not_compared;  ///< named by the manifest, but of another time than it
};

/// Judges the files of a session (members of archives included).
PackageVerdict judge_package(std::string_view item_type, const std::vector<SessionFile>& files);

/// `reason` with the file it is about in front, unless its text names that file already; the same id, and a further
/// param `file_name`. For where the reason stands without its file: clients show a session's error_message alone.
base::Message about_file(const std::string& file, base::Message reason);

/// `reason` for refusing the content of `file`; of one that was pulled it says from where, in the form for people.
base::Message about_source(const SessionFile& file, base::Message reason);

/// True when the files' manifest names every file that stays, the descriptor among them.
bool manifest_names_all(const std::vector<SessionFile>& files);

/// Why the signature does not vouch for every file that stays; nullopt when it does (§28.2: else not VERIFIED). Says
/// nothing about who signed.
std::optional<base::Message> signature_gap(const PackageVerdict& verdict, const std::vector<SessionFile>& files);

/// What follows for an item whose signature covers all or not and has these warnings (§11.2).
CertVerificationStatus status_of_signature(const std::vector<WarningType>& warnings, bool covers_all);

/// What the item remembers of who vouches for its files (§11.2); only a signature that everything fits is VERIFIED.
CertificateVerification verification_of(const PackageVerdict& verdict, const std::vector<SessionFile>& files);

/// True when a warning of that type does not stop `complete`.
bool is_ignored(const std::optional<std::vector<WarningBehavior>>& behavior, WarningType type);

/// The text of a warning for the preview.
base::Message message_of(WarningType type, const SignatureFacts& signature);

/// The files that the item has once the session completes: `base` are the item's files now. Members of an archive take
/// the place of unchanged files of their names; archives and files not kept in storage are left out.
struct NextContent {
  std::vector<ContentFile> files;
  bool changed = false;  ///< differs from `base`, or a file was sent again
};
NextContent next_content(std::string_view item_type, const std::vector<ContentFile>& base,
                         const std::vector<SessionFile>& files);

}  // namespace quire::content
