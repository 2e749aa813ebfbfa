#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

namespace quire::api {

struct ItemFindInput {
  static constexpr std::string_view canonical_name = operation_input;
  ItemFindSpec spec;
};
struct ItemCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "create_spec.library_id"}};
  std::optional<std::string> client_token;
  ItemModel create_spec;
};
struct ItemCopyInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "source_library_item_id"},
                                         NamedObject{ObjectKind::library, "destination_create_spec.library_id"}};
  std::string source_library_item_id;
  std::optional<std::string> client_token;
  ItemModel destination_create_spec;
};
struct ItemUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item_id"}};
  std::string library_item_id;
  ItemModel update_spec;
};
struct ItemFileGetInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item_id"}};
  std::string library_item_id;
  std::string name;
};
struct ItemStorageGetInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item_id"}};
  std::string library_item_id;
  std::string file_name;
};
BOOST_DESCRIBE_STRUCT(ItemFindInput, (), (spec))
BOOST_DESCRIBE_STRUCT(ItemCreateInput, (), (client_token, create_spec))
BOOST_DESCRIBE_STRUCT(ItemCopyInput, (), (source_library_item_id, client_token, destination_create_spec))
BOOST_DESCRIBE_STRUCT(ItemUpdateInput, (), (library_item_id, update_spec))
BOOST_DESCRIBE_STRUCT(ItemFileGetInput, (), (library_item_id, name))
BOOST_DESCRIBE_STRUCT(ItemStorageGetInput, (), (library_item_id, file_name))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto item_service = "com.vmware.content.library.item";
constexpr auto item_file_service = "com.vmware.content.library.item.file";
constexpr auto storage_service = "com.vmware.content.library.item.storage";

ItemModel to_api(const content::Item& item) {
  ItemModel model;
  model.id = item.id.text();
  model.library_id = item.library_id.text();
  model.content_version = std::to_string(item.content_version);
  model.creation_time = item.creation_time;
  model.description = item.description;
  model.last_modified_time = item.last_modified_time;
  model.metadata_version = std::to_string(item.metadata_version);
  model.name = item.name;
  model.last_sync_time = item.last_sync_time;
  model.cached = item.cached;
  model.size = item.size;
  model.type = item.type;
  model.version = std::to_string(item.version);
  model.source_id = item.source_id;
  model.security_compliance = item.security_compliance;
  if (item.certificate_verification) {
    CertificateVerificationInfo info;
    info.status = item.certificate_verification->status;
    if (!item.certificate_verification->cert_chain.empty()) info.cert_chain = item.certificate_verification->cert_chain;
    model.certificate_verification_info = info;
  }
  return model;
}

service::ItemSpec to_spec(const ItemModel& model) {
  return {model.library_id, model.name, model.description, model.type, model.version, model.source_id};
}

/// Of a file that is not here nobody may know it.
std::optional<ChecksumInfo> known_checksum(const content::ContentFile& file) {
  return file.checksum.hex.empty() ? std::nullopt : std::optional(checksum_to_api(file.checksum));
}

ItemFileInfo to_api(const content::ContentFile& file) {
  return {known_checksum(file), file.name, file.size, !file.blob.empty(), std::to_string(file.version)};
}

ItemStorageInfo to_api(const service::StoredFile& stored) {
  return {{stored.backing.type, stored.backing.datastore_id, stored.backing.storage_uri},
          {stored.uri},
          checksum_to_api(stored.file.checksum),
          stored.file.name,
          stored.file.size,
          true,
          std::to_string(stored.file.version)};
}

struct ItemCreate {
  using Input = ItemCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = item_service,
            .name = "create",
            .method = "POST",
            .path = "/content/library/item",
            .status = 201,
            .privilege = Privilege::ContentLibrary_AddLibraryItem,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::invalid_element_type,
                       ErrorKind::already_exists, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::unable_to_allocate_resource},
            .summary = "Makes an item without content in a local library.",
            .creates = resource::library_item};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(services.items.create(call.caller, to_spec(input.create_spec), input.client_token));
  }
};

struct ItemCopy {
  using Input = ItemCopyInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = item_service,
            .name = "copy",
            .method = "POST",
            .path = "/content/library/item/{source_library_item_id}",
            .action = "copy",
            .status = 200,
            .privilege = Privilege::ContentLibrary_AddLibraryItem,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::invalid_element_type,
                       ErrorKind::resource_inaccessible, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::already_exists, ErrorKind::unable_to_allocate_resource},
            .summary = "Makes a new item with the content of another one.",
            .creates = resource::library_item};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(services.items.copy(call.caller, content::ItemId(input.source_library_item_id),
                                       to_spec(input.destination_create_spec), input.client_token));
  }
};

struct ItemList {
  using Input = LibraryIdInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = item_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/item",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "Identifiers of the items of a library."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return texts_of(services.items.list(call.caller, content::LibraryId(input.library_id)));
  }
};

struct ItemFind {
  using Input = ItemFindInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {
        .service = item_service,
        .name = "find",
        .method = "POST",
        .path = "/content/library/item",
        .action = "find",
        .privilege = Privilege::System_Read,
        .errors = {ErrorKind::invalid_argument},
        .summary =
            "Identifiers of the items that match every given member; name and type compare without regard to case."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    content::ItemFilter filter;
    filter.name = input.spec.name;
    if (input.spec.library_id) filter.library_id = content::LibraryId(*input.spec.library_id);
    filter.source_id = input.spec.source_id;
    filter.type = input.spec.type;
    filter.cached = input.spec.cached;
    return texts_of(services.items.find(call.caller, filter));
  }
};

struct ItemGet {
  using Input = LibraryItemIdInput;
  using Output = ItemModel;
  static OperationFacts facts() {
    return {.service = item_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/item/{library_item_id}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "A library item."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto item, services.items.get(call.caller, content::ItemId(input.library_item_id)));
    return to_api(item);
  }
};

struct ItemUpdate {
  using Input = ItemUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = item_service,
            .name = "update",
            .method = "PATCH",
            .path = "/content/library/item/{library_item_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_UpdateLibraryItem,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                       ErrorKind::already_exists, ErrorKind::not_allowed_in_current_state},
            .summary = "Changes the given properties of an item; its content changes only through an update session."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.items.update(call.caller, content::ItemId(input.library_item_id), to_spec(input.update_spec));
  }
};

struct ItemDelete {
  using Input = LibraryItemIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = item_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/content/library/item/{library_item_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteLibraryItem,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "Deletes an item with its content; sessions on it end."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.items.remove(call.caller, content::ItemId(input.library_item_id));
  }
};

struct ItemFileList {
  using Input = LibraryItemIdInput;
  using Output = std::vector<ItemFileInfo>;
  static OperationFacts facts() {
    return {.service = item_file_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/item/{library_item_id}/file",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "The files of an item."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto files, services.items.files(call.caller, content::ItemId(input.library_item_id)));
    Output out;
    for (const auto& file : files) out.push_back(to_api(file));
    return out;
  }
};

struct ItemFileGet {
  using Input = ItemFileGetInput;
  using Output = ItemFileInfo;
  static OperationFacts facts() {
    return {.service = item_file_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/item/{library_item_id}/file",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "A file of an item."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto file,
                           services.items.file(call.caller, content::ItemId(input.library_item_id), input.name));
    return to_api(file);
  }
};

struct ItemStorageList {
  using Input = LibraryItemIdInput;
  using Output = std::vector<ItemStorageInfo>;
  static OperationFacts facts() {
    return {.service = storage_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/item/{library_item_id}/storage",
            .privilege = Privilege::ContentLibrary_ReadStorage,
            .errors = {ErrorKind::not_found},
            .summary = "Where the files of an item lie."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto files,
                           services.items.stored_files(call.caller, content::ItemId(input.library_item_id)));
    Output out;
    for (const auto& file : files) out.push_back(to_api(file));
    return out;
  }
};

struct ItemStorageGet {
  using Input = ItemStorageGetInput;
  using Output = std::vector<ItemStorageInfo>;  // one entry per backing (§13)
  static OperationFacts facts() {
    return {.service = storage_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/item/{library_item_id}/storage",
            .privilege = Privilege::ContentLibrary_ReadStorage,
            .errors = {ErrorKind::not_found},
            .summary = "Where a file of an item lies, one entry for each place."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto file, services.items.stored_file(
                                                call.caller, content::ItemId(input.library_item_id), input.file_name));
    Output out;
    out.push_back(to_api(file));
    return out;
  }
};

}  // namespace

void add_item_operations(std::vector<Operation>& all) {
  all.push_back(bind<ItemCreate>());
  all.push_back(bind<ItemCopy>());
  all.push_back(bind<ItemList>());
  all.push_back(bind<ItemFind>());
  all.push_back(bind<ItemGet>());
  all.push_back(bind<ItemUpdate>());
  all.push_back(bind<ItemDelete>());
  all.push_back(bind<ItemFileList>());
  all.push_back(bind<ItemFileGet>());
  all.push_back(bind<ItemStorageList>());
  all.push_back(bind<ItemStorageGet>());
}

}  // namespace quire::api
