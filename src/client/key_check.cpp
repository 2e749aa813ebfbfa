#include "client/key_check.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <span>
#include <vector>

#include "base/base64.h"
#include "base/digest.h"
#include "base/hex.h"

namespace quire::client {
namespace {

std::optional<std::string> key_digest(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return std::nullopt;
  const auto digest =
      base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(der, static_cast<std::size_t>(length))));
  OPENSSL_free(der);
  return "SHA256:" + base::to_base64(base::from_hex(digest.hex).value_or(std::vector<std::byte>()));
}

std::string thumbprint(X509* certificate, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate, algorithm, digest.data(), &length) != 1) return {};
  return base::to_hex(std::as_bytes(std::span(digest).first(length)));
}

bool is_address(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> address(a2i_IPADDRESS(host.c_str()),
                                                                                      &ASN1_OCTET_STRING_free);
  ERR_clear_error();
  return address != nullptr;
}

/// nullopt when the system's roots vouch for the certificate.
std::optional<std::string> objection_of_chain(X509_STORE_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int named = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                                     : X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size());
  if (named == 1 && X509_verify_cert(context) == 1) return std::nullopt;
  return std::string("is not trusted: ") + X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
}

}  // namespace

void KeyCheck::accept_key(const std::string& authority, const std::string& key) {
  const std::lock_guard lock(mutex_);
  keys_[authority] = key;
}

void KeyCheck::accept_thumbprint(const std::string& authority, const std::string& text) {
  std::string digits;
  for (const char c : base::to_lower(text))
    if (base::is_hex_digit(c)) digits += c;
  if (digits.size() != base::hex_length(base::DigestAlgorithm::SHA1) &&
      digits.size() != base::hex_length(base::DigestAlgorithm::SHA256))
    return;
  const std::lock_guard lock(mutex_);
  thumbprints_[authority] = digits;
}

std::optional<std::string> KeyCheck::refused_key(const std::string& authority) const {
  const std::lock_guard lock(mutex_);
  const auto found = refused_.find(authority);
  return found == refused_.end() ? std::optional<std::string>() : std::optional(found->second);
}

std::string KeyCheck::objection(const std::string& authority) const {
  const std::lock_guard lock(mutex_);
  const auto found = objections_.find(authority);
  return found == objections_.end() ? std::string() : found->second;
}

bool KeyCheck::install(SSL_CTX* context, Place* place) {
  const bool loaded = SSL_CTX_set_default_verify_paths(context) == 1;
  ERR_clear_error();  // default paths that are not there are no failure
  SSL_CTX_set_cert_verify_callback(context, &KeyCheck::verify, place);
  return loaded;
}

int KeyCheck::verify(X509_STORE_CTX* context, void* place) {
  const auto& at = *static_cast<Place*>(place);
  const bool accepted = at.check->accepts(context, at);
  if (accepted)
    X509_STORE_CTX_set_error(context, X509_V_OK);
  else if (X509_STORE_CTX_get_error(context) == X509_V_OK)
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
  ERR_clear_error();  // libcurl tells the kind of failure by the oldest error in the queue
  return accepted ? 1 : 0;
}

bool KeyCheck::accepts(X509_STORE_CTX* context, const Place& place) {
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  if (leaf == nullptr) return false;
  const auto key = key_digest(leaf);
  if (!key) return false;
  std::optional<std::string> accepted_key;
  std::optional<std::string> accepted_thumbprint;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = keys_.find(place.authority); found != keys_.end()) accepted_key = found->second;
    if (const auto found = thumbprints_.find(place.authority); found != thumbprints_.end())
      accepted_thumbprint = found->second;
  }
  std::optional<std::string> objection;
  if (accepted_key) {
    if (*accepted_key != *key)
      objection = "is not the one that was accepted before (" + *accepted_key +
                  "): either it was replaced, or somebody else answers in the server's place";
  } else if (accepted_thumbprint && (*accepted_thumbprint == thumbprint(leaf, EVP_sha1()) ||
                                     *accepted_thumbprint == thumbprint(leaf, EVP_sha256()))) {
    return true;
  } else {
    objection = objection_of_chain(context, place.host);
  }
  if (!objection) return true;
  const std::lock_guard lock(mutex_);
  refused_[place.authority] = *key;
  objections_[place.authority] = *objection;
  return false;
}

}  // namespace quire::client
