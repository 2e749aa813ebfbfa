#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "client/api.h"

namespace quire::client {

/// Tells the server every few seconds that a session is alive and how far its client is, from a thread of its own.
/// Failures are passed over: the transfer itself meets them.
class SessionKeeper {
 public:
  /// `operation`: `update_session.keep_alive` or `download_session.keep_alive`; `percent` is called by its thread.
  SessionKeeper(const Api& api, std::string operation, std::string session_id, std::function<int()> percent);
  ~SessionKeeper();
  SessionKeeper(const SessionKeeper&) = delete;
  SessionKeeper& operator=(const SessionKeeper&) = delete;

 private:
  void run();

  Api api_;
  const std::string operation_;
  const std::string session_id_;
  const std::function<int()> percent_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace quire::client
