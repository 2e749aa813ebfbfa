#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

namespace quire::api {

struct LibraryFindInput {
  static constexpr std::string_view canonical_name = operation_input;
  LibraryFindSpec spec;
};
struct LibraryUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
  LibraryModel update_spec;
};
struct LibraryCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<std::string> client_token;
  LibraryModel create_spec;
};
BOOST_DESCRIBE_STRUCT(LibraryFindInput, (), (spec))
BOOST_DESCRIBE_STRUCT(LibraryUpdateInput, (), (library_id, update_spec))
BOOST_DESCRIBE_STRUCT(LibraryCreateInput, (), (client_token, create_spec))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto library_service = "com.vmware.content.library";
constexpr auto local_library_service = "com.vmware.content.local_library";

LibraryModel to_api(const content::Library& library, const std::string& server_guid) {
  LibraryModel model;
  model.id = library.id.text();
  model.creation_time = library.creation_time;
  model.description = library.description;
  model.last_modified_time = library.last_modified_time;
  model.name = library.name;
  model.storage_backings.emplace().push_back(
      {library.backing.type, library.backing.datastore_id, library.backing.storage_uri});
  model.type = library.type;
  model.optimization_info = OptimizationInfo{library.optimize_remote_publishing};
  model.version = std::to_string(library.version);
  model.server_guid = server_guid;
  model.security_policy_id = library.security_policy_id;
  if (library.type == content::LibraryType::LOCAL) {  // also when not published: Ansible reads it (§4.2)
    PublishInfo publish;
    publish.authentication_method = content::AuthenticationMethod::NONE;
    publish.published = false;
    publish.persist_json_enabled = false;
    model.publish_info = publish;
  }
  return model;
}

service::LibrarySpec to_spec(const LibraryModel& model) {
  service::LibrarySpec spec;
  spec.name = model.name;
  spec.description = model.description;
  spec.version = model.version;
  if (model.storage_backings) {
    auto& backings = spec.storage_backings.emplace();
    for (const auto& backing : *model.storage_backings)
      backings.push_back(
          {backing.type.value_or(content::StorageBackingType::DATASTORE), backing.datastore_id, backing.storage_uri});
  }
  if (model.optimization_info) spec.optimize_remote_publishing = model.optimization_info->optimize_remote_publishing;
  spec.security_policy_id = model.security_policy_id;
  spec.unset_security_policy = model.unset_security_policy_id.value_or(false);
  if (model.publish_info)
    spec.publish = service::PublishSpec{model.publish_info->authentication_method, model.publish_info->published};
  return spec;
}

Result<LibraryModel> model_of(service::Services& services, const Result<content::Library>& library) {
  if (!library) return library.error();
  return to_api(*library, services.server_guid);
}

struct LibraryList {
  using Input = NoInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library",
            .privilege = Privilege::System_Read,
            .summary = "Identifiers of all libraries, of either type."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return texts_of(services.libraries.list(call.caller));
  }
};

struct LibraryGet {
  using Input = LibraryIdInput;
  using Output = LibraryModel;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/{library_id}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "A library of either type."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return model_of(services, services.libraries.get(call.caller, content::LibraryId(input.library_id)));
  }
};

struct LibraryFind {
  using Input = LibraryFindInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {
        .service = library_service,
        .name = "find",
        .method = "POST",
        .path = "/content/library",
        .action = "find",
        .privilege = Privilege::System_Read,
        .errors = {ErrorKind::invalid_argument},
        .summary = "Identifiers of the libraries that match every given member; names compare without regard to case."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return texts_of(services.libraries.find(call.caller, {input.spec.name, input.spec.type}));
  }
};

struct LibraryUpdate {
  using Input = LibraryUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "update",
            .method = "PATCH",
            .path = "/content/library/{library_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_UpdateLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument},
            .summary = "Changes the given ones of the properties that all types of library share."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.update(call.caller, content::LibraryId(input.library_id), to_spec(input.update_spec));
  }
};

struct LocalLibraryCreate {
  using Input = LibraryCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = local_library_service,
            .name = "create",
            .method = "POST",
            .path = "/content/local-library",
            .status = 201,
            .privilege = Privilege::ContentLibrary_CreateLocalLibrary,
            .errors = {ErrorKind::invalid_argument, ErrorKind::unsupported},
            .summary = "Makes an empty local library."};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(services.libraries.create_local(call.caller, to_spec(input.create_spec), input.client_token));
  }
};

struct LocalLibraryList {
  using Input = NoInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = local_library_service,
            .name = "list",
            .method = "GET",
            .path = "/content/local-library",
            .privilege = Privilege::System_Read,
            .summary = "Identifiers of all local libraries."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return texts_of(services.libraries.list_local(call.caller));
  }
};

struct LocalLibraryGet {
  using Input = LibraryIdInput;
  using Output = LibraryModel;
  static OperationFacts facts() {
    return {.service = local_library_service,
            .name = "get",
            .method = "GET",
            .path = "/content/local-library/{library_id}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type},
            .summary = "A local library."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return model_of(services, services.libraries.get_local(call.caller, content::LibraryId(input.library_id)));
  }
};

struct LocalLibraryUpdate {
  using Input = LibraryUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = local_library_service,
            .name = "update",
            .method = "PATCH",
            .path = "/content/local-library/{library_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_UpdateLocalLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                       ErrorKind::concurrent_change, ErrorKind::resource_busy, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::unsupported},
            .summary = "Changes the given properties of a local library."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.update_local(call.caller, content::LibraryId(input.library_id),
                                           to_spec(input.update_spec));
  }
};

struct LocalLibraryDelete {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = local_library_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/content/local-library/{library_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteLocalLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "Deletes a local library with its items; sessions on them end."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.remove_local(call.caller, content::LibraryId(input.library_id));
  }
};

}  // namespace

void add_library_operations(std::vector<Operation>& all) {
  all.push_back(bind<LibraryList>());
  all.push_back(bind<LibraryGet>());
  all.push_back(bind<LibraryFind>());
  all.push_back(bind<LibraryUpdate>());
  all.push_back(bind<LocalLibraryCreate>());
  all.push_back(bind<LocalLibraryList>());
  all.push_back(bind<LocalLibraryGet>());
  all.push_back(bind<LocalLibraryUpdate>());
  all.push_back(bind<LocalLibraryDelete>());
}

}  // namespace quire::api
