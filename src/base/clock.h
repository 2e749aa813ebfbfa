#pragma once

#include "base/time.h"

namespace quire::base {

/// The only source of time. All threads may call it.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Now, as shown to clients and stored.
  virtual Time now() const = 0;
  /// Time since some fixed moment of this process; never steps. For rates, stalls and deadlines.
  virtual Duration uptime() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  Duration uptime() const override;
};

}  // namespace quire::base
