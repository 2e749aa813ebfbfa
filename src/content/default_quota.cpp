#include "content/default_quota.h"

#include <charconv>

namespace quire::content {
namespace {

std::string name_of_setting(QuotaKind kind, std::string_view limit) {
  return std::string(default_quota_settings) + std::string(base::name_of(kind)) + '.' + std::string(limit);
}

std::optional<std::int64_t> read_limit(CatalogReader& reader, QuotaKind kind, std::string_view name) {
  const auto text = reader.setting(name_of_setting(kind, name));
  std::int64_t limit = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), limit).ec != std::errc()) return std::nullopt;
  return limit;
}

void put_limit(CatalogWriter& writer, QuotaKind kind, std::string_view name, std::int64_t limit) {
  const auto setting = name_of_setting(kind, name);
  if (limit > 0)
    writer.put_setting(setting, std::to_string(limit));
  else
    writer.remove<Setting>(setting);
}

void put_default(CatalogWriter& writer, QuotaKind kind, std::int64_t items, std::int64_t bytes) {
  put_limit(writer, kind, "items", items);
  put_limit(writer, kind, "bytes", bytes);
  if (items > 0 || bytes > 0) return;
  for (const auto& quota : writer.quotas(kind))
    if (!quota.limits().any()) writer.remove<Quota>(quota.of());
}

}  // namespace

QuotaLimits default_quota(CatalogReader& reader, QuotaKind kind) {
  return {read_limit(reader, kind, "items"), read_limit(reader, kind, "bytes")};
}

bool are_default_quotas(CatalogReader& reader, const DefaultQuotas& defaults) {
  const auto same = [&](QuotaKind kind, std::int64_t items, std::int64_t bytes) {
    const auto kept = default_quota(reader, kind);
    return kept.items.value_or(0) == items && kept.bytes.value_or(0) == bytes;
  };
  return same(QuotaKind::LIBRARY, defaults.library_items, defaults.library_bytes) &&
         same(QuotaKind::USER, defaults.user_items, defaults.user_bytes);
}

void put_default_quotas(CatalogWriter& writer, const DefaultQuotas& defaults) {
  put_default(writer, QuotaKind::LIBRARY, defaults.library_items, defaults.library_bytes);
  put_default(writer, QuotaKind::USER, defaults.user_items, defaults.user_bytes);
}

}  // namespace quire::content
