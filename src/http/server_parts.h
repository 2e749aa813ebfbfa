#pragma once

#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "http/handlers.h"
#include "http/server.h"
#include "http/transfer_buffers.h"

namespace quire::http {

/// What all connections of one server share. Outlives them.
struct ServerParts {
  const ServerSettings& settings;
  const ApiHandler& api;
  TransferService& transfers;
  const base::Clock& clock;
  TransferBuffers& buffers;
  boost::asio::thread_pool& call_pool;
  boost::asio::thread_pool& transfer_pool;
};

}  // namespace quire::http
