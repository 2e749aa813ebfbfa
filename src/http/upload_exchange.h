#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "http/http_connection.h"
#include "http/server_parts.h"
#include "http/transfer_target.h"

namespace quire::http {

/// Serves one PUT or POST of file bytes on `connection`, answer included (content-library-api.md §23.5, §28.1). While
/// one chunk is stored on the transfer pool the next one comes from the network. Whatever happens, the upload is
/// finished or failed and its memory given back when this returns.
boost::asio::awaitable<void> receive_upload(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                            const TransferTarget& target);

}  // namespace quire::http
