#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "content/authenticator.h"
#include "content/text.h"

namespace quire::test_support {

/// Knows users that no catalog has, with groups: what a directory outside would.
class ScriptedAuthenticator final : public content::Authenticator {
 public:
  void put(const std::string& user, const std::string& password, std::vector<std::string> groups = {}) {
    const std::scoped_lock lock(mutex_);
    users_[content::fold_case(user)] = {user, password, std::move(groups)};
  }
  void remove(const std::string& user) {
    const std::scoped_lock lock(mutex_);
    users_.erase(content::fold_case(user));
  }
  void cut_off() {
    const std::scoped_lock lock(mutex_);
    cut_off_ = true;
  }

  base::Result<content::Principal> authenticate(std::string_view user, std::string_view password) override {
    const std::scoped_lock lock(mutex_);
    if (cut_off_)
      return base::Error(base::ErrorKind::service_unavailable, "quire.test.cut_off", "The directory cannot be asked.");
    const auto found = content::code_points(user) ? users_.find(content::fold_case(user)) : users_.end();
    if (found == users_.end() || password.empty() || found->second.password != password)
      return base::Error(base::ErrorKind::unauthenticated, "quire.test.refused", "The name or the password is wrong.");
    return content::Principal{found->second.name, found->second.groups, {}};
  }

 private:
  struct Known {
    std::string name;
    std::string password;
    std::vector<std::string> groups;
  };

  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> users_;
  bool cut_off_ = false;
};

}  // namespace quire::test_support
