#pragma once

#include <openssl/ossl_typ.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "content/fetcher.h"

namespace quire::adapters::curl {

/// Decides whether the certificate of the other end is trusted, in the place of OpenSSL's own check
/// (content-library-api.md §28.3):
/// - a PEM that holds the presented leaf accepts it whatever its name and dates; else its certificates are the only
///   roots of a check of chain, dates and host name;
/// - a thumbprint accepts exactly that leaf, and nothing else is looked at;
/// - otherwise chain, dates and host name with the system's roots and those of `extra_ca_file`.
/// One thread at a time; must outlive the TLS contexts that it was installed in.
class CertificateCheck {
 public:
  /// Fails with `invalid_argument` when PEM or thumbprint cannot be read. The roots are read by install().
  static base::Result<CertificateCheck> make(const content::FetchTrust& trust, std::string extra_ca_file);

  /// Checks connections of `context` from now on, as connections to `host` (a name, or an address without brackets).
  /// False when the roots cannot be read.
  bool install(SSL_CTX* context, std::string host);

  /// The last certificate that was seen, accepted or not.
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
  Roots roots_{nullptr, &X509_STORE_free};  ///< of the chain check; none until they are needed
  std::string host_;
  std::optional<content::PeerCertificate> presented_;
  std::string objection_;
};

}  // namespace quire::adapters::curl
