#include "suites/authenticator_suite.h"
#include "support/scripted_authenticator.h"

namespace quire::test_suites {
namespace {

/// The double that logins are tested with must be as good as the real one.
class ScriptedUsers final : public AuthenticatorPlace {
 public:
  content::Authenticator& authenticator() override { return authenticator_; }
  void put(const std::string& user, const std::string& password) override { authenticator_.put(user, password); }
  void disable(const std::string& user) override { authenticator_.remove(user); }
  void remove(const std::string& user) override { authenticator_.remove(user); }
  void cut_off() override { authenticator_.cut_off(); }

 private:
  test_support::ScriptedAuthenticator authenticator_;
};

INSTANTIATE_TEST_SUITE_P(Scripted, AuthenticatorSuite,
                         testing::Values(AuthenticatorAdapter{
                             "Users", [](std::string&) { return std::make_unique<ScriptedUsers>(); }}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace quire::test_suites
