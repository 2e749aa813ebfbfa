#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/hex.h"
#include "base/time.h"

namespace quire::test_support {

/// Keys and certificates for tests, made on the spot. Throws std::runtime_error when OpenSSL refuses.
/// Link with OpenSSL::Crypto.
class CertificateMaker {
 public:
  enum class KeyKind { RSA, EC };

  /// What a certificate says.
  struct Spec {
    std::string common_name = "quire test";
    base::Time not_before;
    base::Time not_after;
    bool is_authority = false;
    KeyKind key = KeyKind::EC;
    base::DigestAlgorithm signed_with = base::DigestAlgorithm::SHA256;
  };

  /// A certificate with its private key.
  class Identity {
   public:
    std::string pem() const {
      return written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
    }
    std::string key_pem() const {
      return written(
          [&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    }

    /// The signature over `text`, in hexadecimal.
    std::string sign(std::string_view text, base::DigestAlgorithm algorithm) const {
      const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
      std::string signature(8192, '\0');
      std::size_t length = signature.size();
      require(EVP_DigestSignInit(context.get(), nullptr, method_of(algorithm), nullptr, key_.get()));
      require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()));
      return base::to_hex(std::as_bytes(std::span(signature)).first(length));
    }

    /// A whole `.cert` file over `manifest`: the signature line, this certificate, then `chain` (PEM texts).
    std::string package_certificate(std::string_view manifest_name, std::string_view manifest,
                                    std::string_view chain = {},
                                    base::DigestAlgorithm algorithm = base::DigestAlgorithm::SHA256) const {
      return std::string(base::name_of(algorithm)) + "(" + std::string(manifest_name) +
             ")= " + sign(manifest, algorithm) + "\n" + pem() + std::string(chain);
    }

   private:
    friend class CertificateMaker;
    Identity(EVP_PKEY* key, X509* certificate) : key_(key, &EVP_PKEY_free), certificate_(certificate, &X509_free) {}

    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<X509> certificate_;
  };

  /// Signed by its own key.
  Identity self_signed(const Spec& spec) { return make(spec, nullptr); }
  /// Signed by `issuer`.
  Identity issued_by(const Identity& issuer, const Spec& spec) { return make(spec, &issuer); }

 private:
  static void require(int answer) {
    if (answer <= 0) throw std::runtime_error("OpenSSL refused to make a test certificate");
  }

  static const EVP_MD* method_of(base::DigestAlgorithm algorithm) {
    return EVP_get_digestbyname(std::string(base::name_of(algorithm)).c_str());
  }

  template <class Write>
  static std::string written(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), &BIO_free_all);
    require(write(bio.get()));
    char* data = nullptr;
    const auto length = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(length)};
  }

  static void set_date(ASN1_TIME* field, base::Time time) {
    require(ASN1_TIME_set(field, std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count()) != nullptr);
  }

  static void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value), &X509_EXTENSION_free);
    require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
  }

  Identity make(const Spec& spec, const Identity* issuer) {
    EVP_PKEY* key = spec.key == KeyKind::RSA ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    require(key != nullptr);
    Identity made(key, X509_new());
    X509* certificate = made.certificate_.get();
    X509* issuing = issuer == nullptr ? certificate : issuer->certificate_.get();
    require(X509_set_version(certificate, 2));
    require(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_));
    set_date(X509_getm_notBefore(certificate), spec.not_before);
    set_date(X509_getm_notAfter(certificate), spec.not_after);
    require(X509_set_pubkey(certificate, key));
    require(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(spec.common_name.data()),
                                       static_cast<int>(spec.common_name.size()), -1, 0));
    require(X509_set_issuer_name(certificate, X509_get_subject_name(issuing)));
    add_extension(certificate, issuing, NID_basic_constraints,
                  spec.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (spec.is_authority) add_extension(certificate, issuing, NID_key_usage, "critical,keyCertSign,cRLSign");
    EVP_PKEY* signing = issuer == nullptr ? key : issuer->key_.get();
    require(X509_sign(certificate, signing, method_of(spec.signed_with)));
    return made;
  }

  long serial_ = 0;
};

}  // namespace quire::test_support
