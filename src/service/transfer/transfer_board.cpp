#include "service/transfer/transfer_board.h"

#include "service/transfer/arriving_content.h"

namespace quire::service {

void TransferProgress::stop() {
  if (stopped.exchange(true)) return;
  if (on_stop) on_stop();
}

void TransferBoard::start(const content::TransferToken& token, Progress progress,
                          std::shared_ptr<ArrivingContent> content) {
  join(token, std::move(progress), [](const ArrivingContent&) { return false; }, [&] { return std::move(content); });
}

std::shared_ptr<ArrivingContent> TransferBoard::join(const content::TransferToken& token, Progress progress,
                                                     const std::function<bool(const ArrivingContent&)>& fits,
                                                     const std::function<std::shared_ptr<ArrivingContent>()>& make) {
  Entry earlier;
  std::shared_ptr<ArrivingContent> content;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[token];
    if (!entry.content || !fits(*entry.content)) earlier = std::exchange(entry, Entry{{}, make()});
    entry.running.push_back(std::move(progress));
    content = entry.content;
  }
  for (const auto& other : earlier.running) other->stop();
  return content;
}

void TransferBoard::finish(const content::TransferToken& token, const Progress& progress) {
  std::shared_ptr<ArrivingContent> unwanted;  // goes without the lock: it may have bytes to remove
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  if (std::erase(entry.running, progress) == 0 || !entry.running.empty()) return;
  if (entry.content && entry.content->may_go_on()) return;
  unwanted = std::move(entry.content);
  entries_.erase(found);
}

void TransferBoard::stop(const content::TransferToken& token) {
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(token);
    if (found == entries_.end()) return;
    entry = std::move(found->second);
    entries_.erase(found);
  }
  for (const auto& progress : entry.running) progress->stop();
}

std::shared_ptr<ArrivingContent> TransferBoard::content(const content::TransferToken& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token);
  return found == entries_.end() ? nullptr : found->second.content;
}

std::vector<TransferBoard::Progress> TransferBoard::running(const content::TransferToken& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token);
  return found == entries_.end() ? std::vector<Progress>() : found->second.running;
}

void TransferBoard::checkpoint(const content::TransferToken& token) const {
  for (const auto& progress : running(token))
    if (progress->on_checkpoint && !progress->stopped) progress->on_checkpoint();
}

std::optional<std::int64_t> TransferBoard::bytes(const content::TransferToken& token) const {
  std::optional<std::int64_t> sum;
  for (const auto& progress : running(token))
    if (!progress->stopped) sum = sum.value_or(0) + progress->bytes;
  return sum;
}

}  // namespace quire::service
