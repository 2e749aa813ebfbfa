#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/identity.h"
#include "base/result.h"
#include "base/time.h"

namespace quire::http {

/// Key and certificate of a TLS server, PEM.
struct TlsIdentity {
  std::string certificate_pem;
  std::string key_pem;
};

/// A fresh ECDSA P-256 key and a certificate signed with it, for `hosts` (DNS names and IP addresses, at least one),
/// valid for `days` from `not_before` on. The certificate is no authority, so trusting it trusts this key and nothing
/// else; clients take it as their trust anchor (curl `--cacert`, `SSL_CERT_FILE`). The serial number is from
/// `identities`, the key from OpenSSL's own generator. InvalidArgument for a host that cannot stand in a certificate.
base::Result<TlsIdentity> make_self_signed_identity(const std::vector<std::string>& hosts, base::Time not_before,
                                                    int days, base::IdentitySource& identities);

/// SHA-1 over the first certificate of `certificate_pem`, upper-case hexadecimal with colons (content-library-api.md
/// §28.4). InvalidArgument when there is none.
base::Result<std::string> certificate_thumbprint(std::string_view certificate_pem);

}  // namespace quire::http
