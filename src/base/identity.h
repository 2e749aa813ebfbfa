#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace quire::base {

/// The only source of identifiers, secrets and chance. All threads may call it.
class IdentitySource {
 public:
  virtual ~IdentitySource() = default;
  /// A fresh UUID, 8-4-4-4-12 lower case.
  virtual std::string uuid() = 0;
  /// The same for what was made at `now`, from 1970 on: such UUIDs are in the order of their milliseconds (RFC 9562
  /// §5.7), so that rows made one after the other lie beside each other in every index.
  virtual std::string uuid_made_at(Time now) = 0;
  /// 32 hexadecimal digits that nobody can guess: session tokens and transfer endpoints.
  virtual std::string secret() = 0;
  /// Uniform over all 64-bit numbers; for back-off jitter.
  virtual std::uint64_t number() = 0;
};

/// From the operating system's random generator.
class RandomIdentitySource final : public IdentitySource {
 public:
  std::string uuid() override;
  std::string uuid_made_at(Time now) override;
  std::string secret() override;
  std::uint64_t number() override;
};

/// True for 8-4-4-4-12 hexadecimal digits in either case.
bool looks_like_uuid(std::string_view text);

}  // namespace quire::base
