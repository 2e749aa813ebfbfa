#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "service/access/catalog_authenticator.h"
#include "service/access/logins.h"
#include "service/access/users.h"
#include "support/service_world.h"

namespace quire::test_support {

/// A world with logins: whoever follows what happens does so by one, and as long as it lasts.
class FollowerTest : public ServiceTest {
 protected:
  /// After make_world().
  void make_logins() {
    authenticator_ = std::make_unique<service::CatalogAuthenticator>(world_->context());
    logins_ = std::make_unique<service::Logins>(world_->context(), *authenticator_, service::Logins::Settings());
  }

  /// A login of somebody with a permission: as whoever calls the services, and as whoever follows.
  content::Caller logged_in(const std::string& user, const content::PrivilegeSet& on_root) {
    constexpr auto password = "long enough";
    must(service::Users(world_->context(), logins_->throttle()).create(administrator(), {user, ""}, password));
    world_->change([&](content::CatalogWriter& writer) {
      writer.insert(content::Role{next_role_, "role of " + user, on_root});
      writer.put(content::Permission{user, content::PrincipalType::USER, {}, next_role_++});
    });
    const auto token = must(logins_->log_in(user, password));
    return must(logins_->authenticate(token));
  }
  content::Caller admin() { return logged_in("admin@vsphere.local", content::PrivilegeSet::all()); }
  content::Caller reader() {
    using content::Privilege;
    return logged_in("reader@vsphere.local",
                     {Privilege::System_Anonymous, Privilege::System_View, Privilege::System_Read});
  }

  std::unique_ptr<service::CatalogAuthenticator> authenticator_;
  std::unique_ptr<service::Logins> logins_;
  std::int64_t next_role_ = 5000;
};

}  // namespace quire::test_support
