#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"

namespace quire::formats {

inline constexpr std::size_t max_package_certificate_bytes = std::size_t{1} << 20U;
inline constexpr std::size_t max_package_certificates = 20;
inline constexpr std::size_t max_signature_bytes =
    2048;  ///< of an RSA key of 16,384 bits, the largest that is verified

/// A package's `.cert` file: who signed the manifest, and how.
struct PackageSignature {
  std::string manifest_name;
  base::DigestAlgorithm algorithm = base::DigestAlgorithm::SHA256;
  std::vector<std::byte> signature;
  std::vector<std::vector<std::byte>> certificates;  ///< DER, the signer's first; at least one
};

/// Reads a `.cert` file (DSP0243; content-library-api.md §28.2): one line `SHA256(name.mf)= signature` (digest_line.h;
/// `RSA-`, `ECDSA-` or `EC-` may stand before the algorithm, as `openssl dgst -sign` writes it), then the signer's
/// certificate in PEM and after it those that lead to its root, in any order. A UTF-8 mark at the start and text
/// between the certificates are passed over; PEM blocks of another kind are refused.
///
/// Error: invalid_argument, id `quire.certificate.invalid`, param `reason`.
base::Result<PackageSignature> parse_package_certificate(std::span<const std::byte> bytes);

/// The certificates of a trust store's file, each in PEM: PEM certificates in any number, with any text between them.
///
/// Error: invalid_argument, id `quire.certificate.store_invalid`, param `reason`: other PEM blocks, damaged ones, none.
base::Result<std::vector<std::string>> parse_trusted_certificates(std::string_view pem);

/// SHA-256 of the DER, lower-case hexadecimal, of one of those.
std::string certificate_digest(std::string_view pem);

/// What may be wrong with a signing certificate. Spelled as on the wire (`WarningType`, §14.3).
enum class CertificateWarning {
  SELF_SIGNED_CERTIFICATE,
  EXPIRED_CERTIFICATE,
  NOT_YET_VALID_CERTIFICATE,
  UNTRUSTED_CERTIFICATE,
};

/// The judgement over a package's signature; what `preview_info` shows (§14.3).
struct CertificateVerdict {
  /// The signature is the signer's over exactly these manifest bytes. Says nothing about trust.
  bool signature_valid = false;
  /// A chain of valid signatures leads from the signer to a certificate of the trust store, and everything above the
  /// signer is within its dates. The signer's own dates have no say in it: they are warnings.
  bool trusted = false;
  bool self_signed = false;  ///< the signer's certificate is signed by its own key
  std::string subject;       ///< one line in the manner of RFC 2253, UTF-8
  std::string issuer;
  std::string x509;                          ///< PEM of the signer's certificate
  std::vector<std::string> cert_chain;       ///< base64 of DER, in the file's order, the signer's first
  std::vector<CertificateWarning> warnings;  ///< each at most once, in the order of the enumeration
};

/// Checks the signature over the manifest's bytes (RSA with PKCS #1 v1.5 padding, or ECDSA) and judges the signer's
/// certificate at the time `now` against `trusted_pem`, the certificates of the trust store (§10), each in PEM; what
/// cannot be read among them trusts nobody. A certificate of the store is trusted as it is, whether root, intermediate
/// or the signer's own. Signatures in the chain need 80 bits of security (no MD5, no SHA-1).
///
/// Warnings: not trusted is SELF_SIGNED_CERTIFICATE when the certificate is self-signed and UNTRUSTED_CERTIFICATE
/// otherwise (§28.2); the dates of the signer's certificate give EXPIRED_ or NOT_YET_VALID_CERTIFICATE besides.
/// Whether `manifest_name` is the right one is for the caller to check. Any thread.
CertificateVerdict verify_package_signature(const PackageSignature& signature, std::span<const std::byte> manifest,
                                            const std::vector<std::string>& trusted_pem, base::Time now);

/// What a certificate says of itself.
struct CertificateDescription {
  std::string subject;  ///< one line in the manner of RFC 2253, UTF-8
  std::string issuer;
  base::Time not_before;
  base::Time not_after;
  std::string sha256;  ///< of the DER, lower-case hexadecimal
};

/// Error: invalid_argument, id `quire.certificate.invalid`, param `reason`: no X.509 certificate in DER.
base::Result<CertificateDescription> describe_certificate(std::span<const std::byte> der);

/// Its judgement of the signer's certificate alone, of the DER of `certificates`, the signer's first; what cannot be
/// read is UNTRUSTED_CERTIFICATE.
std::vector<CertificateWarning> judge_certificates(const std::vector<std::vector<std::byte>>& certificates,
                                                   const std::vector<std::string>& trusted_pem, base::Time now);

}  // namespace quire::formats
