#pragma once

#include <atomic>

namespace quire::client {

/// Set once SIGINT, SIGTERM or SIGHUP came after catch_signals(); a second one ends the program at once.
const std::atomic<bool>& stop_flag();
/// From now on those only set the flag, and a broken pipe is an error of writing.
void catch_signals();

}  // namespace quire::client
