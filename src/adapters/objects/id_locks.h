#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "content/ids.h"

namespace quire::adapters::objects {

/// A mutex for each blob that somebody works on.
class IdLocks {
  struct Entry {
    std::mutex mutex;
    std::size_t users = 0;
  };
  using Entries = std::map<content::BlobId, Entry>;

 public:
  class Lock {
   public:
    Lock(IdLocks& all, const content::BlobId& id) : all_(all), place_(all.enter(id)) { place_->second.mutex.lock(); }
    ~Lock() {
      place_->second.mutex.unlock();
      all_.leave(place_);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    IdLocks& all_;
    const Entries::iterator place_;
  };

 private:
  Entries::iterator enter(const content::BlobId& id) {
    const std::lock_guard lock(mutex_);
    const auto place = entries_.try_emplace(id).first;
    ++place->second.users;
    return place;
  }
  void leave(Entries::iterator place) {
    const std::lock_guard lock(mutex_);
    if (--place->second.users == 0) entries_.erase(place);
  }

  std::mutex mutex_;
  Entries entries_;
};

}  // namespace quire::adapters::objects
