#include "service/access/users.h"

#include <limits>

#include "content/text.h"
#include "service/access/access_rules.h"
#include "service/access/passwords.h"
#include "service/session/session_access.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::Privilege;
using content::User;

Result<void> check_description(const std::optional<std::string>& description, const content::Limits& limits) {
  return content::check_text("description", description.value_or(""), limits.description_chars_max);
}

Result<void> check_password(const std::string& password, const content::Limits& limits) {
  const auto length = content::code_points(password);
  if (length && *length >= limits.password_length_min) return {};
  return Error(ErrorKind::invalid_argument, "quire.access.password_too_short",
               "A password must be UTF-8 text of at least {limit} characters.",
               {{"limit", static_cast<std::int64_t>(limits.password_length_min)}});
}

/// A user whom the caller may change.
Result<User> find_lesser_user(View view, const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(auto user, find_user(view, name));
  QUIRE_RETURN_IF_ERROR(
      check_holds(view.caller(), content::Grants(view->granted_roles(user.name, {})), "user " + user.name));
  return user;
}

/// What the user began goes, with the links to it. Sessions before logins: the order of every transfer.
void end_all_of(Transaction& t, const User& user, const std::string& why) {
  for (const auto& id : t->update_sessions(user.name, std::nullopt))
    if (const auto session = t->find<content::UpdateSession>(id)) discard_session(t, *session, why);
  for (const auto& id : t->download_sessions(user.name, std::nullopt))
    if (const auto session = t->find<content::DownloadSession>(id)) discard_session(t, *session, why);
  t->remove_logins_of(user.name, {});
}

/// They go on; the next user of the name does not see them.
void disown_tasks(Transaction& t, const User& user) {
  for (const auto& id : t->tasks(user.name, std::numeric_limits<std::int32_t>::max()))
    if (auto task = t->find<content::Task>(id)) {
      task->user.clear();
      t->update(*task);
    }
}

Error wrong_password() {
  return {ErrorKind::invalid_argument, "quire.access.wrong_password", "The old password is wrong."};
}

}  // namespace

Result<std::vector<std::string>> Users::list(const Caller& caller) {
  return read_governed(context_, caller,
                       [](View view) -> Result<std::vector<std::string>> { return names_of(view->users()); });
}

Result<UserView> Users::get(const Caller& caller, const std::string& name) {
  return read_governed(context_, caller, [&](View view) -> Result<UserView> {
    QUIRE_ASSIGN_OR_RETURN(auto user, find_user(view, name));
    auto groups = view->groups_of(user.name);
    return UserView{std::move(user), std::move(groups)};
  });
}

Result<void> Users::create(const Caller& caller, const User& user, const std::string& password) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  QUIRE_RETURN_IF_ERROR(check_principal_name(user.name, context_.limits));
  QUIRE_RETURN_IF_ERROR(check_description(user.description, context_.limits));
  QUIRE_RETURN_IF_ERROR(check_password(password, context_.limits));
  QUIRE_ASSIGN_OR_RETURN(const auto hash, hash_of_password(password, context_.settings.password_cost));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    if (t->find<User>(user.name))
      return Error(ErrorKind::already_exists, "quire.access.user_exists", "There is a user {user} already.",
                   {{"user", user.name}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    t->insert(User{user.name, hash, user.description});
    record_access(t, EventKind::user_created, user.name);
    return {};
  });
}

Result<void> Users::update(const Caller& caller, const std::string& name, const UserSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto before, find_lesser_user(t, name));
    QUIRE_RETURN_IF_ERROR(check_description(spec.description, context_.limits));
    User user = before;
    EventDetails details;
    if (spec.description && *spec.description != user.description) {
      user.description = *spec.description;
      details.push_back({"description", user.description});
    }
    if (spec.enabled && *spec.enabled != user.enabled) {
      user.enabled = *spec.enabled;
      details.push_back({"enabled", user.enabled ? "true" : "false"});
    }
    if (user == before) return {};
    t->update(user);
    if (before.enabled && !user.enabled) {
      QUIRE_RETURN_IF_ERROR(check_administrator_left(t));
      end_all_of(t, user, "its user was disabled");
    }
    record_access(t, EventKind::user_updated, user.name, std::move(details));
    return {};
  });
}

Result<void> Users::set_password(const Caller& caller, const std::string& name, const std::string& password) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  QUIRE_RETURN_IF_ERROR(
      read(context_, caller, [&](View view) -> Result<User> { return find_lesser_user(view, name); }));
  QUIRE_RETURN_IF_ERROR(check_password(password, context_.limits));
  QUIRE_ASSIGN_OR_RETURN(const auto hash, hash_of_password(password, context_.settings.password_cost));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto user, find_lesser_user(t, name));
    user.password_hash = hash;
    t->update(user);
    t->remove_logins_of(user.name, {});
    record_access(t, EventKind::user_password_set, user.name);
    return {};
  });
}

Result<void> Users::check_old_password(const Caller& caller, const std::string& hash, const std::string& password) {
  const auto address = caller.origin.address;
  // The caller's token is good, so nobody is told to log in again.
  QUIRE_RETURN_IF_ERROR(
      throttle_.check(caller.user, address, context_.clock.uptime(), ErrorKind::not_allowed_in_current_state));
  if (password.empty()) return wrong_password();  // nobody has it, and libsodium wants a pointer
  if (!is_password_of(hash, password)) {
    throttle_.failed(caller.user, address, context_.clock.uptime());
    return wrong_password();
  }
  throttle_.succeeded(caller.user, address);
  return {};
}

Result<void> Users::change_password(const Caller& caller, const std::string& old_password,
                                    const std::string& new_password) {
  const auto find_own = [&](View view) -> Result<User> {
    if (auto user = view->find<User>(caller.user)) return *std::move(user);
    return Error(ErrorKind::not_allowed_in_current_state, "quire.access.user_from_outside",
                 "The password of {user} is not kept here; change it where it is kept.", {{"user", caller.user}});
  };
  QUIRE_ASSIGN_OR_RETURN(const auto before, read(context_, caller, find_own));
  QUIRE_RETURN_IF_ERROR(check_old_password(caller, before.password_hash, old_password));
  QUIRE_RETURN_IF_ERROR(check_password(new_password, context_.limits));
  QUIRE_ASSIGN_OR_RETURN(const auto hash, hash_of_password(new_password, context_.settings.password_cost));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto user, find_own(t));
    // Somebody else has set it meanwhile: the old one is old no more.
    if (user.password_hash != before.password_hash) return wrong_password();
    user.password_hash = hash;
    t->update(user);
    t->remove_logins_of(user.name, caller.login);
    record_access(t, EventKind::user_password_set, user.name);
    return {};
  });
}

Result<void> Users::remove(const Caller& caller, const std::string& name) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto user, find_lesser_user(t, name));
    content::PermissionFilter own;
    own.principal = user.name;
    own.type = content::PrincipalType::USER;
    t->remove_permissions(own);
    t->remove_memberships(user.name);
    end_all_of(t, user, "its user was removed");
    disown_tasks(t, user);
    t->remove_api_tokens_of(user.name);
    t->remove<User>(user.name);
    QUIRE_RETURN_IF_ERROR(check_administrator_left(t));
    record_access(t, EventKind::user_deleted, user.name);
    return {};
  });
}

Result<bool> Users::has_any() {
  return context_.catalog.read([](content::CatalogReader& reader) -> Result<bool> { return !reader.users().empty(); });
}

Result<void> Users::make_administrator(const std::string& name, const std::string& password) {
  if (password.empty())
    return Error(ErrorKind::invalid_argument, "quire.user.empty_password", "The password of {user} must not be empty.",
                 {{"user", name}});
  QUIRE_ASSIGN_OR_RETURN(const auto hash, hash_of_password(password, context_.settings.password_cost));
  return write(context_, system_caller("administration"), [&](Transaction& t) -> Result<void> {
    if (!t->users().empty()) return {};
    t->insert(User{name, hash});
    t->insert(content::Permission{name, content::PrincipalType::USER, {}, content::administrator_role});
    record_access(t, EventKind::user_created, name);
    return {};
  });
}

}  // namespace quire::service
