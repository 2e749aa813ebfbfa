#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

/// Operations of our own for whoever looks at many things at once, such as the web page: lists with what stands in
/// them instead of identifiers, of no session's activity.
namespace quire::api {

struct LibrarySummary {
  static constexpr std::string_view canonical_name = "com.quire.libraries.summary";
  std::string library;
  std::string name;
  std::string description;
  content::LibraryType type = content::LibraryType::LOCAL;
  content::LibraryState state = content::LibraryState::ACTIVE;
  std::string datastore;
  std::optional<std::string> security_policy;
  std::int64_t items = 0;
  std::int64_t size = 0;
  base::Time creation_time;
  base::Time last_modified_time;
};
struct ItemHolder {
  static constexpr std::string_view canonical_name = "com.quire.items.holder";
  std::string update_session;
  std::string user;
  base::Time since;
};
struct ItemSummary {
  static constexpr std::string_view canonical_name = "com.quire.items.summary";
  std::string library_item;
  std::string name;
  std::string description;
  std::string type;
  std::int64_t size = 0;
  bool cached = true;
  std::string content_version;
  bool security_compliance = true;
  std::optional<content::CertVerificationStatus> signature;
  std::optional<ItemHolder> held_by;
  base::Time creation_time;
  base::Time last_modified_time;
};
struct PackageProduct {
  static constexpr std::string_view canonical_name = "com.quire.items.package.product";
  std::optional<std::string> name;
  std::optional<std::string> version;
  std::optional<std::string> vendor;
  std::optional<std::string> url;
};
struct PackageDisk {
  static constexpr std::string_view canonical_name = "com.quire.items.package.disk";
  std::string disk;
  std::optional<std::int64_t> capacity;
  std::optional<std::string> file;
  std::optional<std::string> format;
};
struct PackageProperty {
  static constexpr std::string_view canonical_name = "com.quire.items.package.property";
  std::string key;
  std::optional<std::string> category;
  std::optional<std::string> label;
  std::optional<std::string> description;
  std::string type;
  std::string value;
};
struct PackageCertificate {
  static constexpr std::string_view canonical_name = "com.quire.items.package.certificate";
  std::string subject;
  std::string issuer;
  base::Time not_before;
  base::Time not_after;
  std::string sha256;
};
struct PackageSigner {
  static constexpr std::string_view canonical_name = "com.quire.items.package.signer";
  content::CertVerificationStatus status = content::CertVerificationStatus::NOT_AVAILABLE;
  bool covers_all_files = false;
  std::vector<PackageCertificate> certificates;
};
struct PackageInfo {
  static constexpr std::string_view canonical_name = "com.quire.items.package.info";
  std::optional<std::string> name;
  std::optional<std::string> annotation;
  PackageProduct product;
  std::vector<std::string> operating_systems;
  std::vector<PackageDisk> disks;
  std::vector<std::string> networks;
  std::vector<PackageProperty> properties;
  std::vector<std::string> eulas;
  std::optional<PackageSigner> signer;
};
struct UpdateSessionFileSummary {
  static constexpr std::string_view canonical_name = "com.quire.update_sessions.file";
  std::string name;
  content::SourceType source_type = content::SourceType::NONE;
  content::TransferStatus status = content::TransferStatus::READY;
  std::optional<std::int64_t> size;
  std::int64_t bytes_transferred = 0;
  std::optional<LocalizableMessage> error_message;
};
struct UpdateSessionSummary {
  static constexpr std::string_view canonical_name = "com.quire.update_sessions.summary";
  std::string update_session;
  std::string library_item;
  std::string library_item_name;
  std::string library;
  std::string user;
  bool usable = false;
  content::UpdateSessionState state = content::UpdateSessionState::ACTIVE;
  bool completing = false;
  std::int64_t client_progress = 0;
  std::optional<LocalizableMessage> error_message;
  base::Time created;
  base::Time expiration_time;
  std::optional<base::Time> ended;
  std::vector<UpdateSessionFileSummary> files;
};
struct OptionalLibraryInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::optional<std::string> library_id;
};
BOOST_DESCRIBE_STRUCT(LibrarySummary, (),
                      (library, name, description, type, state, datastore, security_policy, items, size, creation_time,
                       last_modified_time))
BOOST_DESCRIBE_STRUCT(ItemHolder, (), (update_session, user, since))
BOOST_DESCRIBE_STRUCT(ItemSummary, (),
                      (library_item, name, description, type, size, cached, content_version, security_compliance,
                       signature, held_by, creation_time, last_modified_time))
BOOST_DESCRIBE_STRUCT(PackageProduct, (), (name, version, vendor, url))
BOOST_DESCRIBE_STRUCT(PackageDisk, (), (disk, capacity, file, format))
BOOST_DESCRIBE_STRUCT(PackageProperty, (), (key, category, label, description, type, value))
BOOST_DESCRIBE_STRUCT(PackageCertificate, (), (subject, issuer, not_before, not_after, sha256))
BOOST_DESCRIBE_STRUCT(PackageSigner, (), (status, covers_all_files, certificates))
BOOST_DESCRIBE_STRUCT(PackageInfo, (),
                      (name, annotation, product, operating_systems, disks, networks, properties, eulas, signer))
BOOST_DESCRIBE_STRUCT(UpdateSessionFileSummary, (), (name, source_type, status, size, bytes_transferred, error_message))
BOOST_DESCRIBE_STRUCT(UpdateSessionSummary, (),
                      (update_session, library_item, library_item_name, library, user, usable, state, completing,
                       client_progress, error_message, created, expiration_time, ended, files))
BOOST_DESCRIBE_STRUCT(OptionalLibraryInput, (), (library_id))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

struct LibrarySummaries {
  using Input = OptionalLibraryInput;
  using Output = std::vector<LibrarySummary>;
  static OperationFacts facts() {
    return {.service = "com.quire.libraries",
            .name = "list",
            .method = "GET",
            .path = "/quire/libraries",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary =
                "All libraries that the caller may read, or the one that is given, each with how many items it "
                "has and what they come to."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto only = input.library_id ? std::optional(content::LibraryId(*input.library_id)) : std::nullopt;
    QUIRE_ASSIGN_OR_RETURN(const auto summaries, services.libraries.summaries(call.caller, only));
    Output out;
    out.reserve(summaries.size());
    for (const auto& [library, items, bytes] : summaries)
      out.push_back({library.id.text(), library.name, library.description, library.type, library.state,
                     library.storage.text(), library.security_policy_id, items, bytes, library.creation_time,
                     library.last_modified_time});
    return out;
  }
};

struct ItemSummaries {
  using Input = LibraryIdInput;
  using Output = std::vector<ItemSummary>;
  static OperationFacts facts() {
    return {.service = "com.quire.items",
            .name = "list",
            .method = "GET",
            .path = "/quire/items",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "The items of a library, each with who is changing it."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto summaries,
                           services.items.summaries(call.caller, content::LibraryId(input.library_id)));
    Output out;
    out.reserve(summaries.size());
    for (const auto& [item, session] : summaries) {
      ItemSummary summary{item.id.text(),
                          item.name,
                          item.description,
                          item.type,
                          item.size,
                          item.cached,
                          std::to_string(item.content_version),
                          item.security_compliance,
                          std::nullopt,
                          std::nullopt,
                          item.creation_time,
                          item.last_modified_time};
      if (item.certificate_verification) summary.signature = item.certificate_verification->status;
      if (session) summary.held_by = ItemHolder{session->id.text(), session->creator, session->created};
      out.push_back(std::move(summary));
    }
    return out;
  }
};

struct ItemPackage {
  using Input = LibraryItemIdInput;
  using Output = PackageInfo;
  static OperationFacts facts() {
    return {.service = "com.quire.items",
            .name = "package",
            .method = "GET",
            .path = "/quire/items/{library_item_id}/package",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::resource_inaccessible},
            .summary = "What an OVF package says of itself, and who signed it."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto package,
                           services.packages.description(call.caller, content::ItemId(input.library_item_id)));
    const auto& ovf = package.deployment;
    PackageInfo info;
    info.name = unless_empty(ovf.name);
    info.annotation = unless_empty(ovf.annotation);
    info.product = {unless_empty(ovf.product), unless_empty(ovf.product_version), unless_empty(ovf.vendor),
                    unless_empty(ovf.product_url)};
    info.operating_systems = ovf.operating_systems;
    for (const auto& disk : ovf.disks)
      info.disks.push_back(
          {disk.id, disk.capacity_bytes ? std::optional(static_cast<std::int64_t>(*disk.capacity_bytes)) : std::nullopt,
           unless_empty(disk.file), unless_empty(disk.format)});
    info.networks = ovf.networks;
    for (const auto& property : ovf.properties) info.properties.push_back(to_api(property));
    info.eulas = ovf.eulas;
    if (package.signer) {
      PackageSigner signer{package.signer->status, package.signer->covers_all, {}};
      for (const auto& one : package.signer->chain)
        signer.certificates.push_back({one.subject, one.issuer, one.not_before, one.not_after, one.sha256});
      info.signer = std::move(signer);
    }
    return info;
  }

 private:
  /// OVF's full name of a property is `class.key.instance`.
  static PackageProperty to_api(const auto& property) {
    auto key = property.id;
    if (!property.class_id.empty()) key = property.class_id + "." + key;
    if (!property.instance_id.empty()) key += "." + property.instance_id;
    return {std::move(key),
            unless_empty(property.category),
            unless_empty(property.label),
            unless_empty(property.description),
            property.type,
            property.value};
  }
};

struct UpdateSessionSummaries {
  using Input = OptionalLibraryItemIdInput;
  using Output = std::vector<UpdateSessionSummary>;
  static OperationFacts facts() {
    return {.service = "com.quire.update_sessions",
            .name = "list",
            .method = "GET",
            .path = "/quire/update-sessions",
            .privilege = Privilege::ContentLibrary_UpdateSession,
            .errors = {ErrorKind::not_found},
            .summary =
                "Everybody's update sessions on items that the caller may open one on, of one item or of all. "
                "Asking keeps none of them alive."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto item = input.library_item_id ? std::optional(content::ItemId(*input.library_item_id)) : std::nullopt;
    QUIRE_ASSIGN_OR_RETURN(const auto summaries, services.update_sessions.summaries(call.caller, item));
    Output out;
    for (const auto& summary : summaries) out.push_back(to_api(summary));
    return out;
  }

 private:
  static UpdateSessionSummary to_api(const service::UpdateSessionSummary& summary) {
    const auto& session = summary.session;
    UpdateSessionSummary shown{session.id.text(),       summary.item.id.text(),
                               summary.item.name,       summary.item.library_id.text(),
                               session.creator,         summary.usable,
                               session.state,           session.completing,
                               session.client_progress, std::nullopt,
                               session.created,         session.expires_at,
                               session.ended_at,        {}};
    if (session.error_message) shown.error_message = message_to_api(*session.error_message);
    for (const auto& file : summary.files) {
      UpdateSessionFileSummary entry{file.name,
                                     file.source_type,
                                     file.status,
                                     file.size ? file.size : file.declared_size,
                                     file.bytes_transferred,
                                     std::nullopt};
      if (file.error_message) entry.error_message = message_to_api(*file.error_message);
      shown.files.push_back(std::move(entry));
    }
    return shown;
  }
};

}  // namespace

void add_overview_operations(std::vector<Operation>& all) {
  all.push_back(bind<LibrarySummaries>());
  all.push_back(bind<ItemSummaries>());
  all.push_back(bind<ItemPackage>());
  all.push_back(bind<UpdateSessionSummaries>());
}

}  // namespace quire::api
