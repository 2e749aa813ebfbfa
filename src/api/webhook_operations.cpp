#include "api/event_structures_described.h"
#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "service/services.h"

/// Servers that are told of events (docs/events.md); operations of our own.
namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<content::DeliveryState> = "com.quire.webhooks.deliveries.state";

struct WebhookCreateSpec {
  static constexpr std::string_view canonical_name = "com.quire.webhooks.create_spec";
  std::string url;
  Secret secret;
  std::optional<std::string> description;
  std::optional<bool> enabled;
  std::optional<std::vector<content::EventKind>> kinds;
  std::optional<std::string> library;
};
struct WebhookUpdateSpec {
  static constexpr std::string_view canonical_name = "com.quire.webhooks.update_spec";
  std::optional<std::string> url;
  std::optional<Secret> secret;
  std::optional<std::string> description;
  std::optional<bool> enabled;
  std::optional<std::vector<content::EventKind>> kinds;  ///< empty: all
  std::optional<std::string> library;                    ///< empty: all
};
struct WebhookInfo {
  static constexpr std::string_view canonical_name = "com.quire.webhooks.info";
  std::string webhook;
  std::string url;
  std::string description;
  bool enabled = true;
  std::vector<content::EventKind> kinds;  ///< empty: all
  std::optional<std::string> library;     ///< unset: all
  std::string creator;
  base::Time created;
  std::int64_t queued_to = 0;  ///< events up to this number have been delivered, wait, or are dead, where they fit
};
struct WebhookDeliveryInfo {
  static constexpr std::string_view canonical_name = "com.quire.webhooks.deliveries.info";
  std::int64_t event = 0;
  content::DeliveryState state = content::DeliveryState::PENDING;
  std::int64_t attempts = 0;
  std::optional<base::Time> next_attempt;  ///< not before; unset for a dead one
  std::optional<std::string> problem;      ///< of the last attempt
};
struct WebhookIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string webhook;
};
struct WebhookCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  WebhookCreateSpec create_spec;
};
struct WebhookUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string webhook;
  WebhookUpdateSpec update_spec;
};
struct WebhookRedeliverInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string webhook;
  std::int64_t event = 0;
};
BOOST_DESCRIBE_STRUCT(WebhookCreateSpec, (), (url, secret, description, enabled, kinds, library))
BOOST_DESCRIBE_STRUCT(WebhookUpdateSpec, (), (url, secret, description, enabled, kinds, library))
BOOST_DESCRIBE_STRUCT(WebhookInfo, (),
                      (webhook, url, description, enabled, kinds, library, creator, created, queued_to))
BOOST_DESCRIBE_STRUCT(WebhookDeliveryInfo, (), (event, state, attempts, next_attempt, problem))
BOOST_DESCRIBE_STRUCT(WebhookIdInput, (), (webhook))
BOOST_DESCRIBE_STRUCT(WebhookCreateInput, (), (create_spec))
BOOST_DESCRIBE_STRUCT(WebhookUpdateInput, (), (webhook, update_spec))
BOOST_DESCRIBE_STRUCT(WebhookRedeliverInput, (), (webhook, event))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto webhooks_service = "com.quire.webhooks";
constexpr auto deliveries_service = "com.quire.webhooks.deliveries";

WebhookInfo to_api(const content::Webhook& webhook) {
  WebhookInfo info;
  info.webhook = webhook.id.text();
  info.url = webhook.url;
  info.description = webhook.description;
  info.enabled = webhook.enabled;
  info.kinds = webhook.kinds;
  if (!webhook.library.empty()) info.library = webhook.library.text();
  info.creator = webhook.creator;
  info.created = webhook.created;
  info.queued_to = webhook.queued_to;
  return info;
}

struct WebhookCreate {
  using Input = WebhookCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = webhooks_service,
            .name = "create",
            .method = "POST",
            .path = "/quire/webhooks",
            .status = 201,
            .privilege = Privilege::Global_Diagnostics,
            .errors = {ErrorKind::invalid_argument, ErrorKind::not_found, ErrorKind::unable_to_allocate_resource,
                       ErrorKind::unsupported},
            .summary =
                "Tells a server of the events from now on, of these kinds and of this library or of all, by POST "
                "with a signature that the secret makes. The secret cannot be read again.",
            .creates = resource::webhook};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.create_spec;
    return text_of(services.webhooks.create(
        call.caller, {spec.url, spec.secret.text, spec.description, spec.enabled, spec.kinds, spec.library}));
  }
};

struct WebhookList {
  using Input = NoInput;
  using Output = std::vector<WebhookInfo>;
  static OperationFacts facts() {
    return {.service = webhooks_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/webhooks",
            .privilege = Privilege::Global_Diagnostics,
            .summary = "All servers that are told of events."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto webhooks, services.webhooks.list(call.caller));
    Output out;
    for (const auto& webhook : webhooks) out.push_back(to_api(webhook));
    return out;
  }
};

struct WebhookGet {
  using Input = WebhookIdInput;
  using Output = WebhookInfo;
  static OperationFacts facts() {
    return {.service = webhooks_service,
            .name = "get",
            .method = "GET",
            .path = "/quire/webhooks/{webhook}",
            .privilege = Privilege::Global_Diagnostics,
            .errors = {ErrorKind::not_found},
            .summary = "A server that is told of events."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto webhook, services.webhooks.get(call.caller, content::WebhookId(input.webhook)));
    return to_api(webhook);
  }
};

struct WebhookUpdate {
  using Input = WebhookUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = webhooks_service,
            .name = "update",
            .method = "PATCH",
            .path = "/quire/webhooks/{webhook}",
            .status = 204,
            .privilege = Privilege::Global_Diagnostics,
            .errors = {ErrorKind::invalid_argument, ErrorKind::not_found, ErrorKind::unsupported},
            .summary =
                "Changes what is given. One that is enabled again is told of what happens from then on, and of what "
                "it still waited for."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.update_spec;
    const auto secret = spec.secret ? std::optional(spec.secret->text) : std::nullopt;
    return services.webhooks.update(call.caller, content::WebhookId(input.webhook),
                                    {spec.url, secret, spec.description, spec.enabled, spec.kinds, spec.library});
  }
};

struct WebhookDelete {
  using Input = WebhookIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = webhooks_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/quire/webhooks/{webhook}",
            .status = 204,
            .privilege = Privilege::Global_Diagnostics,
            .errors = {ErrorKind::not_found},
            .summary = "Tells the server of nothing more; what waits for it goes."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.webhooks.remove(call.caller, content::WebhookId(input.webhook));
  }
};

struct WebhookDeliveryList {
  using Input = WebhookIdInput;
  using Output = std::vector<WebhookDeliveryInfo>;
  static OperationFacts facts() {
    return {.service = deliveries_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/webhooks/{webhook}/deliveries",
            .privilege = Privilege::Global_Diagnostics,
            .errors = {ErrorKind::not_found},
            .summary =
                "The events that a server has not been told of: those that are tried, and dead ones that were tried "
                "too often."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto deliveries,
                           services.webhooks.deliveries(call.caller, content::WebhookId(input.webhook)));
    Output out;
    for (const auto& delivery : deliveries) {
      WebhookDeliveryInfo info;
      info.event = delivery.event;
      info.state = delivery.state;
      info.attempts = delivery.attempts;
      if (delivery.state == content::DeliveryState::PENDING) info.next_attempt = delivery.due;
      if (!delivery.problem.empty()) info.problem = delivery.problem;
      out.push_back(std::move(info));
    }
    return out;
  }
};

struct WebhookRedeliver {
  using Input = WebhookRedeliverInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = deliveries_service,
            .name = "redeliver",
            .method = "POST",
            .path = "/quire/webhooks/{webhook}/deliveries",
            .action = "redeliver",
            .status = 204,
            .privilege = Privilege::Global_Diagnostics,
            .errors = {ErrorKind::not_found},
            .summary = "Tries a delivery that waits or is dead again from the beginning, as soon as may be."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.webhooks.redeliver(call.caller, content::WebhookId(input.webhook), input.event);
  }
};

}  // namespace

void add_webhook_operations(std::vector<Operation>& all) {
  all.push_back(bind<WebhookCreate>());
  all.push_back(bind<WebhookList>());
  all.push_back(bind<WebhookGet>());
  all.push_back(bind<WebhookUpdate>());
  all.push_back(bind<WebhookDelete>());
  all.push_back(bind<WebhookDeliveryList>());
  all.push_back(bind<WebhookRedeliver>());
}

}  // namespace quire::api
