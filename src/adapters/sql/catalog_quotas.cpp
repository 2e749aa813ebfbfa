#include <algorithm>
#include <string>
#include <vector>

#include "adapters/sql/catalog_view.h"
#include "adapters/sql/sql_text.h"
#include "content/default_quota.h"

/// The use of quotas. It is kept while there are quotas at all, for owners that have one: each row that is written adds
/// what it takes more than before to the rows of its owners.
namespace quire::adapters::sql {

using content::Item;
using content::Quota;
using content::QuotaKind;
using content::QuotaOwner;
using content::QuotaUse;
using content::SessionFile;
using content::UpdateSession;
using content::UpdateSessionId;

namespace {

QuotaUse use_of(const Item& item) { return {1, item.size, item.reserved}; }

bool is_active(const UpdateSession* session) {
  return session != nullptr && session->state == content::UpdateSessionState::ACTIVE;
}

std::int64_t reserved_by(const std::vector<SessionFile>& files) {
  std::int64_t bytes = 0;
  for (const auto& file : files) bytes += content::reserved_bytes(file);
  return bytes;
}

}  // namespace

bool CatalogView::has_quotas() {
  // The names of the defaults by range: LIKE would go through all settings.
  static const std::string first(content::default_quota_settings);
  static const std::string behind = first.substr(0, first.size() - 1) + static_cast<char>(first.back() + 1);
  return connection_
      .one<int>("SELECT 1 FROM quotas UNION ALL SELECT 1 FROM settings WHERE name >= :first AND name < :behind LIMIT 1",
                first, behind)
      .has_value();
}

std::vector<Quota> CatalogView::quotas(QuotaKind kind) {
  static const std::string sql = select_from<Quota>("WHERE kind = :kind ORDER BY owner");
  return connection_.all<Quota>(sql, kind);
}

QuotaUse CatalogView::use_of(const QuotaOwner& owner) {
  const std::string of_owner =
      owner.kind == QuotaKind::LIBRARY ? " FROM items WHERE library_id = :owner" : " FROM items WHERE creator = :owner";
  const auto sum = [&](const std::string& what) {
    return connection_.one<std::int64_t>("SELECT CAST(" + what + " AS BIGINT)" + of_owner, owner.name).value_or(0);
  };
  QuotaUse use{sum("COUNT(*)"), sum("COALESCE(SUM(size), 0)"), sum("COALESCE(SUM(reserved), 0)")};
  const auto sessions = connection_.all<UpdateSessionId>(
      "SELECT id FROM update_sessions WHERE state = 'ACTIVE' AND item_id IN (SELECT id" + of_owner + ") ORDER BY id",
      owner.name);
  static const std::string files = select_from<SessionFile>("WHERE session_id = :session_id");
  for (const auto& session : sessions) use.reserved += reserved_by(connection_.all<SessionFile>(files, session));
  return use;
}

bool CatalogView::keeps_use() {
  if (!keeps_use_) keeps_use_ = has_quotas();
  return *keeps_use_;
}

void CatalogView::count(const Item* before, const Item* after) {
  const auto count_for = [&](auto owner_of) {
    if (before != nullptr && after != nullptr && owner_of(*before) == owner_of(*after)) {
      add_use(owner_of(*after), sql::use_of(*after) - sql::use_of(*before));
      return;
    }
    if (before != nullptr) add_use(owner_of(*before), QuotaUse() - sql::use_of(*before));
    if (after != nullptr) add_use(owner_of(*after), sql::use_of(*after));
  };
  count_for([](const Item& item) { return QuotaOwner::of_library(item.library_id); });
  count_for([](const Item& item) { return QuotaOwner{QuotaKind::USER, item.creator}; });
}

/// A session that begins has no files yet; one that ends or goes gives back what they had reserved.
void CatalogView::count(const UpdateSession* before, const UpdateSession* after) {
  if (!is_active(before) || is_active(after)) return;
  std::vector<SessionFile> files;
  list_parts(content::ListParts<SessionFile>{before->id, files});
  add_reserved(*before, -reserved_by(files));
}

void CatalogView::count(const SessionFile* before, const SessionFile* after, const UpdateSessionId& id) {
  const auto growth = (after == nullptr ? 0 : content::reserved_bytes(*after)) -
                      (before == nullptr ? 0 : content::reserved_bytes(*before));
  if (growth == 0) return;
  const auto session = find<UpdateSession>(id);
  if (session && is_active(&*session)) add_reserved(*session, growth);
}

void CatalogView::add_reserved(const UpdateSession& session, std::int64_t bytes) {
  const auto item = find<Item>(session.item_id);
  if (!item) return;
  add_use(QuotaOwner::of_library(item->library_id), {0, 0, bytes});
  add_use({QuotaKind::USER, item->creator}, {0, 0, bytes});
}

void CatalogView::add_use(const QuotaOwner& owner, const QuotaUse& growth) {
  if (growth == QuotaUse() || owner.name.empty()) return;
  connection_.run(
      "UPDATE quotas SET items = items + :items, bytes = bytes + :bytes, reserved = reserved + :reserved"
      " WHERE kind = :kind AND owner = :owner",
      growth.items, growth.bytes, growth.reserved, owner.kind, owner.name);
  const auto known = std::find_if(growth_.begin(), growth_.end(), [&](const auto& one) { return one.first == owner; });
  if (known == growth_.end())
    growth_.emplace_back(owner, growth);
  else
    known->second += growth;
}

std::vector<content::ExceededQuota> CatalogView::exceeded_quotas() {
  std::vector<content::ExceededQuota> exceeded;
  for (const auto& [owner, growth] : growth_) {
    if (growth.items <= 0 && growth.all_bytes() <= 0) continue;
    const auto quota = quota_in_force(owner);
    if (!quota) continue;
    const bool items = growth.items > 0 && quota->items_max && quota->items > *quota->items_max;
    const bool bytes = growth.all_bytes() > 0 && quota->bytes_max && quota->use().all_bytes() > *quota->bytes_max;
    if (items || bytes) exceeded.push_back({*quota, growth});
  }
  return exceeded;
}

/// With the limits of the default for an owner without limits of its own. nullopt when there is nothing that limits.
std::optional<Quota> CatalogView::quota_in_force(const QuotaOwner& owner) {
  auto quota = find<Quota>(owner);
  if (quota && quota->limits().any()) return quota;
  const auto limits = content::default_quota(*this, owner.kind);
  if (!limits.any()) return std::nullopt;
  if (!quota) {  // counted once; from now on every change adds to it
    const auto use = use_of(owner);
    quota = Quota{owner.kind, owner.name, {}, {}, use.items, use.bytes, use.reserved};
    insert(*quota);
  }
  quota->limit(limits);
  return quota;
}

}  // namespace quire::adapters::sql
