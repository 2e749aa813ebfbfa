#pragma once

#include <string>
#include <variant>

#include "http/request_head.h"
#include "service/upload/uploads.h"

namespace quire::http {

/// What the head of a PUT, POST or PATCH on an upload endpoint asks for (docs/uploads.md): a whole file, a part by
/// `Content-Range`, or what the IETF's draft "Resumable Uploads for HTTP" says.
struct UploadHead {
  service::UploadRequest request;
  bool creates = false;        ///< the draft's upload creation
  bool wants_interim = false;  ///< the client understands `104 Upload Resumption Supported`
};

/// A Refusal for fields that contradict each other or say nothing that can be done: 400; 415 for another type of PATCH,
/// for a form (`multipart/…`) and for any Content-Encoding but `identity` (content-library-api.md §28.2).
std::variant<UploadHead, Refusal> read_upload_head(const RequestHead& head);

/// The fields that tell what has arrived: `Upload-Offset`, `Upload-Complete`, `Upload-Length`, `Upload-Ranges`.
wire::Headers upload_state_fields(const service::UploadState& state);

/// What may be done on an upload endpoint, for `Allow`.
inline constexpr std::string_view upload_methods = "PUT, POST, PATCH, HEAD, DELETE, OPTIONS";

}  // namespace quire::http
