#include "service/transfer_board.h"

namespace quire::service {
namespace {

void stop_transfer(const std::shared_ptr<TransferProgress>& progress) {
  if (progress->stopped.exchange(true)) return;
  if (progress->on_stop) progress->on_stop();
}

}  // namespace

void TransferBoard::start(const content::TransferToken& token, std::shared_ptr<TransferProgress> progress) {
  std::shared_ptr<TransferProgress> earlier;
  {
    const std::lock_guard lock(mutex_);
    auto& place = running_[token];
    earlier = std::exchange(place, std::move(progress));
  }
  if (earlier) stop_transfer(earlier);
}

void TransferBoard::finish(const content::TransferToken& token, const std::shared_ptr<TransferProgress>& progress) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(token);
  if (found != running_.end() && found->second == progress) running_.erase(found);
}

void TransferBoard::stop(const content::TransferToken& token) {
  std::shared_ptr<TransferProgress> progress;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(token);
    if (found == running_.end()) return;
    progress = found->second;
  }
  stop_transfer(progress);
}

std::optional<std::int64_t> TransferBoard::bytes(const content::TransferToken& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(token);
  if (found == running_.end() || found->second->stopped) return std::nullopt;
  return found->second->bytes.load();
}

}  // namespace quire::service
