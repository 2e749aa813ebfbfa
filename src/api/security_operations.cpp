#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "content/security_policy.h"
#include "service/services.h"

/// Whom the server trusts and what its policies ask (content-library-api.md §9, §10).
namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<content::SecurityRule> = "com.vmware.content.security_rule_type";

struct SecurityPolicyInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.security_policies.info";
  std::string policy;
  std::string name;
  std::map<std::string, content::SecurityRule> item_type_rules;
};
struct TrustedCertificateCreateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.trusted_certificates.create_spec";
  std::string cert_text;
};
struct TrustedCertificateInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.trusted_certificates.info";
  std::string cert_text;
};
struct TrustedCertificateSummary {
  static constexpr std::string_view canonical_name = "com.vmware.content.trusted_certificates.summary";
  std::string certificate;
  std::string cert_text;
};
struct TrustedCertificateListResult {
  static constexpr std::string_view canonical_name = "com.vmware.content.trusted_certificates.list_result";
  std::vector<TrustedCertificateSummary> certificates;
};
struct TrustedCertificateCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  TrustedCertificateCreateSpec spec;
};
struct TrustedCertificateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::trusted_certificate, "certificate"}};
  std::string certificate;
};
BOOST_DESCRIBE_STRUCT(SecurityPolicyInfo, (), (policy, name, item_type_rules))
BOOST_DESCRIBE_STRUCT(TrustedCertificateCreateSpec, (), (cert_text))
BOOST_DESCRIBE_STRUCT(TrustedCertificateInfo, (), (cert_text))
BOOST_DESCRIBE_STRUCT(TrustedCertificateSummary, (), (certificate, cert_text))
BOOST_DESCRIBE_STRUCT(TrustedCertificateListResult, (), (certificates))
BOOST_DESCRIBE_STRUCT(TrustedCertificateCreateInput, (), (spec))
BOOST_DESCRIBE_STRUCT(TrustedCertificateInput, (), (certificate))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto trust_service = "com.vmware.content.trusted_certificates";

struct SecurityPolicyList {
  using Input = NoInput;
  using Output = std::vector<SecurityPolicyInfo>;
  static OperationFacts facts() {
    return {.service = "com.vmware.content.security_policies",
            .name = "list",
            .method = "GET",
            .path = "/content/security-policies",
            .privilege = Privilege::System_Read,
            .summary = "What a library can ask of the content that comes into it.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services&, const CallContext&, const Input&) {
    Output out;
    for (const auto& policy : content::security_policies())
      out.push_back({policy.id, policy.name, policy.item_type_rules});
    return out;
  }
};

struct TrustedCertificateCreate {
  using Input = TrustedCertificateCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = trust_service,
            .name = "create",
            .method = "POST",
            .path = "/content/trusted-certificates",
            .status = 201,
            .privilege = Privilege::ContentLibrary_AddCertToTrustStore,
            .errors = {ErrorKind::invalid_argument, ErrorKind::unable_to_allocate_resource},
            .summary = "Trusts packages that the certificate's holder, or whom it vouches for, has signed.",
            .creates = resource::trusted_certificate,
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.trusted_certificates.create(call.caller, input.spec.cert_text);
  }
};

struct TrustedCertificateList {
  using Input = NoInput;
  using Output = TrustedCertificateListResult;
  static OperationFacts facts() {
    return {.service = trust_service,
            .name = "list",
            .method = "GET",
            .path = "/content/trusted-certificates",
            .privilege = Privilege::System_Read,
            .summary = "The trust store.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto certificates, services.trusted_certificates.list(call.caller));
    Output out;
    for (const auto& certificate : certificates) out.certificates.push_back({certificate.id, certificate.pem});
    return out;
  }
};

struct TrustedCertificateGet {
  using Input = TrustedCertificateInput;
  using Output = TrustedCertificateInfo;
  static OperationFacts facts() {
    return {.service = trust_service,
            .name = "get",
            .method = "GET",
            .path = "/content/trusted-certificates/{certificate}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "A certificate of the trust store.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto certificate, services.trusted_certificates.get(call.caller, input.certificate));
    return Output{certificate.pem};
  }
};

struct TrustedCertificateDelete {
  using Input = TrustedCertificateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = trust_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/content/trusted-certificates/{certificate}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_DeleteCertFromTrustStore,
            .errors = {ErrorKind::not_found},
            .summary = "Trusts the certificate no more; items that it vouched for are judged again.",
            .legacy_at_path = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.trusted_certificates.remove(call.caller, input.certificate);
  }
};

}  // namespace

void add_security_operations(std::vector<Operation>& all) {
  all.push_back(bind<SecurityPolicyList>());
  all.push_back(bind<TrustedCertificateCreate>());
  all.push_back(bind<TrustedCertificateList>());
  all.push_back(bind<TrustedCertificateGet>());
  all.push_back(bind<TrustedCertificateDelete>());
}

}  // namespace quire::api
