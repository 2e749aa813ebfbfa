#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "http/handlers.h"
#include "http/server.h"

namespace quire::http {

/// make_server() over the two internal interfaces; they and `clock`, which dates the answers, must outlive the server.
base::Result<std::unique_ptr<Server>> make_server_over(ServerSettings settings, const ApiHandler& api,
                                                       TransferService& transfers, const base::Clock& clock);

}  // namespace quire::http
