#pragma once

#include <openssl/ssl.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace quire::client {

/// Decides whether the other end of a TLS connection is trusted, in the place of OpenSSL's own check:
/// - a key that was accepted for `host:port` is the only one that is taken there, whatever the certificate says;
/// - so is a certificate whose thumbprint the API named for a transfer to `host:port`;
/// - else chain, dates and host name are checked with the system's roots (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
/// Any thread.
class KeyCheck {
 public:
  void accept_key(const std::string& authority, const std::string& key);
  /// SHA-1 or SHA-256 in hexadecimal, with or without colons; anything else is passed over.
  void accept_thumbprint(const std::string& authority, const std::string& thumbprint);

  /// `SHA256:BASE64` of the key that was shown at `authority` and refused, if one was.
  std::optional<std::string> refused_key(const std::string& authority) const;
  /// Why: `is not the one that was accepted before`.
  std::string objection(const std::string& authority) const;

  /// What belongs to one connection; must outlive the TLS context.
  struct Place {
    KeyCheck* check = nullptr;
    std::string host;
    std::string authority;
  };
  /// Checks connections of `context` as connections to `place`. False when the roots cannot be read.
  static bool install(SSL_CTX* context, Place* place);

 private:
  static int verify(X509_STORE_CTX* context, void* place);
  bool accepts(X509_STORE_CTX* context, const Place& place);

  mutable std::mutex mutex_;
  std::map<std::string, std::string> keys_;
  std::map<std::string, std::string> thumbprints_;  ///< lower-case digits
  std::map<std::string, std::string> refused_;
  std::map<std::string, std::string> objections_;
};

}  // namespace quire::client
