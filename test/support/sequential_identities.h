#pragma once

#include <atomic>
#include <string>

#include "base/identity.h"

namespace quire::test_support {

/// Identifiers, secrets and numbers that count up from one, each kind by itself:
/// `00000000-0000-4000-8000-000000000001`, `00000000000000000000000000000001`, 1. All threads may call it.
class SequentialIdentities final : public base::IdentitySource {
 public:
  std::string uuid() override { return "00000000-0000-4000-8000-" + padded(++uuids_, 12); }
  std::string uuid_made_at(base::Time) override { return uuid(); }
  std::string secret() override { return padded(++secrets_, 32); }
  std::uint64_t number() override { return ++numbers_; }

 private:
  static std::string padded(std::uint64_t number, std::size_t digits) {
    const auto text = std::to_string(number);
    return std::string(digits - text.size(), '0') + text;
  }

  std::atomic<std::uint64_t> uuids_{0};
  std::atomic<std::uint64_t> secrets_{0};
  std::atomic<std::uint64_t> numbers_{0};
};

}  // namespace quire::test_support
