#include "service/blob/blob_to_send.h"

#include <span>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/log.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

Result<void> check_bytes(const content::Blob& blob, const std::string& name, content::BlobReader& bytes) {
  const auto damaged = [&](std::string_view how) {
    return Error(
               ErrorKind::internal_server_error, "quire.download.damaged",
               "File {name} is damaged on storage {storage}: its bytes are no longer those that were uploaded. Upload "
               "it again, or restore file {blob} of the storage from a backup.",
               {{"name", name}, {"storage", blob.storage.text()}, {"blob", blob.id.text()}})
        .with_cause(std::string(how));
  };
  if (bytes.size() != blob.size) return damaged("its size has changed");
  if (bytes.sealed()) return {};
  base::Hasher hasher(base::DigestAlgorithm::SHA256);
  std::vector<std::byte> buffer(1024 * 1024);
  for (std::int64_t done = 0; done < blob.size;) {
    QUIRE_ASSIGN_OR_RETURN(const auto count, bytes.read(done, buffer));
    if (count == 0) return damaged("it has become shorter");
    hasher.update(std::span(buffer).first(count));
    done += static_cast<std::int64_t>(count);
  }
  if (hasher.finish().hex != blob.sha256) return damaged("its SHA-256 has changed");
  if (const auto sealed = bytes.seal(); !sealed)
    spdlog::warn("Blob {} was checked but could not be sealed; each download will check it: {}", blob.id.text(),
                 sealed.error().cause());
  return {};
}

}  // namespace

Result<std::shared_ptr<content::BlobReader>> open_to_send(Context& context, const content::Blob& blob) {
  auto bytes = open_blob(context, blob);
  if (bytes) return std::shared_ptr<content::BlobReader>(*std::move(bytes));
  const auto kind = bytes.error().kind();
  if (kind == ErrorKind::not_found || kind == ErrorKind::service_unavailable) return bytes.error();
  return base::internal_error("blob " + blob.id.text() + " cannot be opened: " + bytes.error().cause());
}

bool bytes_are_missing(const Error& error) { return error.messages().front().id == "quire.blob.not_found"; }

Result<void> check_to_send(const content::Blob& blob, const std::string& name, content::BlobReader& bytes) {
  auto good = check_bytes(blob, name, bytes);
  if (!good)
    spdlog::error("Blob {} of storage {} is not served: {}", blob.id.text(), blob.storage.text(), good.error().cause());
  return good;
}

}  // namespace quire::service
