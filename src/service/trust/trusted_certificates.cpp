#include "service/trust/trusted_certificates.h"

#include "base/base64.h"
#include "content/security_policy.h"
#include "content/update_session_rules.h"
#include "formats/certificate.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::TrustedCertificate;
using content::WarningType;

Error certificate_not_found(const std::string& id) {
  return {ErrorKind::not_found,
          "quire.trust.certificate_not_found",
          "No trusted certificate has the identifier {certificate}.",
          {{"certificate", id}}};
}

WarningType to_content(formats::CertificateWarning warning) {
  switch (warning) {
    case formats::CertificateWarning::SELF_SIGNED_CERTIFICATE:
      return WarningType::SELF_SIGNED_CERTIFICATE;
    case formats::CertificateWarning::EXPIRED_CERTIFICATE:
      return WarningType::EXPIRED_CERTIFICATE;
    case formats::CertificateWarning::NOT_YET_VALID_CERTIFICATE:
      return WarningType::NOT_YET_VALID_CERTIFICATE;
    case formats::CertificateWarning::UNTRUSTED_CERTIFICATE:
      break;
  }
  return WarningType::UNTRUSTED_CERTIFICATE;
}

std::vector<std::string> trusted_pem(View view) {
  std::vector<std::string> all;
  for (auto& certificate : view->trusted_certificates()) all.push_back(std::move(certificate.pem));
  return all;
}

/// `cert_chain`: base64 of DER, the signer's first.
std::vector<WarningType> warnings_of(const std::vector<std::string>& cert_chain,
                                     const std::vector<std::string>& trusted_pem, base::Time at) {
  std::vector<std::vector<std::byte>> certificates;
  for (const auto& text : cert_chain)
    certificates.push_back(base::from_base64(text).value_or(std::vector<std::byte>()));
  std::vector<WarningType> warnings;
  for (const auto warning : formats::judge_certificates(certificates, trusted_pem, at))
    warnings.push_back(to_content(warning));
  return warnings;
}

void judge_items_again(Transaction& t) {
  const auto trusted = trusted_pem(t);
  for (const auto& id : t->items({})) {
    const auto item = t->find<content::Item>(id);
    if (!item || !item->certificate_verification || item->certificate_verification->cert_chain.empty()) continue;
    const auto content = t->find<content::Content>(item->content);
    const auto library = t->find<content::Library>(item->library_id);
    if (!content || !library) continue;
    auto judged = *item;
    auto& verification = *judged.certificate_verification;
    // It cannot be judged (§11.2): not every file is signed, or its library got the policy after it came.
    if (verification.status == content::CertVerificationStatus::NOT_AVAILABLE) continue;
    verification.status = content::status_of_signature(warnings_of(verification.cert_chain, trusted, content->created),
                                                       verification.covers_all);
    content::apply_policy(*library, judged);
    if (judged == *item) continue;
    t->update(judged);
    record(t, EventKind::item_updated, judged,
           {{"name", judged.name}, {"signature", std::string(base::name_of(verification.status))}});
  }
}

/// False when it was there.
Result<bool> add(Transaction& t, const std::string& pem) {
  const auto id = formats::certificate_digest(pem);
  if (t->find<TrustedCertificate>(id)) return false;
  const auto limit = t.context().limits.trusted_certificates_max;
  if (t->trusted_certificates().size() >= limit)
    return Error(ErrorKind::unable_to_allocate_resource, "quire.trust.too_many",
                 "There are {limit} trusted certificates, which is the limit; delete those that are not needed.",
                 {{"limit", static_cast<std::int64_t>(limit)}});
  t->insert(TrustedCertificate{id, pem, t.wall_time()});
  t.record({EventKind::trusted_certificate_created, content::LibraryId(), content::ItemId(), id});
  return true;
}

}  // namespace

Result<std::string> TrustedCertificates::create(const Caller& caller, const std::string& pem) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, content::Privilege::ContentLibrary_AddCertToTrustStore));
  const auto given = formats::parse_trusted_certificates(pem);
  if (!given || given->size() != 1)
    return Error(ErrorKind::invalid_argument, "quire.trust.not_one_certificate",
                 "cert_text must be exactly one certificate in PEM form, from its BEGIN to its END line.");
  return write(context_, caller, [&](Transaction& t) -> Result<std::string> {
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    QUIRE_ASSIGN_OR_RETURN(const bool added, add(t, given->front()));
    if (added) judge_items_again(t);
    return formats::certificate_digest(given->front());
  });
}

Result<std::vector<TrustedCertificate>> TrustedCertificates::list(const Caller& caller) {
  return read(context_, caller,
              [](View view) -> Result<std::vector<TrustedCertificate>> { return view->trusted_certificates(); });
}

Result<TrustedCertificate> TrustedCertificates::get(const Caller& caller, const std::string& id) {
  return read(context_, caller, [&](View view) -> Result<TrustedCertificate> {
    if (auto found = view->find<TrustedCertificate>(id)) return *std::move(found);
    return certificate_not_found(id);
  });
}

Result<void> TrustedCertificates::remove(const Caller& caller, const std::string& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    if (!t->find<TrustedCertificate>(id)) return certificate_not_found(id);
    QUIRE_RETURN_IF_ERROR(check_privilege(caller, content::Privilege::ContentLibrary_DeleteCertFromTrustStore));
    t->remove<TrustedCertificate>(id);
    t.record({EventKind::trusted_certificate_deleted, content::LibraryId(), content::ItemId(), id});
    judge_items_again(t);
    return {};
  });
}

Result<void> TrustedCertificates::add_all(const std::vector<std::string>& pem) {
  return write(context_, system_caller("start"), [&](Transaction& t) -> Result<void> {
    bool any = false;
    for (const auto& one : pem) {
      QUIRE_ASSIGN_OR_RETURN(const bool added, add(t, one));
      any |= added;
    }
    if (any) judge_items_again(t);
    return {};
  });
}

void judge_signatures(View view, base::Time now, std::vector<content::SessionFile>& files) {
  std::optional<std::vector<std::string>> trusted;
  for (auto& file : files) {
    auto* signature = std::get_if<content::SignatureFacts>(&file.facts);
    if (signature == nullptr) continue;
    if (!trusted) trusted = trusted_pem(view);
    signature->warnings = warnings_of(signature->cert_chain, *trusted, now);
  }
}

}  // namespace quire::service
