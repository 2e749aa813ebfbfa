#include "service/lease_clock.h"

#include <charconv>

#include "base/log.h"

namespace quire::service {
namespace {

using base::Duration;
using base::Result;

constexpr auto setting = "lease_clock.lead_ms";
constexpr Duration smallest_step = std::chrono::seconds(1);

Duration stored_lead(content::CatalogReader& reader) {
  const auto text = reader.setting(setting).value_or("0");
  Duration::rep count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return Duration(count);
}

}  // namespace

Duration LeaseClock::lead() const {
  using Hundredths = std::chrono::duration<Duration::rep, std::centi>;
  return std::chrono::round<Hundredths>(now() - clock_->now());
}

Result<LeaseClock> open_lease_clock(content::Catalog& catalog, const base::Clock& clock) {
  const auto lead =
      catalog.read([](content::CatalogReader& reader) -> Result<Duration> { return stored_lead(reader); });
  if (!lead) return lead.error();
  return LeaseClock(clock, *lead);
}

Result<void> remember_lead(content::Catalog& catalog, const LeaseClock& leases) {
  const auto known =
      catalog.read([](content::CatalogReader& reader) -> Result<Duration> { return stored_lead(reader); });
  if (!known) return known.error();
  const auto lead = leases.lead();
  const auto step = *known - lead;
  if (std::chrono::abs(step) < smallest_step) return {};
  spdlog::warn("The system clock was set by {} s; sessions go on as if it had not been.",
               std::chrono::duration_cast<std::chrono::seconds>(step).count());
  return catalog.write([&](content::CatalogWriter& writer) -> Result<void> {
    writer.put_setting(setting, std::to_string(lead.count()));
    return {};
  });
}

}  // namespace quire::service
