#pragma once

#include <boost/asio/awaitable.hpp>

#include "http/http_connection.h"
#include "http/server_parts.h"

namespace quire::http {

/// Sends an answer that goes on while the client listens: `response.stream`. While there is nothing to send, no thread
/// waits for it. The connection ends after it.
boost::asio::awaitable<void> send_stream(HttpConnection& connection, const ServerParts& parts,
                                         const wire::Response& response);

}  // namespace quire::http
