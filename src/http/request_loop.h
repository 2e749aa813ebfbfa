#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "http/http_connection.h"
#include "http/server_parts.h"

namespace quire::http {

/// Serves `connection` until it ends, then closes it: API calls on the call pool, transfers, refusals.
boost::asio::awaitable<void> serve(std::shared_ptr<HttpConnection> connection, const ServerParts& parts);

}  // namespace quire::http
