#pragma once

#include <openssl/ossl_typ.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "content/fetcher.h"

namespace quire::adapters::curl {

/// Upper case with colons; nullopt unless the text is a SHA-1 or SHA-256 in hexadecimal, with or without colons and
/// blanks.
std::optional<std::string> normal_thumbprint(std::string_view text);

/// Decides whether the certificate of the other end is trusted, in the place of OpenSSL's own check
/// (content-library-api.md §28.3):
/// - a PEM that holds the presented leaf accepts it whatever its name and dates; else its certificates are the only
///   roots of a check of chain, dates and host name;
/// - a thumbprint accepts exactly that leaf, and nothing else is looked at;
/// - so do the thumbprints that the server's administrator pinned to the host, when the request names neither;
/// - otherwise chain, dates and host name with the system's roots and those of `extra_ca_file`.
/// One thread at a time; must outlive the TLS contexts that it was installed in.
class CertificateCheck {
 public:
  /// Fails with `invalid_argument` when PEM or thumbprint cannot be read. The roots are read by install().
  static base::Result<CertificateCheck> make(const content::FetchTrust& trust, std::string extra_ca_file);

  /// Checks connections of `context` from now on, as connections to `host` (a name, or an address without brackets),
  /// which has `pins`. False when the roots cannot be read.
  bool install(SSL_CTX* context, std::string host, std::vector<std::string> pins);

  /// The last certificate that was seen since install(), accepted or not.
  const std::optional<content::PeerCertificate>& presented() const { return presented_; }
  /// What is wrong with it, fitting after "a certificate that": `is not the one whose thumbprint was given`.
  const std::string& objection() const { return objection_; }

 private:
  using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
  using Roots = std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)>;

  CertificateCheck() = default;
  bool load_roots();
  static int verify(X509_STORE_CTX* context, void* self);
  bool accepts(X509_STORE_CTX* context);
  bool accepts_by_chain(X509_STORE_CTX* context);

  std::string extra_ca_file_;
  std::vector<Certificate> given_;
  std::string thumbprint_;                  ///< upper case with colons; empty: none given
  std::vector<std::string> accepted_;       ///< thumbprints for the current host; empty: the chain decides
  Roots roots_{nullptr, &X509_STORE_free};  ///< of the chain check; none until they are needed
  std::string host_;
  std::optional<content::PeerCertificate> presented_;
  std::string objection_;
};

}  // namespace quire::adapters::curl
