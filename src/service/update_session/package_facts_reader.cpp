#include "service/update_session/package_facts_reader.h"

#include <vector>

#include "service/blob/blob_bytes.h"
#include "service/blob/blob_copy.h"
#include "service/library/item_content.h"
#include "service/session/session_access.h"
#include "service/update_session/package_intake.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::PackageFile;

constexpr std::string_view facts_needed_id = "quire.package.facts_needed";

struct WantedFile {
  std::string name;
  content::Blob blob;
};
struct Wanted {
  content::Item item;
  std::vector<WantedFile> files;
};

Result<Wanted> wanted_files(View view, const FindItem& find) {
  const auto item = find(view);
  if (!item) return Wanted();
  Wanted wanted{*item, {}};
  const auto add = [&](const content::SessionFile& file) -> Result<void> {
    if (file.blob.empty() || !lacks_facts(item->type, file.name, file.facts)) return {};
    const auto blob = view->find<content::Blob>(file.blob);
    if (!blob) return base::internal_error("file " + file.name + " names no blob that is there");
    wanted.files.push_back({file.name, *blob});
    return {};
  };
  for (const auto& stored : files_of(view, *item)) QUIRE_RETURN_IF_ERROR(add(unchanged_entry(stored)));
  if (const auto session = view->active_update_session(item->id))
    for (const auto& file : view->list<content::SessionFile>(session->id)) QUIRE_RETURN_IF_ERROR(add(file));
  return wanted;
}

Result<std::vector<std::byte>> bytes_of(Context& context, const content::Blob& blob) {
  if (blob.size > context.limits.metadata_file_bytes_max) return base::internal_error("it is too large");
  QUIRE_ASSIGN_OR_RETURN(const auto reader, open_blob(context, blob));
  return read_all(*reader, blob.size);
}

}  // namespace

bool lacks_facts(std::string_view item_type, std::string_view file_name, const content::PackageFacts& facts) {
  if (!std::holds_alternative<std::monostate>(facts)) return false;
  const auto kind = content::package_file(item_type, file_name);
  return kind == PackageFile::descriptor || kind == PackageFile::manifest;
}

Error facts_needed() {
  return {ErrorKind::internal_server_error, std::string(facts_needed_id),
          "The package has new metadata files at this moment; try again."};
}

bool is_facts_needed(const Error& error) {
  return !error.messages().empty() && error.messages().front().id == facts_needed_id;
}

Result<void> complete_facts(std::string_view item_type, content::SessionFile& file, const FactsByBlob& facts) {
  if (file.blob.empty() || !lacks_facts(item_type, file.name, file.facts)) return {};
  const auto known = facts.find(file.blob);
  if (known == facts.end()) return facts_needed();
  file.facts = known->second;
  return {};
}

Result<FactsByBlob> read_needed_facts(Context& context, const content::Caller& caller, const FindItem& find) {
  QUIRE_ASSIGN_OR_RETURN(const auto wanted, read(context, caller, [&](View view) { return wanted_files(view, find); }));
  FactsByBlob facts;
  for (const auto& file : wanted.files) {
    const auto bytes = bytes_of(context, file.blob);
    if (!bytes && is_blob_gone(context, bytes.error(), file.blob)) continue;  // whoever needs it looks again
    if (!bytes)
      return Error(ErrorKind::resource_inaccessible, "quire.package.metadata_inaccessible",
                   "File {file_name} of item {name} cannot be read, so what belongs to its package is not known. "
                   "Restore file {blob} of storage {storage} from a backup, or delete the item.",
                   {{"file_name", file.name},
                    {"name", wanted.item.name},
                    {"library_item_id", wanted.item.id.text()},
                    {"storage", file.blob.storage.text()},
                    {"blob", file.blob.id.text()}})
          .with_cause(bytes.error().cause());
    const auto kind = content::package_file(wanted.item.type, file.name);
    facts.emplace(file.blob.id, kind == PackageFile::descriptor ? descriptor_facts(*bytes) : manifest_facts(*bytes));
  }
  return facts;
}

}  // namespace quire::service
