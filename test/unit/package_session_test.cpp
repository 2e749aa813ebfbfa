#include <gmock/gmock.h>

#include <random>

#include "service/trust/trusted_certificates.h"
#include "support/certificate_maker.h"
#include "support/seed.h"
#include "support/service_world.h"
#include "support/tar_writer.h"

// Update sessions of items of type `ovf`: content-library-api.md §14.3, §23.6, §28.2.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::CertVerificationStatus;
using content::SessionFile;
using content::TransferStatus;
using content::UpdateSessionId;
using content::UpdateSessionState;
using content::WarningBehavior;
using content::WarningType;
using service::BodyEnd;
using service::PreviewState;
using test_support::administrator;
using test_support::alice;
using test_support::bytes_of;
using test_support::CertificateMaker;
using test_support::Engine;
using test_support::file_spec;
using test_support::kind;
using test_support::send;
using test_support::ServiceTest;
using test_support::TarWriter;
using test_support::why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct Reference {
  std::string name;
  std::optional<std::size_t> size = {};
};

std::string descriptor(const std::vector<Reference>& files) {
  std::string text =
      "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "
      "xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\"><References>";
  for (const auto& file : files)
    text += "<File ovf:id=\"" + file.name + "\" ovf:href=\"" + file.name + "\"" +
            (file.size ? " ovf:size=\"" + std::to_string(*file.size) + "\"" : "") + "/>";
  return text + "</References></Envelope>";
}

std::string manifest(const std::vector<std::pair<std::string, std::string>>& files,
                     base::DigestAlgorithm algorithm = base::DigestAlgorithm::SHA256) {
  std::string text;
  for (const auto& [name, body] : files)
    text += std::string(base::name_of(algorithm)) + "(" + name +
            ")= " + base::digest_of(algorithm, bytes_of(body)).hex + "\n";
  return text;
}

const std::string disk = "the bytes of a disk";
const std::string vm_ovf = descriptor({{"disk.vmdk", disk.size()}});

std::string archive(const std::vector<std::pair<std::string, std::string>>& members) {
  TarWriter tar;
  for (const auto& [name, body] : members) tar.file(name, body);
  return tar.whole();
}

class PackageSessionTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (world_) item_ = new_item("package", "ovf");
  }

  UpdateSessionState state(const UpdateSessionId& id) { return session(id).state; }
  service::Preview preview(const UpdateSessionId& id) { return must(sessions().get(alice(), id)).preview.value(); }

  /// Complete refuses with this reason, the session ends in ERROR with it, and nothing is left of it.
  void expect_invalid(const UpdateSessionId& id, const std::string& reason) {
    const auto before = item();
    const auto refused = sessions().complete(alice(), id);
    ASSERT_EQ(kind(refused), "not_allowed_in_current_state");
    EXPECT_EQ(refused.error().messages().back().id, reason);
    EXPECT_EQ(state(id), UpdateSessionState::ERROR);
    ASSERT_TRUE(session(id).error_message);
    EXPECT_EQ(session(id).error_message->id, reason);
    EXPECT_EQ(item(), before);
    EXPECT_EQ(files_on_disk(), 0U);
  }
  /// The upload itself was refused: file and session are in ERROR and nothing is left.
  void expect_ended(const UpdateSessionId& id, const std::string& name) {
    EXPECT_EQ(file(id, name).status, TransferStatus::ERROR);
    EXPECT_TRUE(file(id, name).error_message);
    EXPECT_EQ(state(id), UpdateSessionState::ERROR);
    EXPECT_TRUE(session(id).error_message);
    EXPECT_EQ(files_on_disk(), 0U);
    EXPECT_THAT(world_->blobs_in_catalog(), IsEmpty());
    EXPECT_THAT(content(), IsEmpty());
  }

  CertificateMaker::Spec valid() {
    CertificateMaker::Spec spec;
    spec.not_before = world_->clock().now() - 24h;
    spec.not_after = world_->clock().now() + 24h;
    return spec;
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, PackageSessionTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, PackageSessionTest, testing::Values(Engine::Postgresql));

// ---- files sent one by one ----

TEST_P(PackageSessionTest, APackageSentFileByFileBecomesTheItem) {
  const auto id = open();
  EXPECT_EQ(preview(id).state, PreviewState::UNAVAILABLE);
  const auto ovf = add(id, "vm.ovf");
  EXPECT_EQ(preview(id).state, PreviewState::PREPARING);
  must(send(*world_, ovf.upload_token, vm_ovf));
  EXPECT_EQ(preview(id).state, PreviewState::AVAILABLE);
  EXPECT_THAT(preview(id).warnings, IsEmpty());
  EXPECT_FALSE(preview(id).signature);
  push(id, "disk.vmdk", disk);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
}

TEST_P(PackageSessionTest, CompleteNamesMissingReferencesAndTheSessionStaysActive) {
  const auto id = open();
  push(id, "vm.ovf", vm_ovf);
  EXPECT_THAT(must(sessions().validate(alice(), id)).missing_files, ElementsAre("disk.vmdk"));
  const auto refused = sessions().complete(alice(), id);
  EXPECT_EQ(kind(refused), "not_allowed_in_current_state");
  EXPECT_THAT(refused.error().text(), HasSubstr("disk.vmdk"));
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  push(id, "disk.vmdk", disk);
  EXPECT_FALSE(must(sessions().validate(alice(), id)).has_errors());
  must(sessions().complete(alice(), id));
}

TEST_P(PackageSessionTest, ASizeOtherThanTheDescriptorsIsInvalid) {
  const auto id = open();
  push(id, "vm.ovf", vm_ovf);
  push(id, "disk.vmdk", "short");
  const auto found = must(sessions().validate(alice(), id));
  ASSERT_EQ(found.invalid_files.size(), 1U);
  EXPECT_EQ(found.invalid_files[0].name, "disk.vmdk");
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  expect_invalid(id, "quire.package.size_differs");
}

TEST_P(PackageSessionTest, ADescriptorThatCannotBeReadIsInvalidAtComplete) {
  const auto id = open();
  push(id, "vm.ovf", "<Envelope");
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  EXPECT_EQ(must(sessions().validate(alice(), id)).invalid_files.size(), 1U);
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
  EXPECT_EQ(state(id), UpdateSessionState::ERROR);
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(PackageSessionTest, NoDescriptorOrTwoAreInvalid) {
  const auto none = open();
  push(none, "disk.vmdk", disk);
  expect_invalid(none, "quire.package.no_descriptor");
  const auto two = open();
  push(two, "a.ovf", vm_ovf);
  push(two, "b.ovf", vm_ovf);
  push(two, "disk.vmdk", disk);
  expect_invalid(two, "quire.package.two_descriptors");
}

TEST_P(PackageSessionTest, ManifestAndCertificateComeBeforeTheDescriptor) {
  const auto id = open();
  add(id, "vm.ovf");
  EXPECT_EQ(why(sessions().add_file(alice(), id, file_spec("vm.mf"))),
            "quire.update_session.metadata_after_descriptor");
  EXPECT_EQ(kind(sessions().add_file(alice(), id, file_spec("vm.cert"))), "not_allowed_in_current_state");
  must(sessions().remove_file(alice(), id, "vm.ovf"));
  EXPECT_FALSE(add(id, "vm.mf").keep_in_storage);
}

TEST_P(PackageSessionTest, AManifestIsCheckedAndNotKept) {
  for (const auto algorithm :
       {base::DigestAlgorithm::SHA1, base::DigestAlgorithm::SHA256, base::DigestAlgorithm::SHA512}) {
    SCOPED_TRACE(base::name_of(algorithm));
    item_ = new_item("package with " + std::string(base::name_of(algorithm)), "ovf");
    const auto id = open();
    push(id, "vm.mf", manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}, algorithm));
    push(id, "vm.ovf", vm_ovf);
    push(id, "disk.vmdk", disk);
    must(sessions().complete(alice(), id));
    EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
  }
  EXPECT_EQ(files_on_disk(), 2U);
}

TEST_P(PackageSessionTest, AFileThatContradictsTheManifestEndsTheSessionAtOnce) {
  const auto id = open();
  push(id, "vm.mf", manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", "another disk"}}));
  push(id, "vm.ovf", vm_ovf);
  const auto entry = add(id, "disk.vmdk");
  EXPECT_EQ(why(send(*world_, entry.upload_token, disk)), "quire.package.manifest_mismatch");
  expect_ended(id, "disk.vmdk");
}

TEST_P(PackageSessionTest, AManifestThatContradictsAFileThatIsThereEndsTheSessionAtOnce) {
  const auto id = open();
  push(id, "disk.vmdk", disk);
  const auto entry = add(id, "vm.mf");
  EXPECT_EQ(why(send(*world_, entry.upload_token, manifest({{"disk.vmdk", "another disk"}}))),
            "quire.package.manifest_mismatch");
  expect_ended(id, "vm.mf");
}

TEST_P(PackageSessionTest, AManifestLineForAFileThatIsNotThereIsAMissingFile) {
  const auto next = open();
  push(next, "vm.mf", manifest({{"vm.ovf", descriptor({})}, {"other.iso", "x"}}));
  push(next, "vm.ovf", descriptor({}));
  EXPECT_THAT(must(sessions().validate(alice(), next)).missing_files, ElementsAre("other.iso"));
  EXPECT_EQ(kind(sessions().complete(alice(), next)), "not_allowed_in_current_state");
  EXPECT_EQ(state(next), UpdateSessionState::ACTIVE);
}

TEST_P(PackageSessionTest, MetadataLargerThanTheLimitEndsTheSession) {
  content::Limits limits;
  limits.metadata_file_bytes_max = 100;
  make_world({}, limits);
  item_ = new_item("package", "ovf");
  const auto id = open();
  const auto entry = add(id, "vm.ovf");
  EXPECT_EQ(why(send(*world_, entry.upload_token, std::string(101, ' '))), "quire.package.metadata_too_large");
  expect_ended(id, "vm.ovf");

  const auto another = open();
  const auto refused = send(*world_, add(another, "vm.ovf").upload_token, archive({{"vm.ovf", vm_ovf}}));
  EXPECT_EQ(why(refused), "quire.package.metadata_too_large");
  EXPECT_THAT(refused.error().text(), HasSubstr("100 bytes that are allowed, and it looks like a tar archive."));
}

TEST_P(PackageSessionTest, ReplacingADiskOfAPackageKeepsTheRest) {
  fill(item_, {{"vm.ovf", descriptor({{"disk.vmdk"}})}, {"disk.vmdk", disk}});
  const auto id = open();
  push(id, "disk.vmdk", "a new disk");
  must(sessions().complete(alice(), id));
  EXPECT_EQ(content().at("disk.vmdk"), "a new disk");
  EXPECT_EQ(version_of("disk.vmdk"), 2);
  EXPECT_EQ(version_of("vm.ovf"), 1);
}

TEST_P(PackageSessionTest, ADescriptorThatStaysStillNeedsItsFiles) {
  fill(item_, {{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto id = open();
  must(sessions().remove_file(alice(), id, "disk.vmdk"));
  EXPECT_THAT(must(sessions().validate(alice(), id)).missing_files, ElementsAre("disk.vmdk"));
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  push(id, "disk.vmdk", disk);
  must(sessions().complete(alice(), id));
}

// ---- signed packages ----

class SignedPackageTest : public PackageSessionTest {
 protected:
  UpdateSessionId send_signed(const CertificateMaker::Identity& signer, const std::string& chain = {},
                              const std::optional<std::vector<WarningBehavior>>& behavior = std::nullopt) {
    const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
    const auto id = must(sessions().create(alice(), item_.text(), behavior, std::nullopt));
    push(id, "vm.mf", mf);
    push(id, "vm.cert", signer.package_certificate("vm.mf", mf, chain));
    push(id, "vm.ovf", vm_ovf);
    push(id, "disk.vmdk", disk);
    return id;
  }
  std::vector<WarningType> warned(const UpdateSessionId& id) {
    std::vector<WarningType> types;
    for (const auto& warning : preview(id).warnings) types.push_back(warning.type);
    return types;
  }

  void trust(const CertificateMaker::Identity& authority) {
    must(service::TrustedCertificates(world_->context()).create(administrator(), authority.pem()));
  }

  CertificateMaker maker_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SignedPackageTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SignedPackageTest, testing::Values(Engine::Postgresql));

TEST_P(SignedPackageTest, AWarningThatIsNotIgnoredFailsComplete) {
  const auto id = send_signed(maker_.self_signed(valid()));
  EXPECT_EQ(preview(id).state, PreviewState::AVAILABLE);
  EXPECT_TRUE(preview(id).signature->self_signed);
  EXPECT_THAT(warned(id), ElementsAre(WarningType::SELF_SIGNED_CERTIFICATE));
  EXPECT_FALSE(preview(id).warnings.front().ignored);
  EXPECT_FALSE(must(sessions().validate(alice(), id)).has_errors());
  expect_invalid(id, "quire.package.certificate_self_signed");
}

TEST_P(SignedPackageTest, AnIgnoredWarningDoesNot) {
  const auto id = send_signed(maker_.self_signed(valid()));
  must(sessions().update(alice(), id, std::vector<WarningBehavior>{{WarningType::SELF_SIGNED_CERTIFICATE, true}}));
  EXPECT_TRUE(preview(id).warnings.front().ignored);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
  ASSERT_TRUE(item().certificate_verification);
  EXPECT_EQ(item().certificate_verification->status, CertVerificationStatus::UNTRUSTED);
  EXPECT_EQ(item().certificate_verification->cert_chain.size(), 1U);
}

TEST_P(SignedPackageTest, AnotherTypesIgnoranceDoesNotHelp) {
  const auto id = send_signed(maker_.self_signed(valid()), {},
                              std::vector<WarningBehavior>{{WarningType::UNTRUSTED_CERTIFICATE, true},
                                                           {WarningType::SELF_SIGNED_CERTIFICATE, false}});
  expect_invalid(id, "quire.package.certificate_self_signed");
}

TEST_P(SignedPackageTest, ExpiredAndNotYetValidAndUntrustedAreWarnings) {
  auto spec = valid();
  spec.not_after = world_->clock().now() - 1h;
  EXPECT_THAT(warned(send_signed(maker_.self_signed(spec))), testing::Contains(WarningType::EXPIRED_CERTIFICATE));
  spec = valid();
  spec.not_before = world_->clock().now() + 1h;
  item_ = new_item("second", "ovf");
  EXPECT_THAT(warned(send_signed(maker_.self_signed(spec))), testing::Contains(WarningType::NOT_YET_VALID_CERTIFICATE));
  spec = valid();
  spec.is_authority = true;
  const auto authority = maker_.self_signed(spec);
  item_ = new_item("third", "ovf");
  EXPECT_THAT(warned(send_signed(maker_.issued_by(authority, valid()), authority.pem())),
              ElementsAre(WarningType::UNTRUSTED_CERTIFICATE));
}

TEST_P(SignedPackageTest, ASignatureOverAnotherManifestIsInvalid) {
  const auto signer = maker_.self_signed(valid());
  const auto id = must(sessions().create(
      alice(), item_.text(), std::vector<WarningBehavior>{{WarningType::SELF_SIGNED_CERTIFICATE, true}}, {}));
  push(id, "vm.mf", manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}));
  push(id, "vm.cert", signer.package_certificate("vm.mf", "a tampered manifest"));
  push(id, "vm.ovf", vm_ovf);
  push(id, "disk.vmdk", disk);
  expect_invalid(id, "quire.package.signature_invalid");
}

TEST_P(SignedPackageTest, TheCertificateMayComeBeforeTheManifest) {
  const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto id = open();
  push(id, "vm.cert", maker_.self_signed(valid()).package_certificate("vm.mf", mf));
  EXPECT_THAT(must(sessions().validate(alice(), id)).missing_files, ElementsAre("vm.mf"));
  push(id, "vm.mf", mf);
  push(id, "vm.ovf", vm_ovf);
  EXPECT_THAT(warned(id), ElementsAre(WarningType::SELF_SIGNED_CERTIFICATE));
}

TEST_P(SignedPackageTest, ACertificateWhoseManifestWasRemovedHasNothingToStandFor) {
  const auto id = send_signed(maker_.self_signed(valid()), {},
                              std::vector<WarningBehavior>{{WarningType::SELF_SIGNED_CERTIFICATE, true}});
  must(sessions().remove_file(alice(), id, "vm.mf"));
  EXPECT_THAT(must(sessions().validate(alice(), id)).missing_files, ElementsAre("vm.mf"));
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
}

TEST_P(SignedPackageTest, ASignedArchiveWarnsBeforeComplete) {
  const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto cert = maker_.self_signed(valid()).package_certificate("vm.mf", mf);
  for (const bool at_the_end : {false, true}) {
    item_ = new_item(at_the_end ? "at the end" : "in front", "ovf");
    const auto id = open();
    push(id, "vm.ova",
         at_the_end ? archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"vm.mf", mf}, {"vm.cert", cert}})
                    : archive({{"vm.ovf", vm_ovf}, {"vm.mf", mf}, {"vm.cert", cert}, {"disk.vmdk", disk}}));
    EXPECT_EQ(preview(id).state, PreviewState::AVAILABLE);
    EXPECT_THAT(warned(id), ElementsAre(WarningType::SELF_SIGNED_CERTIFICATE));
    must(sessions().update(alice(), id, std::vector<WarningBehavior>{{WarningType::SELF_SIGNED_CERTIFICATE, true}}));
    must(sessions().complete(alice(), id));
    EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
  }
  EXPECT_EQ(files_on_disk(), 2U);
}

TEST_P(SignedPackageTest, TrustComesFromTheTrustedCertificates) {
  auto spec = valid();
  spec.is_authority = true;
  spec.common_name = "root";
  const auto root = maker_.self_signed(spec);
  spec.common_name = "intermediate";
  const auto intermediate = maker_.issued_by(root, spec);
  spec.common_name = "old root";
  spec.not_after = world_->clock().now() - 1h;
  const auto old_root = maker_.self_signed(spec);
  const auto signer = maker_.issued_by(intermediate, valid());
  const auto self_signed = maker_.self_signed(valid());
  for (const auto* trusted : {&root, &old_root, &self_signed}) trust(*trusted);

  int number = 0;
  const auto warned_of = [&](const CertificateMaker::Identity& by, const std::string& chain) {
    item_ = new_item("trusted " + std::to_string(++number), "ovf");
    return warned(send_signed(by, chain));
  };
  EXPECT_THAT(warned_of(signer, intermediate.pem()), ElementsAre());
  EXPECT_THAT(warned_of(signer, intermediate.pem() + root.pem()), ElementsAre());
  EXPECT_THAT(warned_of(signer, ""), ElementsAre(WarningType::UNTRUSTED_CERTIFICATE)) << "the chain has a gap";
  EXPECT_THAT(warned_of(maker_.issued_by(root, valid()), ""), ElementsAre());
  EXPECT_THAT(warned_of(maker_.issued_by(old_root, valid()), ""), ElementsAre(WarningType::UNTRUSTED_CERTIFICATE));
  EXPECT_THAT(warned_of(self_signed, ""), ElementsAre());
  EXPECT_THAT(warned_of(maker_.self_signed(valid()), ""), ElementsAre(WarningType::SELF_SIGNED_CERTIFICATE));
  auto expired = valid();
  expired.not_after = world_->clock().now() - 1h;
  EXPECT_THAT(warned_of(maker_.issued_by(root, expired), ""), ElementsAre(WarningType::EXPIRED_CERTIFICATE));

  item_ = new_item("completed", "ovf");
  must(sessions().complete(alice(), send_signed(signer, intermediate.pem())));
  EXPECT_EQ(item().certificate_verification->status, CertVerificationStatus::VERIFIED);
}

TEST_P(SignedPackageTest, TrustHoldsInArchivesAndWhicheverOfManifestAndCertificateCameFirst) {
  const auto signer = maker_.self_signed(valid());
  trust(signer);
  const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto cert = signer.package_certificate("vm.mf", mf);
  auto id = open();
  push(id, "vm.ova", archive({{"vm.ovf", vm_ovf}, {"vm.mf", mf}, {"vm.cert", cert}, {"disk.vmdk", disk}}));
  EXPECT_THAT(warned(id), ElementsAre());
  must(sessions().complete(alice(), id));
  item_ = new_item("second", "ovf");
  id = open();
  push(id, "vm.cert", cert);
  push(id, "vm.mf", mf);
  push(id, "vm.ovf", vm_ovf);
  EXPECT_THAT(warned(id), ElementsAre());
}

// ---- archives ----

TEST_P(PackageSessionTest, AnArchiveIsUnpackedAndNotKept) {
  const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  for (const bool at_the_end : {false, true}) {
    item_ = new_item(at_the_end ? "at the end" : "in front", "ovf");
    const auto id = open();
    push(id, "vm.ova",
         at_the_end ? archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"vm.mf", mf}})
                    : archive({{"vm.ovf", vm_ovf}, {"vm.mf", mf}, {"disk.vmdk", disk}}));
    EXPECT_THAT(names(id), ElementsAre("vm.ova"));
    EXPECT_EQ(file(id, "vm.ova").status, TransferStatus::READY);
    EXPECT_EQ(preview(id).state, PreviewState::AVAILABLE);
    must(sessions().complete(alice(), id));
    EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
    EXPECT_EQ(item().size, static_cast<std::int64_t>(disk.size() + vm_ovf.size()));
    EXPECT_EQ(item().content_version, 2);
    EXPECT_THAT(names(id), ElementsAre("vm.ova"));
  }
  EXPECT_EQ(files_on_disk(), 2U);
}

TEST_P(PackageSessionTest, AnArchiveInAPlainItemIsAFileLikeAnyOther) {
  item_ = new_item("plain", "");
  fill(item_, {{"vm.ova", "no archive at all"}});
  EXPECT_THAT(content(), ElementsAre(Pair("vm.ova", "no archive at all")));
}

TEST_P(PackageSessionTest, MembersThatTheDescriptorDoesNotNameAreKeptArchivesIncluded) {
  const auto id = open();
  push(id, "vm.ova", archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"notes.txt", "n"}, {"inner.ova", "i"}}));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("inner.ova", "i"), Pair("notes.txt", "n"),
                                     Pair("vm.ovf", vm_ovf)));
  const auto again = open();
  push(again, "notes.txt", "new");
  must(sessions().complete(alice(), again));
  EXPECT_EQ(content().size(), 4U);
}

TEST_P(PackageSessionTest, AChecksumOfAnArchiveIsOverEveryByteThePaddingIncluded) {
  const auto body = archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}) + std::string(8192, '\0');
  for (const auto algorithm : base::all_digest_algorithms) {
    const auto good = base::digest_of(algorithm, bytes_of(body));
    item_ = new_item("good " + good.hex.substr(0, 60), "ovf");
    const auto id = open();
    const auto entry = must(sessions().add_file(alice(), id, file_spec("vm.ova", body.size(), good)));
    EXPECT_TRUE(send(*world_, entry.upload_token, body));
    must(sessions().complete(alice(), id));
    must(world_->items().remove(alice(), item_));

    item_ = new_item("bad " + good.hex.substr(0, 60), "ovf");
    const auto bad_id = open();
    const auto bad = must(sessions().add_file(
        alice(), bad_id, file_spec("vm.ova", {}, base::digest_of(algorithm, bytes_of("something else")))));
    EXPECT_EQ(why(send(*world_, bad.upload_token, body)), "quire.upload.checksum_differs");
    expect_ended(bad_id, "vm.ova");
    must(world_->items().remove(alice(), item_));
  }
}

TEST_P(PackageSessionTest, AnArchiveWhoseDiskContradictsItsManifestEndsTheSession) {
  const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", "another disk"}});
  for (const auto& body : {archive({{"vm.ovf", vm_ovf}, {"vm.mf", mf}, {"disk.vmdk", disk}}),
                           archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"vm.mf", mf}})}) {
    const auto id = open();
    const auto entry = add(id, "vm.ova");
    EXPECT_EQ(why(send(*world_, entry.upload_token, body)), "quire.package.manifest_mismatch");
    expect_ended(id, "vm.ova");
  }
}

TEST_P(PackageSessionTest, AnArchiveWithoutAReferencedDiskStaysActiveUntilItIsSent) {
  const auto id = open();
  push(id, "vm.ova", archive({{"vm.ovf", vm_ovf}}));
  const auto refused = sessions().complete(alice(), id);
  EXPECT_EQ(kind(refused), "not_allowed_in_current_state");
  EXPECT_THAT(refused.error().text(), HasSubstr("disk.vmdk"));
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  push(id, "disk.vmdk", disk);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
}

TEST_P(PackageSessionTest, HostileArchivesEndTheSessionAndLeaveNothing) {
  std::vector<std::pair<std::string, std::string>> hostile = {
      {"no archive", std::string(2000, 'x')},
      {"empty", ""},
      {"traversal", archive({{"vm.ovf", vm_ovf}, {"../disk.vmdk", disk}})},
      {"absolute", archive({{"vm.ovf", vm_ovf}, {"/etc/passwd", disk}})},
      {"descriptor not first", archive({{"disk.vmdk", disk}, {"vm.ovf", vm_ovf}})},
      {"two descriptors", archive({{"vm.ovf", vm_ovf}, {"b.ovf", vm_ovf}})},
      {"the same name twice", archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"disk.vmdk", disk}})},
      {"unreadable descriptor", archive({{"vm.ovf", "<Envelope"}, {"disk.vmdk", disk}})},
      {"unreadable manifest", archive({{"vm.ovf", vm_ovf}, {"vm.mf", "nonsense"}, {"disk.vmdk", disk}})},
  };
  TarWriter link;
  TarWriter::Header header;
  header.name = "disk.vmdk";
  header.type = '2';
  header.link_name = "/etc/passwd";
  hostile.emplace_back("link", link.file("vm.ovf", vm_ovf).header(header).whole());
  for (const auto& [name, body] : hostile) {
    SCOPED_TRACE(name);
    const auto id = open();
    const auto entry = add(id, "vm.ova");
    EXPECT_EQ(kind(send(*world_, entry.upload_token, body)), "invalid_argument");
    expect_ended(id, "vm.ova");
  }
}

// `.ova` of macOS: "vm.ova: ... Document is empty (line 1)", because `._vm.ovf` came first and was taken for the
// descriptor.
TEST_P(PackageSessionTest, WhatMacOsKeepsBesideMembersIsPassedOver) {
  const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const std::string extra("\0\5\26\7 what the finder knows", 25);
  for (const auto& body :
       {archive({{"._vm.ovf", extra},
                 {"vm.ovf", vm_ovf},
                 {"._vm.mf", extra},
                 {"vm.mf", mf},
                 {"._disk.vmdk", extra},
                 {"disk.vmdk", disk}}),
        archive({{"vm.ovf", vm_ovf},
                 {"._vm.ovf", extra},
                 {"disk.vmdk", disk},
                 {"vm.mf", mf},
                 {"._vm.mf", extra},
                 {"._disk.vmdk", extra}}),
        archive({{"._disk.vmdk", extra}, {"._vm.ovf", extra}, {"vm.ovf", vm_ovf}, {"disk.vmdk", disk}})}) {
    item_ = new_item("mac " + std::to_string(std::hash<std::string>()(body)), "ovf");
    const auto id = open();
    push(id, "vm.ova", body);
    must(sessions().complete(alice(), id));
    EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
    EXPECT_EQ(files_on_disk(), 2U) << "the same two blobs each time";
  }
  // Without its file it is a file like others, but no descriptor.
  item_ = new_item("alone", "ovf");
  const auto id = open();
  push(id, "vm.ova", archive({{"vm.ovf", vm_ovf}, {"._x.ovf", extra}, {"d/._disk.vmdk", extra}, {"disk.vmdk", disk}}));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("._x.ovf", extra), Pair("d/._disk.vmdk", extra), Pair("disk.vmdk", disk),
                                     Pair("vm.ovf", vm_ovf)));
}

TEST_P(PackageSessionTest, OrdinaryTarsArePackages) {
  const auto directory = [](const std::string& name) { return TarWriter::Header{.name = name, .type = '5'}; };
  TarWriter tar;
  tar.header(directory("./")).file("./vm.ovf", vm_ovf).header(directory("./msg/")).file("./msg/en.msg", "hello");
  tar.file("./disk.vmdk", disk).file("./vm.mf", manifest({{"./vm.ovf", vm_ovf}, {"./disk.vmdk", disk}}));
  const auto id = open();
  push(id, "vm.ova", tar.whole());
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("msg/en.msg", "hello"), Pair("vm.ovf", vm_ovf)));

  const auto in_a_folder = open();
  const auto entry = add(in_a_folder, "vm.ova");
  const auto refused = send(*world_, entry.upload_token, TarWriter().file("./vm/vm.ovf", vm_ovf).whole());
  EXPECT_EQ(why(refused), "quire.ova.order");
  EXPECT_THAT(refused.error().text(), HasSubstr("'vm/vm.ovf' lies in a directory"));
}

TEST_P(PackageSessionTest, ManifestsOfTodaysToolsAreChecked) {
  const auto sha256 = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto sha1 = [](const std::string& body) {
    return manifest({{"disk.vmdk", body}}, base::DigestAlgorithm::SHA1);
  };
  const auto openssl3 = "\xEF\xBB\xBFSHA2-256(vm.ovf)= " + sha256.substr(std::string("SHA256(vm.ovf)= ").size());
  struct Case {
    std::string mf;
    std::string reason;
  };
  for (const auto& [mf, reason] : std::vector<Case>{{openssl3 + sha1(disk), ""},
                                                    {sha256 + sha256, ""},
                                                    {sha256 + sha1("another"), "quire.package.manifest_mismatch"},
                                                    {sha1("another") + sha256, "quire.package.manifest_mismatch"}}) {
    // VMware writes descriptor, disks, manifest, and then what the manifest does not name.
    for (const auto& body : {archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"vm.mf", mf}, {"vm.nvram", "n"}}),
                             archive({{"vm.ovf", vm_ovf}, {"vm.mf", mf}, {"disk.vmdk", disk}, {"vm.nvram", "n"}})}) {
      const auto id = open();
      const auto entry = add(id, "vm.ova");
      EXPECT_EQ(why(send(*world_, entry.upload_token, body)), reason);
      if (reason.empty()) must(sessions().complete(alice(), id));
    }
    const auto id = open();
    push(id, "vm.mf", mf);
    push(id, "vm.ovf", vm_ovf);
    const auto entry = add(id, "disk.vmdk");
    EXPECT_EQ(why(send(*world_, entry.upload_token, disk)), reason);
    if (reason.empty()) must(sessions().complete(alice(), id));
  }
}

// VMware writes `ovf:href` as a URI reference (DSP0243 7.1); a file called "The Image-disk1.vmdk" was "missing".
TEST_P(PackageSessionTest, HrefsAreUriReferences) {
  const auto ovf = descriptor({{"The%20Image-disk1.vmdk", disk.size()}, {"50%25.vmdk", 1}});
  for (const bool decoded : {false, true}) {
    const auto name = decoded ? "The Image-disk1.vmdk" : "The%20Image-disk1.vmdk";
    const auto mf = manifest({{"vm.ovf", ovf}, {"The Image-disk1.vmdk", disk}});
    item_ = new_item(std::string("in a file ") + name, "ovf");
    const auto id = open();
    push(id, "vm.mf", mf);
    push(id, "vm.ovf", ovf);
    push(id, name, disk);
    EXPECT_THAT(must(sessions().validate(alice(), id)).missing_files, ElementsAre("50%25.vmdk"));
    push(id, "50%25.vmdk", "%");
    must(sessions().complete(alice(), id));
    EXPECT_THAT(content(), ElementsAre(Pair("50%25.vmdk", "%"), Pair(name, disk), Pair("vm.ovf", ovf)));

    item_ = new_item(std::string("in an archive ") + name, "ovf");
    const auto packed = open();
    push(packed, "vm.ova", archive({{"vm.ovf", ovf}, {name, disk}, {"50%25.vmdk", "%"}, {"vm.mf", mf}}));
    must(sessions().complete(alice(), packed));
    EXPECT_THAT(content(), ElementsAre(Pair("50%25.vmdk", "%"), Pair(name, disk), Pair("vm.ovf", ovf)));
  }
  const auto id = open();
  push(id, "vm.ovf", ovf);
  push(id, "The Image-disk1.vmdk", "short");
  push(id, "50%25.vmdk", "%");
  EXPECT_EQ(sessions().complete(alice(), id).error().messages().back().id, "quire.package.size_differs");
}

TEST_P(PackageSessionTest, NamesThatHarmWhenDecodedAreRefused) {
  const auto id = open();
  for (const auto* name : {"%2e%2e/x.vmdk", "%2Fetc", "a%00b", "%252e%252e/x"})
    EXPECT_EQ(why(sessions().add_file(alice(), id, file_spec(name))), "quire.file_name.invalid") << name;
  EXPECT_TRUE(sessions().add_file(alice(), id, file_spec("50%25.vmdk")));
  const auto entry = add(id, "vm.ova");
  const auto refused = send(*world_, entry.upload_token, archive({{"vm.ovf", vm_ovf}, {"%2e%2e/x", disk}}));
  EXPECT_THAT(why(refused), "quire.ova.invalid");
}

TEST_P(PackageSessionTest, EveryReasonAboutAMemberNamesArchiveAndMember) {
  struct Case {
    std::string body;
    std::vector<std::string> said;
  };
  const auto wrong = manifest({{"disk.vmdk", "another disk"}});
  for (const auto& [body, said] : std::vector<Case>{
           {archive({{"vm.ovf", ""}}), {"vm.ova: member vm.ovf: ", "it is empty (line 1)"}},
           {archive({{"vm.ovf", "<!DOCTYPE html>"}}), {"vm.ova: member vm.ovf: ", "looks like an HTML page"}},
           {archive({{"vm.ovf", vm_ovf}, {"vm.mf", "nonsense"}}), {"vm.ova: member vm.mf: ", "(line 1)"}},
           {archive({{"vm.ovf", vm_ovf}, {"vm.mf", ""}, {"vm.cert", "nonsense"}}), {"vm.ova: member vm.cert: "}},
           {archive({{"vm.ovf", vm_ovf}, {"vm.mf", wrong}, {"disk.vmdk", disk}}), {"vm.ova: File disk.vmdk has "}},
           {archive({{"vm.ovf", vm_ovf}, {"x.mf", ""}}), {"vm.ova: The OVA ", "'x.mf'"}},
           {archive({{"x", ""}, {"vm.ovf", vm_ovf}}), {"vm.ova: The OVA ", "'x'"}},
           {archive({{"._x", ""}, {"vm.ovf", vm_ovf}}), {"vm.ova: The OVA ", "'._x'"}},
           {archive({{"vm.ovf", vm_ovf}, {"a", "1"}, {"a", "1"}}), {"vm.ova: The OVA ", "'a' stands there twice"}},
           {archive({{"vm.ovf", vm_ovf}}).substr(0, 700), {"vm.ova: The OVA ", "too early"}},
           {"\x1F\x8B\x08" + std::string(1000, '\1'), {"vm.ova: The OVA ", "looks like gzip-compressed data"}},
           {"PK\x03\x04" + std::string(100, '\1'), {"vm.ova: The OVA ", "looks like a zip archive"}},
           {"<!doctype html><title>Log in</title>", {"vm.ova: The OVA ", "looks like an HTML page"}}}) {
    const auto id = open();
    const auto entry = add(id, "vm.ova");
    const auto refused = send(*world_, entry.upload_token, body);
    ASSERT_FALSE(refused) << said.front();
    for (const auto& part : said) EXPECT_THAT(refused.error().text(), HasSubstr(part));
    expect_ended(id, "vm.ova");
    EXPECT_EQ(session(id).error_message->default_message, refused.error().text()) << "names the archive once";
  }
}

TEST_P(PackageSessionTest, TheWrongThingSentAsADescriptorIsNamed) {
  for (const auto& [body, kind] : std::vector<std::pair<std::string, std::string>>{
           {archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}), "a tar archive"},
           {"\x1F\x8B\x08" + std::string(100, '\1'), "gzip-compressed data"},
           {"<!doctype html><title>Log in</title>", "an HTML page"}}) {
    const auto id = open();
    push(id, "vm.ovf", body);
    expect_invalid(id, "quire.ovf.invalid");
    EXPECT_THAT(session(id).error_message->default_message, HasSubstr("vm.ovf"));
    EXPECT_THAT(session(id).error_message->default_message, HasSubstr("looks like " + kind));
  }
}

// A member of 4 EiB was "no room on this storage", a 507, whatever the length of the archive: as if the server had a
// problem, and not the archive.
TEST_P(PackageSessionTest, AMemberCannotBeLargerThanItsArchive) {
  TarWriter tar;
  TarWriter::Header header;
  header.name = "disk.vmdk";
  header.size_field = TarWriter::base256(std::uint64_t{1} << 62U);
  const auto body = tar.file("vm.ovf", vm_ovf).header(header).whole();
  const auto length = static_cast<std::int64_t>(body.size());
  for (const auto& spec : {file_spec("vm.ova"), file_spec("vm.ova", length)}) {
    const auto id = open();
    const auto entry = must(sessions().add_file(alice(), id, spec));
    const auto content_length = spec.size ? std::optional<std::int64_t>() : length;
    EXPECT_EQ(why(send(*world_, entry.upload_token, body, BodyEnd::whole, content_length)),
              "quire.ova.member_too_large");
    expect_ended(id, "vm.ova");
  }
}

TEST_P(PackageSessionTest, AnArchiveCutAnywhereEndsTheSessionAndLeavesNothing) {
  const auto body = archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"vm.mf", manifest({{"disk.vmdk", disk}})}});
  for (std::size_t length = 0; length < body.size() - 2 * TarWriter::block_bytes; length += 97) {
    SCOPED_TRACE(length);
    const auto id = open();
    const auto entry = add(id, "vm.ova");
    EXPECT_EQ(kind(send(*world_, entry.upload_token, body.substr(0, length), BodyEnd::whole, {}, 100)),
              "invalid_argument");
    expect_ended(id, "vm.ova");
  }
}

TEST_P(PackageSessionTest, DamagedArchivesEitherFailOrAreWhole) {
  std::mt19937_64 random(test_support::test_seed());
  const auto mf = manifest({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto good = archive({{"vm.ovf", vm_ovf}, {"vm.mf", mf}, {"disk.vmdk", disk}});
  const int rounds = GetParam() == Engine::Sqlite ? 300 : 30;
  for (int i = 0; i < rounds; ++i) {
    auto body = good;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) body[random() % body.size()] = static_cast<char>(random());
    item_ = new_item("damaged " + std::to_string(i), "ovf");
    const auto id = open();
    const auto entry = add(id, "vm.ova");
    if (!send(*world_, entry.upload_token, body)) {
      expect_ended(id, "vm.ova");
    } else if (sessions().complete(alice(), id)) {
      EXPECT_EQ(content().at("disk.vmdk"), disk);
      EXPECT_EQ(content().at("vm.ovf"), vm_ovf);
    }
    must(world_->items().remove(alice(), item_));
    EXPECT_EQ(files_on_disk(), 0U) << i;
  }
}

TEST_P(PackageSessionTest, AnArchiveWhoseConnectionBreaksLeavesNoBytesAndIsSentAgain) {
  const auto body = archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto id = open();
  const auto entry = add(id, "vm.ova");
  must(send(*world_, entry.upload_token, body.substr(0, 1600), BodyEnd::broken));
  EXPECT_EQ(file(id, "vm.ova").status, TransferStatus::TRANSFERRING);
  EXPECT_EQ(file(id, "vm.ova").bytes_transferred, 0) << "nothing of it is kept";
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
  must(send(*world_, entry.upload_token, body));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
}

TEST_P(PackageSessionTest, AnArchiveSentAgainReplacesTheMembersOfTheFirst) {
  const auto id = open();
  const auto entry = push(id, "vm.ova", archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}, {"more.iso", "m"}}));
  must(send(*world_, entry.upload_token, archive({{"vm.ovf", descriptor({})}})));
  EXPECT_EQ(files_on_disk(), 1U);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("vm.ovf", descriptor({}))));
}

TEST_P(PackageSessionTest, ARemovedArchiveTakesItsMembersAlong) {
  const auto id = open();
  push(id, "vm.ova", archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}));
  must(sessions().remove_file(alice(), id, "vm.ova"));
  EXPECT_THAT(names(id), IsEmpty());
  EXPECT_EQ(files_on_disk(), 0U);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), IsEmpty());
}

TEST_P(PackageSessionTest, TwoArchivesWithTheSameMemberAreRefusedAndNothingLeaks) {
  const auto id = open();
  push(id, "a.ova", archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}));
  const auto second = add(id, "b.ova");
  EXPECT_EQ(why(send(*world_, second.upload_token, archive({{"vm.ovf", descriptor({})}}))),
            "quire.ova.file_added_twice");
  expect_ended(id, "b.ova");
}

TEST_P(PackageSessionTest, AnArchiveReplacesTheFilesOfThePackageThatIsThere) {
  fill(item_, {{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto id = open();
  push(id, "vm.ova", archive({{"vm.ovf", descriptor({{"disk.vmdk"}})}, {"disk.vmdk", "a new disk"}}));
  must(sessions().complete(alice(), id));
  EXPECT_EQ(content().at("disk.vmdk"), "a new disk");
  EXPECT_EQ(version_of("disk.vmdk"), 2);
  EXPECT_EQ(files_on_disk(), 2U);
}

TEST_P(PackageSessionTest, AnArchiveRemovedAgainLeavesTheItemAsItWas) {
  fill(item_, {{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto id = open();
  push(id, "vm.ova", archive({{"vm.ovf", descriptor({{"disk.vmdk"}})}, {"disk.vmdk", "a new disk"}}));
  must(sessions().remove_file(alice(), id, "vm.ova"));
  EXPECT_THAT(names(id), testing::UnorderedElementsAre("vm.ovf", "disk.vmdk"));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("disk.vmdk", disk), Pair("vm.ovf", vm_ovf)));
  EXPECT_EQ(item().content_version, 2);
}

TEST_P(PackageSessionTest, AnArchiveSentAgainWithOtherMembersLosesNoFileOfTheItem) {
  fill(item_, {{"vm.ovf", descriptor({{"disk.vmdk"}})}, {"disk.vmdk", disk}});
  const auto id = open();
  const auto entry = push(id, "vm.ova", archive({{"vm.ovf", descriptor({{"disk.vmdk"}})}, {"disk.vmdk", "new"}}));
  for (int times = 0; times < 2; ++times)
    must(send(*world_, entry.upload_token, archive({{"vm.ovf", descriptor({{"disk.vmdk"}})}, {"more.iso", "m"}})));
  must(sessions().complete(alice(), id));
  EXPECT_EQ(content().at("disk.vmdk"), disk);
  EXPECT_EQ(content().at("more.iso"), "m");
  EXPECT_EQ(version_of("disk.vmdk"), 1);
  EXPECT_EQ(version_of("vm.ovf"), 2);
  EXPECT_EQ(files_on_disk(), 3U);
}

TEST_P(PackageSessionTest, AFileRemovedBeforeAnArchiveCameStaysRemovedWhenTheArchiveGoes) {
  fill(item_, {{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}});
  const auto id = open();
  must(sessions().remove_file(alice(), id, "vm.ovf"));
  must(sessions().remove_file(alice(), id, "disk.vmdk"));
  push(id, "vm.ova", archive({{"vm.ovf", vm_ovf}, {"disk.vmdk", disk}}));
  must(sessions().remove_file(alice(), id, "vm.ova"));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), IsEmpty());
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(PackageSessionTest, AnArchiveHoldsNoMoreFilesThanTheLimit) {
  content::Limits limits;
  limits.files_per_item_max = 4;
  make_world({}, limits);
  item_ = new_item("package", "ovf");
  const auto id = open();
  const auto entry = add(id, "vm.ova");
  EXPECT_EQ(why(send(*world_, entry.upload_token,
                     archive({{"vm.ovf", descriptor({})}, {"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}))),
            "quire.ova.too_many_files");
  expect_ended(id, "vm.ova");

  const auto full =
      archive({{"._vm.ovf", "x"}, {"._a", "x"}, {"vm.ovf", descriptor({})}, {"a", "1"}, {"b", "2"}, {"._b", "x"}});
  push(open(), "vm.ova", full);
  item_ = new_item("doubles alone", "ovf");
  const auto alone = add(open(), "vm.ova");
  EXPECT_EQ(why(send(*world_, alone.upload_token,
                     archive({{"vm.ovf", descriptor({})}, {"a", "1"}, {"._c", "x"}, {"._d", "x"}}))),
            "quire.ova.too_many_files");
}

}  // namespace
}  // namespace quire
