#include "service/quota/quotas.h"

#include "content/default_quota.h"
#include "content/text.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::LibraryId;
using content::Privilege;
using content::Quota;
using content::QuotaKind;
using content::QuotaOwner;

constexpr auto needed_privilege = Privilege::Authorization_ModifyPermissions;

Result<void> check_limits(const QuotaLimits& limits) {
  if (!limits.items && !limits.bytes)
    return Error(ErrorKind::invalid_argument, "quire.quota.no_limit",
                 "A quota limits bytes, items or both; give at least one, or delete the quota.");
  for (const auto& [name, limit] : {std::pair("bytes", limits.bytes), std::pair("items", limits.items)})
    if (limit && *limit < 0)
      return Error(ErrorKind::invalid_argument, "quire.quota.negative_limit",
                   "The limit of {name} is {limit}; it cannot be negative.", {{"name", name}, {"limit", *limit}});
  return {};
}

/// `quota` with the limits of the default when it has none of its own.
QuotaInForce in_force(View view, const Quota& quota) {
  QuotaInForce found{quota, QuotaSource::OWN};
  if (quota.limits().any()) return found;
  const auto limits = content::default_quota(view.catalog(), quota.kind);
  found.limit(limits);
  found.source = limits.any() ? QuotaSource::DEFAULT : QuotaSource::NONE;
  return found;
}

/// With the use counted anew where nothing keeps it up to date.
QuotaInForce with_use(View view, const QuotaOwner& owner) {
  if (const auto quota = view->find<Quota>(owner)) return in_force(view, *quota);
  const auto use = view->use_of(owner);
  return in_force(view, {owner.kind, owner.name, std::nullopt, std::nullopt, use.items, use.bytes, use.reserved});
}

void record(Transaction& t, EventKind kind, const QuotaOwner& owner, EventDetails details) {
  const bool of_library = owner.kind == QuotaKind::LIBRARY;
  details.push_back({"type", std::string(base::name_of(owner.kind))});
  t.record({kind, of_library ? LibraryId(owner.name) : LibraryId(), content::ItemId(), owner.name, std::move(details)});
}

Result<void> set(Transaction& t, const QuotaOwner& owner, const QuotaLimits& limits) {
  const auto before = t->find<Quota>(owner);
  if (before && before->items_max == limits.items && before->bytes_max == limits.bytes) return {};
  if (!before) QUIRE_RETURN_IF_ERROR(check_room_to_grow(t.context()));
  const auto use = t->use_of(owner);
  t->put(Quota{owner.kind, owner.name, limits.items, limits.bytes, use.items, use.bytes, use.reserved});
  EventDetails details;
  if (limits.bytes) details.push_back({"bytes", *limits.bytes});
  if (limits.items) details.push_back({"items", *limits.items});
  record(t, EventKind::quota_set, owner, std::move(details));
  return {};
}

}  // namespace

Result<QuotaInForce> Quotas::of_library(const Caller& caller, const LibraryId& library) {
  return read(context_, caller, [&](View view) -> Result<QuotaInForce> {
    QUIRE_RETURN_IF_ERROR(find_library(view, library, Privilege::System_Read));
    return with_use(view, QuotaOwner::of_library(library));
  });
}

Result<QuotaInForce> Quotas::of_user(const Caller& caller, const std::string& user) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, needed_privilege));
  QUIRE_RETURN_IF_ERROR(content::check_text("user", user, context_.limits.name_chars_max));
  return read(context_, caller,
              [&](View view) -> Result<QuotaInForce> { return with_use(view, QuotaOwner::of_user(user)); });
}

Result<QuotaInForce> Quotas::own(const Caller& caller) {
  return read(context_, caller,
              [&](View view) -> Result<QuotaInForce> { return with_use(view, QuotaOwner::of_user(caller.user)); });
}

Result<std::vector<QuotaInForce>> Quotas::list(const Caller& caller, QuotaKind kind) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, needed_privilege));
  return read(context_, caller, [&](View view) -> Result<std::vector<QuotaInForce>> {
    std::vector<QuotaInForce> all;
    for (const auto& quota : view->quotas(kind)) all.push_back(in_force(view, quota));
    return all;
  });
}

Result<void> Quotas::set_of_library(const Caller& caller, const LibraryId& library, const QuotaLimits& limits) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, needed_privilege));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(find_library(t, library, Privilege::System_Read));
    QUIRE_RETURN_IF_ERROR(check_limits(limits));
    return set(t, QuotaOwner::of_library(library), limits);
  });
}

Result<void> Quotas::set_of_user(const Caller& caller, const std::string& user, const QuotaLimits& limits) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, needed_privilege));
  QUIRE_RETURN_IF_ERROR(content::check_name("user", user, context_.limits.name_chars_max));
  QUIRE_RETURN_IF_ERROR(check_limits(limits));
  return write(context_, caller,
               [&](Transaction& t) -> Result<void> { return set(t, QuotaOwner::of_user(user), limits); });
}

Result<void> Quotas::remove(const Caller& caller, const QuotaOwner& owner) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, needed_privilege));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    const bool of_library = owner.kind == QuotaKind::LIBRARY;
    if (of_library) QUIRE_RETURN_IF_ERROR(find_library(t, LibraryId(owner.name), Privilege::System_Read));
    if (!of_library) QUIRE_RETURN_IF_ERROR(content::check_text("user", owner.name, t.context().limits.name_chars_max));
    const auto quota = t->find<Quota>(owner);
    if (!quota || !quota->limits().any())
      return Error(ErrorKind::not_found, "quire.quota.not_found", "{owner} has no quota of its own.",
                   {{"owner", owner.name}});
    t->remove<Quota>(owner);
    record(t, EventKind::quota_deleted, owner, {});
    return {};
  });
}

}  // namespace quire::service
