#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "content/remote_subscriber.h"

namespace quire::test_support {

/// Other servers with subscribed libraries, as a test wants them: libraries by `host:port/id`, errors by `host:port`.
/// All threads may call it.
class ScriptedRemoteSubscriber final : public content::RemoteSubscriber {
 public:
  void put(const std::string& place, content::RemoteLibrary library) {
    const std::scoped_lock lock(mutex_);
    libraries_[place] = std::move(library);
  }
  /// Whatever is asked of this server ends so, until it is mended.
  void break_down(const std::string& server, base::Error error) {
    const std::scoped_lock lock(mutex_);
    broken_.insert_or_assign(server, std::move(error));
  }
  void mend(const std::string& server) {
    const std::scoped_lock lock(mutex_);
    broken_.erase(server);
  }
  /// The libraries that were to be synchronized since the last call of it, in order.
  std::vector<std::string> take_synced() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(synced_, {});
  }
  /// Runs in each sync(), before it is answered. Set while nobody asks.
  std::function<void()> during_sync;

  /// The servers of the libraries that were put.
  std::vector<std::string> servers() const override {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> all;
    for (const auto& [place, library] : libraries_)
      if (auto server = place.substr(0, place.find('/')); all.empty() || all.back() != server)
        all.push_back(std::move(server));
    return all;
  }

  base::Result<content::RemoteLibrary> find(const content::SubscriberServer& server, const std::string& library,
                                            const std::atomic<bool>&) override {
    const std::scoped_lock lock(mutex_);
    return look(server, library);
  }
  base::Result<std::string> create(const content::SubscriberServer& server, const content::RemoteLibrarySpec& spec,
                                   const std::optional<std::string>& client_token, const std::atomic<bool>&) override {
    const std::scoped_lock lock(mutex_);
    if (const auto broken = broken_.find(place_of(server)); broken != broken_.end()) return broken->second;
    auto id = client_token ? "made-for-" + *client_token : "made-" + std::to_string(++made_);
    libraries_[place_of(server) + "/" + id] = {spec.name, spec.subscription_url, "guid-of-" + server.hostname};
    return id;
  }
  base::Result<void> sync(const content::SubscriberServer& server, const std::string& library,
                          const std::atomic<bool>&) override {
    if (during_sync) during_sync();
    const std::scoped_lock lock(mutex_);
    QUIRE_RETURN_IF_ERROR(look(server, library));
    synced_.push_back(place_of(server) + "/" + library);
    return {};
  }

 private:
  static std::string place_of(const content::SubscriberServer& server) {
    return base::to_lower(server.hostname) + ":" + std::to_string(server.https_port.value_or(443));
  }
  base::Result<content::RemoteLibrary> look(const content::SubscriberServer& server, const std::string& library) const {
    if (const auto broken = broken_.find(place_of(server)); broken != broken_.end()) return broken->second;
    const auto found = libraries_.find(place_of(server) + "/" + library);
    if (found != libraries_.end()) return found->second;
    return base::Error(base::ErrorKind::not_found, "quire.test.no_library", "That server has no such library.");
  }

  mutable std::mutex mutex_;
  std::map<std::string, content::RemoteLibrary> libraries_;
  std::map<std::string, base::Error> broken_;
  std::vector<std::string> synced_;
  int made_ = 0;
};

}  // namespace quire::test_support
