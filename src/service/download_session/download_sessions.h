#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/session/sessions.h"

namespace quire::service {

/// A file of a download session as the client sees it (content-library-api.md §17).
struct DownloadFile {
  content::ContentFile file;
  bool prepared = false;
  bool arrives = false;                       ///< its bytes have been asked of the publisher, but are not here yet
  std::optional<base::Message> problem = {};  ///< why they will not come, unless it is prepared again
  content::TransferToken token;               ///< secret of the session's endpoints
  std::optional<std::string> direct_uri;      ///< set when it was prepared for DIRECT access: where its bytes lie
};

/// Download sessions (content-library-api.md §16, §17, §28.1): each shows and serves the content of its creation,
/// whatever happens to the item. Of an item
/// that is not cached, its content is asked of the publisher, and is what comes next (§23.9). All threads may call it.
/// Making one needs ContentLibrary.DownloadSession on the item; who may use it: its creator and administrators of the
/// library.
class DownloadSessions : public Sessions<content::DownloadSession> {
 public:
  explicit DownloadSessions(Context& context) : Sessions(context) {}

  /// NotFound: item; InvalidArgument: no item, client token.
  base::Result<content::DownloadSessionId> create(const content::Caller& caller, const std::optional<std::string>& item,
                                                  const std::optional<std::string>& client_token);
  base::Result<std::vector<content::DownloadSessionId>> list(const content::Caller& caller,
                                                             const std::optional<content::ItemId>& item);
  base::Result<content::DownloadSession> get(const content::Caller& caller, const content::DownloadSessionId& id);
  base::Result<void> remove(const content::Caller& caller, const content::DownloadSessionId& id);  ///< in every state

  base::Result<std::vector<DownloadFile>> files(const content::Caller& caller, const content::DownloadSessionId& id);
  /// What is local is prepared when this returns; what has to come from a publisher first, once it is there, which
  /// asking again for it tells. `direct`: the answer names the storage URI instead
  /// of an HTTPS endpoint, which needs ContentLibrary.ReadStorage (Unauthorized). InvalidArgument for an unknown name.
  /// NotAllowedInCurrentState unless ACTIVE.
  base::Result<DownloadFile> prepare(const content::Caller& caller, const content::DownloadSessionId& id,
                                     const std::string& name, bool direct);
  base::Result<DownloadFile> file(const content::Caller& caller, const content::DownloadSessionId& id,
                                  const std::string& name);

  base::Result<void> remove_expired();
};

/// A file that somebody downloads, open.
struct OpenDownload {
  std::shared_ptr<content::BlobReader> bytes;
  content::ContentFile file;
  content::DownloadSessionId session;
  std::string sha256;  ///< of the whole file, lower-case hexadecimal
};

/// The byte side of download sessions, for the HTTP layer. All threads may call it.
class Downloads {
 public:
  explicit Downloads(Context& context) : context_(context) {}

  /// The prepared file under `/cls/data/<token>/<name>`. NotFound for an unknown, unprepared or dead one.
  base::Result<OpenDownload> open(const content::TransferToken& token, const std::string& name);
  /// Counts as activity of the download session and its login; call it now and then while bytes flow. NotFound when the
  /// session has been cancelled or is gone: the transfer must stop.
  base::Result<void> touch(const content::DownloadSessionId& id);

 private:
  Context& context_;
};

}  // namespace quire::service
