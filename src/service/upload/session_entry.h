#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "service/blob/blob_bytes.h"
#include "service/session/session_access.h"
#include "service/upload/archive_intake.h"
#include "service/upload/uploads.h"

/// The row of a file that is being uploaded. Not for the layers above.
namespace quire::service {

base::Message size_differs(const std::string& name, std::int64_t declared, std::int64_t actual);

/// The entry behind an upload endpoint and its session.
struct UploadPlace {
  content::UpdateSession session;
  content::SessionFile file;
};

/// The entry behind a token while its session takes uploads. NotFound when there is none; has_ended() tells whether
/// there was one.
base::Result<UploadPlace> locate_upload(content::CatalogReader& reader, const content::TransferToken& token,
                                        base::Time now);
/// Whether `error` of locate_upload() says that the session has ended.
bool has_ended(const base::Error& error);

/// Takes back what earlier transfers of the file left, members of an archive included, and writes its row.
void release_file(Transaction& t, const content::UpdateSessionId& session, content::SessionFile& file);

/// The file and its session end in ERROR.
void fail_file(Transaction& t, const UploadPlace& at, const base::Message& reason);

/// What has arrived of a file, as its row tells.
UploadState upload_state(const content::SessionFile& file);

/// What an upload needs to know of its file, read once at the start.
struct UploadTarget {
  content::UpdateSessionId session;
  content::SessionFile file;
  content::Caller caller;  ///< who made the session: whoever has the endpoint's secret acts for them
  std::string item_type;
  const content::Storage* storage = nullptr;
  std::vector<base::DigestAlgorithm> manifest_digests;
  std::size_t files_max = 0;  ///< further files that the session may hold

  /// The digests that a file of it needs: SHA-256, what its client promised and what its manifest may name.
  std::vector<base::DigestAlgorithm> algorithms() const;
  content::PackageFile kind() const { return content::package_file(item_type, file.name); }
  bool is_metadata() const;
};

/// The row of one upload, which is its own while no later upload takes its place: every change looks first whether it
/// still is, and the Error says why it is not. NotFound: the session has ended. ConcurrentChange: superseded. One
/// thread at a time; nothing of it waits for the network or for bytes.
class SessionEntry {
 public:
  SessionEntry(Context& context, UploadTarget target, std::shared_ptr<TransferProgress> progress);

  Context& context() const { return context_; }
  const UploadTarget& target() const { return target_; }
  const content::SessionFile& file() const { return target_.file; }
  TransferProgress& progress() const { return *progress_; }
  const std::shared_ptr<TransferProgress>& shared_progress() const { return progress_; }
  /// The answer to a transfer that somebody stopped.
  base::Error why_stopped() const;

  /// This upload adds to `blob`: an entry of which another blob has arrived is no longer its own. Two parts that began
  /// at once may each have begun a blob; the one whose bytes were recorded first stays.
  void adds_to(const content::BlobId& blob) { blob_ = blob; }

  /// Runs `function(Transaction&, const UploadPlace&)`, which returns a Result, on the entry.
  template <class F>
  auto change(F&& function) const {
    using Answer = std::invoke_result_t<F&, Transaction&, const UploadPlace&>;
    auto answer = write(context_, target_.caller, [&](Transaction& t) -> Answer {
      QUIRE_ASSIGN_OR_RETURN(const auto at, own_place(t));
      auto changed = function(t, at);
      t.spare_transfers(file().upload_token);  // this one answers for itself
      return changed;
    });
    // The transaction may have seen the state before the stop; one that begins now sees what stopped it.
    if (!answer && answer.error().kind() == base::ErrorKind::concurrent_change && progress_->stopped)
      return Answer(why_stopped());
    return answer;
  }

  /// A promise was broken: file and session end in ERROR (§28.1). The Error to answer.
  base::Error fail(const base::Message& reason) const;
  /// The bytes could not be taken and go: the file waits again. Gives back `error`.
  base::Error reset_to_waiting(const base::Error& error) const;
  /// The body broke off and nothing of it is kept: the file is TRANSFERRING.
  base::Result<UploadState> leave_nothing() const;

  /// Received bytes are activity of the session and of the login that carries it (§1.7): whether it is time to record
  /// it again. Often enough that no byte is further behind the last record than a session is promised beyond its
  /// time-out.
  bool touch_is_due();
  /// Records activity and nothing else.
  base::Result<void> touch() const;

  /// Keeps `bytes` of the quotas for this file, beyond what has been recorded of it. UnableToAllocateResource: a quota
  /// is full (quota_check.h).
  base::Result<void> reserve(std::int64_t bytes) const;

  /// Whether the row says that bytes of `blob` have arrived.
  base::Result<bool> has_arrived(const content::BlobId& blob) const;
  /// How the bytes differ from the checksum that was declared, if they do.
  std::optional<base::Message> checksum_problem(const std::vector<base::Checksum>& digests) const;
  /// What unpacks the file, an archive; `size` of all of it, if that is known.
  std::unique_ptr<ArchiveIntake> archive_intake(std::optional<std::int64_t> size) const;

  /// The file is whole: READY. InvalidArgument when it contradicts its package's manifest; then file and session are in
  /// ERROR. When anything else fails the bytes go, unless the row says that they have arrived: then the blob is
  /// unfinished again. `metadata`: the bytes of a package's metadata file.
  base::Result<UploadState> make_ready(const ArrivedBlob& arrived, const std::vector<base::Checksum>& digests,
                                       const std::vector<std::byte>& metadata) const;
  /// The same for an archive that has been unpacked; its members are in `archive` no longer. InvalidArgument when it
  /// is not what was promised: nothing has been changed.
  base::Result<UploadState> make_ready(ArchiveIntake& archive) const;

 private:
  base::Result<UploadPlace> own_place(Transaction& t) const;
  content::SessionFile ready_file(Transaction& t, const UploadPlace& at, std::int64_t size,
                                  const std::vector<base::Checksum>& digests) const;
  void keep_or_remove(const content::Blob& blob, const base::Error& failure) const;

  Context& context_;
  const UploadTarget target_;
  const std::shared_ptr<TransferProgress> progress_;
  std::optional<content::BlobId> blob_;
  base::Duration last_touch_;
};

}  // namespace quire::service
