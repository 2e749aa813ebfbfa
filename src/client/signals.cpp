#include "client/signals.h"

#include <csignal>

namespace quire::client {
namespace {

std::atomic<bool> stop_came = false;

void on_signal(int) { stop_came = true; }

}  // namespace

const std::atomic<bool>& stop_flag() { return stop_came; }

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace quire::client
