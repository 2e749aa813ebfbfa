#include "service/subscription/subscribed_libraries.h"

#include <utility>

#include "base/utf8.h"
#include "service/access/passwords.h"
#include "service/library/configuration.h"
#include "service/library/item_content.h"
#include "service/library/items.h"
#include "service/library/library_change.h"
#include "service/library/library_placement.h"
#include "service/library/library_rules.h"
#include "service/library/sync_request.h"
#include "service/subscription/source_library.h"
#include "service/subscription/synchronizations.h"
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
using content::FetchFailure;
using content::Item;
using content::ItemId;
using content::Library;
using content::LibraryId;
using content::Privilege;
using content::Subscription;

constexpr std::size_t subscription_text_bytes_max = 1024;
constexpr std::size_t subscription_url_bytes_max = 4096;
constexpr std::size_t shown_problems_max = 100;

const std::atomic<bool> never_stopped = false;

Error invalid_member(std::string_view member, std::string_view what) {
  return {ErrorKind::invalid_argument,
          "quire.subscription.invalid_member",
          "subscription_info.{member} {what}.",
          {{"member", std::string(member)}, {"what", std::string(what)}}};
}

struct SubscribedItem {
  Item item;
  Library library;
};
Result<SubscribedItem> find_subscribed_item(View view, const ItemId& id, Privilege privilege) {
  QUIRE_ASSIGN_OR_RETURN(auto item, find_item(view, id, privilege));
  QUIRE_ASSIGN_OR_RETURN(auto library, library_of(view, item));
  if (library.subscription) return SubscribedItem{std::move(item), std::move(library)};
  return Error(ErrorKind::invalid_element_type, "quire.item.not_subscribed",
               "Item {name} belongs to a local library; this works on items of subscribed libraries only.",
               {{"name", item.name}});
}

Result<void> check_subscription_texts(const SubscriptionSpec& spec) {
  struct Bounded {
    std::string_view member;
    const std::optional<std::string>& text;
    std::size_t bytes_max;
  };
  constexpr std::size_t certificate_bytes_max = 64U << 10U;
  for (const auto& [member, text, bytes_max] :
       {Bounded{"subscription_url", spec.subscription_url, subscription_url_bytes_max},
        Bounded{"user_name", spec.user_name, subscription_text_bytes_max},
        Bounded{"password", spec.password, subscription_text_bytes_max},
        Bounded{"ssl_thumbprint", spec.ssl_thumbprint, subscription_text_bytes_max},
        Bounded{"ssl_certificate", spec.ssl_certificate, certificate_bytes_max}})
    if (text && (text->size() > bytes_max || !base::is_text(*text)))
      return invalid_member(member, "must be a text of up to " + std::to_string(bytes_max) + " bytes");
  return {};
}

/// What a new subscription must be told (§4.2).
Result<void> check_new_subscription(const SubscriptionSpec& spec) {
  constexpr std::string_view missing = "is missing";
  if (!spec.subscription_url) return invalid_member("subscription_url", "is missing; it is the URL of a lib.json");
  if (!spec.authentication_method) return invalid_member("authentication_method", missing);
  if (!spec.automatic_sync_enabled) return invalid_member("automatic_sync_enabled", missing);
  if (!spec.on_demand) return invalid_member("on_demand", missing);
  return {};
}

/// With an empty text for "none".
void take_trust(const std::optional<std::string>& given, std::optional<std::string>& kept) {
  if (!given) return;
  kept = given->empty() ? std::nullopt : given;
}

/// What is fetched by other means than before.
bool asks_otherwise(const Subscription& before, const Subscription& after) {
  return before.url != after.url || before.authentication_method != after.authentication_method ||
         before.user_name != after.user_name || before.password != after.password ||
         before.ssl_thumbprint != after.ssl_thumbprint || before.ssl_certificate != after.ssl_certificate;
}

/// The publisher's library, asked for within a call.
Result<vcsp::Library> ask_publisher(Context& context, const Subscription& subscription) {
  return SourceLibrary(context, subscription, never_stopped, call_patience).library();
}

SubscriptionProbe probe_status(const content::FetchOutcome& outcome) {
  switch (outcome.failure) {
    case FetchFailure::none:
      return SubscriptionProbe::success;
    case FetchFailure::unusable_url:
    case FetchFailure::refused_address:
      return SubscriptionProbe::invalid_url;
    case FetchFailure::host_not_found:
      return SubscriptionProbe::host_not_found;
    case FetchFailure::timed_out:
    case FetchFailure::stalled:
      return SubscriptionProbe::timed_out;
    case FetchFailure::certificate:
      return SubscriptionProbe::certificate_error;
    case FetchFailure::unauthorized:
      return SubscriptionProbe::invalid_credentials;
    case FetchFailure::not_there:
      return SubscriptionProbe::resource_not_found;
    default:
      return SubscriptionProbe::unknown_error;
  }
}

/// Automatic synchronizations may begin in this hour of the day in UTC.
bool is_in(const content::SyncWindow& window, base::Time now) {
  const auto hours = std::chrono::floor<std::chrono::hours>(now.time_since_epoch()).count();
  const auto hour = ((hours % 24) + 24) % 24;
  if (window.start_hour == window.stop_hour) return true;
  if (window.start_hour < window.stop_hour) return window.start_hour <= hour && hour < window.stop_hour;
  return window.start_hour <= hour || hour < window.stop_hour;
}

void clear_progress(Subscription& subscription) {
  subscription.version.reset();
  subscription.problem.reset();
  subscription.failures = 0;
}

void remove_all_items(Transaction& t, const Library& library) {
  for (const auto& id : items_of(t, library.id))
    if (const auto item = t->find<Item>(id)) remove_item_with_sessions(t, *item);
}

/// Begins anew, also when a synchronization by what was told before runs.
Result<void> restart_sync(Transaction& t, const Library& library) {
  if (auto task = active_sync_of(t, library.id)) {
    task->cancel_requested = true;
    t->update(*task);
  }
  QUIRE_RETURN_IF_ERROR(begin_library_sync(t, library));
  return {};
}

Result<void> drop_content(Transaction& t, const Item& item) {
  if (!item.cached) return {};
  if (auto source = t->find<content::SourceItem>(item.id)) {
    source->content_document.clear();
    source->problem.reset();
    t->put(*source);
  }
  evict_content(t, item);
  return {};
}

}  // namespace

Result<Subscription> SubscribedLibraries::accept(const Caller& caller, const SubscriptionSpec& spec,
                                                 Subscription subscription) const {
  QUIRE_RETURN_IF_ERROR(check_subscription_texts(spec));
  const auto known_url = subscription.url;
  if (spec.subscription_url) subscription.url = content::SourceUrl(*spec.subscription_url);
  if (subscription.url.empty()) return invalid_member("subscription_url", "is missing; it is the URL of a lib.json");
  if (subscription.url.has_credentials())
    return invalid_member("subscription_url",
                          "holds a user name or password; give these as user_name and password instead");
  const bool has_password = spec.password && !spec.password->empty();
  subscription.authentication_method = spec.authentication_method.value_or(
      has_password ? AuthenticationMethod::BASIC : subscription.authentication_method);
  // What was told to one server is not told to another one that somebody names.
  if (subscription.authentication_method == AuthenticationMethod::BASIC && !known_url.empty() &&
      !subscription.url.same_origin(known_url) && !spec.password)
    return invalid_member("password", "must be given again when subscription_url leads to another server");
  if (spec.user_name) subscription.user_name = spec.user_name;
  if (spec.password) subscription.password = *spec.password;
  if (subscription.authentication_method == AuthenticationMethod::NONE) {
    if (has_password) return invalid_member("password", "is given, but authentication_method is NONE; make that BASIC");
    subscription.password.clear();
  } else if (subscription.password.empty()) {
    return invalid_member("password", "must not be empty with authentication_method BASIC");
  }
  take_trust(spec.ssl_thumbprint, subscription.ssl_thumbprint);
  take_trust(spec.ssl_certificate, subscription.ssl_certificate);
  subscription.automatic_sync_enabled = spec.automatic_sync_enabled.value_or(subscription.automatic_sync_enabled);
  subscription.on_demand = spec.on_demand.value_or(subscription.on_demand);
  if (spec.source_info) subscription.source_info = spec.source_info;
  if (context_.fetcher == nullptr)
    return Error(ErrorKind::unsupported, "quire.subscription.unsupported",
                 "This server does not fetch anything by itself, so it cannot subscribe to libraries.");
  if (subscription.url.is_file()) QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::ContentLibrary_ReadStorage));
  QUIRE_RETURN_IF_ERROR(
      context_.fetcher->check({subscription.url, 0, "", {subscription.ssl_certificate, subscription.ssl_thumbprint}}));
  return subscription;
}

Result<LibraryId> SubscribedLibraries::create(const Caller& caller, const LibrarySpec& spec,
                                              const std::optional<SubscriptionSpec>& subscription_spec,
                                              const std::optional<std::string>& client_token) {
  for (const auto privilege : {Privilege::ContentLibrary_CreateSubscribedLibrary, Privilege::Datastore_AllocateSpace})
    QUIRE_RETURN_IF_ERROR(check_privilege(caller, privilege));
  if (!spec.name)
    return Error(ErrorKind::invalid_argument, "quire.library.no_name",
                 "A new library needs a name: create_spec.name is missing.");
  QUIRE_RETURN_IF_ERROR(check_values(spec, context_.limits));
  QUIRE_ASSIGN_OR_RETURN(const auto placement, place(spec, context_.storages));
  const auto asked = subscription_spec.value_or(SubscriptionSpec());
  QUIRE_RETURN_IF_ERROR(check_new_subscription(asked));
  QUIRE_ASSIGN_OR_RETURN(auto subscription, accept(caller, asked, {}));
  auto parts = digested_parts(spec);
  parts.push_back(subscription.url.text());
  parts.emplace_back(subscription.on_demand ? "on demand" : "immediate");
  parts.emplace_back(subscription.automatic_sync_enabled ? "automatic" : "manual");
  const Creation creation{"com.vmware.content.subscribed_library.create", client_token, spec_digest(parts)};
  QUIRE_ASSIGN_OR_RETURN(const auto published, ask_publisher(context_, subscription));
  subscription.publisher = published.id;
  QUIRE_ASSIGN_OR_RETURN(const auto created,
                         create_once(context_, caller, creation, [&](Transaction& t) -> Result<std::string> {
                           QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
                           auto library = new_library(t, spec);
                           library.type = content::LibraryType::SUBSCRIBED;
                           library.backing = placement.backing;
                           library.storage = placement.storage;
                           library.subscription = subscription;
                           t->insert(library);
                           record(t, EventKind::library_created, library,
                                  {{"name", library.name}, {"subscription_url", subscription.url.shown()}});
                           QUIRE_RETURN_IF_ERROR(request_library_sync(t, library));
                           return library.id.text();
                         }));
  return LibraryId(created.id);
}

Result<void> SubscribedLibraries::update(const Caller& caller, const LibraryId& id, const LibrarySpec& spec,
                                         const std::optional<SubscriptionSpec>& subscription_spec) {
  QUIRE_ASSIGN_OR_RETURN(const auto known, read(context_, caller, [&](View view) {
                           return find_subscribed_library(view, id, Privilege::ContentLibrary_UpdateSubscribedLibrary);
                         }));
  QUIRE_RETURN_IF_ERROR(check_values(spec, context_.limits));
  std::optional<Subscription> wanted;
  bool another_publisher = false;
  if (subscription_spec) {
    QUIRE_ASSIGN_OR_RETURN(wanted, accept(caller, *subscription_spec, *known.subscription));
    if (spec.version) QUIRE_RETURN_IF_ERROR(changed_by(spec, known, ErrorKind::concurrent_change));
    if (asks_otherwise(*known.subscription, *wanted)) {
      QUIRE_ASSIGN_OR_RETURN(const auto published, ask_publisher(context_, *wanted));
      another_publisher = published.id != known.subscription->publisher && !known.subscription->publisher.empty();
      wanted->publisher = published.id;
    }
  }
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           find_subscribed_library(t, id, Privilege::ContentLibrary_UpdateSubscribedLibrary));
    QUIRE_ASSIGN_OR_RETURN(auto changed, changed_by(spec, library, ErrorKind::concurrent_change));
    if (!wanted) {
      write_change(t, library, changed);
      return {};
    }
    const auto& before = *library.subscription;
    if (asks_otherwise(before, *known.subscription))
      return Error(ErrorKind::resource_busy, "quire.subscription.changed_meanwhile",
                   "The subscription of library {name} was changed by somebody else meanwhile; read it and try again.",
                   {{"name", library.name}});
    auto& after = *changed.subscription;
    after = *wanted;
    // How far it has got is as the row tells now.
    after.version = before.version;
    after.last_sync_time = before.last_sync_time;
    after.last_success_time = before.last_success_time;
    after.next_sync_time = before.next_sync_time;
    after.failures = before.failures;
    after.problem = before.problem;
    if (!asks_otherwise(before, after)) after.publisher = before.publisher;
    const bool begins_anew = asks_otherwise(before, after) || before.on_demand != after.on_demand;
    if (begins_anew) clear_progress(after);
    EventDetails details;
    if (before.url != after.url) details.push_back({"subscription_url", after.url.shown()});
    if (before.password != after.password) details.push_back({"subscription_password", std::string("changed")});
    write_change(t, library, changed, std::move(details));
    if (another_publisher) remove_all_items(t, library);
    if (!begins_anew) return {};
    QUIRE_RETURN_IF_ERROR(check_in_service(library));
    const auto current = t->find<Library>(id);
    return restart_sync(t, *current);
  });
}

Result<void> SubscribedLibraries::remove(const Caller& caller, const LibraryId& id, Deletion deletion) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           find_subscribed_library(t, id, Privilege::ContentLibrary_DeleteSubscribedLibrary));
    QUIRE_RETURN_IF_ERROR(check_in_service(library));
    if (deletion == Deletion::unless_used) QUIRE_RETURN_IF_ERROR(check_unused(t, library));
    remove_with_items(t, library);
    return {};
  });
}

Result<void> SubscribedLibraries::sync(const Caller& caller, const LibraryId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_subscribed_library(t, id, Privilege::ContentLibrary_SyncLibrary));
    QUIRE_RETURN_IF_ERROR(request_library_sync(t, library));
    return {};
  });
}

Result<void> SubscribedLibraries::evict(const Caller& caller, const LibraryId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           find_subscribed_library(t, id, Privilege::ContentLibrary_EvictSubscribedLibrary));
    QUIRE_RETURN_IF_ERROR(check_in_service(library));
    if (!library.subscription->on_demand)
      return Error(ErrorKind::not_allowed_in_current_state, "quire.subscription.not_on_demand",
                   "Library {name} is not on demand: its content is to be here, so it cannot be evicted.",
                   {{"name", library.name}});
    for (const auto& item_id : items_of(t, id))
      if (const auto item = t->find<Item>(item_id)) QUIRE_RETURN_IF_ERROR(drop_content(t, *item));
    return {};
  });
}

Result<ProbedSubscription> SubscribedLibraries::probe(const Caller& caller, const SubscriptionSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::ContentLibrary_ProbeSubscription));
  ProbedSubscription probed;
  const auto subscription = accept(caller, spec, {});
  if (!subscription) {
    if (subscription.error().kind() != ErrorKind::invalid_argument) return subscription.error();
    probed.status = SubscriptionProbe::invalid_url;
    probed.messages = subscription.error().messages();
    return probed;
  }
  SourceLibrary source(context_, *subscription, never_stopped, call_patience);
  const auto outcome = context_.fetcher->probe(source.request());
  probed.presented = outcome.presented;
  probed.status = probe_status(outcome);
  if (probed.status != SubscriptionProbe::success) {
    probed.messages = {outcome.reason};
    return probed;
  }
  if (const auto library = source.library(); !library) {
    const auto& failed = source.failed_fetch();
    probed.status = failed ? probe_status(*failed) : SubscriptionProbe::resource_not_found;
    probed.messages = library.error().messages();
  }
  return probed;
}

Result<void> SubscribedLibraries::sync_item(const Caller& caller, const ItemId& id, bool force_content) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto found, find_subscribed_item(t, id, Privilege::ContentLibrary_SyncLibraryItem));
    QUIRE_RETURN_IF_ERROR(request_item_sync(t, found.item, force_content || !found.library.subscription->on_demand));
    return {};
  });
}

Result<void> SubscribedLibraries::evict_item(const Caller& caller, const ItemId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto found, find_subscribed_item(t, id, Privilege::ContentLibrary_EvictLibraryItem));
    QUIRE_RETURN_IF_ERROR(check_in_service(found.library));
    if (!found.library.subscription->on_demand)
      return Error(ErrorKind::invalid_element_configuration, "quire.subscription.not_on_demand",
                   "Library {name} is not on demand: its content is to be here, so it cannot be evicted.",
                   {{"name", found.library.name}});
    return drop_content(t, found.item);
  });
}

Result<SubscriptionStatus> SubscribedLibraries::status(const Caller& caller, const LibraryId& id) {
  return read(context_, caller, [&](View view) -> Result<SubscriptionStatus> {
    QUIRE_ASSIGN_OR_RETURN(auto library, find_subscribed_library(view, id, Privilege::System_Read));
    SubscriptionStatus status{*std::move(library.subscription), active_sync_of(view, id)};
    status.subscription.password.clear();
    status.counts = view->synced_item_counts(id);
    for (const auto& item_id : view->items_with_problem(id, shown_problems_max)) {
      const auto item = view->find<Item>(item_id);
      const auto source = view->find<content::SourceItem>(item_id);
      if (item && source && source->problem) status.problems.push_back({item_id, item->name, *source->problem});
    }
    return status;
  });
}

Result<void> SubscribedLibraries::set_limits(const Caller& caller, const LibraryId& id,
                                             const SubscriptionLimits& limits) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           find_subscribed_library(t, id, Privilege::ContentLibrary_UpdateSubscribedLibrary));
    const auto is_hour = [](std::int64_t hour) { return hour >= 0 && hour <= 23; };
    if (limits.bytes_per_second_max < 0)
      return Error(ErrorKind::invalid_argument, "quire.subscription.bad_rate",
                   "bytes_per_second_max is {value}; it must be 0, for no limit, or greater.",
                   {{"value", limits.bytes_per_second_max}});
    if (limits.window && !(is_hour(limits.window->start_hour) && is_hour(limits.window->stop_hour)))
      return Error(ErrorKind::invalid_argument, "quire.subscription.bad_window",
                   "A window needs both its hours, when it begins and when it ends: of the day in UTC, from 0 to 23.");
    auto changed = library;
    changed.subscription->bytes_per_second_max = limits.bytes_per_second_max;
    changed.subscription->window = limits.window;
    write_change(t, library, changed, {{"bytes_per_second_max", limits.bytes_per_second_max}});
    return {};
  });
}

Result<void> SubscribedLibraries::convert(const Caller& caller, const LibraryId& id) {
  QUIRE_ASSIGN_OR_RETURN(const auto known, read(context_, caller, [&](View view) {
                           return find_subscribed_library(view, id, Privilege::ContentLibrary_ConvertLibrary);
                         }));
  const bool has_password = known.subscription->authentication_method == AuthenticationMethod::BASIC;
  std::string password_hash;
  if (has_password) {
    QUIRE_ASSIGN_OR_RETURN(password_hash,
                           hash_of_password(known.subscription->password, context_.settings.password_cost));
  }
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           find_subscribed_library(t, id, Privilege::ContentLibrary_ConvertLibrary));
    QUIRE_RETURN_IF_ERROR(check_in_service(library));
    if (active_sync_of(t, id) || library.subscription->password != known.subscription->password)
      return Error(ErrorKind::not_allowed_in_current_state, "quire.subscription.being_synchronized",
                   "Library {name} is being synchronized; convert it when that has ended.", {{"name", library.name}});
    for (const auto& item_id : items_of(t, id)) {
      const auto item = t->find<Item>(item_id);
      if (item && !item->cached)
        return Error(
            ErrorKind::not_allowed_in_current_state, "quire.subscription.item_not_cached",
            "The content of item {item} is not here, so library {name} cannot stand on its own; synchronize it "
            "with its content first.",
            {{"item", item->name}, {"name", library.name}});
      t->remove<content::SourceItem>(item_id);
      if (!item) continue;
      auto own = *item;
      own.last_sync_time.reset();
      t->update(own);
    }
    auto changed = library;
    changed.type = content::LibraryType::LOCAL;
    changed.subscription.reset();
    changed.published = true;
    changed.publish_authentication = has_password ? AuthenticationMethod::BASIC : AuthenticationMethod::NONE;
    changed.publish_password_hash = password_hash;
    ++changed.generation;
    write_change(t, library, changed, {{"type", std::string(base::name_of(changed.type))}});
    record(t, EventKind::library_published, changed,
           {{"name", changed.name}, {"authentication", std::string(base::name_of(changed.publish_authentication))}});
    return {};
  });
}

Result<void> SubscribedLibraries::sync_due() {
  const auto worker = system_caller("automatic synchronization");
  const auto is_due = [&](View view, const Library& library, const ConfigurationModel& configuration) {
    const auto& state = library.subscription;
    if (!state || !state->automatic_sync_enabled || library.state != content::LibraryState::ACTIVE) return false;
    const auto now = context_.clock.now();
    const content::SyncWindow service_wide{configuration.automatic_sync_start_hour.value_or(0),
                                           configuration.automatic_sync_stop_hour.value_or(0)};
    // A time that lies farther ahead than one can is from before the clock was set back.
    const auto interval = std::chrono::minutes(configuration.automatic_sync_refresh_interval.value_or(1));
    const auto next = state->next_sync_time.value_or(base::Time());
    return (next <= now || next > now + 2 * interval) && is_in(state->window.value_or(service_wide), now) &&
           !active_sync_of(view, library.id);
  };
  QUIRE_ASSIGN_OR_RETURN(const auto due, read(context_, worker, [&](View view) -> Result<std::vector<LibraryId>> {
                           std::vector<LibraryId> found;
                           const auto configuration = configuration_of(view);
                           if (!configuration.automatic_sync_enabled.value_or(false)) return found;
                           content::LibraryFilter subscribed;
                           subscribed.type = content::LibraryType::SUBSCRIBED;
                           for (const auto& id : view->libraries(subscribed))
                             if (const auto library = view->find<Library>(id);
                                 library && is_due(view, *library, configuration))
                               found.push_back(id);
                           return found;
                         }));
  for (const auto& id : due)
    QUIRE_RETURN_IF_ERROR(write(context_, worker, [&](Transaction& t) -> Result<void> {
      const auto library = t->find<Library>(id);
      if (!library || !is_due(t, *library, configuration_of(t))) return {};
      QUIRE_RETURN_IF_ERROR(request_library_sync(t, *library));
      return {};
    }));
  return {};
}

}  // namespace quire::service
