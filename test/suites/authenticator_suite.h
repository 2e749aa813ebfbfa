#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "content/authenticator.h"

namespace quire::test_suites {

/// An authenticator and whom it knows in one test: nobody at first.
class AuthenticatorPlace {
 public:
  virtual ~AuthenticatorPlace() = default;
  virtual content::Authenticator& authenticator() = 0;
  /// From now on this is the password of `user`, who need not have been there before.
  virtual void put(const std::string& user, const std::string& password) = 0;
  virtual void disable(const std::string& user) = 0;
  virtual void remove(const std::string& user) = 0;
  /// Whoever knows the users cannot be asked any more.
  virtual void cut_off() = 0;
};

/// An adapter to put through the suite: a row of INSTANTIATE_TEST_SUITE_P(…, AuthenticatorSuite, …) in a file of its
/// own.
struct AuthenticatorAdapter {
  std::string name;
  /// nullptr when this machine cannot have it; `why` says what is missing.
  std::function<std::unique_ptr<AuthenticatorPlace>(std::string& why)> make_place;

  friend std::ostream& operator<<(std::ostream& out, const AuthenticatorAdapter& adapter) {
    return out << adapter.name;
  }
};

/// What every adapter of content::Authenticator must do.
class AuthenticatorSuite : public testing::TestWithParam<AuthenticatorAdapter> {
 protected:
  void SetUp() override;

  base::Result<content::Principal> authenticate(std::string_view user, std::string_view password);
  /// Who has come in by it; empty: nobody, and Unauthenticated in the words for everybody.
  std::string who(std::string_view user, std::string_view password);

  std::unique_ptr<AuthenticatorPlace> place_;
};

}  // namespace quire::test_suites
