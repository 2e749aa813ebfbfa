#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace quire::client {

inline constexpr std::int64_t usual_part_bytes = 64LL << 20U;
/// A round trip above this is far.
inline constexpr std::int64_t near_round_trip_us = 2000;

/// Between two looks at how far the connections of a transfer are.
inline constexpr auto tick_after = std::chrono::milliseconds(100);
/// Between two looks at what the server is still busy with: the first, doubled up to the longest.
inline constexpr auto first_look = std::chrono::milliseconds(50);
inline constexpr auto longest_look = std::chrono::seconds(1);
/// For calls that clear up after what failed or was broken off.
inline constexpr auto clean_up_patience = std::chrono::seconds(10);

/// What a file is called besides its name while its bytes come.
inline constexpr std::string_view partial_suffix = ".quire-part";

/// How bytes are moved.
struct TransferSettings {
  int connections = 4;
  /// nullopt: by the network. One that is near is filled by one request for all of a file, whose bytes come in order
  /// and cost the server least; one that is far by parts of usual_part_bytes side by side.
  std::optional<std::int64_t> part_bytes;
  /// From the last byte that was acknowledged until the network counts as gone.
  base::Duration give_up_after = std::chrono::minutes(5);

  std::int64_t part_bytes_at(std::int64_t round_trip_us) const {
    const bool is_near = round_trip_us >= 0 && round_trip_us < near_round_trip_us;
    return part_bytes.value_or(is_near ? std::numeric_limits<std::int64_t>::max() / 2 : usual_part_bytes);
  }
};

}  // namespace quire::client
