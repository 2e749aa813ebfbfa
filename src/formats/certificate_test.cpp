#include "formats/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificate_maker.h"
#include "support/mutation.h"
#include "support/seed.h"

namespace quire::formats {
namespace {

using base::DigestAlgorithm;
using test_support::CertificateMaker;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Identity = CertificateMaker::Identity;
using Spec = CertificateMaker::Spec;
using enum CertificateWarning;
using std::chrono::days;

const base::Time now = *base::parse_time("2024-05-01T12:00:00Z");
const std::string manifest = "SHA256(vm.ovf)= 00\n";

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

Spec spec(std::string name, bool is_authority = false) {
  Spec made;
  made.common_name = std::move(name);
  made.not_before = now - days(10);
  made.not_after = now + days(10);
  made.is_authority = is_authority;
  return made;
}

PackageSignature parsed(const std::string& text) {
  auto signature = parse_package_certificate(bytes_of(text));
  EXPECT_TRUE(signature) << signature.error().text();
  return *std::move(signature);
}

CertificateVerdict judge(const std::string& certificate, const std::vector<std::string>& trusted,
                         std::string_view over = manifest, base::Time at = now) {
  return verify_package_signature(parsed(certificate), bytes_of(over), trusted, at);
}

/// A root, an authority below it, and a signer below that.
class Certificates : public testing::Test {
 protected:
  CertificateMaker maker_;
  Identity root_ = maker_.self_signed(spec("Root", true));
  Identity authority_ = maker_.issued_by(root_, spec("Authority", true));
  Identity signer_ = maker_.issued_by(authority_, spec("Signer"));
};

TEST_F(Certificates, ATrustedSignerRaisesNothing) {
  const auto verdict = judge(signer_.package_certificate("vm.mf", manifest, authority_.pem()), {root_.pem()});
  EXPECT_TRUE(verdict.signature_valid);
  EXPECT_TRUE(verdict.trusted);
  EXPECT_FALSE(verdict.self_signed);
  EXPECT_EQ(verdict.subject, "CN=Signer");
  EXPECT_EQ(verdict.issuer, "CN=Authority");
  EXPECT_EQ(verdict.x509, signer_.pem());
  ASSERT_EQ(verdict.cert_chain.size(), 2U);
  EXPECT_THAT(verdict.cert_chain.front(), StartsWith("MII"));
  EXPECT_TRUE(verdict.warnings.empty());
}

TEST_F(Certificates, SayWhoseTheyAreAndUntilWhen) {
  const auto der = parsed(signer_.package_certificate("vm.mf", manifest, "")).certificates.front();
  const auto described = describe_certificate(der);
  ASSERT_TRUE(described) << described.error().text();
  EXPECT_EQ(described->subject, "CN=Signer");
  EXPECT_EQ(described->issuer, "CN=Authority");
  EXPECT_EQ(described->not_before, now - days(10));
  EXPECT_EQ(described->not_after, now + days(10));
  EXPECT_EQ(described->sha256, certificate_digest(signer_.pem()));
  EXPECT_FALSE(describe_certificate(std::span(der).first(der.size() - 1)));
  EXPECT_FALSE(describe_certificate({}));
}

TEST_F(Certificates, EveryKeyAndDigestWorks) {
  for (const auto key : {CertificateMaker::KeyKind::RSA, CertificateMaker::KeyKind::EC}) {
    auto wanted = spec("Signer");
    wanted.key = key;
    const auto signer = maker_.issued_by(root_, wanted);
    for (const auto algorithm : {DigestAlgorithm::SHA1, DigestAlgorithm::SHA256, DigestAlgorithm::SHA512}) {
      const auto text = signer.package_certificate("vm.mf", manifest, {}, algorithm);
      EXPECT_EQ(parsed(text).algorithm, algorithm);
      EXPECT_TRUE(judge(text, {root_.pem()}).signature_valid);
      EXPECT_FALSE(judge(text, {root_.pem()}, manifest + "\n").signature_valid);
      EXPECT_FALSE(judge(text, {root_.pem()}, "").signature_valid);
    }
  }
}

TEST_F(Certificates, TheSignatureMustBeTheSigners) {
  const auto other = maker_.issued_by(authority_, spec("Other"));
  const auto text =
      "SHA256(vm.mf)= " + other.sign(manifest, DigestAlgorithm::SHA256) + "\n" + signer_.pem() + other.pem();
  EXPECT_FALSE(judge(text, {root_.pem()}).signature_valid);
  const auto wrong_digest = "SHA512(vm.mf)= " + signer_.sign(manifest, DigestAlgorithm::SHA256) + "\n" + signer_.pem();
  EXPECT_FALSE(judge(wrong_digest, {root_.pem()}).signature_valid);
}

TEST_F(Certificates, TrustEndsWhereTheStoreSays) {
  const auto text = signer_.package_certificate("vm.mf", manifest, authority_.pem());
  EXPECT_TRUE(judge(text, {"no certificate", authority_.pem()}).trusted) << "an intermediate in the store";
  EXPECT_TRUE(judge(text, {signer_.pem()}).trusted) << "the signer itself in the store";
  EXPECT_THAT(judge(text, {}).warnings, ElementsAre(UNTRUSTED_CERTIFICATE));
  EXPECT_THAT(judge(text, {maker_.self_signed(spec("Root", true)).pem()}).warnings, ElementsAre(UNTRUSTED_CERTIFICATE))
      << "another root of the same name";
  EXPECT_THAT(judge(signer_.package_certificate("vm.mf", manifest), {root_.pem()}).warnings,
              ElementsAre(UNTRUSTED_CERTIFICATE))
      << "the authority between is missing";
  EXPECT_THAT(judge(signer_.package_certificate("vm.mf", manifest, authority_.pem() + root_.pem()), {}).warnings,
              ElementsAre(UNTRUSTED_CERTIFICATE))
      << "a root that comes with the package is nobody's root";
}

TEST_F(Certificates, ASignerIsNoAuthority) {
  const auto forged = maker_.issued_by(signer_, spec("Forged"));
  const auto text = forged.package_certificate("vm.mf", manifest, signer_.pem() + authority_.pem());
  EXPECT_THAT(judge(text, {root_.pem()}).warnings, ElementsAre(UNTRUSTED_CERTIFICATE));
}

TEST_F(Certificates, WeakSignaturesInTheChainAreNotTrusted) {
  auto weak = spec("Weak");
  weak.signed_with = DigestAlgorithm::SHA1;
  const auto text = maker_.issued_by(root_, weak).package_certificate("vm.mf", manifest);
  EXPECT_THAT(judge(text, {root_.pem()}).warnings, ElementsAre(UNTRUSTED_CERTIFICATE));
}

TEST_F(Certificates, SelfSignedIsItsOwnWarning) {
  const auto alone = maker_.self_signed(spec("Alone"));
  const auto text = alone.package_certificate("vm.mf", manifest);
  const auto verdict = judge(text, {root_.pem()});
  EXPECT_TRUE(verdict.signature_valid);
  EXPECT_TRUE(verdict.self_signed);
  EXPECT_FALSE(verdict.trusted);
  EXPECT_THAT(verdict.warnings, ElementsAre(SELF_SIGNED_CERTIFICATE));
  const auto in_store = judge(text, {alone.pem()});
  EXPECT_TRUE(in_store.trusted);
  EXPECT_TRUE(in_store.self_signed);
  EXPECT_TRUE(in_store.warnings.empty());
}

TEST_F(Certificates, DatesWarnBesidesTrust) {
  auto expired = spec("Expired");
  expired.not_after = now - days(1);
  auto early = spec("Early");
  early.not_before = now + days(1);
  struct Case {
    Spec spec;
    CertificateWarning warning;
  };
  for (const auto& [dates, warning] : {Case{expired, EXPIRED_CERTIFICATE}, Case{early, NOT_YET_VALID_CERTIFICATE}}) {
    const auto issued = maker_.issued_by(authority_, dates).package_certificate("vm.mf", manifest, authority_.pem());
    EXPECT_TRUE(judge(issued, {root_.pem()}).trusted);
    EXPECT_TRUE(judge(issued, {root_.pem()}).signature_valid);
    EXPECT_THAT(judge(issued, {root_.pem()}).warnings, ElementsAre(warning));
    EXPECT_THAT(judge(issued, {}).warnings, ElementsAre(warning, UNTRUSTED_CERTIFICATE));
    const auto alone = maker_.self_signed(dates);
    const auto text = alone.package_certificate("vm.mf", manifest);
    EXPECT_THAT(judge(text, {}).warnings, ElementsAre(SELF_SIGNED_CERTIFICATE, warning));
    EXPECT_THAT(judge(text, {alone.pem()}).warnings, ElementsAre(warning));
  }
}

TEST_F(Certificates, DatesAboveTheSignerEndTheTrust) {
  auto expired = spec("Old Authority", true);
  expired.not_after = now - days(1);
  const auto old_authority = maker_.issued_by(root_, expired);
  const auto text =
      maker_.issued_by(old_authority, spec("Signer")).package_certificate("vm.mf", manifest, old_authority.pem());
  EXPECT_THAT(judge(text, {root_.pem()}).warnings, ElementsAre(UNTRUSTED_CERTIFICATE));
  EXPECT_TRUE(judge(text, {root_.pem()}, manifest, now - days(2)).trusted) << "the time is a parameter";
}

TEST_F(Certificates, NamesAreFitForDisplay) {
  const auto odd = maker_.self_signed(spec("Gr\xC3\xBC\xC3\x9F\n, \xC2\x85%"));
  const auto verdict = judge(odd.package_certificate("vm.mf", manifest), {});
  EXPECT_EQ(verdict.subject, "CN=Gr\xC3\xBC\xC3\x9F\\0A\\, \\xc2\\x85%");
}

TEST_F(Certificates, AcceptsWhatStandsAroundThePem) {
  const auto sign = signer_.sign(manifest, DigestAlgorithm::SHA256);
  const auto signature = parsed("\r\n\nSHA256(vm.mf) = " + sign + "\r\n\r\nsubject=/CN=Signer\n" + signer_.pem() +
                                "\nissuer\n" + authority_.pem() + "the end");
  EXPECT_EQ(signature.manifest_name, "vm.mf");
  EXPECT_EQ(signature.certificates.size(), 2U);
}

TEST_F(Certificates, ReadsTheFirstLineOfEveryTool) {
  const auto sign = signer_.sign(manifest, DigestAlgorithm::SHA256);
  for (const std::string form :
       {"SHA256(vm.mf)= ", "SHA2-256(vm.mf)= ", "RSA-SHA256(vm.mf)= ", "RSA-SHA2-256(vm.mf)= ", "EC-SHA2-256(vm.mf)= ",
        "ECDSA-SHA256(vm.mf)=", " sha256 (./vm.mf) = ", "\xEF\xBB\xBFSHA256(vm.mf)= "}) {
    const auto signature = parsed(form + sign + " \r\n" + signer_.pem());
    EXPECT_EQ(signature.manifest_name, "vm.mf") << form;
    EXPECT_EQ(signature.algorithm, DigestAlgorithm::SHA256) << form;
  }
}

TEST_F(Certificates, RefusesBrokenFiles) {
  const auto line = "SHA256(vm.mf)= " + signer_.sign(manifest, DigestAlgorithm::SHA256) + "\n";
  const auto pem = signer_.pem();
  const auto begin = std::string("-----BEGIN CERTIFICATE-----\n");
  const auto end = std::string("-----END CERTIFICATE-----\n");
  std::string many;
  for (std::size_t i = 0; i <= max_package_certificates; ++i) many += pem;
  struct Case {
    std::string text;
    std::string reason;
  };
  for (const auto& [text, reason] : std::vector<Case>{
           {"", "empty"},
           {"\n \n", "empty"},
           {"<!DOCTYPE html>\n" + pem, "it looks like an HTML page"},
           {"DSA-SHA256(vm.mf)= 00\n" + pem, "none of SHA1"},
           {pem, "form"},
           {line, "no certificate"},
           {line + "text\n", "no certificate"},
           {"MD5(vm.mf)= 00\n" + pem, "none of SHA1"},
           {"SHA256(vm.mf)= 0\n" + pem, "hexadecimal"},
           {"SHA256(../vm.mf)= 00\n" + pem, "cannot be used"},
           {"SHA256(vm.mf)= " + std::string(2 * max_signature_bytes + 2, '0') + "\n" + pem, "signature is longer"},
           {line + pem.substr(0, pem.size() - 40), "damaged"},
           {line + begin + "AAAA\n" + end, "cannot be read"},
           {line + begin + "\n" + end, ""},
           {line + begin + "!!!!\n" + end, "damaged"},
           {line + pem + begin + "AAAA\n", "damaged"},
           {line + signer_.key_pem() + pem, "no certificate"},
           {line + many, "more than 20 certificates"},
           {line + pem + std::string(max_package_certificate_bytes, '\n'), "larger than"}}) {
    const auto signature = parse_package_certificate(bytes_of(text));
    ASSERT_FALSE(signature) << text.substr(0, 3000);
    EXPECT_EQ(signature.error().kind(), base::ErrorKind::invalid_argument);
    EXPECT_EQ(signature.error().messages().front().id, "quire.certificate.invalid");
    EXPECT_THAT(signature.error().text(), HasSubstr(reason)) << text.substr(0, 3000);
  }
}

TEST_F(Certificates, SurvivesDamage) {
  test_support::Mutator mutator(test_support::test_seed());
  const auto original = signer_.package_certificate("vm.mf", manifest, authority_.pem());
  for (int i = 0; i < 3000; ++i) {
    const auto signature = parse_package_certificate(bytes_of(mutator.damaged(original)));
    if (signature) verify_package_signature(*signature, bytes_of(manifest), {root_.pem()}, now);
  }
}

// PEM armour stops most damage of the text; this reaches the certificates inside it.
TEST_F(Certificates, SurvivesDamageInside) {
  test_support::Mutator mutator(test_support::test_seed());
  const auto original = parsed(signer_.package_certificate("vm.mf", manifest, authority_.pem()));
  const auto& der = original.certificates.front();
  const std::string inside(reinterpret_cast<const char*>(der.data()), der.size());
  for (int i = 0; i < 3000; ++i) {
    const auto damaged = mutator.damaged(inside);
    std::string armoured(damaged.size() * 2 + 10, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(armoured.data()),
                        reinterpret_cast<const unsigned char*>(damaged.data()), static_cast<int>(damaged.size()));
    armoured.resize(static_cast<std::size_t>(length));
    for (std::size_t at = 64; at < armoured.size(); at += 65) armoured.insert(at, "\n");
    const auto text = "SHA256(vm.mf)= 00\n-----BEGIN CERTIFICATE-----\n" + armoured + "\n-----END CERTIFICATE-----\n";
    const auto signature = parse_package_certificate(bytes_of(text));
    if (signature) verify_package_signature(*signature, bytes_of(manifest), {root_.pem()}, now);
  }
}

TEST_F(Certificates, ATrustStoreIsAnyNumberOfCertificates) {
  const auto first = maker_.self_signed(spec("first")).pem();
  const auto second = maker_.self_signed(spec("second")).pem();
  const auto trusted = parse_trusted_certificates("# roots\n" + first + "\nsubject=second\n" + second);
  ASSERT_TRUE(trusted);
  EXPECT_EQ(*trusted, (std::vector{first, second}));
  for (const auto& broken : {std::string(), std::string("text"), first.substr(0, first.size() / 2),
                             first + "-----BEGIN", maker_.self_signed(spec("third")).key_pem()}) {
    const auto refused = parse_trusted_certificates(broken);
    if (broken == first + "-----BEGIN") {
      EXPECT_TRUE(refused) << "text behind the last one is passed over";
    } else {
      ASSERT_FALSE(refused) << broken;
      EXPECT_EQ(refused.error().messages().front().id, "quire.certificate.store_invalid");
    }
  }
}

}  // namespace
}  // namespace quire::formats
