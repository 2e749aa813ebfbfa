#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quire::bench {

struct Uploading {
  std::vector<std::string> urls;  ///< one body each, all at the same time
  std::string ca_file;
  std::string token;  ///< of a login session, for vcsim, whose upload URLs want one
  std::string file;   ///< the body; empty: `zeros` bytes of zero
  std::uint64_t zeros = 0;
  std::optional<std::string> sync_after;  ///< file to make durable once the answer is there, for servers that do not
  std::optional<std::uint64_t> stall_at;  ///< byte before which the client rests
  double stall_seconds = 0;
};
/// Sends the bodies by PUT: `seconds` until all are answered, `durable_seconds` until what was asked for is synced.
boost::json::object upload(const Uploading& uploading);

/// Fetches the URLs at the same time and throws the bytes away.
boost::json::object download(const std::vector<std::string>& urls, const std::string& ca_file);

}  // namespace quire::bench
