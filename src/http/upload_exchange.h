#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "http/http_connection.h"
#include "http/server_parts.h"
#include "http/transfer_target.h"

namespace quire::http {

/// Serves one PUT, POST or PATCH of file bytes on `connection`, answer included (content-library-api.md §23.5, §28.1,
/// docs/uploads.md). While chunks are hashed and one is stored on the transfer pool the next one comes from the
/// network. Whatever happens, the upload is finished or failed and its memory given back when this returns.
boost::asio::awaitable<void> receive_upload(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                            const TransferTarget& target);

/// Answers a HEAD on an upload endpoint: what has arrived. False, and no answer, when `target` is no such endpoint.
boost::asio::awaitable<bool> answer_upload_state(HttpConnection& connection, const ServerParts& parts,
                                                 const TransferTarget& target);

/// Answers a DELETE on an upload endpoint: what has arrived goes.
boost::asio::awaitable<void> discard_upload(HttpConnection& connection, const ServerParts& parts,
                                            const TransferTarget& target);

}  // namespace quire::http
