#include "service/library/publishing.h"

#include "base/utf8.h"
#include "service/access/passwords.h"
#include "service/transaction/events.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::AuthenticationMethod;
using content::Library;

constexpr std::string_view user_name = "vcsp";  // vcsp.md §6.3
constexpr std::size_t password_bytes_max = 1024;

Error invalid(std::string id, std::string_view text, std::vector<base::MessageParam> params = {}) {
  return {ErrorKind::invalid_argument, std::move(id), text, std::move(params)};
}

Result<void> check_values(const PublishSpec& spec) {
  if (spec.user_name && !spec.user_name->empty() && *spec.user_name != user_name)
    return invalid("quire.library.publish_user", "Subscribers log in as {user}; leave publish_info.user_name out.",
                   {{"user", std::string(user_name)}});
  if (spec.password && (spec.password->size() > password_bytes_max || !base::is_text(*spec.password)))
    return invalid("quire.library.bad_publish_password", "The password must be a text of up to {limit} bytes.",
                   {{"limit", static_cast<std::int64_t>(password_bytes_max)}});
  return {};
}

/// Whether `given` is the library's password now; whoever guesses has to wait.
Result<bool> is_current(const Context& context, LoginThrottle& throttle, const content::Caller& caller,
                        const Library& library, const std::string& given) {
  const auto key = publication_key(library.id);
  QUIRE_RETURN_IF_ERROR(
      throttle.check(key, caller.origin.address, context.clock.uptime(), ErrorKind::invalid_argument));
  if (given.empty()) return false;
  return is_password_of(library.publish_password_hash, given);
}

Result<void> check_current_password(const Context& context, LoginThrottle& throttle, const content::Caller& caller,
                                    const Library& library, const PublishSpec& spec) {
  const auto key = publication_key(library.id);
  QUIRE_ASSIGN_OR_RETURN(const bool right,
                         is_current(context, throttle, caller, library, spec.current_password.value_or("")));
  if (right) {
    throttle.succeeded(key, caller.origin.address);
    return {};
  }
  // A new password that is not the present one is a guess too.
  throttle.failed(key, caller.origin.address, context.clock.uptime());
  return invalid("quire.library.wrong_current_password",
                 "Library {name} is published with a password. To change that password, to publish without one or to "
                 "end the publication, give the present one as publish_info.current_password.",
                 {{"name", library.name}});
}

}  // namespace

std::string publication_key(const content::LibraryId& id) { return "publication\t" + id.text(); }

Result<PublishingChange> plan_publishing(Context& context, LoginThrottle& throttle, const content::Caller& caller,
                                         const Library& library, const PublishSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_values(spec));
  PublishingChange change{spec.published.value_or(library.published),
                          spec.persist_json_enabled.value_or(library.persist_json), library.publish_authentication,
                          library.publish_password_hash, library.publish_password_hash};
  change.authentication = spec.authentication_method.value_or(library.publish_authentication);
  const bool has_password = spec.password && !spec.password->empty();
  if (has_password) change.authentication = AuthenticationMethod::BASIC;
  const bool basic = change.authentication == AuthenticationMethod::BASIC;
  if (basic && !has_password && (spec.password || library.publish_password_hash.empty()))
    return invalid("quire.library.no_publish_password",
                   "Publishing with BASIC needs a password that is not empty: publish_info.password.");
  const bool was_basic = library.publish_authentication == AuthenticationMethod::BASIC;
  bool new_password = has_password;
  if (has_password && was_basic) {
    QUIRE_ASSIGN_OR_RETURN(const bool same, is_current(context, throttle, caller, library, *spec.password));
    new_password = !same;
  }
  if (was_basic && (!basic || new_password || (library.published && !change.published)))
    QUIRE_RETURN_IF_ERROR(check_current_password(context, throttle, caller, library, spec));
  if (!basic) change.password_hash.clear();
  if (new_password) {
    QUIRE_ASSIGN_OR_RETURN(change.password_hash, hash_of_password(*spec.password, context.settings.password_cost));
  }
  return change;
}

Result<void> apply_publishing(const PublishingChange& change, Library& library) {
  if (library.publish_password_hash != change.hash_before)
    return Error(ErrorKind::resource_busy, "quire.library.publishing_changed",
                 "The publication of library {name} was changed by somebody else meanwhile; read it and try again.",
                 {{"name", library.name}});
  if (change.published && !library.published) ++library.generation;
  library.published = change.published;
  library.persist_json = change.persist_json;
  library.publish_authentication = change.authentication;
  library.publish_password_hash = change.password_hash;
  return {};
}

Result<void> check_published(const Library& library) {
  if (library.published) return {};
  return Error(ErrorKind::not_allowed_in_current_state, "quire.subscription.not_published",
               "Library {name} is not published, so it has no subscriptions; publish it first.",
               {{"name", library.name}});
}

void record_publishing(Transaction& t, const Library& before, const Library& after) {
  const EventDetails details{{"name", after.name},
                             {"authentication", std::string(base::name_of(after.publish_authentication))}};
  if (after.published && !before.published) record(t, content::EventKind::library_published, after, details);
  if (!after.published && before.published) record(t, content::EventKind::library_unpublished, after, details);
}

}  // namespace quire::service
