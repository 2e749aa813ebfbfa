#include "formats/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "base/base64.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "formats/content_kind.h"
#include "formats/digest_line.h"
#include "formats/text_lines.h"

namespace quire::formats {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::size_t max_shown_name_bytes = 1024;
constexpr int max_chain_depth = static_cast<int>(max_package_certificates);
constexpr int max_rsa_bits = static_cast<int>(max_signature_bytes) * 8;
constexpr int chain_security_level = 1;  // OpenSSL's: 80 bits

template <auto release>
struct Release {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};

void free_stack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
void free_openssl(unsigned char* bytes) { OPENSSL_free(bytes); }
void free_text(char* text) { OPENSSL_free(text); }

using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using CertificateStack = std::unique_ptr<STACK_OF(X509), Release<free_stack>>;
using Store = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Release<X509_STORE_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;

/// Leaves OpenSSL's error queue of the thread as empty as it should have been found: a leftover misleads the next TLS
/// call.
struct QuietErrors {
  QuietErrors() { ERR_clear_error(); }
  ~QuietErrors() { ERR_clear_error(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

Error invalid(std::string reason) {
  return {ErrorKind::invalid_argument,
          "quire.certificate.invalid",
          "The package's certificate file cannot be used: {reason}. Sign the package again.",
          {{"reason", std::move(reason)}}};
}

Bio reading(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  QUIRE_CHECK(bio != nullptr);
  return bio;
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const auto length = BIO_get_mem_data(bio, &data);
  return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string{};
}

/// nullptr when `der` is not exactly one certificate.
Certificate certificate_of(std::span<const std::byte> der) {
  const auto* position = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = position + der.size();
  Certificate certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
  return position == end ? std::move(certificate) : nullptr;
}

struct PemBlock {
  std::string kind;
  std::vector<std::byte> der;
};

/// A value, or why there is none.
template <class T>
using OrReason = tl::expected<T, std::string>;

/// The next PEM block; nullopt behind the last.
OrReason<std::optional<PemBlock>> next_block(BIO* bio) {
  char* kind = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;
  ERR_clear_error();
  if (PEM_read_bio(bio, &kind, &header, &data, &length) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) return std::optional<PemBlock>{};
    return tl::make_unexpected(std::string("a PEM block in it is damaged"));
  }
  const std::unique_ptr<char, Release<free_text>> owned_kind(kind);
  const std::unique_ptr<char, Release<free_text>> owned_header(header);
  const std::unique_ptr<unsigned char, Release<free_openssl>> owned_data(data);
  const auto bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(length)));
  return std::optional(PemBlock{kind, {bytes.begin(), bytes.end()}});
}

OrReason<std::vector<std::vector<std::byte>>> read_certificates(std::string_view text, std::size_t most) {
  std::vector<std::vector<std::byte>> certificates;
  const auto bio = reading(text);
  while (true) {
    auto block = next_block(bio.get());
    if (!block) return tl::make_unexpected(block.error());
    if (!*block) return certificates;
    if ((*block)->kind != PEM_STRING_X509) {
      return tl::make_unexpected(
          std::string("it holds a PEM block '" + base::displayable((*block)->kind, 80) + "', which is no certificate"));
    }
    if (certificate_of((*block)->der) == nullptr)
      return tl::make_unexpected(std::string("a certificate in it cannot be read"));
    if (certificates.size() == most) {
      return tl::make_unexpected(std::string("it holds more than " + std::to_string(most) + " certificates"));
    }
    certificates.push_back(std::move((*block)->der));
  }
}

const EVP_MD* method_of(base::DigestAlgorithm algorithm) {
  return EVP_get_digestbyname(std::string(base::name_of(algorithm)).c_str());
}

bool can_verify_with(const EVP_PKEY* key) {
  const int kind = EVP_PKEY_get_base_id(key);
  return (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) <= max_rsa_bits) || kind == EVP_PKEY_EC;
}

bool signature_matches(const PackageSignature& signature, std::span<const std::byte> manifest, const X509* signer) {
  EVP_PKEY* key = X509_get0_pubkey(signer);
  if (key == nullptr || !can_verify_with(key)) return false;
  const DigestContext context(EVP_MD_CTX_new());
  QUIRE_CHECK(context != nullptr);
  if (EVP_DigestVerifyInit(context.get(), nullptr, method_of(signature.algorithm), nullptr, key) != 1) return false;
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.signature.data()),
                          signature.signature.size(), reinterpret_cast<const unsigned char*>(manifest.data()),
                          manifest.size()) == 1;
}

Store store_of(const std::vector<std::string>& trusted_pem) {
  Store store(X509_STORE_new());
  QUIRE_CHECK(store != nullptr);
  for (const auto& pem : trusted_pem) {
    const auto bio = reading(pem);
    const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate != nullptr) X509_STORE_add_cert(store.get(), certificate.get());
  }
  return store;
}

/// Passes over the signer's own dates: an expired certificate is still trusted or not.
int judge_step(int ok, X509_STORE_CTX* context) {
  const int problem = X509_STORE_CTX_get_error(context);
  const bool date = problem == X509_V_ERR_CERT_HAS_EXPIRED || problem == X509_V_ERR_CERT_NOT_YET_VALID;
  if (ok == 1 || !date || X509_STORE_CTX_get_error_depth(context) != 0) return ok;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

bool is_trusted(X509* signer, STACK_OF(X509) * others, const std::vector<std::string>& trusted_pem, std::time_t now) {
  const auto store = store_of(trusted_pem);
  const StoreContext context(X509_STORE_CTX_new());
  QUIRE_CHECK(context != nullptr);
  if (X509_STORE_CTX_init(context.get(), store.get(), signer, others) != 1) return false;
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(param, now);
  X509_VERIFY_PARAM_set_depth(param, max_chain_depth);
  X509_VERIFY_PARAM_set_auth_level(param, chain_security_level);
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_CTX_set_verify_cb(context.get(), judge_step);
  return X509_verify_cert(context.get()) == 1;
}

std::string one_line(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  QUIRE_CHECK(bio != nullptr);
  // Without ESC_MSB letters beyond ASCII stay letters; displayable then answers for the UTF-8.
  constexpr unsigned long form = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (X509_NAME_print_ex(bio.get(), name, 0, form) < 0) return "(unreadable name)";
  return base::displayable(written(bio.get()), max_shown_name_bytes);
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  QUIRE_CHECK(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate) == 1);
  return written(bio.get());
}

CertificateStack others_of(const std::vector<std::vector<std::byte>>& certificates) {
  CertificateStack others(sk_X509_new_null());
  QUIRE_CHECK(others != nullptr);
  for (const auto& der : std::span(certificates).subspan(1)) {
    auto certificate = certificate_of(der);
    if (certificate != nullptr && sk_X509_push(others.get(), certificate.get()) > 0) certificate.release();
  }
  return others;
}

std::time_t seconds_of(base::Time now) {
  return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}

std::vector<CertificateWarning> warnings_of(const CertificateVerdict& verdict, const X509* signer, std::time_t now) {
  std::vector<CertificateWarning> warnings;
  if (!verdict.trusted && verdict.self_signed) warnings.push_back(CertificateWarning::SELF_SIGNED_CERTIFICATE);
  // X509_cmp_time answers -1 for earlier or the same, 1 for later, 0 for dates it cannot read; those are not trusted.
  if (X509_cmp_time(X509_get0_notAfter(signer), &now) < 0) warnings.push_back(CertificateWarning::EXPIRED_CERTIFICATE);
  if (X509_cmp_time(X509_get0_notBefore(signer), &now) > 0)
    warnings.push_back(CertificateWarning::NOT_YET_VALID_CERTIFICATE);
  if (!verdict.trusted && !verdict.self_signed) warnings.push_back(CertificateWarning::UNTRUSTED_CERTIFICATE);
  return warnings;
}

/// `openssl dgst -sign` puts the kind of the key before the digest.
std::string_view without_key_kind(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  for (const std::string_view kind : {"rsa-", "ecdsa-", "ec-"})
    if (base::to_lower(line.substr(0, kind.size())) == kind) return line.substr(kind.size());
  return line;
}

}  // namespace

Result<PackageSignature> parse_package_certificate(std::span<const std::byte> bytes) {
  const QuietErrors quiet;
  if (bytes.size() > max_package_certificate_bytes) {
    return invalid("it is larger than " + std::to_string(max_package_certificate_bytes) + " bytes");
  }
  TextLines lines(without_utf8_mark(text_of(bytes)));
  auto line = lines.next();
  while (line && is_blank(*line)) line = lines.next();
  if (!line) return invalid("it is empty");
  auto signed_line = parse_digest_line(without_key_kind(*line));
  if (!signed_line) return invalid(signed_line.error().text() + looks_like(bytes));
  auto signature = base::from_hex(signed_line->hex);
  if (!signature || signature->size() > max_signature_bytes) {
    return invalid("the signature is longer than " + std::to_string(max_signature_bytes) + " bytes");
  }
  auto certificates = read_certificates(lines.rest(), max_package_certificates);
  if (!certificates) return invalid(certificates.error());
  if (certificates->empty()) return invalid("no certificate follows the signature");
  return PackageSignature{std::move(signed_line->name), signed_line->algorithm, *std::move(signature),
                          *std::move(certificates)};
}

Result<std::vector<std::string>> parse_trusted_certificates(std::string_view pem) {
  const QuietErrors quiet;
  const auto unusable = [](std::string reason) {
    return Error(ErrorKind::invalid_argument, "quire.certificate.store_invalid",
                 "The file of trusted certificates cannot be used: {reason}.", {{"reason", std::move(reason)}});
  };
  const auto certificates = read_certificates(pem, std::numeric_limits<std::size_t>::max());
  if (!certificates) return unusable(certificates.error());
  if (certificates->empty()) return unusable("it holds no certificate");
  std::vector<std::string> trusted;
  for (const auto& der : *certificates) trusted.push_back(pem_of(certificate_of(der).get()));
  return trusted;
}

std::string certificate_digest(std::string_view pem) {
  const QuietErrors quiet;
  const auto certificates = read_certificates(pem, 1);
  QUIRE_CHECK(certificates && certificates->size() == 1);
  return base::digest_of(base::DigestAlgorithm::SHA256, certificates->front()).hex;
}

Result<CertificateDescription> describe_certificate(std::span<const std::byte> der) {
  const QuietErrors quiet;
  const auto certificate = certificate_of(der);
  if (certificate == nullptr) return invalid("a certificate in it is damaged");
  const auto time_of = [](const ASN1_TIME* text) -> std::optional<base::Time> {
    std::tm parts{};
    if (ASN1_TIME_to_tm(text, &parts) != 1) return std::nullopt;
    return base::Time(std::chrono::seconds(timegm(&parts)));
  };
  const auto from = time_of(X509_get0_notBefore(certificate.get()));
  const auto until = time_of(X509_get0_notAfter(certificate.get()));
  if (!from || !until) return invalid("the dates of a certificate in it cannot be read");
  return CertificateDescription{one_line(X509_get_subject_name(certificate.get())),
                                one_line(X509_get_issuer_name(certificate.get())), *from, *until,
                                base::digest_of(base::DigestAlgorithm::SHA256, der).hex};
}

CertificateVerdict verify_package_signature(const PackageSignature& signature, std::span<const std::byte> manifest,
                                            const std::vector<std::string>& trusted_pem, base::Time now) {
  const QuietErrors quiet;
  QUIRE_CHECK(!signature.certificates.empty());
  const auto signer = certificate_of(signature.certificates.front());
  QUIRE_CHECK(signer != nullptr);
  const auto seconds = seconds_of(now);

  CertificateVerdict verdict;
  verdict.signature_valid = signature_matches(signature, manifest, signer.get());
  verdict.trusted = is_trusted(signer.get(), others_of(signature.certificates).get(), trusted_pem, seconds);
  verdict.self_signed = X509_self_signed(signer.get(), 1) == 1;
  verdict.subject = one_line(X509_get_subject_name(signer.get()));
  verdict.issuer = one_line(X509_get_issuer_name(signer.get()));
  verdict.x509 = pem_of(signer.get());
  for (const auto& der : signature.certificates) verdict.cert_chain.push_back(base::to_base64(der));
  verdict.warnings = warnings_of(verdict, signer.get(), seconds);
  return verdict;
}

std::vector<CertificateWarning> judge_certificates(const std::vector<std::vector<std::byte>>& certificates,
                                                   const std::vector<std::string>& trusted_pem, base::Time now) {
  const QuietErrors quiet;
  const auto signer = certificates.empty() ? nullptr : certificate_of(certificates.front());
  if (signer == nullptr) return {CertificateWarning::UNTRUSTED_CERTIFICATE};
  CertificateVerdict verdict;
  verdict.trusted = is_trusted(signer.get(), others_of(certificates).get(), trusted_pem, seconds_of(now));
  verdict.self_signed = X509_self_signed(signer.get(), 1) == 1;
  return warnings_of(verdict, signer.get(), seconds_of(now));
}

}  // namespace quire::formats
