#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

namespace quire::api {

struct UpdateSessionCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "create_spec.library_item_id"}};
  std::optional<std::string> client_token;
  UpdateSessionModel create_spec;
};
struct UpdateSessionUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::update_session, "update_session_id"}};
  std::string update_session_id;
  UpdateSessionModel update_spec;
};
struct UpdateSessionKeepAliveInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::update_session, "update_session_id"}};
  std::string update_session_id;
  std::optional<std::int64_t> client_progress;
};
struct UpdateSessionFailInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::update_session, "update_session_id"}};
  std::string update_session_id;
  std::string client_error_message;
};
struct UpdateSessionFileAddInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::update_session, "update_session_id"}};
  std::string update_session_id;
  UpdateSessionFileAddSpec file_spec;
};
struct UpdateSessionFileProbeInput {
  static constexpr std::string_view canonical_name = operation_input;
  TransferEndpoint source_endpoint;
};
BOOST_DESCRIBE_STRUCT(UpdateSessionCreateInput, (), (client_token, create_spec))
BOOST_DESCRIBE_STRUCT(UpdateSessionUpdateInput, (), (update_session_id, update_spec))
BOOST_DESCRIBE_STRUCT(UpdateSessionKeepAliveInput, (), (update_session_id, client_progress))
BOOST_DESCRIBE_STRUCT(UpdateSessionFailInput, (), (update_session_id, client_error_message))
BOOST_DESCRIBE_STRUCT(UpdateSessionFileAddInput, (), (update_session_id, file_spec))
BOOST_DESCRIBE_STRUCT(UpdateSessionFileProbeInput, (), (source_endpoint))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto session_service = "com.vmware.content.library.item.update_session";
constexpr auto update_file_service = "com.vmware.content.library.item.updatesession.file";
constexpr auto session_path = "/content/library/item/update-session/{update_session_id}";
constexpr auto anyone = Privilege::System_Anonymous;  // knowing the id is the authority (§1.9)

std::optional<std::vector<content::WarningBehavior>> to_content(
    const std::optional<std::vector<WarningBehavior>>& list) {
  if (!list) return std::nullopt;
  std::vector<content::WarningBehavior> out;
  for (const auto& entry : *list) out.push_back({entry.type, entry.ignored});
  return out;
}

PreviewInfo to_api(const service::Preview& preview) {
  PreviewInfo info;
  info.state = preview.state;
  if (preview.state != service::PreviewState::AVAILABLE) return info;
  auto& warnings = info.warnings.emplace();
  for (const auto& warning : preview.warnings)
    warnings.push_back({warning.type, message_to_api(warning.message), warning.ignored});
  if (preview.signature) {
    info.certificate_info = CertificateInfo{preview.signature->issuer, preview.signature->subject,
                                            preview.signature->self_signed, preview.signature->x509};
    info.cert_chain = preview.signature->cert_chain;
  }
  return info;
}

UpdateSessionModel to_api(const service::UpdateSessionView& view) {
  const auto& session = view.session;
  UpdateSessionModel model;
  model.id = session.id.text();
  model.library_item_id = session.item_id.text();
  model.library_item_content_version = std::to_string(session.item_content_version);
  if (session.error_message) model.error_message = message_to_api(*session.error_message);
  model.client_progress = session.client_progress;
  model.state = session.state;
  model.expiration_time = session.expires_at;
  if (view.preview) model.preview_info = to_api(*view.preview);
  if (session.warning_behavior) {
    auto& list = model.warning_behavior.emplace();
    for (const auto& entry : *session.warning_behavior) list.push_back({entry.type, entry.ignored});
  }
  return model;
}

/// The checksum that the client promised; before READY that is all there is.
std::optional<ChecksumInfo> checksum_of(const content::SessionFile& file) {
  if (file.declared_checksum) return checksum_to_api(*file.declared_checksum);
  if (const auto* sha256 = base::find_digest(file.digests, base::DigestAlgorithm::SHA256))
    return checksum_to_api(*sha256);
  if (!file.digests.empty()) return checksum_to_api(file.digests.front());
  return std::nullopt;
}

UpdateSessionFileInfo to_api(const content::SessionFile& file, const std::string& base_url) {
  UpdateSessionFileInfo info;
  info.name = file.name;
  info.source_type = file.source_type;
  info.size = file.size ? file.size : file.declared_size;
  info.checksum_info = checksum_of(file);
  if (file.source_type == content::SourceType::PULL && file.source_endpoint)
    info.source_endpoint =
        TransferEndpoint{file.source_endpoint->uri.text(), file.source_endpoint->ssl_certificate_thumbprint,
                         file.source_endpoint->ssl_certificate};
  if (file.source_type == content::SourceType::PUSH) {
    TransferEndpoint endpoint;
    endpoint.uri = transfer_uri(base_url, file.upload_token.text(), file.name);
    info.upload_endpoint = endpoint;
  }
  info.bytes_transferred = file.bytes_transferred;
  info.status = file.status;
  if (file.error_message) info.error_message = message_to_api(*file.error_message);
  info.keep_in_storage = file.keep_in_storage;
  return info;
}

Result<UpdateSessionFileInfo> info_of(const Result<content::SessionFile>& file, const CallContext& call) {
  if (!file) return file.error();
  return to_api(*file, call.base_url);
}

/// `{algorithm?, checksum}` with the default of §12.
base::Checksum to_content(const ChecksumInfo& info) {
  return {info.algorithm.value_or(base::DigestAlgorithm::SHA1), info.checksum};
}

content::SourceEndpoint to_content(const TransferEndpoint& endpoint) {
  return {endpoint.uri, endpoint.ssl_certificate_thumbprint, endpoint.ssl_certificate};
}

struct UpdateSessionCreate {
  using Input = UpdateSessionCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "create",
            .method = "POST",
            .path = "/content/library/item/update-session",
            .status = 201,
            .privilege = Privilege::ContentLibrary_UpdateSession,
            .errors = {ErrorKind::invalid_argument, ErrorKind::invalid_element_type, ErrorKind::not_found,
                       ErrorKind::resource_busy, ErrorKind::service_unavailable},
            .summary = "Opens an update session on an item, with a snapshot of its files.",
            .creates = resource::update_session};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(services.update_sessions.create(call.caller, input.create_spec.library_item_id,
                                                   to_content(input.create_spec.warning_behavior), input.client_token));
  }
};

struct UpdateSessionList {
  using Input = OptionalLibraryItemIdInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/item/update-session",
            .privilege = Privilege::ContentLibrary_UpdateSession,
            .errors = {ErrorKind::not_found},
            .summary = "Identifiers of the caller's update sessions, of one item or of all."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    std::optional<content::ItemId> item;
    if (input.library_item_id) item = content::ItemId(*input.library_item_id);
    return texts_of(services.update_sessions.list(call.caller, item));
  }
};

struct UpdateSessionGet {
  using Input = UpdateSessionIdInput;
  using Output = UpdateSessionModel;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "get",
            .method = "GET",
            .path = session_path,
            .privilege = anyone,
            .errors = {ErrorKind::not_found},
            .summary = "An update session."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(
        const auto view, services.update_sessions.get(call.caller, content::UpdateSessionId(input.update_session_id)));
    return to_api(view);
  }
};

struct UpdateSessionUpdate {
  using Input = UpdateSessionUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "update",
            .method = "PATCH",
            .path = session_path,
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state, ErrorKind::invalid_argument},
            .summary = "Replaces the list of warnings to ignore; other members are not read."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.update_sessions.update(call.caller, content::UpdateSessionId(input.update_session_id),
                                           to_content(input.update_spec.warning_behavior));
  }
};

struct UpdateSessionComplete {
  using Input = UpdateSessionIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "complete",
            .method = "POST",
            .path = session_path,
            .action = "complete",
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::unable_to_allocate_resource},
            .summary = "Makes all changes of the session visible at once, or none."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.update_sessions.complete(call.caller, content::UpdateSessionId(input.update_session_id));
  }
};

struct UpdateSessionKeepAlive {
  using Input = UpdateSessionKeepAliveInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "keep_alive",
            .method = "POST",
            .path = session_path,
            .action = "keep-alive",
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state, ErrorKind::invalid_argument},
            .summary = "Moves the session's expiration and, if given, its progress in percent."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.update_sessions.keep_alive(call.caller, content::UpdateSessionId(input.update_session_id),
                                               input.client_progress);
  }
};

struct UpdateSessionCancel {
  using Input = UpdateSessionIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "cancel",
            .method = "POST",
            .path = session_path,
            .action = "cancel",
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Gives the session up: transfers stop, received content is removed, the item stays as it was."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.update_sessions.cancel(call.caller, content::UpdateSessionId(input.update_session_id));
  }
};

struct UpdateSessionFail {
  using Input = UpdateSessionFailInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "fail",
            .method = "POST",
            .path = session_path,
            .action = "fail",
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state, ErrorKind::invalid_argument},
            .summary = "Ends the session in ERROR with the client's reason; otherwise as cancel.",
            .optional_body = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    // An absent body arrives as an empty text (§14.1: govmomi sends none).
    std::optional<std::string> message;
    if (!input.client_error_message.empty()) message = input.client_error_message;
    return services.update_sessions.fail(call.caller, content::UpdateSessionId(input.update_session_id), message);
  }
};

struct UpdateSessionDelete {
  using Input = UpdateSessionIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "delete",
            .method = "DELETE",
            .path = session_path,
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Removes a session that is no longer ACTIVE."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.update_sessions.remove(call.caller, content::UpdateSessionId(input.update_session_id));
  }
};

struct UpdateSessionFileAdd {
  using Input = UpdateSessionFileAddInput;
  using Output = UpdateSessionFileInfo;
  static OperationFacts facts() {
    return {.service = update_file_service,
            .name = "add",
            .method = "POST",
            .path = "/content/library/item/update-session/{update_session_id}/file",
            .status = 201,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::unauthorized,
                       ErrorKind::not_allowed_in_current_state, ErrorKind::unsupported,
                       ErrorKind::unable_to_allocate_resource},
            .summary = "Adds a file to the session, or replaces the one of that name.",
            .creates = resource::item_file};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    service::AddFileSpec spec;
    spec.name = input.file_spec.name;
    spec.source_type = input.file_spec.source_type;
    if (input.file_spec.source_endpoint) spec.source_endpoint = to_content(*input.file_spec.source_endpoint);
    spec.size = input.file_spec.size;
    if (input.file_spec.checksum_info) spec.checksum = to_content(*input.file_spec.checksum_info);
    return info_of(
        services.update_sessions.add_file(call.caller, content::UpdateSessionId(input.update_session_id), spec), call);
  }
};

struct UpdateSessionFileList {
  using Input = UpdateSessionIdInput;
  using Output = std::vector<UpdateSessionFileInfo>;
  static OperationFacts facts() {
    return {.service = update_file_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/item/update-session/{update_session_id}/file",
            .privilege = anyone,
            .errors = {ErrorKind::not_found},
            .summary = "The item's files as the session would leave them."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto files, services.update_sessions.files(
                                                 call.caller, content::UpdateSessionId(input.update_session_id)));
    Output out;
    for (const auto& file : files) out.push_back(to_api(file, call.base_url));
    return out;
  }
};

struct UpdateSessionFileGet {
  using Input = UpdateSessionFileNameInput;
  using Output = UpdateSessionFileInfo;
  static OperationFacts facts() {
    return {.service = update_file_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/item/update-session/{update_session_id}/file/{file_name}",
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument},
            .summary = "A file of the session."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return info_of(
        services.update_sessions.file(call.caller, content::UpdateSessionId(input.update_session_id), input.file_name),
        call);
  }
};

struct UpdateSessionFileRemove {
  using Input = UpdateSessionFileNameInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = update_file_service,
            .name = "remove",
            .method = "DELETE",
            .path = "/content/library/item/update-session/{update_session_id}/file/{file_name}",
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::not_allowed_in_current_state},
            .summary = "Takes a file out; the item loses it when the session completes."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.update_sessions.remove_file(call.caller, content::UpdateSessionId(input.update_session_id),
                                                input.file_name);
  }
};

struct UpdateSessionFileValidate {
  using Input = UpdateSessionIdInput;
  using Output = ValidationResult;
  static OperationFacts facts() {
    return {.service = update_file_service,
            .name = "validate",
            .method = "POST",
            .path = "/content/library/item/update-session/{update_session_id}/file",
            .action = "validate",
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "What would keep the session from completing: files that are missing or invalid."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto validation, services.update_sessions.validate(
                                                      call.caller, content::UpdateSessionId(input.update_session_id)));
    ValidationResult result;
    result.has_errors = validation.has_errors();
    result.missing_files = validation.missing_files;
    for (const auto& file : validation.invalid_files)
      result.invalid_files.push_back({file.name, message_to_api(file.error_message)});
    return result;
  }
};

/// §28.3.
ProbeStatus to_api(content::FetchFailure failure) {
  switch (failure) {
    case content::FetchFailure::none:
      return ProbeStatus::SUCCESS;
    case content::FetchFailure::unusable_url:
    case content::FetchFailure::refused_address:
    case content::FetchFailure::redirect:
      return ProbeStatus::INVALID_URL;
    case content::FetchFailure::host_not_found:
      return ProbeStatus::HOST_NOT_FOUND;
    case content::FetchFailure::certificate:
      return ProbeStatus::CERTIFICATE_ERROR;
    case content::FetchFailure::unauthorized:
      return ProbeStatus::INVALID_CREDENTIALS;
    case content::FetchFailure::not_there:
      return ProbeStatus::RESOURCE_NOT_FOUND;
    case content::FetchFailure::timed_out:
    case content::FetchFailure::stalled:
      return ProbeStatus::TIMED_OUT;
    case content::FetchFailure::not_connected:
    case content::FetchFailure::status:
    case content::FetchFailure::broken:
    case content::FetchFailure::refused_by_sink:
    case content::FetchFailure::stopped:
      break;
  }
  return ProbeStatus::UNKNOWN_ERROR;
}

/// Not in the published bindings; govc calls it (§15.1).
struct UpdateSessionFileProbe {
  using Input = UpdateSessionFileProbeInput;
  using Output = ProbeResult;
  static OperationFacts facts() {
    return {.service = update_file_service,
            .name = "probe",
            .privilege = anyone,
            .errors = {ErrorKind::invalid_argument, ErrorKind::unsupported},
            .summary = "Whether the server could pull from an endpoint, and which certificate it shows.",
            .in_new_rest = false};
  }
  static Result<Output> run(service::Services& services, const CallContext&, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto probe, services.sources.probe(to_content(input.source_endpoint)));
    ProbeResult result;
    result.status = to_api(probe.failure);
    if (probe.presented) {
      result.ssl_thumbprint = probe.presented->thumbprint_sha1;
      result.ssl_certificate = probe.presented->pem;
    }
    if (result.status != ProbeStatus::SUCCESS) result.error_messages.push_back(message_to_api(probe.reason));
    return result;
  }
};

}  // namespace

void add_update_session_operations(std::vector<Operation>& all) {
  all.push_back(bind<UpdateSessionCreate>());
  all.push_back(bind<UpdateSessionList>());
  all.push_back(bind<UpdateSessionGet>());
  all.push_back(bind<UpdateSessionUpdate>());
  all.push_back(bind<UpdateSessionComplete>());
  all.push_back(bind<UpdateSessionKeepAlive>());
  all.push_back(bind<UpdateSessionCancel>());
  all.push_back(bind<UpdateSessionFail>());
  all.push_back(bind<UpdateSessionDelete>());
  all.push_back(bind<UpdateSessionFileAdd>());
  all.push_back(bind<UpdateSessionFileList>());
  all.push_back(bind<UpdateSessionFileGet>());
  all.push_back(bind<UpdateSessionFileRemove>());
  all.push_back(bind<UpdateSessionFileValidate>());
  all.push_back(bind<UpdateSessionFileProbe>());
}

}  // namespace quire::api
