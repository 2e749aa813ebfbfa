#include "service/package/packages.h"

#include "base/base64.h"
#include "content/update_session_rules.h"
#include "service/blob/blob_bytes.h"
#include "service/library/item_content.h"
#include "service/transaction/find.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Blob;

Result<formats::OvfDeployment> Packages::deployment(const content::Caller& caller, const content::ItemId& id) {
  QUIRE_ASSIGN_OR_RETURN(
      const auto blob, read(context_, caller, [&](View view) -> Result<Blob> {
        QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(view, id, content::Privilege::System_Read));
        if (!content::is_ovf(item.type))
          return Error(ErrorKind::invalid_argument, "quire.package.not_ovf",
                       "Item {name} is of type '{type}'; only items of type ovf are packages that can be deployed.",
                       {{"name", item.name}, {"type", item.type}});
        for (const auto& file : files_of(view, item))
          if (content::package_file(item.type, file.name) == content::PackageFile::descriptor)
            if (auto found = view->find<Blob>(file.blob)) return *std::move(found);
        return Error(ErrorKind::not_allowed_in_current_state, "quire.package.without_content",
                     "Item {name} has no content yet; upload the package first.", {{"name", item.name}});
      }));
  const auto unreadable = [&](const Error& error) {
    return Error(ErrorKind::resource_inaccessible, "quire.package.descriptor_inaccessible",
                 "The OVF descriptor of item {library_item_id} cannot be read.", {{"library_item_id", id.text()}})
        .with_cause(error.text() + " " + error.cause());
  };
  if (blob.size > context_.limits.metadata_file_bytes_max) return unreadable(base::internal_error("it is too large"));
  const auto reader = open_blob(context_, blob);
  if (!reader) return unreadable(reader.error());
  const auto bytes = read_all(**reader, blob.size);
  if (!bytes) return unreadable(bytes.error());
  auto descriptor = formats::parse_ovf_descriptor(*bytes);
  if (!descriptor) return unreadable(descriptor.error());
  return std::move(descriptor->deployment);
}

Result<PackageDescription> Packages::description(const content::Caller& caller, const content::ItemId& id) {
  QUIRE_ASSIGN_OR_RETURN(auto deployment, this->deployment(caller, id));
  PackageDescription description{std::move(deployment), std::nullopt};
  QUIRE_ASSIGN_OR_RETURN(const auto item, read(context_, caller, [&](View view) {
                           return find_item(view, id, content::Privilege::System_Read);
                         }));
  const auto& verification = item.certificate_verification;
  if (!verification || verification->cert_chain.empty()) return description;
  PackageSigner signer{verification->status, verification->covers_all, {}};
  for (const auto& text : verification->cert_chain) {
    const auto der = base::from_base64(text);
    if (!der) continue;
    if (auto described = formats::describe_certificate(*der)) signer.chain.push_back(*std::move(described));
  }
  description.signer = std::move(signer);
  return description;
}

}  // namespace quire::service
