#include <gmock/gmock.h>

#include "service/access/api_tokens.h"
#include "service/access/catalog_authenticator.h"
#include "service/access/logins.h"
#include "service/access/permissions.h"
#include "service/access/users.h"
#include "support/service_world.h"

// Secrets for pipelines, which stand for a user and may do no more than that user.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::ApiTokenScope;
using content::LibraryId;
using content::Privilege;
using content::PrivilegeSet;
using test_support::administrator;
using test_support::Engine;
using test_support::item_spec;
using test_support::kind;
using test_support::library_spec;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr auto carol = "carol@vsphere.local";
constexpr auto password = "long enough";

class ApiTokenTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    authenticator_ = std::make_unique<service::CatalogAuthenticator>(world_->context());
    logins_ = std::make_unique<service::Logins>(world_->context(), *authenticator_, service::Logins::Settings());
    must(users().make_administrator(administrator().user, password));
    must(users().create(administrator(), {carol, ""}, password));
    give(content::contributor_role);
  }

  service::Users users() { return service::Users(world_->context(), logins_->throttle()); }
  service::ApiTokens tokens() { return service::ApiTokens(world_->context()); }
  void give(std::int64_t role) {
    must(service::Permissions(world_->context())
             .set(administrator(), {carol, content::PrincipalType::USER, LibraryId(), role}));
  }
  content::Caller as_carol() { return must(logins_->authenticate(must(logins_->log_in(carol, password)))); }
  content::Caller with(const service::NewApiToken& token) { return must(logins_->authenticate(token.secret)); }
  service::NewApiToken made(const ApiTokenScope& scope) { return must(tokens().create(as_carol(), scope)); }

  std::unique_ptr<service::CatalogAuthenticator> authenticator_;
  std::unique_ptr<service::Logins> logins_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, ApiTokenTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, ApiTokenTest, testing::Values(Engine::Postgresql));

TEST_P(ApiTokenTest, StandsForItsUser) {
  const auto token = made({"nightly build"});
  EXPECT_THAT(token.secret, StartsWith("quire_"));
  const auto caller = with(token);
  EXPECT_EQ(caller.user, carol);
  EXPECT_EQ(caller.api_token, "nightly build");
  must(world_->items().create(caller, item_spec(library_, "made", ""), {}));
  EXPECT_EQ(kind(world_->libraries().create_local(caller, library_spec("x"), {})), "unauthorized");
  give(content::read_only_role);
  EXPECT_EQ(kind(world_->items().create(with(token), item_spec(library_, "x", ""), {})), "unauthorized")
      << "what the user loses, the token has lost";
}

TEST_P(ApiTokenTest, IsLimitedToPrivileges) {
  const auto caller = with(made({"downloads", PrivilegeSet{Privilege::ContentLibrary_DownloadSession}}));
  EXPECT_EQ(must(world_->libraries().get(caller, library_)).id, library_) << "it can always read";
  EXPECT_EQ(kind(world_->items().create(caller, item_spec(library_, "x", ""), {})), "unauthorized");
  const auto more = with(made({"more than Carol has", PrivilegeSet{Privilege::ContentLibrary_DeleteLibrary}}));
  EXPECT_EQ(kind(world_->libraries().remove_local(more, library_)), "unauthorized");
}

TEST_P(ApiTokenTest, IsLimitedToLibraries) {
  const auto other = must(world_->libraries().create_local(administrator(), library_spec("other"), {}));
  const auto caller = with(made({"one library", {}, std::vector{library_}}));
  EXPECT_THAT(must(world_->libraries().list(caller)), ElementsAre(library_));
  EXPECT_EQ(kind(world_->libraries().get(caller, other)), "not_found");
  must(world_->items().create(caller, item_spec(library_, "made", ""), {}));
  EXPECT_EQ(kind(world_->items().create(caller, item_spec(other, "x", ""), {})), "not_found");
  content::ItemFilter any;
  any.cached = true;
  for (const auto& item : must(world_->items().find(caller, any)))
    EXPECT_EQ(must(world_->items().get(administrator(), item)).library_id, library_);
}

TEST_P(ApiTokenTest, LivesUntilItExpires) {
  const auto token = made({"a week", {}, {}, world_->clock().now() + 24h * 7});
  const auto endless = made({"for ever"});
  advance(24h * 7 - 1ms);
  must(logins_->remove_expired());
  with(token);
  advance(1ms);
  EXPECT_EQ(kind(logins_->authenticate(token.secret)), "unauthenticated");
  advance(24h * 365);
  must(logins_->remove_expired());
  with(endless);
}

TEST_P(ApiTokenTest, DoesNotEndByLogoutOrANewPassword) {
  const auto token = made({"nightly"});
  must(logins_->log_out(with(token)));
  must(users().set_password(administrator(), carol, "another password"));
  with(token);
  must(users().remove(administrator(), carol));
  EXPECT_EQ(kind(logins_->authenticate(token.secret)), "unauthenticated");
}

TEST_P(ApiTokenTest, IsListedWithItsLastUse) {
  const auto token = made({"nightly"});
  made({"weekly"});
  const auto before = must(tokens().list(as_carol(), {}));
  ASSERT_THAT(before, SizeIs(2));
  EXPECT_EQ(before[0].last_accessed, before[0].created);
  advance(1min);
  with(token);
  for (const auto& one : must(tokens().list(administrator(), carol)))
    EXPECT_EQ(one.last_accessed, one.id == token.id ? world_->clock().now() : one.created);
  EXPECT_THAT(must(tokens().list(administrator(), {})), IsEmpty());
  EXPECT_EQ(must(tokens().get(as_carol(), token.id)).api_token->name, "nightly");
}

TEST_P(ApiTokenTest, IsRemovedByItsUserOrWhoGoverns) {
  must(users().create(administrator(), {"dave@vsphere.local", ""}, password));
  const auto dave = must(logins_->authenticate(must(logins_->log_in("dave@vsphere.local", password))));
  const auto token = made({"nightly"});
  const auto second = made({"weekly"});
  EXPECT_EQ(why(tokens().remove(dave, token.id)), "quire.access.token_not_found");
  EXPECT_EQ(kind(tokens().list(dave, carol)), "unauthorized");
  must(tokens().remove(as_carol(), token.id));
  EXPECT_EQ(kind(logins_->authenticate(token.secret)), "unauthenticated");
  must(tokens().remove(administrator(), second.id));
  EXPECT_EQ(kind(logins_->authenticate(second.secret)), "unauthenticated");
  EXPECT_EQ(why(tokens().remove(as_carol(), as_carol().login)), "quire.access.token_not_found") << "a login is none";
}

TEST_P(ApiTokenTest, WrongOnesAreNotMade) {
  const auto caller = as_carol();
  EXPECT_EQ(kind(tokens().create(caller, {""})), "invalid_argument");
  EXPECT_EQ(why(tokens().create(caller, {"x", {}, {}, world_->clock().now()})), "quire.access.token_expired");
  EXPECT_EQ(why(tokens().create(caller, {"x", PrivilegeSet()})), "quire.access.token_without_privileges");
  EXPECT_EQ(why(tokens().create(caller, {"x", {}, std::vector<LibraryId>()})), "quire.access.token_without_libraries");
  EXPECT_EQ(kind(tokens().create(caller, {"x", {}, std::vector{LibraryId("unknown")}})), "not_found");
  const auto token = made({"nightly"});
  EXPECT_EQ(kind(tokens().create(caller, {"nightly"})), "already_exists");
  EXPECT_EQ(kind(tokens().create(with(token), {"another"})), "not_allowed_in_current_state");
  world_->context().limits.api_tokens_of_user_max = 1;
  EXPECT_EQ(kind(tokens().create(caller, {"another"})), "unable_to_allocate_resource");
  EXPECT_THAT(must(tokens().list(caller, {})), SizeIs(1));
}

TEST_P(ApiTokenTest, TheTrailNamesIt) {
  auto caller = with(made({"nightly"}));
  must(world_->items().create(caller, item_spec(library_, "made", ""), {}));
  const auto event = world_->look([](content::CatalogReader& reader) { return reader.events_after(0, 1000); }).back();
  EXPECT_EQ(event.actor, carol);
  EXPECT_EQ(event.api_token, "nightly");
}

}  // namespace
}  // namespace quire
