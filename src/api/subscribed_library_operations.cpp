#include "api/identifiers.h"
#include "api/library_model.h"
#include "api/operations.h"

/// Libraries that follow a published one, and their items (content-library-api.md §6, §18); with operations of our own
/// on how they do it (docs/subscribing.md).
namespace quire::api {

QUIRE_ENUM(SubscribedLibraryProbeStatus, SUCCESS, INVALID_URL, TIMED_OUT, HOST_NOT_FOUND, RESOURCE_NOT_FOUND,
           INVALID_CREDENTIALS, CERTIFICATE_ERROR, UNKNOWN_ERROR)

template <>
inline constexpr std::string_view enumeration_name<SubscribedLibraryProbeStatus> =
    "com.vmware.content.subscribed_library.probe_result.status";

struct SubscribedLibraryProbeResult {
  static constexpr std::string_view canonical_name = "com.vmware.content.subscribed_library.probe_result";
  SubscribedLibraryProbeStatus status = SubscribedLibraryProbeStatus::SUCCESS;
  std::optional<std::string> ssl_thumbprint;
  std::optional<std::string> ssl_certificate;
  std::vector<LocalizableMessage> error_messages;
};
struct SubscribedLibraryProbeInput {
  static constexpr std::string_view canonical_name = operation_input;
  SubscriptionInfo subscription_info;
};
struct SubscribedItemSyncInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item_id"}};
  std::string library_item_id;
  bool force_sync_content = false;
  std::optional<bool> sync_optional_files;  ///< of no effect: no file is left out
};
struct SynchronizationRun {
  static constexpr std::string_view canonical_name = "com.quire.subscribed_library.run";
  std::string task;
  content::TaskStatus status = content::TaskStatus::PENDING;
  std::int64_t completed = 0;  ///< bytes
  std::int64_t total = 0;
};
struct SynchronizationProblem {
  static constexpr std::string_view canonical_name = "com.quire.subscribed_library.problem";
  std::string library_item;
  std::string name;
  LocalizableMessage message;
};
struct SubscribedLibraryStatusInfo {
  static constexpr std::string_view canonical_name = "com.quire.subscribed_library.info";
  std::optional<std::string> publisher;           ///< identifier of the publisher's library; unset until it was read
  std::optional<std::int64_t> publisher_version;  ///< that all here is from; unset while something is missing
  std::optional<base::Time> last_sync_time;
  std::optional<base::Time> last_success_time;
  std::optional<base::Time> next_sync_time;  ///< no automatic one before
  std::int64_t failures = 0;                 ///< in a row
  std::optional<LocalizableMessage> problem;
  std::optional<SynchronizationRun> running;
  std::int64_t items = 0;
  std::int64_t cached_items = 0;
  std::int64_t problem_count = 0;
  std::vector<SynchronizationProblem> problems;  ///< the first hundred
  std::int64_t bytes_per_second_max = 0;         ///< 0: no limit
  std::optional<std::int64_t> window_start_hour;
  std::optional<std::int64_t> window_stop_hour;
};
struct SubscribedLibraryLimits {
  static constexpr std::string_view canonical_name = "com.quire.subscribed_library.limits";
  std::int64_t bytes_per_second_max = 0;
  std::optional<std::int64_t> window_start_hour;
  std::optional<std::int64_t> window_stop_hour;
};
struct SubscribedLibrarySetLimitsInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
  SubscribedLibraryLimits limits;
};
BOOST_DESCRIBE_STRUCT(SubscribedLibraryProbeResult, (), (status, ssl_thumbprint, ssl_certificate, error_messages))
BOOST_DESCRIBE_STRUCT(SubscribedLibraryProbeInput, (), (subscription_info))
BOOST_DESCRIBE_STRUCT(SubscribedItemSyncInput, (), (library_item_id, force_sync_content, sync_optional_files))
BOOST_DESCRIBE_STRUCT(SynchronizationRun, (), (task, status, completed, total))
BOOST_DESCRIBE_STRUCT(SynchronizationProblem, (), (library_item, name, message))
BOOST_DESCRIBE_STRUCT(SubscribedLibraryStatusInfo, (),
                      (publisher, publisher_version, last_sync_time, last_success_time, next_sync_time, failures,
                       problem, running, items, cached_items, problem_count, problems, bytes_per_second_max,
                       window_start_hour, window_stop_hour))
BOOST_DESCRIBE_STRUCT(SubscribedLibraryLimits, (), (bytes_per_second_max, window_start_hour, window_stop_hour))
BOOST_DESCRIBE_STRUCT(SubscribedLibrarySetLimitsInput, (), (library_id, limits))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto subscribed_library_service = "com.vmware.content.subscribed_library";
constexpr auto subscribed_item_service = "com.vmware.content.library.subscribed_item";
constexpr auto synchronization_service = "com.quire.subscribed_library";

SubscribedLibraryProbeStatus to_api(service::SubscriptionProbe probe) {
  using enum service::SubscriptionProbe;
  switch (probe) {
    case success:
      return SubscribedLibraryProbeStatus::SUCCESS;
    case invalid_url:
      return SubscribedLibraryProbeStatus::INVALID_URL;
    case timed_out:
      return SubscribedLibraryProbeStatus::TIMED_OUT;
    case host_not_found:
      return SubscribedLibraryProbeStatus::HOST_NOT_FOUND;
    case resource_not_found:
      return SubscribedLibraryProbeStatus::RESOURCE_NOT_FOUND;
    case invalid_credentials:
      return SubscribedLibraryProbeStatus::INVALID_CREDENTIALS;
    case certificate_error:
      return SubscribedLibraryProbeStatus::CERTIFICATE_ERROR;
    case unknown_error:
      break;
  }
  return SubscribedLibraryProbeStatus::UNKNOWN_ERROR;
}

SubscribedLibraryProbeResult to_api(const service::ProbedSubscription& probed) {
  SubscribedLibraryProbeResult result;
  result.status = to_api(probed.status);
  if (probed.presented) {
    result.ssl_thumbprint = probed.presented->thumbprint_sha1;
    result.ssl_certificate = probed.presented->pem;
  }
  for (const auto& message : probed.messages) result.error_messages.push_back(message_to_api(message));
  return result;
}

SubscribedLibraryStatusInfo to_api(const service::SubscriptionStatus& status) {
  const auto& subscription = status.subscription;
  SubscribedLibraryStatusInfo info;
  if (!subscription.publisher.empty()) info.publisher = subscription.publisher;
  info.publisher_version = subscription.version;
  info.last_sync_time = subscription.last_sync_time;
  info.last_success_time = subscription.last_success_time;
  info.next_sync_time = subscription.next_sync_time;
  info.failures = subscription.failures;
  if (subscription.problem) info.problem = message_to_api(*subscription.problem);
  if (const auto& task = status.running)
    info.running = SynchronizationRun{task->id.text(), task->status, task->completed, task->total};
  info.items = status.counts.items;
  info.cached_items = status.counts.cached;
  info.problem_count = status.counts.with_problem;
  for (const auto& [item, name, reason] : status.problems)
    info.problems.push_back({item.text(), name, message_to_api(reason)});
  info.bytes_per_second_max = subscription.bytes_per_second_max;
  if (const auto& window = subscription.window) {
    info.window_start_hour = window->start_hour;
    info.window_stop_hour = window->stop_hour;
  }
  return info;
}

service::SubscriptionLimits to_limits(const SubscribedLibraryLimits& limits) {
  constexpr std::int64_t no_hour = -1;  // half a window is refused for the hour that it lacks
  service::SubscriptionLimits out{limits.bytes_per_second_max, std::nullopt};
  if (limits.window_start_hour || limits.window_stop_hour)
    out.window =
        content::SyncWindow{limits.window_start_hour.value_or(no_hour), limits.window_stop_hour.value_or(no_hour)};
  return out;
}

struct SubscribedLibraryCreate {
  using Input = LibraryCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "create",
            .method = "POST",
            .path = "/content/subscribed-library",
            .status = 201,
            .privilege = Privilege::ContentLibrary_CreateSubscribedLibrary,
            .errors = {ErrorKind::invalid_argument, ErrorKind::unsupported, ErrorKind::resource_inaccessible},
            .summary =
                "Makes a library that follows a published one, after asking its publisher, and begins the first "
                "synchronization.",
            .creates = resource::library};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(services.subscribed_libraries.create(call.caller, to_spec(input.create_spec),
                                                        subscription_spec(input.create_spec), input.client_token));
  }
};

struct SubscribedLibraryList {
  using Input = NoInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "list",
            .method = "GET",
            .path = "/content/subscribed-library",
            .privilege = Privilege::System_Read,
            .summary = "Identifiers of all subscribed libraries."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return texts_of(services.libraries.list_subscribed(call.caller));
  }
};

struct SubscribedLibraryGet {
  using Input = LibraryIdInput;
  using Output = LibraryModel;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "get",
            .method = "GET",
            .path = "/content/subscribed-library/{library_id}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type},
            .summary = "A subscribed library."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return model_of(services, call,
                    services.libraries.get_subscribed(call.caller, content::LibraryId(input.library_id)));
  }
};

struct SubscribedLibraryUpdate {
  using Input = LibraryUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "update",
            .method = "PATCH",
            .path = "/content/subscribed-library/{library_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_UpdateSubscribedLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                       ErrorKind::resource_inaccessible, ErrorKind::concurrent_change, ErrorKind::resource_busy,
                       ErrorKind::not_allowed_in_current_state, ErrorKind::unsupported},
            .summary =
                "Changes the given properties of a subscribed library. One that follows another publisher from now "
                "on loses its items."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.update(call.caller, content::LibraryId(input.library_id),
                                                to_spec(input.update_spec), subscription_spec(input.update_spec));
  }
};

struct SubscribedLibraryDelete {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/content/subscribed-library/{library_id}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteSubscribedLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "Deletes a subscribed library with its items; sessions on them end."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.remove(call.caller, content::LibraryId(input.library_id),
                                                service::Deletion::unless_used);
  }
};

struct SubscribedLibraryForceDelete {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "force_delete",
            .method = "POST",
            .path = "/content/subscribed-library/{library_id}",
            .action = "force-delete",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteSubscribedLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "Deletes a subscribed library even if something uses it.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.remove(call.caller, content::LibraryId(input.library_id),
                                                service::Deletion::forced);
  }
};

struct SubscribedLibrarySync {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "sync",
            .method = "POST",
            .path = "/content/subscribed-library/{library_id}",
            .action = "sync",
            .status = 204,
            .privilege = Privilege::ContentLibrary_SyncLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary =
                "Begins a task that makes a subscribed library what its publisher has; of no effect while one runs."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.sync(call.caller, content::LibraryId(input.library_id));
  }
};

struct SubscribedLibraryEvict {
  using Input = LibraryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscribed_library_service,
            .name = "evict",
            .method = "POST",
            .path = "/content/subscribed-library/{library_id}",
            .action = "evict",
            .status = 204,
            .privilege = Privilege::ContentLibrary_EvictSubscribedLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "Drops the content of all items of a library on demand; it comes again when it is asked for."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.evict(call.caller, content::LibraryId(input.library_id));
  }
};

struct SubscribedLibraryProbe {
  using Input = SubscribedLibraryProbeInput;
  using Output = SubscribedLibraryProbeResult;
  static OperationFacts facts() {
    return {
        .service = subscribed_library_service,
        .name = "probe",
        .method = "POST",
        .path = "/content/subscribed-library",
        .action = "probe",
        .privilege = Privilege::ContentLibrary_ProbeSubscription,
        .errors = {ErrorKind::unsupported},
        .summary = "Asks a publisher whether one could subscribe to its library so, and which certificate it presents.",
        .members_in_body = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto probed,
                           services.subscribed_libraries.probe(call.caller, to_spec(input.subscription_info)));
    return to_api(probed);
  }
};

struct SubscribedItemSync {
  using Input = SubscribedItemSyncInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscribed_item_service,
            .name = "sync",
            .method = "POST",
            .path = "/content/library/subscribed-item/{library_item_id}",
            .action = "sync",
            .status = 204,
            .privilege = Privilege::ContentLibrary_SyncLibraryItem,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary =
                "Begins a task that makes an item what its publisher has; on demand, without its content unless that "
                "is forced."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.sync_item(call.caller, content::ItemId(input.library_item_id),
                                                   input.force_sync_content);
  }
};

struct SubscribedItemEvict {
  using Input = LibraryItemIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscribed_item_service,
            .name = "evict",
            .method = "POST",
            .path = "/content/library/subscribed-item/{library_item_id}",
            .action = "evict",
            .status = 204,
            .privilege = Privilege::ContentLibrary_EvictLibraryItem,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_element_configuration,
                       ErrorKind::not_allowed_in_current_state},
            .summary = "Drops the content of an item of a library on demand; it comes again when it is asked for."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.evict_item(call.caller, content::ItemId(input.library_item_id));
  }
};

struct SubscribedLibraryStatus {
  using Input = LibraryIdInput;
  using Output = SubscribedLibraryStatusInfo;
  static OperationFacts facts() {
    return {.service = synchronization_service,
            .name = "status",
            .method = "GET",
            .path = "/quire/subscribed-library/{library_id}/status",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type},
            .summary =
                "How far a subscribed library has got: when it was synchronized, what runs, and which items are not "
                "as the publisher has them."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto status,
                           services.subscribed_libraries.status(call.caller, content::LibraryId(input.library_id)));
    return to_api(status);
  }
};

struct SubscribedLibrarySetLimits {
  using Input = SubscribedLibrarySetLimitsInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = synchronization_service,
            .name = "set_limits",
            .method = "POST",
            .path = "/quire/subscribed-library/{library_id}",
            .action = "set-limits",
            .status = 204,
            .privilege = Privilege::ContentLibrary_UpdateSubscribedLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument},
            .summary =
                "Limits how fast a subscribed library fetches (0: no limit), and to which hours of the day in UTC its "
                "automatic synchronizations keep; without hours, to those of the configuration."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscribed_libraries.set_limits(call.caller, content::LibraryId(input.library_id),
                                                    to_limits(input.limits));
  }
};

}  // namespace

void add_subscribed_library_operations(std::vector<Operation>& all) {
  all.push_back(bind<SubscribedLibraryCreate>());
  all.push_back(bind<SubscribedLibraryList>());
  all.push_back(bind<SubscribedLibraryGet>());
  all.push_back(bind<SubscribedLibraryUpdate>());
  all.push_back(bind<SubscribedLibraryDelete>());
  all.push_back(bind<SubscribedLibraryForceDelete>());
  all.push_back(bind<SubscribedLibrarySync>());
  all.push_back(bind<SubscribedLibraryEvict>());
  all.push_back(bind<SubscribedLibraryProbe>());
  all.push_back(bind<SubscribedItemSync>());
  all.push_back(bind<SubscribedItemEvict>());
  all.push_back(bind<SubscribedLibraryStatus>());
  all.push_back(bind<SubscribedLibrarySetLimits>());
}

}  // namespace quire::api
