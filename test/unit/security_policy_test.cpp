#include "content/security_policy.h"

#include <gmock/gmock.h>

#include "service/trust/trusted_certificates.h"
#include "support/certificate_maker.h"
#include "support/service_world.h"
#include "support/tar_writer.h"

// Libraries with a security policy, and the trust store that it asks (content-library-api.md §9, §10, §23.10).

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::CertVerificationStatus;
using content::UpdateSessionId;
using content::UpdateSessionState;
using content::WarningBehavior;
using content::WarningType;
using test_support::administrator;
using test_support::alice;
using test_support::bytes_of;
using test_support::CertificateMaker;
using test_support::Engine;
using test_support::kind;
using test_support::TarWriter;
using test_support::why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Files = std::vector<std::pair<std::string, std::string>>;

const std::string disk = "the bytes of a disk";
const std::string vm_ovf =
    "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"
    "<References><File ovf:id=\"d\" ovf:href=\"disk.vmdk\"/></References></Envelope>";

std::string manifest_of(const Files& files) {
  std::string text;
  for (const auto& [name, body] : files)
    text += "SHA256(" + name + ")= " + base::digest_of(base::DigestAlgorithm::SHA256, bytes_of(body)).hex + "\n";
  return text;
}

const std::string policy = content::security_policies().front().id;

class SecurityPolicyTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (!world_) return;
    auto spec = valid();
    spec.is_authority = true;
    spec.common_name = "quire test root";
    root_.emplace(maker_.self_signed(spec));
    signer_.emplace(maker_.issued_by(*root_, valid()));
  }

  CertificateMaker::Spec valid() {
    CertificateMaker::Spec spec;
    spec.not_before = world_->clock().now() - 1h;
    spec.not_after = world_->clock().now() + 24h;
    return spec;
  }
  service::TrustedCertificates store() { return service::TrustedCertificates(world_->context()); }
  std::string trust(const CertificateMaker::Identity& identity) {
    return must(store().create(administrator(), identity.pem()));
  }
  void set_policy(const std::optional<std::string>& id) {
    service::LibrarySpec spec;
    spec.security_policy_id = id;
    spec.unset_security_policy = !id;
    must(world_->libraries().update(alice(), library_, spec));
  }
  Files signed_package(const CertificateMaker::Identity& by,
                       const Files& named = {{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}) {
    const auto mf = manifest_of(named);
    return {{"vm.mf", mf}, {"vm.cert", by.package_certificate("vm.mf", mf)}, {"vm.ovf", vm_ovf}, {"disk.vmdk", disk}};
  }
  const Files unsigned_package = {{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}};

  /// A session on a new item of type ovf, which item_ is then, with these files; every warning is ignored.
  UpdateSessionId send_package(const Files& files) {
    item_ = new_item("package " + std::to_string(++number_), "OVF");
    return send_to_item(files);
  }
  UpdateSessionId send_to_item(const Files& files) {
    std::vector<WarningBehavior> ignore;
    for (const auto type : {WarningType::SELF_SIGNED_CERTIFICATE, WarningType::EXPIRED_CERTIFICATE,
                            WarningType::NOT_YET_VALID_CERTIFICATE, WarningType::UNTRUSTED_CERTIFICATE})
      ignore.push_back({type, true});
    const auto id = must(sessions().create(alice(), item_.text(), ignore, std::nullopt));
    for (const auto& [name, body] : files) push(id, name, body);
    return id;
  }
  void import(const Files& files) { must(sessions().complete(alice(), send_package(files))); }
  /// The import is refused, the session has ended, the item is as it was.
  void expect_refused(const UpdateSessionId& id, const std::string& reason) {
    const auto before = item();
    const auto validation = must(sessions().validate(alice(), id));
    ASSERT_EQ(validation.invalid_files.size(), 1U);
    EXPECT_EQ(validation.invalid_files.front().error_message.id, "quire.package.against_policy");
    EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
    EXPECT_EQ(session(id).state, UpdateSessionState::ERROR);
    EXPECT_THAT(session(id).error_message->default_message, HasSubstr(reason));
    EXPECT_EQ(item(), before);
  }
  CertVerificationStatus status() { return item().certificate_verification->status; }
  bool complies() { return item().security_compliance; }

  CertificateMaker maker_;
  std::optional<CertificateMaker::Identity> root_;
  std::optional<CertificateMaker::Identity> signer_;
  int number_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SecurityPolicyTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SecurityPolicyTest, testing::Values(Engine::Postgresql));

TEST_P(SecurityPolicyTest, TheStoreKeepsEachCertificateOnce) {
  const auto id = trust(*root_);
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{64}"));
  EXPECT_EQ(trust(*root_), id);
  EXPECT_EQ(must(store().create(administrator(), "text before\n" + root_->pem() + "and after\n")), id);
  const auto all = must(store().list(alice()));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front(), must(store().get(alice(), id)));
  EXPECT_EQ(all.front().pem, root_->pem());
  for (const std::string& wrong : {std::string(), std::string("x"), root_->pem() + signer_->pem()})
    EXPECT_EQ(kind(store().create(administrator(), wrong)), "invalid_argument");
  must(store().remove(administrator(), id));
  EXPECT_EQ(kind(store().remove(administrator(), id)), "not_found");
  EXPECT_EQ(kind(store().get(alice(), id)), "not_found");
  EXPECT_THAT(must(store().list(alice())), IsEmpty());
}

TEST_P(SecurityPolicyTest, TheStoreHasALimit) {
  world_->context().limits.trusted_certificates_max = 1;
  trust(*root_);
  EXPECT_EQ(kind(store().create(administrator(), signer_->pem())), "unable_to_allocate_resource");
  EXPECT_EQ(kind(store().add_all({signer_->pem()})), "unable_to_allocate_resource");
  trust(*root_);
}

TEST_P(SecurityPolicyTest, AStartAddsWhatIsNotThere) {
  must(store().add_all({root_->pem(), signer_->pem()}));
  must(store().add_all({root_->pem()}));
  EXPECT_EQ(must(store().list(alice())).size(), 2U);
}

TEST_P(SecurityPolicyTest, APolicyThatThereIsNotIsRefused) {
  auto spec = test_support::library_spec("secure");
  spec.security_policy_id = "foo";
  EXPECT_EQ(why(world_->libraries().create_local(alice(), spec, std::nullopt)),
            "quire.library.unknown_security_policy");
  EXPECT_EQ(kind(world_->libraries().update(alice(), library_, spec)), "invalid_argument");
  EXPECT_EQ(kind(world_->libraries().update_local(alice(), library_, spec)), "invalid_argument");
  spec.unset_security_policy = true;
  must(world_->libraries().update(alice(), library_, spec));
  spec = test_support::library_spec("secure");
  spec.security_policy_id = policy;
  const auto secure = must(world_->libraries().create_local(alice(), spec, std::nullopt));
  EXPECT_EQ(must(world_->libraries().get(alice(), secure)).security_policy_id, policy);
  EXPECT_EQ(must(world_->libraries().get(alice(), secure)).version, 2);
}

TEST_P(SecurityPolicyTest, APackageThatIsNotSignedIsRefused) {
  set_policy(policy);
  expect_refused(send_package(unsigned_package), "not signed");
  expect_refused(send_package({{"vm.mf", manifest_of(unsigned_package)}, {"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}),
                 "not signed");
  EXPECT_TRUE(complies()) << "an item without content breaks no rule";
}

TEST_P(SecurityPolicyTest, WarningsCannotBeIgnored) {
  set_policy(policy);
  const auto untrusted = send_package(signed_package(*signer_));
  EXPECT_FALSE(must(sessions().get(alice(), untrusted)).preview->warnings.front().ignored);
  expect_refused(untrusted, "leads to no trusted root");
  trust(*root_);
  auto spec = valid();
  spec.not_after = world_->clock().now() - 1min;
  expect_refused(send_package(signed_package(maker_.issued_by(*root_, spec))), "has expired");
}

TEST_P(SecurityPolicyTest, WhatIsSignedByATrustedSignerComesIn) {
  set_policy(policy);
  trust(*root_);
  import(signed_package(*signer_));
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED);
  EXPECT_TRUE(complies());
  TarWriter tar;
  for (const auto& [name, body] : signed_package(*signer_))
    if (name == "vm.ovf") tar.file(name, body);
  for (const auto& [name, body] : signed_package(*signer_))
    if (name != "vm.ovf") tar.file(name, body);
  import({{"vm.ova", tar.whole()}});
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED);
}

TEST_P(SecurityPolicyTest, TheSignatureMustCoverEveryFile) {
  set_policy(policy);
  trust(*root_);
  expect_refused(send_package(signed_package(*signer_, {{"vm.ovf", vm_ovf}})), "does not name every file");
  // A signed manifest of the descriptor alone, and another, which nobody signed, of the disk.
  auto two = signed_package(*signer_, {{"vm.ovf", vm_ovf}});
  two.insert(two.begin(), {"other.mf", manifest_of({{"disk.vmdk", disk}})});
  expect_refused(send_package(two), "more than one manifest");
}

TEST_P(SecurityPolicyTest, AFileOfBeforeIsNotCoveredByALaterSignature) {
  import(unsigned_package);
  set_policy(policy);
  trust(*root_);
  auto files = signed_package(*signer_);
  files.pop_back();  // the disk is there already, with the digest that its upload took
  const auto id = send_to_item(files);
  must(sessions().complete(alice(), id));
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED) << "its SHA-256 was taken and is the manifest's";

  import(signed_package(*signer_));
  const auto changed = send_to_item({{"disk.vmdk", "other bytes"}});
  expect_refused(changed, "not signed");
}

TEST_P(SecurityPolicyTest, NothingNewNeedsNoSignature) {
  import(unsigned_package);
  set_policy(policy);
  must(sessions().complete(alice(), open()));
  EXPECT_FALSE(complies());
  const auto emptied = open();
  for (const auto* name : {"vm.ovf", "disk.vmdk"}) must(sessions().remove_file(alice(), emptied, name));
  must(sessions().complete(alice(), emptied));
  EXPECT_TRUE(complies());
}

TEST_P(SecurityPolicyTest, OtherTypesAreNoneOfItsBusiness) {
  set_policy(policy);
  fill(item_, {{"vm.ovf", vm_ovf}});
  EXPECT_TRUE(complies());
  service::ItemSpec spec;
  spec.type = "ovf";
  must(world_->items().update(alice(), item_, spec));
  EXPECT_FALSE(complies()) << "now it is a package that nobody has judged";
  EXPECT_EQ(status(), CertVerificationStatus::NOT_AVAILABLE);
}

TEST_P(SecurityPolicyTest, ItemsThatAreThereAreJudgedByANewPolicy) {
  const auto root = trust(*root_);
  import(signed_package(*signer_));
  const auto verified = item_;
  import(unsigned_package);
  EXPECT_TRUE(complies());
  const auto before = item();
  const auto version = must(world_->libraries().get(alice(), library_)).version;
  set_policy(policy);
  EXPECT_EQ(must(world_->libraries().get(alice(), library_)).version, version + 1);
  EXPECT_FALSE(complies());
  EXPECT_EQ(status(), CertVerificationStatus::NOT_AVAILABLE);
  EXPECT_EQ(item().version, before.version) << "no property of the item changed";
  item_ = verified;
  EXPECT_FALSE(complies()) << "it came before the policy";
  EXPECT_EQ(status(), CertVerificationStatus::NOT_AVAILABLE);
  EXPECT_FALSE(item().certificate_verification->cert_chain.empty());
  must(store().remove(administrator(), root));
  trust(*root_);
  EXPECT_EQ(status(), CertVerificationStatus::NOT_AVAILABLE) << "and cannot be judged by now";
  must(sessions().complete(alice(), send_to_item(signed_package(*signer_))));
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED);
  set_policy(policy);
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED) << "the policy that was there is no new one";
  set_policy(std::nullopt);
  EXPECT_TRUE(complies());
}

TEST_P(SecurityPolicyTest, TrustThatComesAndGoesIsJudgedAgain) {
  import(signed_package(*signer_));
  EXPECT_EQ(status(), CertVerificationStatus::UNTRUSTED);
  const auto early = item_;
  set_policy(policy);
  const auto id = trust(*root_);
  import(signed_package(*signer_));
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED);
  must(store().remove(administrator(), id));
  EXPECT_EQ(status(), CertVerificationStatus::UNTRUSTED);
  EXPECT_FALSE(complies());
  advance(48h);  // the signer's certificate has expired since; it was valid when the package came
  trust(*root_);
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED);
  EXPECT_TRUE(complies());
  item_ = early;
  EXPECT_EQ(status(), CertVerificationStatus::NOT_AVAILABLE);
}

TEST_P(SecurityPolicyTest, TrustIsJudgedAgainWithoutAPolicyToo) {
  import(signed_package(*signer_));
  const auto id = trust(*root_);
  EXPECT_EQ(status(), CertVerificationStatus::VERIFIED);
  must(store().remove(administrator(), id));
  EXPECT_EQ(status(), CertVerificationStatus::UNTRUSTED);
  EXPECT_TRUE(complies());
}

TEST_P(SecurityPolicyTest, TrustCountsThatCameAfterTheUpload) {
  set_policy(policy);
  const auto id = send_package(signed_package(*signer_));
  EXPECT_EQ(must(sessions().get(alice(), id)).preview->warnings.size(), 1U);
  trust(*root_);
  EXPECT_THAT(must(sessions().get(alice(), id)).preview->warnings, IsEmpty());
  must(sessions().complete(alice(), id));
}

TEST_P(SecurityPolicyTest, ACopyIntoASecureLibraryMustComply) {
  import(unsigned_package);
  const auto plain = item_;
  trust(*root_);
  import(signed_package(*signer_));
  auto spec = test_support::library_spec("secure");
  spec.security_policy_id = policy;
  service::ItemSpec destination;
  destination.library_id = must(world_->libraries().create_local(alice(), spec, std::nullopt)).text();
  EXPECT_EQ(why(world_->items().copy(alice(), plain, destination, std::nullopt)), "quire.item.against_policy");
  const auto copy = must(world_->items().copy(alice(), item_, destination, std::nullopt));
  EXPECT_TRUE(must(world_->items().get(alice(), copy)).security_compliance);
}

}  // namespace
}  // namespace quire
