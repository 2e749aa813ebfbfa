#include "http/tls_identity.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

#include "http/tls_context.h"

namespace quire::http {
namespace {

template <auto free_function>
struct Deleter {
  template <class T>
  void operator()(T* thing) const {
    free_function(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Address = std::unique_ptr<ASN1_OCTET_STRING, Deleter<ASN1_OCTET_STRING_free>>;

base::Error failed(std::string_view step) {
  return base::internal_error(fmt::format("self-signed certificate: {}: {}", step, openssl_errors()));
}

/// Names go into a comma-separated extension text, so nothing else may be in them.
bool is_dns_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                      c == '-' || c == '_' || c == '*';
    if (!fine) return false;
  }
  return true;
}

base::Result<std::string> alternative_names(const std::vector<std::string>& hosts) {
  std::string names;
  for (const auto& host : hosts) {
    const Address address(a2i_IPADDRESS(host.c_str()));
    if (!address && !is_dns_name(host)) {
      return base::Error(base::ErrorKind::invalid_argument, "quire.http.certificate_host",
                         "'{host}' is neither a DNS name nor an IP address, so no certificate can name it.",
                         {{"host", host}});
    }
    if (!names.empty()) names += ',';
    names += (address ? "IP:" : "DNS:") + host;
  }
  if (names.empty()) {
    return base::Error(base::ErrorKind::invalid_argument, "quire.http.certificate_host",
                       "A certificate needs at least one host name or address.");
  }
  return names;
}

bool set_serial(X509* certificate, base::IdentitySource& identities) {
  BIGNUM* parsed = nullptr;
  const bool read = BN_hex2bn(&parsed, identities.secret().c_str()) > 0;
  const Number serial(parsed);
  return read && BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509* certificate, const std::string& host) {
  constexpr std::size_t common_name_max = 64;
  const auto text = host.substr(0, common_name_max);
  X509_NAME* name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("Quire"), -1, -1,
                                    0) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.c_str()), -1,
                                    -1, 0) &&
         X509_set_issuer_name(certificate, name);
}

bool set_validity(X509* certificate, base::Time not_before, int days) {
  const std::time_t start = std::chrono::system_clock::to_time_t(not_before);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), start) &&
         ASN1_TIME_adj(X509_getm_notAfter(certificate), start, days, 0);
}

bool add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1);
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

base::Result<TlsIdentity> make_self_signed_identity(const std::vector<std::string>& hosts, base::Time not_before,
                                                    int days, base::IdentitySource& identities) {
  QUIRE_ASSIGN_OR_RETURN(auto names, alternative_names(hosts));
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("key");
  const Certificate certificate(X509_new());
  if (!certificate || !X509_set_version(certificate.get(), X509_VERSION_3)) return failed("certificate");
  if (!set_serial(certificate.get(), identities)) return failed("serial number");
  if (!set_name(certificate.get(), hosts.front())) return failed("name");
  if (!set_validity(certificate.get(), not_before, days)) return failed("validity");
  if (!X509_set_pubkey(certificate.get(), key.get())) return failed("public key");
  const bool extended = add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                        add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature") &&
                        add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") &&
                        add_extension(certificate.get(), NID_subject_key_identifier, "hash") &&
                        add_extension(certificate.get(), NID_subject_alt_name, names);
  if (!extended) return failed("extensions");
  if (!X509_sign(certificate.get(), key.get(), EVP_sha256())) return failed("signature");

  const Memory certificate_text(BIO_new(BIO_s_mem()));
  const Memory key_text(BIO_new(BIO_s_mem()));
  if (!certificate_text || !PEM_write_bio_X509(certificate_text.get(), certificate.get())) return failed("PEM");
  if (!key_text || !PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr)) {
    return failed("PEM of the key");
  }
  TlsIdentity identity;
  identity.certificate_pem = text_of(certificate_text.get());
  identity.key_pem = text_of(key_text.get());
  return identity;
}

base::Result<std::string> certificate_thumbprint(std::string_view certificate_pem) {
  const Memory text(BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  const Certificate certificate(text ? PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr) : nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (!certificate || !X509_digest(certificate.get(), EVP_sha1(), digest.data(), &size)) {
    return base::Error(base::ErrorKind::invalid_argument,
                       base::make_message("quire.http.certificate_unreadable", "The text holds no PEM certificate."),
                       openssl_errors());
  }
  std::string thumbprint;
  for (unsigned int i = 0; i < size; ++i) {
    if (i > 0) thumbprint += ':';
    thumbprint += fmt::format("{:02X}", digest[i]);
  }
  return thumbprint;
}

}  // namespace quire::http
