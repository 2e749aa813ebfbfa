#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "adapters/sql/engine_errors.h"
#include "content/catalog.h"

namespace quire::adapters::sql {

/// Up to `connections` connections, made when first needed and lent to one transaction at a time. All threads may call.
template <class OneConnection>
class ConnectionPool {
 public:
  using Make = std::function<std::unique_ptr<OneConnection>()>;

  /// A borrowed connection; goes back at the end, unless it was dropped.
  class Lease {
   public:
    Lease(ConnectionPool& pool, std::unique_ptr<OneConnection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.take_back(std::move(connection_)); }

    OneConnection& operator*() const { return *connection_; }
    OneConnection* operator->() const { return connection_.get(); }
    /// Closes a connection that no longer works; its place becomes free.
    void drop() { connection_.reset(); }

   private:
    ConnectionPool& pool_;
    std::unique_ptr<OneConnection> connection_;
  };

  ConnectionPool(std::size_t connections, std::size_t waiting_max, Make make)
      : free_places_(connections), waiting_max_(waiting_max), make_(std::move(make)) {}

  /// Waits for a connection. Throws CatalogFailure when too many wait already, and what `make` throws.
  Lease borrow() {
    std::unique_lock lock(mutex_);
    if (free_places_ == 0) {
      if (waiting_ >= waiting_max_) throw content::CatalogFailure(overloaded(waiting_max_));
      ++waiting_;
      returned_.wait(lock, [this] { return free_places_ > 0; });
      --waiting_;
    }
    --free_places_;
    std::unique_ptr<OneConnection> connection;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
    lock.unlock();
    if (!connection) {
      try {
        connection = make_();
      } catch (...) {
        take_back(nullptr);
        throw;
      }
    }
    return Lease(*this, std::move(connection));
  }

  /// Calls `visit` with each connection that nobody has borrowed; nobody can borrow one meanwhile.
  template <class Visit>
  void for_each_idle(Visit visit) {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : idle_) visit(*connection);
  }

  /// Closes the connections that nobody has borrowed: one of them was found broken, and likely all are.
  void drop_idle() {
    std::vector<std::unique_ptr<OneConnection>> closing;
    const std::lock_guard lock(mutex_);
    closing.swap(idle_);
  }

 private:
  void take_back(std::unique_ptr<OneConnection> connection) {
    {
      const std::lock_guard lock(mutex_);
      ++free_places_;
      if (connection) idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<OneConnection>> idle_;  // the last one back is the next one out: its caches are warm
  std::size_t free_places_;
  std::size_t waiting_ = 0;
  const std::size_t waiting_max_;
  const Make make_;
};

}  // namespace quire::adapters::sql
