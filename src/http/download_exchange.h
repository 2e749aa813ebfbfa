#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "http/http_connection.h"
#include "http/server_parts.h"
#include "http/transfer_target.h"

namespace quire::http {

/// Serves one GET or HEAD of file bytes on `connection`, answer included (content-library-api.md §23.5): ranges,
/// conditions, sendfile where the connection is plain and the bytes are a local file.
boost::asio::awaitable<void> send_download(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                           const TransferTarget& target);

/// The same of a file that an answer to a call consists of; its header fields come with it.
boost::asio::awaitable<void> send_file(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                       const wire::Response& response);

/// The answer to any other method on a transfer endpoint, and to GET on an upload endpoint: 405 with what is allowed.
wire::Response method_not_allowed(const ApiHandler& api, std::string_view target, std::string_view allowed);

}  // namespace quire::http
