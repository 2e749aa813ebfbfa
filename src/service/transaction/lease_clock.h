#pragma once

#include "base/clock.h"
#include "content/catalog.h"

namespace quire::service {

struct Context;

/// The calendar of what is promised for a length of time: sessions, logins, client tokens. It runs with the machine's
/// uptime, so the wall clock may be set at any time: nothing expires early, and nothing stays for ever. Such moments
/// are stored as this calendar tells them, and people are shown() what the wall clock says to them. Over a restart it
/// keeps its distance to the wall clock, as far as remember_skew() was told of it. All threads may call it.
class LeaseClock {
 public:
  /// `skew`: how far the calendar is ahead of the wall clock when it starts.
  explicit LeaseClock(const base::Clock& clock, base::Duration skew = base::Duration(0))
      : clock_(&clock), start_(clock.now() + skew), uptime_at_start_(clock.uptime()) {}

  base::Time now() const { return start_ + (clock_->uptime() - uptime_at_start_); }

  /// How far the calendar is ahead of the wall clock, in hundredths of a second: below that, the two clocks' ticks.
  base::Duration skew() const;

  /// A moment of this calendar as the wall clock tells it.
  base::Time shown(base::Time moment) const { return moment - skew(); }

 private:
  const base::Clock* clock_;
  base::Time start_;
  base::Duration uptime_at_start_;
};

/// The calendar of an installation, as far ahead of the wall clock as it was when the server last ran.
base::Result<LeaseClock> open_lease_clock(content::Catalog& catalog, const base::Clock& clock);

/// For a worker, every second: writes down how far the calendar is ahead when the wall clock has been set.
base::Result<void> remember_skew(Context& context);

}  // namespace quire::service
