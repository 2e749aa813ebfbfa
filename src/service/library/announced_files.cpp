#include "service/library/announced_files.h"

#include "vcsp/reader.h"

namespace quire::service {

std::int64_t version_to_come(View view, const content::Item& item) {
  return view->list<content::Change>(item.id).empty() ? 1 : item.content_version;
}

std::vector<content::ContentFile> announced_files(View view, const content::Item& item) {
  std::vector<content::ContentFile> files;
  const auto source = item.cached ? std::nullopt : view->find<content::SourceItem>(item.id);
  const auto document = source ? vcsp::read_item(source->document) : base::Result<vcsp::Item>(vcsp::Item());
  if (!document) return files;
  const auto version = version_to_come(view, item);
  for (const auto& announced : document->files) {
    content::ContentFile file;
    file.name = announced.name;
    file.version = version;
    if (announced.sha256) file.checksum = {base::DigestAlgorithm::SHA256, *announced.sha256};
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace quire::service
