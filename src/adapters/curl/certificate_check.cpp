#include "adapters/curl/certificate_check.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/check.h"
#include "base/hex.h"
#include "content/address_policy.h"

namespace quire::adapters::curl {
namespace {

/// Digits in pairs, upper case, colons between: how thumbprints are shown (§28.4).
std::string with_colons(std::string_view hex_digits) {
  std::string out;
  for (std::size_t i = 0; i < hex_digits.size(); ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += static_cast<char>(std::toupper(static_cast<unsigned char>(hex_digits[i])));
  }
  return out;
}

std::string thumbprint_of(X509* certificate, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  QUIRE_CHECK(X509_digest(certificate, algorithm, digest.data(), &length) == 1);
  return with_colons(base::to_hex(std::as_bytes(std::span(digest).first(length))));
}

std::string pem_of(X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  QUIRE_CHECK(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate) == 1);
  char* text = nullptr;
  const auto length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::vector<std::unique_ptr<X509, decltype(&X509_free)>> read_certificates(const std::string& pem) {
  std::vector<std::unique_ptr<X509, decltype(&X509_free)>> all;
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                          &BIO_free_all);
  QUIRE_CHECK(bio != nullptr);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(one, &X509_free);
  ERR_clear_error();  // reading ends with an error, and curl would take it for one of its own
  return all;
}

}  // namespace

std::optional<std::string> normal_thumbprint(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (base::is_hex_digit(c))
      digits += c;
    else if (c != ':' && c != ' ')
      return std::nullopt;
  }
  constexpr std::size_t sha1_digits = 40;
  constexpr std::size_t sha256_digits = 64;
  if (digits.size() != sha1_digits && digits.size() != sha256_digits) return std::nullopt;
  return with_colons(digits);
}

base::Result<CertificateCheck> CertificateCheck::make(const content::FetchTrust& trust, std::string extra_ca_file) {
  CertificateCheck check;
  check.extra_ca_file_ = std::move(extra_ca_file);
  if (trust.certificate_pem) {
    check.given_ = read_certificates(*trust.certificate_pem);
    if (check.given_.empty()) {
      return base::Error(base::ErrorKind::invalid_argument, "quire.pull.certificate_unreadable",
                         "ssl_certificate holds no readable certificate. Send it in PEM form, from BEGIN CERTIFICATE "
                         "to END CERTIFICATE.");
    }
  } else if (trust.thumbprint) {
    const auto thumbprint = normal_thumbprint(*trust.thumbprint);
    if (!thumbprint) {
      return base::Error(base::ErrorKind::invalid_argument, "quire.pull.thumbprint_unreadable",
                         "ssl_certificate_thumbprint is no thumbprint. Send the SHA-1 or SHA-256 of the certificate as "
                         "40 or 64 hexadecimal digits, with or without colons.");
    }
    check.thumbprint_ = *thumbprint;
  }
  return check;
}

bool CertificateCheck::load_roots() {
  roots_.reset(X509_STORE_new());
  QUIRE_CHECK(roots_ != nullptr);
  if (!given_.empty()) {
    for (const auto& certificate : given_) X509_STORE_add_cert(roots_.get(), certificate.get());
    // Also an intermediate authority may be the root of what is trusted.
    X509_STORE_set_flags(roots_.get(), X509_V_FLAG_PARTIAL_CHAIN);
    return true;
  }
  const bool loaded = X509_STORE_set_default_paths(roots_.get()) == 1 &&
                      (extra_ca_file_.empty() || X509_STORE_load_file(roots_.get(), extra_ca_file_.c_str()) == 1);
  ERR_clear_error();  // default paths that are not there are no failure
  return loaded;
}

bool CertificateCheck::install(SSL_CTX* context, std::string host, std::vector<std::string> pins) {
  host_ = std::move(host);
  if (host_.ends_with('.')) host_.pop_back();
  accepted_.clear();
  presented_.reset();
  objection_.clear();
  if (!thumbprint_.empty())
    accepted_ = {thumbprint_};
  else if (given_.empty())
    accepted_ = std::move(pins);
  if (accepted_.empty()) {
    if (!load_roots()) return false;
    X509_STORE_up_ref(roots_.get());
    SSL_CTX_set_cert_store(context, roots_.get());
  }
  SSL_CTX_set_cert_verify_callback(context, &CertificateCheck::verify, this);
  return true;
}

int CertificateCheck::verify(X509_STORE_CTX* context, void* self) {
  auto& check = *static_cast<CertificateCheck*>(self);
  check.objection_.clear();
  if (check.accepts(context)) {
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
  }
  if (X509_STORE_CTX_get_error(context) == X509_V_OK)
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
  ERR_clear_error();  // libcurl tells the kind of failure by the oldest error in the queue
  return 0;
}

bool CertificateCheck::accepts(X509_STORE_CTX* context) {
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  if (leaf == nullptr) return false;
  presented_ =
      content::PeerCertificate{thumbprint_of(leaf, EVP_sha1()), thumbprint_of(leaf, EVP_sha256()), pem_of(leaf)};
  if (!accepted_.empty()) {
    if (std::any_of(accepted_.begin(), accepted_.end(), [&](const std::string& thumbprint) {
          return thumbprint == presented_->thumbprint_sha1 || thumbprint == presented_->thumbprint_sha256;
        }))
      return true;
    objection_ = thumbprint_.empty() ? "is not the one that pull_trust names for this host"
                                     : "is not the one whose thumbprint was given";
    return false;
  }
  if (std::any_of(given_.begin(), given_.end(), [&](const auto& given) { return X509_cmp(given.get(), leaf) == 0; }))
    return true;
  return accepts_by_chain(context);
}

bool CertificateCheck::accepts_by_chain(X509_STORE_CTX* context) {
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_address = content::IpAddress::parse(host_).has_value();
  QUIRE_CHECK((is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host_.c_str())
                          : X509_VERIFY_PARAM_set1_host(wanted, host_.data(), host_.size())) == 1);
  if (X509_verify_cert(context) == 1) return true;
  objection_ = given_.empty() ? "is not trusted (" : "does not follow from the given ssl_certificate (";
  objection_ += X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  objection_ += ')';
  return false;
}

}  // namespace quire::adapters::curl
