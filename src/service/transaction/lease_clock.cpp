#include "service/transaction/lease_clock.h"

#include <charconv>

#include "base/log.h"
#include "service/transaction/transaction.h"

namespace quire::service {
namespace {

using base::Duration;
using base::Result;

constexpr auto setting = "lease_clock.lead_ms";  // its name in catalogs that are there
constexpr Duration smallest_step = std::chrono::seconds(1);

Duration stored_skew(content::CatalogReader& reader) {
  const auto text = reader.setting(setting).value_or("0");
  Duration::rep count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return Duration(count);
}

}  // namespace

Duration LeaseClock::skew() const {
  using Hundredths = std::chrono::duration<Duration::rep, std::centi>;
  return std::chrono::round<Hundredths>(now() - clock_->now());
}

Result<LeaseClock> open_lease_clock(content::Catalog& catalog, const base::Clock& clock) {
  QUIRE_ASSIGN_OR_RETURN(const auto skew, catalog.read([](content::CatalogReader& reader) -> Result<Duration> {
    return stored_skew(reader);
  }));
  return LeaseClock(clock, skew);
}

Result<void> remember_skew(Context& context) {
  QUIRE_ASSIGN_OR_RETURN(const auto known, context.catalog.read([](content::CatalogReader& reader) -> Result<Duration> {
    return stored_skew(reader);
  }));
  const auto skew = context.leases.skew();
  const auto step = known - skew;
  if (std::chrono::abs(step) < smallest_step) return {};
  spdlog::warn("The system clock was set by {} s; sessions go on as if it had not been.",
               std::chrono::duration_cast<std::chrono::seconds>(step).count());
  return write(context, system_caller("steps of the system clock"), [&](Transaction& t) -> Result<void> {
    t->put_setting(setting, std::to_string(skew.count()));
    return {};
  });
}

}  // namespace quire::service
