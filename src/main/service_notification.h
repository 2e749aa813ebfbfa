#pragma once

#include <string_view>

namespace quire::main {

/// Tells the service manager that started this process about its `state` ("READY=1", "STOPPING=1"): one datagram to
/// the socket that NOTIFY_SOCKET names (sd_notify(3)). Without that variable, and when nobody listens, nothing
/// happens. Any thread.
void notify_service_manager(std::string_view state);

}  // namespace quire::main
