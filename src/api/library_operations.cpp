#include "api/identifiers.h"
#include "api/library_model.h"
#include "api/operations.h"
#include "service/services.h"

namespace quire::api {

struct LibraryFindInput {
  static constexpr std::string_view canonical_name = operation_input;
  LibraryFindSpec spec;
};
struct LibraryMigrateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
  MigrateSpec migrate_spec;
};
struct LibraryConvertInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
  ConversionSpec conversion_spec;
};
BOOST_DESCRIBE_STRUCT(LibraryFindInput, (), (spec))
BOOST_DESCRIBE_STRUCT(LibraryMigrateInput, (), (library_id, migrate_spec))
BOOST_DESCRIBE_STRUCT(LibraryConvertInput, (), (library_id, conversion_spec))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto library_service = "com.vmware.content.library";
constexpr auto local_library_service = "com.vmware.content.local_library";

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
    return model_of(services, call, services.libraries.get(call.caller, content::LibraryId(input.library_id)));
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
    content::LibraryFilter filter{input.spec.name, input.spec.type};
    if (input.spec.storage_backing) filter.backing = to_content(*input.spec.storage_backing);
    return texts_of(services.libraries.find(call.caller, filter));
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

struct LibraryDelete {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/content/library/{library_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Deletes a library of either type with its items; sessions on them end."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.remove(call.caller, content::LibraryId(input.library_id), service::Deletion::unless_used);
  }
};

struct LibraryForceDelete {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "force_delete",
            .method = "POST",
            .path = "/content/library/{library_id}",
            .action = "force-delete",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Deletes a library of either type even if something uses it.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.remove(call.caller, content::LibraryId(input.library_id), service::Deletion::forced);
  }
};

struct LibraryMigrate {
  using Input = LibraryMigrateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "migrate",
            .method = "POST",
            .path = "/content/library/{library_id}",
            .action = "migrate",
            .status = 204,
            .privilege = Privilege::ContentLibrary_MigrateLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::unsupported, ErrorKind::already_in_desired_state},
            .summary =
                "Begins a task that moves the content of a library to another storage; all the while it can be read "
                "and changed.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.migrate(call.caller, content::LibraryId(input.library_id),
                                      to_content(input.migrate_spec.storage_backings));
  }
};

struct LibraryConvert {
  using Input = LibraryConvertInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "convert",
            .method = "POST",
            .path = "/content/library/{library_id}",
            .action = "convert",
            .status = 204,
            .privilege = Privilege::ContentLibrary_ConvertLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::invalid_element_type,
                       ErrorKind::not_allowed_in_current_state},
            .summary = "Makes a subscribed library a published local one.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.convert(call.caller, content::LibraryId(input.library_id));
  }
};

struct LibraryEnterMaintenance {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "enter_maintenance",
            .method = "POST",
            .path = "/content/library/{library_id}",
            .action = "enter-maintenance",
            .status = 204,
            .privilege = Privilege::ContentLibrary_LibraryMaintenance,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Keeps a library and its items from being changed until exit_maintenance; they can be read.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.enter_maintenance(call.caller, content::LibraryId(input.library_id));
  }
};

struct LibraryExitMaintenance {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = library_service,
            .name = "exit_maintenance",
            .method = "POST",
            .path = "/content/library/{library_id}",
            .action = "exit-maintenance",
            .status = 204,
            .privilege = Privilege::ContentLibrary_LibraryMaintenance,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Lets a library be changed again.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.exit_maintenance(call.caller, content::LibraryId(input.library_id));
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
            .summary = "Makes an empty local library.",
            .creates = resource::library};
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
    return model_of(services, call, services.libraries.get_local(call.caller, content::LibraryId(input.library_id)));
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

struct LocalLibraryForceDelete {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = local_library_service,
            .name = "force_delete",
            .method = "POST",
            .path = "/content/local-library/{library_id}",
            .action = "force-delete",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteLocalLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "Deletes a local library even if something uses it.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.libraries.remove_local(call.caller, content::LibraryId(input.library_id),
                                           service::Deletion::forced);
  }
};

}  // namespace

void add_library_operations(std::vector<Operation>& all) {
  all.push_back(bind<LibraryList>());
  all.push_back(bind<LibraryGet>());
  all.push_back(bind<LibraryFind>());
  all.push_back(bind<LibraryUpdate>());
  all.push_back(bind<LibraryDelete>());
  all.push_back(bind<LibraryForceDelete>());
  all.push_back(bind<LibraryMigrate>());
  all.push_back(bind<LibraryConvert>());
  all.push_back(bind<LibraryEnterMaintenance>());
  all.push_back(bind<LibraryExitMaintenance>());
  all.push_back(bind<LocalLibraryCreate>());
  all.push_back(bind<LocalLibraryList>());
  all.push_back(bind<LocalLibraryGet>());
  all.push_back(bind<LocalLibraryUpdate>());
  all.push_back(bind<LocalLibraryDelete>());
  all.push_back(bind<LocalLibraryForceDelete>());
}

}  // namespace quire::api
