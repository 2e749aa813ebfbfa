#include "service/subscription/subscriptions.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/utf8.h"
#include "service/library/item_creation.h"
#include "service/library/library_change.h"
#include "service/library/library_placement.h"
#include "service/library/library_rules.h"
#include "service/library/publishing.h"
#include "service/library/sync_request.h"
#include "service/subscription/synced_items.h"
#include "service/transaction/create_once.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::AuthenticationMethod;
using content::Caller;
using content::EventKind;
using content::Library;
using content::LibraryId;
using content::LibrarySubscription;
using content::Privilege;
using content::SubscriberServer;
using content::SubscriptionId;
using content::SubscriptionLocation;
using content::SubscriptionPlacement;
using content::Task;

constexpr auto publishing_service = "com.vmware.content.local_library";
constexpr auto publish_operation = "publish";
constexpr std::size_t hostname_bytes_max = 255;
constexpr std::size_t foreign_id_bytes_max = 1024;
constexpr std::size_t told_failures_max = 100;

const std::atomic<bool> not_to_stop = false;

Error bad_subscription(std::string_view member, std::string_view what) {
  return {ErrorKind::invalid_argument,
          "quire.subscription.bad_spec",
          "{member} {what}.",
          {{"member", std::string(member)}, {"what", std::string(what)}}};
}

Error unknown_subscription(ErrorKind kind, const Library& library, const SubscriptionId& id) {
  return {kind,
          "quire.subscription.not_found",
          "Library {name} has no subscription with the identifier {subscription}.",
          {{"name", library.name}, {"subscription", id.text()}}};
}

// ---- what is there ----

Result<Library> find_published(View view, const LibraryId& id, Privilege privilege) {
  QUIRE_ASSIGN_OR_RETURN(auto library, find_local_library(view, id, privilege));
  QUIRE_RETURN_IF_ERROR(check_published(library));
  return library;
}

Result<LibrarySubscription> find_subscription(View view, const Library& library, const SubscriptionId& id,
                                              ErrorKind missing = ErrorKind::not_found) {
  if (auto found = view->find<LibrarySubscription>({library.id, id.text()})) return *std::move(found);
  return unknown_subscription(missing, library, id);
}

/// A subscribed library of this server may have got another name since.
LibrarySubscription with_current_name(View view, LibrarySubscription subscription) {
  if (subscription.location == SubscriptionLocation::LOCAL)
    if (const auto library = view->find<Library>(LibraryId(subscription.subscribed_library)))
      subscription.subscribed_library_name = library->name;
  return subscription;
}

bool is_same_server(const std::optional<SubscriberServer>& one, const std::optional<SubscriberServer>& other) {
  if (!one || !other) return !one && !other;
  return base::to_lower(one->hostname) == base::to_lower(other->hostname) &&
         one->https_port.value_or(443) == other->https_port.value_or(443);
}

void record_subscription(Transaction& t, EventKind kind, const Library& library,
                         const LibrarySubscription& subscription) {
  EventDetails details{{"subscribed_library", subscription.subscribed_library},
                       {"subscribed_library_name", subscription.subscribed_library_name}};
  if (subscription.server) details.push_back({"hostname", subscription.server->hostname});
  t.record({kind, library.id, content::ItemId(), subscription.id.text(), std::move(details)});
}

// ---- what a client may say ----

Result<void> check_address(const std::string& hostname, std::optional<std::int64_t> port) {
  constexpr std::int64_t port_max = 65535;
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:[]").find(c) != std::string_view::npos;
  };
  if (hostname.empty() || hostname.size() > hostname_bytes_max || !std::ranges::all_of(hostname, fits))
    return bad_subscription("hostname", "must be the name or address of a server");
  if (port && (*port < 1 || *port > port_max))
    return bad_subscription("https_port", "must be a number from 1 to 65535");
  return {};
}

Result<void> check_placement(const SubscriptionPlacement& placement) {
  for (const auto* text :
       {&placement.folder, &placement.cluster, &placement.resource_pool, &placement.host, &placement.network})
    if (*text && ((*text)->size() > foreign_id_bytes_max || !base::is_text(**text)))
      return bad_subscription("subscribed_library_placement", "holds an identifier that is too long or no text");
  return {};
}

LibrarySpec library_spec_of(const NewSubscribedLibrary& wanted) {
  LibrarySpec spec;
  spec.name = wanted.name;
  spec.description = wanted.description;
  spec.storage_backings = wanted.storage_backings;
  return spec;
}

Result<void> check_create_spec(const SubscriptionCreateSpec& spec, const content::Limits& limits) {
  if (spec.target == SubscriptionTarget::CREATE_NEW) {
    if (!spec.new_subscribed_library || spec.subscribed_library)
      return bad_subscription("target CREATE_NEW", "goes with new_subscribed_library and without subscribed_library");
    QUIRE_RETURN_IF_ERROR(check_values(library_spec_of(*spec.new_subscribed_library), limits));
    const auto& backings = spec.new_subscribed_library->storage_backings;
    if (backings.size() != 1)
      return bad_subscription("new_subscribed_library.storage_backings", "must name exactly one storage");
    QUIRE_RETURN_IF_ERROR(check_complete(backings.front()));
  } else {
    if (!spec.subscribed_library || spec.new_subscribed_library)
      return bad_subscription("target USE_EXISTING", "goes with subscribed_library and without new_subscribed_library");
    const auto& id = *spec.subscribed_library;
    if (id.empty() || id.size() > foreign_id_bytes_max || !base::is_text(id))
      return bad_subscription("subscribed_library", "must be the identifier of a library");
  }
  if (spec.location == SubscriptionLocation::LOCAL) {
    if (spec.server) return bad_subscription("vcenter", "goes with location REMOTE only");
  } else {
    if (!spec.server || !spec.server->hostname)
      return bad_subscription("vcenter", "is missing; location REMOTE needs it");
    QUIRE_RETURN_IF_ERROR(check_address(*spec.server->hostname, spec.server->https_port));
  }
  return check_placement(spec.placement);
}

std::string create_digest(const LibraryId& library, const SubscriptionCreateSpec& spec) {
  std::vector<std::optional<std::string>> parts;
  if (const auto& wanted = spec.new_subscribed_library) {
    parts = digested_parts(library_spec_of(*wanted));
    parts.emplace_back(wanted->automatic_sync_enabled ? "automatic" : "manual");
    parts.emplace_back(wanted->on_demand ? "on demand" : "immediate");
  }
  parts.emplace_back(library.text());
  parts.emplace_back(base::name_of(spec.target));
  parts.emplace_back(base::name_of(spec.location));
  parts.push_back(spec.subscribed_library);
  if (spec.server) {
    parts.push_back(spec.server->hostname);
    parts.emplace_back(std::to_string(spec.server->https_port.value_or(443)));
  }
  const auto& placement = spec.placement;
  for (const auto* text :
       {&placement.folder, &placement.cluster, &placement.resource_pool, &placement.host, &placement.network})
    parts.push_back(*text);
  return spec_digest(parts);
}

// ---- who subscribes ----

/// Without origin and query.
std::string path_in(const content::SourceUrl& url) {
  const auto& shown = url.shown();
  const auto authority = shown.find("://");
  const auto path = authority == std::string::npos ? authority : shown.find('/', authority + 3);
  return path == std::string::npos ? "" : shown.substr(path);
}

Result<void> check_follows(const content::SourceUrl& subscription_url, const std::string& name,
                           const std::string& publish_url) {
  const content::SourceUrl ours(publish_url);
  if (subscription_url.same_origin(ours) && path_in(subscription_url) == path_in(ours)) return {};
  return Error(ErrorKind::invalid_argument, "quire.subscription.other_publisher",
               "The subscribed library {name} follows {url}, not this library. Its subscription_url must be "
               "{publish_url}.",
               {{"name", name}, {"url", subscription_url.shown()}, {"publish_url", publish_url}});
}

Result<content::RemoteSubscriber*> remote_subscriber(const Context& context) {
  if (context.remote_subscriber != nullptr) return context.remote_subscriber;
  return Error(ErrorKind::unsupported, "quire.subscription.no_remote",
               "This server asks nothing of other servers, so subscribed libraries must be its own.");
}

SubscriberServer server_of(const SubscriberAddress& address) {
  return {address.hostname.value_or(""), address.https_port, ""};
}

Result<void> check_new(View view, const Context& context, const Library& library) {
  if (view->list<LibrarySubscription>(library.id).size() >= context.limits.library_subscriptions_max)
    return Error(
        ErrorKind::invalid_argument, "quire.subscription.too_many",
        "Library {name} has {limit} subscriptions, which is the limit.",
        {{"name", library.name}, {"limit", static_cast<std::int64_t>(context.limits.library_subscriptions_max)}});
  return check_room_to_grow(context);
}

/// The subscribed library tells whose target it is (§4.2).
void put_source_info(Transaction& t, const LibraryId& publisher, const LibrarySubscription& subscription) {
  const auto before = t->find<Library>(LibraryId(subscription.subscribed_library));
  if (!before || !before->subscription) return;
  auto after = *before;
  after.subscription->source_info = content::SourceInfo{publisher.text(), subscription.id.text()};
  write_change(t, *before, std::move(after));
}

// ---- telling them ----

base::Message not_told(base::Time since, const std::string& reason) {
  return base::make_message("quire.subscription.not_told", "It was not told what was published at {since}: {reason}",
                            {{"since", since}, {"reason", reason}});
}

/// What is published, where it is not the whole library.
struct PublishedItem {
  content::ItemId id;
  bool force_content = false;
};

/// The task of the subscribed library does the rest. That library's own trouble does not keep the others from being
/// told.
void tell_local(Transaction& t, LibrarySubscription& subscription, const std::optional<PublishedItem>& item) {
  const auto subscribed = t->find<Library>(LibraryId(subscription.subscribed_library));
  if (!subscribed || !subscribed->subscription) {
    subscription.problem =
        base::make_message("quire.subscription.library_gone", "The subscribed library {name} is not there any more.",
                           {{"name", subscription.subscribed_library_name}});
    return;
  }
  subscription.subscribed_library_name = subscribed->name;
  const auto copy = item ? find_by_source(t, subscribed->id, item->id.text()) : std::nullopt;
  const auto asked = copy ? request_item_sync(t, *copy, item->force_content || !subscribed->subscription->on_demand)
                          : request_library_sync(t, *subscribed);
  if (!asked) {
    subscription.problem = asked.error().messages().front();
    return;
  }
  subscription.last_notified = t.wall_time();
  subscription.problem.reset();
}

std::vector<LibrarySubscription> waiting_subscriptions(View view, const LibraryId& library) {
  auto all = view->list<LibrarySubscription>(library);
  std::erase_if(all, [](const LibrarySubscription& one) { return !one.waiting_since; });
  return all;
}

/// The subscription as it is now, if it still waits for what `tried` was to be told: it may have been removed, told by
/// another task, or published once more, which is told next.
std::optional<LibrarySubscription> still_waiting(View view, const LibraryId& library,
                                                 const LibrarySubscription& tried) {
  auto now = view->find<LibrarySubscription>({library, tried.id.text()});
  return now && now->waiting_since == tried.waiting_since ? std::move(now) : std::nullopt;
}

void note_told(Transaction& t, const LibraryId& library, const LibrarySubscription& told) {
  auto subscription = t->find<LibrarySubscription>({library, told.id.text()});
  if (!subscription) return;
  subscription->last_notified = t.wall_time();
  subscription->problem.reset();
  if (subscription->waiting_since == told.waiting_since) subscription->waiting_since.reset();
  t->put(library, *subscription);
}

void note_not_told(Transaction& t, const LibraryId& library, const LibrarySubscription& tried,
                   const std::string& reason) {
  auto subscription = still_waiting(t, library, tried);
  if (!subscription) return;
  subscription->problem = not_told(*tried.waiting_since, reason);
  t->put(library, *subscription);
}

Result<void> tell_remote(const TaskRun& run, const LibrarySubscription& subscription) {
  QUIRE_ASSIGN_OR_RETURN(auto* remote, remote_subscriber(run.context()));
  return remote->sync(subscription.server.value_or(SubscriberServer()), subscription.subscribed_library,
                      run.stop_flag());
}

Result<TaskOutcome> run_publish(TaskRun& run) {
  const LibraryId library(run.task().target);
  QUIRE_ASSIGN_OR_RETURN(const auto waiting,
                         read(run.context(), run.caller(), [&](View view) -> Result<std::vector<LibrarySubscription>> {
                           return waiting_subscriptions(view, library);
                         }));
  std::vector<base::Message> failures;
  bool may_pass = false;
  for (const auto& subscription : waiting) {
    bool waits = false;
    QUIRE_RETURN_IF_ERROR(run.change_besides([&](Transaction& t) -> Result<void> {
      waits = still_waiting(t, library, subscription).has_value();
      return {};
    }));
    if (!waits) continue;
    const auto told = tell_remote(run, subscription);
    if (run.server_stops()) return run.canceled();
    if (told) {
      QUIRE_RETURN_IF_ERROR(run.change([&](Transaction& t, Task&) -> Result<void> {
        note_told(t, library, subscription);
        return {};
      }));
      continue;
    }
    const auto& reason = told.error().text();
    may_pass = may_pass || told.error().kind() == ErrorKind::resource_inaccessible;
    failures.push_back(base::make_message("quire.subscription.one_not_told", "{name} was not told: {reason}",
                                          {{"name", subscription.subscribed_library_name}, {"reason", reason}}));
    // Besides: the attempts of the task count as long as it does not get on.
    QUIRE_RETURN_IF_ERROR(run.change_besides([&](Transaction& t) -> Result<void> {
      note_not_told(t, library, subscription, reason);
      return {};
    }));
  }
  if (failures.empty()) {
    QUIRE_RETURN_IF_ERROR(run.change([](Transaction& t, Task& task) -> Result<void> {
      end_task(t, task, std::nullopt);
      return {};
    }));
    return TaskOutcome::ended;
  }
  Error error(may_pass ? ErrorKind::resource_inaccessible : ErrorKind::error, "quire.subscription.not_all_told",
              "Subscribed libraries of other servers could not be told of what was published: {count}.",
              {{"count", static_cast<std::int64_t>(failures.size())}});
  if (failures.size() > told_failures_max) failures.resize(told_failures_max);
  for (auto& failure : failures) error = error.because(std::move(failure));
  return error;
}

bool is_publish_task(const Task& task) {
  return task.service == publishing_service && task.operation == publish_operation;
}

/// What waits does so no longer, unless another task tells it.
void give_up_telling(Transaction& t, const Task& ending) {
  for (const auto& task : t->active_tasks_on(ending.target))
    if (is_publish_task(task) && task.id != ending.id) return;
  const LibraryId library(ending.target);
  for (auto& subscription : waiting_subscriptions(t, library)) {
    if (!subscription.problem) subscription.problem = not_told(*subscription.waiting_since, "the task was canceled.");
    subscription.waiting_since.reset();
    t->put(library, subscription);
  }
}

/// Those of `subscriptions`, or all, at once or by a task.
Result<void> tell(Transaction& t, const Library& library, const std::vector<SubscriptionId>& subscriptions,
                  const std::optional<PublishedItem>& item) {
  auto chosen = t->list<LibrarySubscription>(library.id);
  for (const auto& wanted : subscriptions)
    if (std::ranges::find(chosen, wanted, &LibrarySubscription::id) == chosen.end())
      return unknown_subscription(ErrorKind::invalid_argument, library, wanted);
  if (!subscriptions.empty())
    std::erase_if(chosen, [&](const LibrarySubscription& one) {
      return std::ranges::find(subscriptions, one.id) == subscriptions.end();
    });
  bool has_remote = false;
  for (auto& subscription : chosen) {
    if (subscription.location == SubscriptionLocation::REMOTE) {
      subscription.waiting_since = t.wall_time();
      subscription.problem.reset();
      has_remote = true;
    } else {
      tell_local(t, subscription, item);
    }
    t->put(library.id, subscription);
  }
  if (!has_remote) return {};
  QUIRE_RETURN_IF_ERROR(add_task(
      t, {publishing_service, publish_operation, "com.vmware.content.Library", library.id.text(),
          base::make_message("quire.task.publish", "Publication of library {name}", {{"name", library.name}})}));
  return {};
}

}  // namespace

TaskKind publish_tasks() { return {publishing_service, publish_operation, run_publish, give_up_telling}; }

/// A subscribed library that is to be told.
struct Subscriptions::Subscriber {
  std::string library;
  std::string name;
  std::optional<SubscriberServer> server;
};

Result<content::RemoteLibrary> Subscriptions::ask(const SubscriberServer& server, const std::string& library,
                                                  const std::string& publish_url) const {
  QUIRE_ASSIGN_OR_RETURN(auto* remote, remote_subscriber(context_));
  QUIRE_ASSIGN_OR_RETURN(auto found, remote->find(server, library, not_to_stop));
  QUIRE_RETURN_IF_ERROR(check_follows(found.subscription_url, found.name, publish_url));
  return found;
}

Result<Subscriptions::Subscriber> Subscriptions::find_existing(const Caller& caller, const SubscriptionCreateSpec& spec,
                                                               const std::string& publish_url) {
  const auto& id = *spec.subscribed_library;
  if (spec.location == SubscriptionLocation::REMOTE) {
    auto server = server_of(*spec.server);
    QUIRE_ASSIGN_OR_RETURN(const auto found, ask(server, id, publish_url));
    server.server_guid = found.server_guid;
    return Subscriber{id, found.name, server};
  }
  return read(context_, caller, [&](View view) -> Result<Subscriber> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           find_library(view, LibraryId(id), Privilege::ContentLibrary_SyncLibrary));
    if (!library.subscription)
      return Error(ErrorKind::invalid_argument, "quire.subscription.target_is_local",
                   "Library {name} is a local library; a subscription needs a subscribed one.",
                   {{"name", library.name}});
    QUIRE_RETURN_IF_ERROR(check_follows(library.subscription->url, library.name, publish_url));
    return Subscriber{id, library.name, std::nullopt};
  });
}

Result<Subscriptions::Subscriber> Subscriptions::make_new(const Caller& caller, const Library& library,
                                                          const SubscriptionCreateSpec& spec, const SubscriptionId& id,
                                                          const std::string& publish_url,
                                                          const std::optional<std::string>& client_token) {
  if (library.publish_authentication == AuthenticationMethod::BASIC)
    return Error(ErrorKind::invalid_argument, "quire.subscription.password_unknown",
                 "Library {name} is published with a password, of which only a digest is stored. Create the subscribed "
                 "library yourself, with that password, and then the subscription with target USE_EXISTING.",
                 {{"name", library.name}});
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::ContentLibrary_CreateSubscribedLibrary));
  const auto& wanted = *spec.new_subscribed_library;
  const content::SourceInfo source{library.id.text(), id.text()};
  if (spec.location == SubscriptionLocation::LOCAL) {
    SubscriptionSpec subscription;
    subscription.authentication_method = AuthenticationMethod::NONE;
    subscription.automatic_sync_enabled = wanted.automatic_sync_enabled;
    subscription.on_demand = wanted.on_demand;
    subscription.subscription_url = publish_url;
    subscription.source_info = source;
    QUIRE_ASSIGN_OR_RETURN(const auto made,
                           subscribed_libraries_.create(caller, library_spec_of(wanted), subscription, client_token));
    return Subscriber{made.text(), wanted.name, std::nullopt};
  }
  QUIRE_ASSIGN_OR_RETURN(auto* remote, remote_subscriber(context_));
  auto server = server_of(*spec.server);
  QUIRE_ASSIGN_OR_RETURN(const auto made,
                         remote->create(server,
                                        {wanted.name, wanted.description, wanted.storage_backings.front(),
                                         wanted.automatic_sync_enabled, wanted.on_demand, publish_url, source},
                                        client_token, not_to_stop));
  QUIRE_ASSIGN_OR_RETURN(const auto found, ask(server, made, publish_url));
  server.server_guid = found.server_guid;
  return Subscriber{made, found.name, server};
}

Result<SubscriptionId> Subscriptions::create(const Caller& caller, const LibraryId& id,
                                             const SubscriptionCreateSpec& spec, const std::string& publish_url,
                                             const std::optional<std::string>& client_token) {
  QUIRE_ASSIGN_OR_RETURN(
      const auto publisher, read(context_, caller, [&](View view) -> Result<Library> {
        QUIRE_ASSIGN_OR_RETURN(auto library, find_local_library(view, id, Privilege::ContentLibrary_AddSubscription));
        QUIRE_RETURN_IF_ERROR(check_create_spec(spec, context_.limits));
        QUIRE_RETURN_IF_ERROR(check_published(library));
        if (!client_token) QUIRE_RETURN_IF_ERROR(check_new(view, context_, library));  // what is repeated is no new one
        return library;
      }));
  LibrarySubscription subscription;
  subscription.id = SubscriptionId(context_.identities.uuid_made_at(context_.clock.now()));
  const bool is_new = spec.target == SubscriptionTarget::CREATE_NEW;
  QUIRE_ASSIGN_OR_RETURN(const auto subscriber,
                         is_new ? make_new(caller, publisher, spec, subscription.id, publish_url, client_token)
                                : find_existing(caller, spec, publish_url));
  subscription.subscribed_library = subscriber.library;
  subscription.subscribed_library_name = subscriber.name;
  subscription.location = spec.location;
  subscription.server = subscriber.server;
  subscription.placement = spec.placement;
  const Creation creation{"com.vmware.content.library.subscriptions.create", client_token, create_digest(id, spec)};
  const auto created = create_once(context_, caller, creation, [&](Transaction& t) -> Result<std::string> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_published(t, id, Privilege::ContentLibrary_AddSubscription));
    const auto is_same = [&](const LibrarySubscription& other) {
      return other.subscribed_library == subscription.subscribed_library &&
             is_same_server(other.server, subscription.server);
    };
    if (std::ranges::any_of(t->list<LibrarySubscription>(id), is_same))
      return Error(ErrorKind::already_exists, "quire.subscription.exists",
                   "Library {name} has a subscription for the subscribed library {subscribed_library} already.",
                   {{"name", library.name}, {"subscribed_library", subscription.subscribed_library_name}});
    QUIRE_RETURN_IF_ERROR(check_new(t, context_, library));
    t->insert(id, subscription);
    if (spec.location == SubscriptionLocation::LOCAL) put_source_info(t, id, subscription);
    record_subscription(t, EventKind::subscription_created, library, subscription);
    return subscription.id.text();
  });
  if (created) return SubscriptionId(created->id);
  // The publisher went meanwhile. With a client token, the repeated call would find the library that is made here.
  if (is_new && !client_token && spec.location == SubscriptionLocation::LOCAL)
    QUIRE_RETURN_IF_ERROR(
        subscribed_libraries_.remove(system_caller("subscriptions"), LibraryId(subscriber.library), Deletion::forced));
  return created.error();
}

Result<std::vector<LibrarySubscription>> Subscriptions::list(const Caller& caller, const LibraryId& id) {
  return read(context_, caller, [&](View view) -> Result<std::vector<LibrarySubscription>> {
    QUIRE_RETURN_IF_ERROR(find_published(view, id, Privilege::System_Read));
    auto all = view->list<LibrarySubscription>(id);
    for (auto& one : all) one = with_current_name(view, std::move(one));
    return all;
  });
}

Result<LibrarySubscription> Subscriptions::get(const Caller& caller, const LibraryId& id,
                                               const SubscriptionId& subscription) {
  return read(context_, caller, [&](View view) -> Result<LibrarySubscription> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_published(view, id, Privilege::System_Read));
    QUIRE_ASSIGN_OR_RETURN(auto found, find_subscription(view, library, subscription, ErrorKind::invalid_argument));
    return with_current_name(view, std::move(found));
  });
}

Result<void> Subscriptions::update(const Caller& caller, const LibraryId& id, const SubscriptionId& subscription_id,
                                   const SubscriptionUpdateSpec& spec, const std::string& publish_url) {
  struct Found {
    Library library;
    LibrarySubscription subscription;
  };
  const auto find = [&](View view) -> Result<Found> {
    QUIRE_ASSIGN_OR_RETURN(auto library, find_published(view, id, Privilege::ContentLibrary_UpdateSubscription));
    QUIRE_ASSIGN_OR_RETURN(auto subscription, find_subscription(view, library, subscription_id));
    return Found{std::move(library), std::move(subscription)};
  };
  QUIRE_ASSIGN_OR_RETURN(const auto known, read(context_, caller, find));
  if (spec.placement) QUIRE_RETURN_IF_ERROR(check_placement(*spec.placement));
  std::optional<SubscriberServer> server;
  std::string name;
  if (spec.server) {
    if (!known.subscription.server)
      return bad_subscription("subscribed_library_vcenter", "goes with a subscribed library of another server only");
    server = known.subscription.server;
    if (spec.server->hostname) server->hostname = *spec.server->hostname;
    if (spec.server->https_port) server->https_port = spec.server->https_port;
    QUIRE_RETURN_IF_ERROR(check_address(server->hostname, server->https_port));
    QUIRE_ASSIGN_OR_RETURN(const auto found, ask(*server, known.subscription.subscribed_library, publish_url));
    server->server_guid = found.server_guid;
    name = found.name;
  }
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto found, find(t));
    if (spec.placement) found.subscription.placement = *spec.placement;
    if (server) {
      found.subscription.server = server;
      found.subscription.subscribed_library_name = name;
    }
    t->put(id, found.subscription);
    record_subscription(t, EventKind::subscription_updated, found.library, found.subscription);
    return {};
  });
}

Result<void> Subscriptions::remove(const Caller& caller, const LibraryId& id, const SubscriptionId& subscription_id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_published(t, id, Privilege::ContentLibrary_DeleteSubscription));
    QUIRE_ASSIGN_OR_RETURN(const auto subscription, find_subscription(t, library, subscription_id));
    t->remove<LibrarySubscription>({id, subscription_id.text()});
    record_subscription(t, EventKind::subscription_deleted, library, subscription);
    return {};
  });
}

Result<void> Subscriptions::publish(const Caller& caller, const LibraryId& id,
                                    const std::vector<SubscriptionId>& subscriptions) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_published(t, id, Privilege::ContentLibrary_PublishLibrary));
    return tell(t, library, subscriptions, std::nullopt);
  });
}

std::vector<std::string> Subscriptions::peers() const {
  return context_.remote_subscriber == nullptr ? std::vector<std::string>() : context_.remote_subscriber->servers();
}

Result<void> Subscriptions::publish_item(const Caller& caller, const content::ItemId& id, bool force_content,
                                         const std::vector<SubscriptionId>& subscriptions) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(t, id, Privilege::ContentLibrary_PublishLibraryItem));
    QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(t, item));
    QUIRE_RETURN_IF_ERROR(check_local(library));
    QUIRE_RETURN_IF_ERROR(check_published(library));
    return tell(t, library, subscriptions, PublishedItem{id, force_content});
  });
}

}  // namespace quire::service
