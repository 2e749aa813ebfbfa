#pragma once

#include "content/catalog.h"
#include "content/quota.h"

/// The quota of everybody who has none of their own, one for libraries and one for users. It stands in the catalog, so
/// that all servers of one catalog keep the same; each start writes what its settings say.
namespace quire::content {

/// The default quotas, as they are set.
struct DefaultQuotas {
  std::int64_t library_items = 0;  ///< these four: 0 is no limit
  std::int64_t library_bytes = 0;
  std::int64_t user_items = 0;
  std::int64_t user_bytes = 0;
};

/// Without limits when there is none.
QuotaLimits default_quota(CatalogReader& reader, QuotaKind kind);

/// Whether they are the catalog's already.
bool are_default_quotas(CatalogReader& reader, const DefaultQuotas& defaults);

/// Makes them the catalog's. Where there is no default any more, no use is kept for it either.
void put_default_quotas(CatalogWriter& writer, const DefaultQuotas& defaults);

/// The settings of the catalog that hold them; for the query whether there are any.
inline constexpr std::string_view default_quota_settings = "quota.default.";

}  // namespace quire::content
