#include "api/identifiers.h"
#include "api/library_model.h"
#include "api/operations.h"
#include "api/subscription_structures.h"

/// Subscriptions of published libraries, and telling them (content-library-api.md §7, §5 publish).
namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<service::SubscriptionTarget> =
    "com.vmware.content.library.subscriptions.create_spec_subscribed_library.target";
template <>
inline constexpr std::string_view enumeration_name<content::SubscriptionLocation> =
    "com.vmware.content.library.subscriptions.location";

struct SubscriptionListInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
};
struct SubscriptionCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
  std::optional<std::string> client_token;
  SubscriptionCreateSpec spec;
};
struct SubscriptionIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
  std::string subscription;
};
struct SubscriptionUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
  std::string subscription;
  SubscriptionUpdateSpec spec;
};
struct PublicationGetInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
};
struct ItemPublishInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item_id"}};
  std::string library_item_id;
  bool force_sync_content = false;
  std::optional<std::vector<ItemPublishDestination>> subscriptions;
};
struct LibraryPublishInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
  std::optional<std::vector<PublishDestination>> subscriptions;
};

BOOST_DESCRIBE_STRUCT(SubscriptionVcenterSpec, (), (hostname, https_port))
BOOST_DESCRIBE_STRUCT(SubscriptionNewLibrarySpec, (),
                      (name, description, storage_backings, automatic_sync_enabled, on_demand))
BOOST_DESCRIBE_STRUCT(SubscriptionPlacementSpec, (), (folder, cluster, resource_pool, host, network))
BOOST_DESCRIBE_STRUCT(SubscriptionLibrarySpec, (),
                      (target, new_subscribed_library, subscribed_library, location, vcenter, placement))
BOOST_DESCRIBE_STRUCT(SubscriptionCreateSpec, (), (subscribed_library))
BOOST_DESCRIBE_STRUCT(SubscriptionSummary, (),
                      (subscription, subscribed_library, subscribed_library_name, subscribed_library_vcenter_hostname))
BOOST_DESCRIBE_STRUCT(SubscriptionVcenterInfo, (), (hostname, https_port, server_guid))
BOOST_DESCRIBE_STRUCT(SubscriptionPlacementInfo, (), (folder, cluster, resource_pool, host, network))
BOOST_DESCRIBE_STRUCT(LibrarySubscriptionInfo, (),
                      (subscribed_library, subscribed_library_name, subscribed_library_location,
                       subscribed_library_vcenter, subscribed_library_placement))
BOOST_DESCRIBE_STRUCT(SubscriptionVcenterUpdateSpec, (), (hostname, https_port))
BOOST_DESCRIBE_STRUCT(SubscriptionPlacementUpdateSpec, (), (folder, cluster, resource_pool, host, network))
BOOST_DESCRIBE_STRUCT(SubscriptionUpdateSpec, (), (subscribed_library_vcenter, subscribed_library_placement))
BOOST_DESCRIBE_STRUCT(PublicationReader, (), (address, user_agent, last_read_time, version))
BOOST_DESCRIBE_STRUCT(SubscriptionNotification, (),
                      (subscription, subscribed_library, subscribed_library_name, subscribed_library_vcenter_hostname,
                       last_notified_time, waiting_since, problem))
BOOST_DESCRIBE_STRUCT(PublicationInfo, (), (version, readers_since, readers, subscriptions, peers))
BOOST_DESCRIBE_STRUCT(PublicationGetInput, (), (library_id))
BOOST_DESCRIBE_STRUCT(PublishDestination, (), (subscription))
BOOST_DESCRIBE_STRUCT(SubscriptionListInput, (), (library))
BOOST_DESCRIBE_STRUCT(SubscriptionCreateInput, (), (library, client_token, spec))
BOOST_DESCRIBE_STRUCT(SubscriptionIdInput, (), (library, subscription))
BOOST_DESCRIBE_STRUCT(SubscriptionUpdateInput, (), (library, subscription, spec))
BOOST_DESCRIBE_STRUCT(LibraryPublishInput, (), (library_id, subscriptions))
BOOST_DESCRIBE_STRUCT(ItemPublishDestination, (), (subscription))
BOOST_DESCRIBE_STRUCT(ItemPublishInput, (), (library_item_id, force_sync_content, subscriptions))

namespace {

using base::ErrorKind;
using base::Result;
using content::LibraryId;
using content::Privilege;
using content::SubscriptionId;
constexpr auto subscriptions_service = "com.vmware.content.library.subscriptions";

template <class Placement>
content::SubscriptionPlacement placement_from(const Placement& placement) {
  return {placement.folder, placement.cluster, placement.resource_pool, placement.host, placement.network};
}

service::SubscriptionCreateSpec to_service(const SubscriptionLibrarySpec& wanted) {
  service::SubscriptionCreateSpec spec;
  spec.target = wanted.target;
  spec.location = wanted.location;
  spec.subscribed_library = wanted.subscribed_library;
  if (const auto& library = wanted.new_subscribed_library)
    spec.new_subscribed_library =
        service::NewSubscribedLibrary{library->name, library->description, to_content(library->storage_backings),
                                      library->automatic_sync_enabled, library->on_demand};
  if (const auto& server = wanted.vcenter)
    spec.server = service::SubscriberAddress{server->hostname, server->https_port};
  if (wanted.placement) spec.placement = placement_from(*wanted.placement);
  return spec;
}

LibrarySubscriptionInfo subscription_to_api(const content::LibrarySubscription& subscription) {
  LibrarySubscriptionInfo info;
  info.subscribed_library = subscription.subscribed_library;
  info.subscribed_library_name = subscription.subscribed_library_name;
  info.subscribed_library_location = subscription.location;
  if (const auto& server = subscription.server)
    info.subscribed_library_vcenter =
        SubscriptionVcenterInfo{server->hostname, server->https_port, server->server_guid};
  const auto& placement = subscription.placement;
  info.subscribed_library_placement = {placement.folder, placement.cluster, placement.resource_pool, placement.host,
                                       placement.network};
  return info;
}

SubscriptionNotification notification_to_api(const content::LibrarySubscription& subscription) {
  SubscriptionNotification out;
  out.subscription = subscription.id.text();
  out.subscribed_library = subscription.subscribed_library;
  out.subscribed_library_name = subscription.subscribed_library_name;
  if (subscription.server) out.subscribed_library_vcenter_hostname = subscription.server->hostname;
  out.last_notified_time = subscription.last_notified;
  out.waiting_since = subscription.waiting_since;
  if (subscription.problem) out.problem = message_to_api(*subscription.problem);
  return out;
}

struct SubscriptionCreate {
  using Input = SubscriptionCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = subscriptions_service,
            .name = "create",
            .method = "POST",
            .path = "/content/library/{library}/subscriptions",
            .status = 201,
            .privilege = Privilege::ContentLibrary_AddSubscription,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                       ErrorKind::not_allowed_in_current_state, ErrorKind::already_exists,
                       ErrorKind::resource_inaccessible, ErrorKind::unsupported},
            .summary =
                "Names a subscribed library, a new one or one that is there, that is told when a published "
                "library is published.",
            .creates = resource::subscription};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(services.subscriptions.create(call.caller, LibraryId(input.library),
                                                 to_service(input.spec.subscribed_library),
                                                 publish_url(call.base_url, input.library), input.client_token));
  }
};

struct SubscriptionList {
  using Input = SubscriptionListInput;
  using Output = std::vector<SubscriptionSummary>;
  static OperationFacts facts() {
    return {.service = subscriptions_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/{library}/subscriptions",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "The subscriptions of a published library, in the order in which they were made."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto all, services.subscriptions.list(call.caller, LibraryId(input.library)));
    Output out;
    for (const auto& one : all)
      out.push_back({one.id.text(), one.subscribed_library, one.subscribed_library_name,
                     one.server ? std::optional(one.server->hostname) : std::nullopt});
    return out;
  }
};

struct SubscriptionGet {
  using Input = SubscriptionIdInput;
  using Output = LibrarySubscriptionInfo;
  static OperationFacts facts() {
    return {.service = subscriptions_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/{library}/subscriptions/{subscription}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                       ErrorKind::not_allowed_in_current_state},
            .summary = "A subscription of a published library."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto found, services.subscriptions.get(call.caller, LibraryId(input.library),
                                                                        SubscriptionId(input.subscription)));
    return subscription_to_api(found);
  }
};

struct SubscriptionUpdate {
  using Input = SubscriptionUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {
        .service = subscriptions_service,
        .name = "update",
        .method = "PATCH",
        .path = "/content/library/{library}/subscriptions/{subscription}",
        .status = 204,
        .privilege = Privilege::ContentLibrary_UpdateSubscription,
        .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                   ErrorKind::not_allowed_in_current_state, ErrorKind::resource_inaccessible, ErrorKind::unsupported},
        .summary = "Changes where the server of a subscribed library is, and the placement on it."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    service::SubscriptionUpdateSpec spec;
    if (const auto& server = input.spec.subscribed_library_vcenter)
      spec.server = service::SubscriberAddress{server->hostname, server->https_port};
    if (const auto& placement = input.spec.subscribed_library_placement) spec.placement = placement_from(*placement);
    return services.subscriptions.update(call.caller, LibraryId(input.library), SubscriptionId(input.subscription),
                                         spec, publish_url(call.base_url, input.library));
  }
};

struct SubscriptionDelete {
  using Input = SubscriptionIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = subscriptions_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/content/library/{library}/subscriptions/{subscription}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteSubscription,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary = "Removes a subscription of a published library; the subscribed library stays as it is."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.subscriptions.remove(call.caller, LibraryId(input.library), SubscriptionId(input.subscription));
  }
};

struct LocalLibraryPublish {
  using Input = LibraryPublishInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = "com.vmware.content.local_library",
            .name = "publish",
            .method = "POST",
            .path = "/content/local-library/{library_id}",
            .action = "publish",
            .status = 204,
            .privilege = Privilege::ContentLibrary_PublishLibrary,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                       ErrorKind::not_allowed_in_current_state},
            .summary = "Has the subscribed libraries of the given subscriptions, or of all, synchronized.",
            .by_action_only = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    std::vector<SubscriptionId> subscriptions;
    for (const auto& destination : input.subscriptions.value_or(std::vector<PublishDestination>()))
      subscriptions.emplace_back(destination.subscription);
    return services.subscriptions.publish(call.caller, LibraryId(input.library_id), subscriptions);
  }
};

struct ItemPublish {
  using Input = ItemPublishInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = "com.vmware.content.library.item",
            .name = "publish",
            .method = "POST",
            .path = "/content/library/item/{library_item_id}",
            .action = "publish",
            .status = 204,
            .privilege = Privilege::ContentLibrary_PublishLibraryItem,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::invalid_argument,
                       ErrorKind::not_allowed_in_current_state},
            .summary = "Has the item synchronized in the subscribed libraries of the given subscriptions, or of all."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    std::vector<SubscriptionId> subscriptions;
    for (const auto& destination : input.subscriptions.value_or(std::vector<ItemPublishDestination>()))
      subscriptions.emplace_back(destination.subscription);
    return services.subscriptions.publish_item(call.caller, content::ItemId(input.library_item_id),
                                               input.force_sync_content, subscriptions);
  }
};

struct PublicationGet {
  using Input = PublicationGetInput;
  using Output = PublicationInfo;
  static OperationFacts facts() {
    return {.service = "com.quire.local_library",
            .name = "publication",
            .method = "GET",
            .path = "/quire/local-library/{library_id}/publication",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_element_type, ErrorKind::not_allowed_in_current_state},
            .summary =
                "How a published library fares: who read it since the server was started, the last one first, and "
                "whether its subscriptions were told."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    const LibraryId library(input.library_id);
    QUIRE_ASSIGN_OR_RETURN(const auto subscriptions, services.subscriptions.list(call.caller, library));
    QUIRE_ASSIGN_OR_RETURN(const auto found, services.publications.readers(call.caller, library));
    Output out;
    out.version = found.version;
    out.readers_since = found.since;
    for (const auto& reader : found.readers)
      out.readers.push_back({reader.address,
                             reader.user_agent.empty() ? std::nullopt : std::optional(reader.user_agent),
                             reader.last_read, reader.version});
    for (const auto& subscription : subscriptions) out.subscriptions.push_back(notification_to_api(subscription));
    out.peers = services.subscriptions.peers();
    return out;
  }
};

}  // namespace

void add_subscription_operations(std::vector<Operation>& all) {
  all.push_back(bind<SubscriptionCreate>());
  all.push_back(bind<SubscriptionList>());
  all.push_back(bind<SubscriptionGet>());
  all.push_back(bind<SubscriptionUpdate>());
  all.push_back(bind<SubscriptionDelete>());
  all.push_back(bind<LocalLibraryPublish>());
  all.push_back(bind<ItemPublish>());
  all.push_back(bind<PublicationGet>());
}

}  // namespace quire::api
