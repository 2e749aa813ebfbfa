#include "service/upload/metadata_facts.h"

#include <algorithm>

#include "service/update_session/package_intake.h"

namespace quire::service {
namespace {

using base::Result;
using content::CatalogReader;
using content::PackageFile;
using content::SessionFile;
using Counterpart = MetadataFacts::Counterpart;

std::vector<Counterpart> counterparts_among(const std::vector<SessionFile>& files, const UploadTarget& target) {
  std::vector<Counterpart> found;
  if (target.kind() != PackageFile::manifest && target.kind() != PackageFile::certificate) return found;
  const auto wanted = target.kind() == PackageFile::manifest ? PackageFile::certificate : PackageFile::manifest;
  for (const auto& file : files)
    if (!file.blob.empty() && content::package_file(target.item_type, file.name) == wanted)
      found.push_back({file.name, file.blob, {}});
  return found;
}

Result<std::vector<std::byte>> all_bytes(Context& context, const content::BlobId& id) {
  QUIRE_ASSIGN_OR_RETURN(const auto blob, context.catalog.read([&](CatalogReader& reader) -> Result<content::Blob> {
    if (auto found = reader.find<content::Blob>(id)) return *std::move(found);
    return base::Error(base::ErrorKind::not_found, "quire.blob.not_found", "There is no blob {blob}.",
                       {{"blob", id.text()}});
  }));
  QUIRE_ASSIGN_OR_RETURN(const auto reader, open_blob(context, blob));
  return read_all(*reader, blob.size);
}

}  // namespace

bool MetadataFacts::still_hold(const UploadTarget& target, const std::vector<SessionFile>& files) const {
  return std::ranges::equal(counterparts, counterparts_among(files, target), [](const auto& one, const auto& other) {
    return one.name == other.name && one.blob == other.blob;
  });
}

Result<MetadataFacts> read_metadata(Context& context, const UploadTarget& target,
                                    const std::vector<std::byte>& metadata) {
  MetadataFacts facts;
  if (!target.is_metadata()) return facts;
  if (target.kind() == PackageFile::descriptor) {
    facts.own = descriptor_facts(metadata);
    return facts;
  }
  if (target.kind() == PackageFile::manifest) facts.own = manifest_facts(metadata);
  struct Stored {
    std::vector<Counterpart> counterparts;
    std::vector<std::vector<std::byte>> bytes;
  };
  const auto look = [&](CatalogReader& reader) -> Result<std::vector<Counterpart>> {
    return counterparts_among(reader.list<SessionFile>(target.session), target);
  };
  QUIRE_ASSIGN_OR_RETURN(auto read, open_found([&] { return context.catalog.read(look); },
                                               [&](std::vector<Counterpart>& found) -> Result<Stored> {
                                                 Stored all{std::move(found), {}};
                                                 for (const auto& counterpart : all.counterparts) {
                                                   QUIRE_ASSIGN_OR_RETURN(auto bytes,
                                                                          all_bytes(context, counterpart.blob));
                                                   all.bytes.push_back(std::move(bytes));
                                                 }
                                                 return all;
                                               }));
  facts.counterparts = std::move(read.counterparts);
  for (std::size_t i = 0; i < facts.counterparts.size(); ++i) {
    auto& counterpart = facts.counterparts[i];
    const auto& stored = read.bytes[i];
    if (target.kind() == PackageFile::manifest)
      counterpart.facts = signature_facts(stored, target.file.name, metadata);
    else
      facts.own = signature_facts(metadata, counterpart.name, stored);
  }
  return facts;
}

}  // namespace quire::service
