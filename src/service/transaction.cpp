#include "service/transaction.h"

#include <string>

namespace quire::service {

void AfterCommit::run(Context& context) const {
  for (const auto& token : transfers) context.transfers.stop(token);
  remove_bytes(context, bytes);
  if (wake_pulls && context.on_pull_added) context.on_pull_added();
}

void Transaction::release(const std::vector<content::BlobId>& blobs) {
  for (auto& removed : writer_.remove_unreferenced_blobs(blobs)) remove_bytes_after_commit(std::move(removed));
}

void Transaction::release(const content::ContentId& content) {
  if (!content.empty()) release(writer_.remove_content_if_unused(content));
}

void Transaction::discard_partial(content::SessionFile& file) {
  if (file.unfinished) remove_bytes_after_commit({file.unfinished->blob, file.unfinished->storage, 0, ""});
  file.unfinished.reset();
}

content::Caller system_caller(std::string_view worker) {
  return {"system:" + std::string(worker), content::LoginId(), true};
}

}  // namespace quire::service
