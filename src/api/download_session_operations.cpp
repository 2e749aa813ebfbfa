#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

namespace quire::api {

struct DownloadSessionCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "create_spec.library_item_id"}};
  std::optional<std::string> client_token;
  DownloadSessionModel create_spec;
};
struct DownloadSessionKeepAliveInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::download_session, "download_session_id"}};
  std::string download_session_id;
  std::optional<std::int64_t> progress;
};
struct DownloadSessionFailInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::download_session, "download_session_id"}};
  std::string download_session_id;
  std::string client_error_message;
};
struct DownloadSessionFileNameInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::download_session, "download_session_id"}};
  std::string download_session_id;
  std::string file_name;
};
struct DownloadSessionFilePrepareInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::download_session, "download_session_id"}};
  std::string download_session_id;
  std::string file_name;
  std::optional<EndpointType> endpoint_type;
};
BOOST_DESCRIBE_STRUCT(DownloadSessionCreateInput, (), (client_token, create_spec))
BOOST_DESCRIBE_STRUCT(DownloadSessionKeepAliveInput, (), (download_session_id, progress))
BOOST_DESCRIBE_STRUCT(DownloadSessionFailInput, (), (download_session_id, client_error_message))
BOOST_DESCRIBE_STRUCT(DownloadSessionFileNameInput, (), (download_session_id, file_name))
BOOST_DESCRIBE_STRUCT(DownloadSessionFilePrepareInput, (), (download_session_id, file_name, endpoint_type))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto session_service = "com.vmware.content.library.item.download_session";
constexpr auto download_file_service = "com.vmware.content.library.item.downloadsession.file";
constexpr auto session_path = "/content/library/item/download-session/{download_session_id}";
constexpr auto file_path = "/content/library/item/download-session/{download_session_id}/file";
constexpr auto anyone = Privilege::System_Anonymous;  // knowing the id is the authority (§1.9)

DownloadSessionModel to_api(const content::DownloadSession& session) {
  DownloadSessionModel model;
  model.id = session.id.text();
  model.library_item_id = session.item_id.text();
  model.library_item_content_version = std::to_string(session.item_content_version);
  if (session.error_message) model.error_message = message_to_api(*session.error_message);
  model.client_progress = session.client_progress;
  model.state = session.state;
  model.expiration_time = session.expires_at;
  return model;
}

DownloadSessionFileInfo to_api(const service::DownloadFile& download, const std::string& base_url) {
  DownloadSessionFileInfo info;
  info.name = download.file.name;
  info.size = download.file.size;
  if (!download.file.checksum.hex.empty()) info.checksum_info = checksum_to_api(download.file.checksum);
  if (download.prepared) {  // everything is local: prepared at once, with all its bytes
    info.status = PrepareStatus::PREPARED;
    info.bytes_transferred = download.file.size;
    TransferEndpoint endpoint;
    endpoint.uri =
        download.direct_uri ? *download.direct_uri : transfer_uri(base_url, download.token.text(), download.file.name);
    info.download_endpoint = endpoint;
  }
  if (download.arrives) info.status = PrepareStatus::PREPARING;
  if (download.problem) {
    info.status = PrepareStatus::ERROR;
    info.error_message = message_to_api(*download.problem);
  }
  return info;
}

Result<DownloadSessionFileInfo> info_of(const Result<service::DownloadFile>& file, const CallContext& call) {
  if (!file) return file.error();
  return to_api(*file, call.base_url);
}

struct DownloadSessionCreate {
  using Input = DownloadSessionCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "create",
            .method = "POST",
            .path = "/content/library/item/download-session",
            .status = 201,
            .privilege = Privilege::ContentLibrary_DownloadSession,
            .errors = {ErrorKind::invalid_argument, ErrorKind::not_found, ErrorKind::service_unavailable},
            .summary = "Opens a download session on an item: a lease on its content as it is now.",
            .creates = resource::download_session};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(
        services.download_sessions.create(call.caller, input.create_spec.library_item_id, input.client_token));
  }
};

struct DownloadSessionList {
  using Input = OptionalLibraryItemIdInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/item/download-session",
            .privilege = Privilege::ContentLibrary_DownloadSession,
            .errors = {ErrorKind::not_found},
            .summary = "Identifiers of the caller's download sessions, of one item or of all."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    std::optional<content::ItemId> item;
    if (input.library_item_id) item = content::ItemId(*input.library_item_id);
    return texts_of(services.download_sessions.list(call.caller, item));
  }
};

struct DownloadSessionGet {
  using Input = DownloadSessionIdInput;
  using Output = DownloadSessionModel;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "get",
            .method = "GET",
            .path = session_path,
            .privilege = anyone,
            .errors = {ErrorKind::not_found},
            .summary = "A download session."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto session, services.download_sessions.get(
                                                   call.caller, content::DownloadSessionId(input.download_session_id)));
    return to_api(session);
  }
};

struct DownloadSessionKeepAlive {
  using Input = DownloadSessionKeepAliveInput;
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
    return services.download_sessions.keep_alive(call.caller, content::DownloadSessionId(input.download_session_id),
                                                 input.progress);
  }
};

struct DownloadSessionCancel {
  using Input = DownloadSessionIdInput;
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
            .summary = "Stops the session's transfers and makes its links invalid."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.download_sessions.cancel(call.caller, content::DownloadSessionId(input.download_session_id));
  }
};

struct DownloadSessionFail {
  using Input = DownloadSessionFailInput;
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
            .summary = "Ends the session in ERROR with the client's reason.",
            .optional_body = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    std::optional<std::string> message;
    if (!input.client_error_message.empty()) message = input.client_error_message;
    return services.download_sessions.fail(call.caller, content::DownloadSessionId(input.download_session_id), message);
  }
};

struct DownloadSessionDelete {
  using Input = DownloadSessionIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = session_service,
            .name = "delete",
            .method = "DELETE",
            .path = session_path,
            .status = 204,
            .privilege = anyone,
            .errors = {ErrorKind::not_found},
            .summary = "Removes a download session in any state."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.download_sessions.remove(call.caller, content::DownloadSessionId(input.download_session_id));
  }
};

struct DownloadSessionFileList {
  using Input = DownloadSessionIdInput;
  using Output = std::vector<DownloadSessionFileInfo>;
  static OperationFacts facts() {
    return {.service = download_file_service,
            .name = "list",
            .method = "GET",
            .path = file_path,
            .privilege = anyone,
            .errors = {ErrorKind::not_found},
            .summary = "The files that can be downloaded."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto files, services.download_sessions.files(
                                                 call.caller, content::DownloadSessionId(input.download_session_id)));
    Output out;
    for (const auto& file : files) out.push_back(to_api(file, call.base_url));
    return out;
  }
};

struct DownloadSessionFilePrepare {
  using Input = DownloadSessionFilePrepareInput;
  using Output = DownloadSessionFileInfo;
  static OperationFacts facts() {
    return {.service = download_file_service,
            .name = "prepare",
            .method = "POST",
            .path = file_path,
            .action = "prepare",
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::unauthorized,
                       ErrorKind::not_allowed_in_current_state},
            .summary = "Asks for a file to be made ready for download."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return info_of(
        services.download_sessions.prepare(call.caller, content::DownloadSessionId(input.download_session_id),
                                           input.file_name, input.endpoint_type == EndpointType::DIRECT),
        call);
  }
};

struct DownloadSessionFileGet {
  using Input = DownloadSessionFileNameInput;
  using Output = DownloadSessionFileInfo;
  static OperationFacts facts() {
    return {.service = download_file_service,
            .name = "get",
            .method = "GET",
            .path = file_path,
            .privilege = anyone,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument},
            .summary = "A file of the session."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return info_of(services.download_sessions.file(call.caller, content::DownloadSessionId(input.download_session_id),
                                                   input.file_name),
                   call);
  }
};

}  // namespace

void add_download_session_operations(std::vector<Operation>& all) {
  all.push_back(bind<DownloadSessionCreate>());
  all.push_back(bind<DownloadSessionList>());
  all.push_back(bind<DownloadSessionGet>());
  all.push_back(bind<DownloadSessionKeepAlive>());
  all.push_back(bind<DownloadSessionCancel>());
  all.push_back(bind<DownloadSessionFail>());
  all.push_back(bind<DownloadSessionDelete>());
  all.push_back(bind<DownloadSessionFileList>());
  all.push_back(bind<DownloadSessionFilePrepare>());
  all.push_back(bind<DownloadSessionFileGet>());
}

}  // namespace quire::api
