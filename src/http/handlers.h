#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/result.h"
#include "content/ids.h"
#include "service/download_session/download_sessions.h"
#include "service/transfer/measurements.h"
#include "service/upload/uploads.h"
#include "wire/request/message.h"

namespace quire::http {

/// What answers requests that are no transfer of file bytes; make_server() puts wire::Router behind it. Blocking; all
/// threads may call it.
class ApiHandler {
 public:
  virtual ~ApiHandler() = default;
  virtual wire::Response handle(const wire::Request& request) const = 0;
  /// As wire::Router::refuse().
  virtual wire::Response refuse(std::string_view target, int status, const base::Message& message) const = 0;
  /// As wire::Router::transfer_error().
  virtual wire::Response transfer_error(int status, const base::Error& error) const = 0;
};

/// The byte side of sessions; make_server() puts service::Uploads and service::Downloads behind it, whose contracts
/// hold. Blocking; all threads may call it.
class TransferService {
 public:
  virtual ~TransferService() = default;
  virtual service::Uploads::Begun begin_upload(const content::TransferToken& token,
                                               const service::UploadRequest& request,
                                               std::function<void()> on_stop) = 0;
  virtual service::Uploads::Asked ask_upload(const content::TransferToken& token) = 0;
  virtual std::optional<service::UploadRefusal> discard_upload(const content::TransferToken& token) = 0;
  virtual base::Result<void> touch_upload(const content::TransferToken& token) = 0;
  virtual base::Result<bool> is_upload_endpoint(const content::TransferToken& token) = 0;
  virtual base::Result<service::OpenDownload> open_download(const content::TransferToken& token,
                                                            const std::string& name) = 0;
  virtual base::Result<void> touch_download(const content::DownloadSessionId& session) = 0;
  virtual service::Measurements& measurements() = 0;
};

}  // namespace quire::http
