#include "service/access/api_tokens.h"

#include <algorithm>

#include "content/text.h"
#include "service/access/access_rules.h"
#include "service/access/logins.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::ApiTokenScope;
using content::Caller;
using content::EventKind;
using content::LoginId;
using content::LoginSession;
using content::Privilege;

constexpr std::string_view secret_prefix = "quire_";

Error invalid(std::string id, std::string_view text) { return {ErrorKind::invalid_argument, std::move(id), text}; }

bool governs_all(const Caller& caller) {
  return caller.grants->on_root().has(Privilege::Authorization_ModifyPermissions);
}

bool is_own(const Caller& caller, const std::string& user) {
  return content::fold_case(caller.user) == content::fold_case(user);
}

Result<void> check_scope(View view, const ApiTokenScope& scope, base::Time now, const content::Limits& limits) {
  if (scope.libraries)
    for (const auto& library : *scope.libraries)
      QUIRE_RETURN_IF_ERROR(find_library(view, library, Privilege::System_Read));
  QUIRE_RETURN_IF_ERROR(content::check_name("name", scope.name, limits.name_chars_max));
  if (scope.expires && *scope.expires <= now)
    return invalid("quire.access.token_expired", "The moment when the token would expire has passed.");
  if (scope.libraries && scope.libraries->empty())
    return invalid("quire.access.token_without_libraries",
                   "The list of libraries is empty, so the token could do nothing. Leave it out for all libraries.");
  if (scope.privileges && scope.privileges->list().empty())
    return invalid(
        "quire.access.token_without_privileges",
        "The list of privileges is empty, so the token could do nothing. Leave it out for all that you have.");
  return {};
}

/// A token that the caller may see; to others it is not there.
Result<LoginSession> find_token(View view, const LoginId& id) {
  auto login = view->find<LoginSession>(id);
  if (login && login->api_token && (is_own(view.caller(), login->user) || governs_all(view.caller())))
    return *std::move(login);
  return Error(ErrorKind::not_found, "quire.access.token_not_found", "There is no API token {token}.",
               {{"token", id.text()}});
}

}  // namespace

Result<NewApiToken> ApiTokens::create(const Caller& caller, const ApiTokenScope& scope) {
  const auto secret = std::string(secret_prefix) + context_.identities.secret();
  const auto id = login_id_of(secret);
  QUIRE_RETURN_IF_ERROR(write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(check_scope(t, scope, t.wall_time(), context_.limits));
    if (!caller.api_token.empty())
      return Error(ErrorKind::not_allowed_in_current_state, "quire.access.token_made_by_token",
                   "An API token cannot make another one. Log in with a password.");
    const auto login = t->find<LoginSession>(caller.login);
    const auto own = t->api_tokens(caller.user);
    if (own.size() >= context_.limits.api_tokens_of_user_max)
      return Error(
          ErrorKind::unable_to_allocate_resource, "quire.access.too_many_tokens",
          "{user} has {limit} API tokens, which is the limit; remove some that are not used any more.",
          {{"user", caller.user}, {"limit", static_cast<std::int64_t>(context_.limits.api_tokens_of_user_max)}});
    const auto same_name = [&](const LoginSession& token) { return token.api_token->name == scope.name; };
    if (std::any_of(own.begin(), own.end(), same_name))
      return Error(ErrorKind::already_exists, "quire.access.token_exists", "{user} has an API token {name} already.",
                   {{"user", caller.user}, {"name", scope.name}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    t->insert(
        LoginSession{id, caller.user, t.now(), t.now(), login ? login->groups : std::vector<std::string>(), scope});
    record_access(t, EventKind::api_token_created, caller.user, {{"name", scope.name}});
    return {};
  }));
  return NewApiToken{id, secret};
}

Result<std::vector<LoginSession>> ApiTokens::list(const Caller& caller, const std::optional<std::string>& user) {
  if (user && !is_own(caller, *user))
    QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  return read(context_, caller, [&](View view) -> Result<std::vector<LoginSession>> {
    auto name = caller.user;
    if (user && !is_own(caller, *user)) {
      QUIRE_ASSIGN_OR_RETURN(const auto other, find_user(view, *user));
      name = other.name;
    }
    auto tokens = view->api_tokens(name);
    for (auto& token : tokens) {
      token.created = context_.leases.shown(token.created);
      token.last_accessed = context_.leases.shown(token.last_accessed);
    }
    return tokens;
  });
}

Result<LoginSession> ApiTokens::get(const Caller& caller, const LoginId& id) {
  QUIRE_ASSIGN_OR_RETURN(
      auto token, read(context_, caller, [&](View view) -> Result<LoginSession> { return find_token(view, id); }));
  token.created = context_.leases.shown(token.created);
  token.last_accessed = context_.leases.shown(token.last_accessed);
  return token;
}

Result<void> ApiTokens::remove(const Caller& caller, const LoginId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto token, find_token(t, id));
    t->remove<LoginSession>(id);
    record_access(t, EventKind::api_token_deleted, token.user, {{"name", token.api_token->name}});
    return {};
  });
}

}  // namespace quire::service
