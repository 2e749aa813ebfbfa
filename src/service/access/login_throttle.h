#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/result.h"
#include "base/time.h"

namespace quire::service {

/// Makes guessing passwords slow, and locks nobody out for good: after some wrong ones in a row, further attempts have
/// to wait, each time for twice as long, up to a bound. Counted are those for a user, those from an address, and those
/// for a user from an address: whoever comes from where that user has logged in before does not wait for what others
/// guess elsewhere. Logging in and changing one's password count together. What is remembered is bounded, and gone with
/// a restart. All threads may call it.
class LoginThrottle {
 public:
  struct Bound {
    std::size_t free_failures;  ///< in a row, that cost nothing
    base::Duration wait_max;
  };
  struct Settings {
    Bound user{10, std::chrono::seconds(10)};
    Bound address{50, std::chrono::minutes(2)};
    Bound user_from_address{10, std::chrono::seconds(30)};
    base::Duration first_wait = std::chrono::seconds(1);
    base::Duration forgotten_after = std::chrono::minutes(15);  ///< without a wrong password
    std::size_t remembered_max = 10'000;                        ///< of each; then the oldest go
  };

  LoginThrottle() : LoginThrottle(Settings()) {}
  explicit LoginThrottle(Settings settings) : settings_(settings) {}

  /// An error of that kind, with the seconds, while an attempt has to wait: its password must not be looked at.
  /// `uptime` never goes back. An empty address is not counted.
  base::Result<void> check(std::string_view user, std::string_view address, base::Duration uptime,
                           base::ErrorKind kind = base::ErrorKind::unauthenticated);
  void failed(std::string_view user, std::string_view address, base::Duration uptime);
  void succeeded(std::string_view user, std::string_view address);

 private:
  struct Failures {
    std::size_t in_a_row = 0;
    base::Duration last{};
  };
  using Table = std::unordered_map<std::string, Failures>;
  /// What an attempt is counted under.
  struct Keys {
    std::string user;
    std::string address;
    std::string user_from_address;
  };
  static Keys keys_of(std::string_view user, std::string_view address);

  base::Duration wait_left(const Table& table, const std::string& key, const Bound& bound, base::Duration uptime) const;
  void count(Table& table, const std::string& key, base::Duration uptime) const;
  void forget_oldest(Table& table, base::Duration uptime) const;

  const Settings settings_;
  std::mutex mutex_;
  Table by_user_;
  Table by_address_;
  Table by_user_from_address_;
  std::unordered_set<std::string> known_;  ///< users from addresses that have logged in
};

}  // namespace quire::service
