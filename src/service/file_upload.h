#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/archive_intake.h"
#include "service/blob_bytes.h"
#include "service/session_access.h"
#include "service/uploads.h"

/// What all uploads of a session's file share. Not for the layers above.
namespace quire::service {

base::Message size_differs(const std::string& name, std::int64_t declared, std::int64_t actual);

/// The entry behind an upload endpoint and its session.
struct UploadPlace {
  content::UpdateSession session;
  content::SessionFile file;
};

/// The entry behind a token while its session takes uploads. `gone` is set when there was one that no longer does.
base::Result<UploadPlace> locate_upload(content::CatalogReader& reader, const content::TransferToken& token,
                                        base::Time now, bool& gone);

/// Inside a transaction: takes back what earlier transfers of the file left, members of an archive included.
void release_file(content::CatalogWriter& writer, Context& context, const content::UpdateSessionId& session,
                  content::SessionFile& file, Aftermath& aftermath);

/// Inside a transaction: the file and its session end in ERROR.
void fail_file(content::CatalogWriter& writer, const UploadPlace& at, const base::Message& reason, base::Time now,
               Aftermath& aftermath);

/// What has arrived of a file, as its row tells.
UploadState upload_state(const content::SessionFile& file);

/// What an upload needs to know of its file, read once at the start.
struct UploadTarget {
  content::UpdateSessionId session;
  content::SessionFile file;
  std::string item_type;
  const content::Storage* storage = nullptr;
  std::vector<base::DigestAlgorithm> manifest_digests;
  std::size_t files_max = 0;  ///< further files that the session may hold

  /// The digests that a file of it needs: SHA-256, what its client promised and what its manifest may name.
  std::vector<base::DigestAlgorithm> algorithms() const;
  content::PackageFile kind() const { return content::package_file(item_type, file.name); }
  bool is_metadata() const;
};

/// One upload to one entry, which stays its own while no later one takes its place.
class FileUpload : public Upload {
 public:
  ~FileUpload() override;

 protected:
  FileUpload(Context& context, UploadTarget target, std::shared_ptr<TransferProgress> progress);

  /// Whether what the entry's row says has arrived is what this upload adds to.
  virtual bool fits(const content::SessionFile&) const { return true; }
  /// Runs `change` on the entry if this upload is still one that fills it. The Error says why it is not.
  base::Result<void> change_own(
      const std::function<base::Result<void>(content::CatalogWriter&, const UploadPlace&, Aftermath&)>& change);
  /// The answer to a transfer that somebody stopped.
  base::Error why_stopped();

  /// A promise was broken: the file and the session end in ERROR (§28.1). The Error to answer.
  base::Error fail(const base::Message& reason);
  /// The bytes could not be taken and go: the file waits again. Gives back `error`.
  base::Error wait_again(const base::Error& error);

  /// Received bytes are activity of the session and of the login that carries it (§1.7), written now and then.
  bool touch_is_due();
  void record_activity(content::CatalogWriter& writer, const content::UpdateSession& before) const;
  /// The same in a transaction of its own.
  base::Result<void> touch();
  /// The body broke off and nothing of it is kept: the file is TRANSFERRING.
  base::Result<UploadState> leave_nothing();

  /// What unpacks the file, an archive; `size` of all of it, if that is known.
  std::unique_ptr<ArchiveIntake> archive_intake(std::optional<std::int64_t> size) const;

  std::optional<base::Message> checksum_problem(const std::vector<base::Checksum>& digests) const;

  /// The file is whole: READY. When that fails the bytes go, unless the row says that they have arrived: then the blob
  /// is unfinished again. `metadata`: the bytes of a package's metadata file.
  base::Result<UploadState> make_ready(const ArrivedBlob& arrived, const std::vector<base::Checksum>& digests,
                                       const std::vector<std::byte>& metadata);
  /// The same for an archive that has been unpacked.
  base::Result<UploadState> make_ready(ArchiveIntake& archive);

  Context& context() const { return context_; }
  const UploadTarget& target() const { return target_; }
  const content::SessionFile& file() const { return target_.file; }
  TransferProgress& progress() const { return *progress_; }
  const std::shared_ptr<TransferProgress>& shared_progress() const { return progress_; }
  /// Others may go on with what this upload leaves.
  void let_content_stay(bool stays) { content_stays_ = stays; }

 private:
  content::SessionFile ready_file(content::CatalogWriter& writer, const UploadPlace& at, std::int64_t size,
                                  const std::vector<base::Checksum>& digests, Aftermath& aftermath) const;
  void keep_or_remove(const content::Blob& blob, const base::Error& failure);
  void pull_references(content::CatalogWriter& writer, const content::UpdateSessionId& session,
                       const content::SessionFile& descriptor, const std::vector<content::SessionFile>& others);
  void read_metadata(content::CatalogWriter& writer, const content::UpdateSessionId& session,
                     content::SessionFile& file, const std::vector<content::SessionFile>& others,
                     const std::vector<std::byte>& metadata);

  Context& context_;
  const UploadTarget target_;
  const std::shared_ptr<TransferProgress> progress_;
  bool content_stays_ = false;
  base::Duration last_touch_;
};

}  // namespace quire::service
