#include "service/transfer/parallel_hasher.h"

#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace quire::service {
namespace {

/// Smaller chunks are hashed in line: waking a thread would cost more.
constexpr std::size_t parallel_bytes_min = 128 * 1024;
constexpr std::size_t waiting_chunks_max = 2;
/// Digests take whole cores. Small requests that come meanwhile must not queue behind them for a time slice or two.
constexpr int hashing_niceness = 10;

}  // namespace

/// One digest and the thread that takes it, which is made when it is first needed.
class ParallelHasher::Lane {
 public:
  explicit Lane(base::Hasher hasher) : hasher_(std::move(hasher)) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void add(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
    std::unique_lock lock(mutex_);
    if (bytes.size() < parallel_bytes_min && chunks_.empty()) {
      hasher_.update(bytes);
      return;
    }
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.wait(lock, [this] { return chunks_.size() < waiting_chunks_max; });
    chunks_.push_back({bytes, std::move(owner)});
    lock.unlock();
    changed_.notify_all();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return chunks_.empty(); });
  }

  base::Hasher clone() {
    wait();
    return hasher_.clone();
  }
  base::Checksum finish() {
    wait();
    return hasher_.finish();
  }

 private:
  struct Chunk {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };

  /// A chunk stays in line while it is hashed, so that an empty line means that all is done.
  void run() {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), hashing_niceness);
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !chunks_.empty(); });
      if (ending_) return;
      const auto bytes = chunks_.front().bytes;
      lock.unlock();
      hasher_.update(bytes);
      lock.lock();
      Chunk done = std::move(chunks_.front());
      chunks_.pop_front();
      lock.unlock();
      done.owner.reset();
      changed_.notify_all();
      lock.lock();
    }
  }

  base::Hasher hasher_;  ///< the thread's while a chunk is in line, else the caller's
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> chunks_;
  bool ending_ = false;
  std::thread thread_;
};

ParallelHasher::ParallelHasher(const std::vector<base::DigestAlgorithm>& algorithms) {
  for (const auto algorithm : algorithms) lanes_.push_back(std::make_unique<Lane>(base::Hasher(algorithm)));
}

ParallelHasher::ParallelHasher(std::vector<base::Hasher> hashers) {
  for (auto& hasher : hashers) lanes_.push_back(std::make_unique<Lane>(std::move(hasher)));
}

ParallelHasher::~ParallelHasher() = default;

void ParallelHasher::add(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  for (auto& lane : lanes_) lane->add(bytes, owner);
}

void ParallelHasher::wait() {
  for (auto& lane : lanes_) lane->wait();
}

std::vector<base::Hasher> ParallelHasher::snapshot() {
  std::vector<base::Hasher> hashers;
  for (auto& lane : lanes_) hashers.push_back(lane->clone());
  return hashers;
}

std::vector<base::Checksum> ParallelHasher::finish() {
  std::vector<base::Checksum> digests;
  for (auto& lane : lanes_) digests.push_back(lane->finish());
  return digests;
}

}  // namespace quire::service
