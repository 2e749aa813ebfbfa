#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace quire::service {

/// Bounds how many refusals are recorded, so that nobody fills the catalog by asking for what they may not have. All
/// threads may call it.
class RefusalRate {
 public:
  static constexpr std::size_t of_one_per_minute_max = 600;
  static constexpr std::size_t of_all_per_minute_max = 6000;

  enum class Answer { record, first_too_many, too_many };

  /// Counts a refusal to `who`. `uptime` never goes back.
  Answer count(std::string_view who, base::Duration uptime) {
    const std::lock_guard lock(mutex_);
    if (uptime - minute_began_ >= std::chrono::minutes(1)) {
      minute_began_ = uptime;
      all_ = 0;
      told_ = false;
      of_one_.clear();
    }
    if (all_ < of_all_per_minute_max) {
      auto& count = of_one_[std::string(who)];
      if (count < of_one_per_minute_max) {
        ++count;
        ++all_;
        return Answer::record;
      }
    }
    if (told_) return Answer::too_many;
    told_ = true;
    return Answer::first_too_many;
  }

 private:
  std::mutex mutex_;
  base::Duration minute_began_{};
  std::size_t all_ = 0;
  bool told_ = false;
  std::unordered_map<std::string, std::size_t> of_one_;
};

}  // namespace quire::service
