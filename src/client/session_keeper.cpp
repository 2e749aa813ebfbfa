#include "client/session_keeper.h"

#include <boost/json/object.hpp>
#include <utility>

namespace quire::client {
namespace {

constexpr auto tell_after = std::chrono::seconds(5);
/// So that the end of a transfer does not wait long for a network that is gone.
constexpr auto patience = std::chrono::seconds(5);

}  // namespace

SessionKeeper::SessionKeeper(const Api& api, std::string operation, std::string session_id,
                             std::function<int()> percent)
    : api_(api.transport(), api.server(), api.token(), api.dialect()),
      operation_(std::move(operation)),
      session_id_(std::move(session_id)),
      percent_(std::move(percent)) {
  api_.set_patience(patience);
  thread_ = std::thread([this] { run(); });
}

SessionKeeper::~SessionKeeper() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SessionKeeper::run() {
  const bool update = operation_.starts_with("update");
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, tell_after, [this] { return over_; })) {
    lock.unlock();
    boost::json::object arguments{{update ? "update_session_id" : "download_session_id", session_id_}};
    arguments[update ? "client_progress" : "progress"] = percent_();
    [[maybe_unused]] const auto told = api_.call(operation_, std::move(arguments));
    lock.lock();
  }
}

}  // namespace quire::client
