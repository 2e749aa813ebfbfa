#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

namespace quire::bench {

/// SHA-256 of `bytes` bytes on this thread, from a buffer that stays in the cache: `seconds`.
boost::json::object measure_sha256(std::uint64_t bytes);

/// Writes a new file of `bytes` bytes in `folder` past the page cache, preallocated, in pieces of 4 MiB, and syncs it:
/// the best durable rate of the disk for one writer. `seconds`.
boost::json::object measure_disk(const std::string& folder, std::uint64_t bytes);

}  // namespace quire::bench
