#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>

namespace quire::bench {

/// Who calls which API, and how.
struct Calling {
  std::string base;     ///< `http://host:port`
  std::string token;    ///< of a login session
  std::string binding;  ///< `legacy`, `rest` or `rpc`
  std::string library;
  std::string known;  ///< entity tag that every GET sends as If-None-Match; empty: none
  std::size_t clients = 1;
  double seconds = 1;
  double warm_up_seconds = 0.3;
};

/// The whole life of a change, over and over by each client on a connection of its own: create an item, create an
/// update session, add a file, PUT 1 KiB, complete. Every answer is checked. `cycles_per_second`.
boost::json::object run_life_cycles(const Calling& calling);

/// GET of one path, over and over by each client. `requests_per_second`.
boost::json::object run_gets(const Calling& calling, const std::string& path);

/// GET of one path on one connection every `interval_ms`, for `seconds`, or with 0 until standard input ends.
/// Latencies in ms: `p50`, `p99`, `max`.
boost::json::object probe(const Calling& calling, const std::string& path, double interval_ms);

}  // namespace quire::bench
