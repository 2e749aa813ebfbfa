#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

/// Operations that need a hypervisor. What a stored package says of itself is answered; everything that runs or looks
/// at virtual machines is Unsupported, after a look whether the things of ours exist that it names. Of the latter, only
/// those members are read (content-library-api.md §21).
namespace quire::api {

struct OvfDeploymentTarget {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.ovf.library_item.deployment_target";
  std::optional<std::string> resource_pool_id;
  std::optional<std::string> host_id;
  std::optional<std::string> folder_id;
};
struct OvfProperty {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.ovf.property";
  std::optional<std::string> class_id;
  std::optional<std::string> id;
  std::optional<std::string> instance_id;
  std::optional<std::string> category;
  std::optional<bool> ui_optional;
  std::optional<std::string> label;
  std::optional<std::string> description;
  std::optional<std::string> type;
  std::optional<std::string> value;
};
struct OvfPropertyParams {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.ovf.property_params";
  static constexpr bool is_dynamic = true;
  std::optional<std::vector<OvfProperty>> properties;
  std::optional<std::string> type;
};
struct OvfSummary {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.ovf.library_item.ovf_summary";
  std::optional<std::string> name;
  std::optional<std::string> annotation;
  std::vector<std::string> EULAs;  // NOLINT(readability-identifier-naming): the API's name
  std::optional<std::vector<std::string>> networks;
  std::optional<std::vector<std::string>> storage_groups;
  std::optional<std::vector<OvfPropertyParams>> additional_params;
};
BOOST_DESCRIBE_STRUCT(OvfDeploymentTarget, (), (resource_pool_id, host_id, folder_id))
BOOST_DESCRIBE_STRUCT(OvfProperty, (),
                      (class_id, id, instance_id, category, ui_optional, label, description, type, value))
BOOST_DESCRIBE_STRUCT(OvfPropertyParams, (), (properties, type))
BOOST_DESCRIBE_STRUCT(OvfSummary, (), (name, annotation, EULAs, networks, storage_groups, additional_params))

struct OvfFilterInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "ovf_library_item_id"}};
  std::string ovf_library_item_id;
  std::optional<OvfDeploymentTarget> target;
};
struct OvfDeployInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "ovf_library_item_id"}};
  std::string ovf_library_item_id;
};
struct OvfCreateTarget {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.ovf.library_item.create_target";
  std::optional<std::string> library_id;
  std::optional<std::string> library_item_id;
};
struct OvfCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "target.library_id"},
                                         NamedObject{ObjectKind::library_item, "target.library_item_id"}};
  OvfCreateTarget target;
};
struct OvfImportFlagInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string rp;
};
struct VmTemplateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.vm_template.library_items.create_spec";
  std::optional<std::string> library;
};
struct VmTemplateCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "spec.library"}};
  VmTemplateSpec spec;
};
struct VmTemplateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "template_library_item"}};
  std::string template_library_item;
};
struct VmTemplateMachineInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "template_library_item"}};
  std::string template_library_item;
  std::string vm;
};
struct VmTemplateVersionInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "template_library_item"}};
  std::string template_library_item;
  std::string version;
};
struct IsoMountInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item"}};
  std::string library_item;
  std::string vm;
};
struct IsoUnmountInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string vm;
  std::string cdrom;
};
BOOST_DESCRIBE_STRUCT(OvfFilterInput, (), (ovf_library_item_id, target))
BOOST_DESCRIBE_STRUCT(OvfDeployInput, (), (ovf_library_item_id))
BOOST_DESCRIBE_STRUCT(OvfCreateTarget, (), (library_id, library_item_id))
BOOST_DESCRIBE_STRUCT(OvfCreateInput, (), (target))
BOOST_DESCRIBE_STRUCT(OvfImportFlagInput, (), (rp))
BOOST_DESCRIBE_STRUCT(VmTemplateSpec, (), (library))
BOOST_DESCRIBE_STRUCT(VmTemplateCreateInput, (), (spec))
BOOST_DESCRIBE_STRUCT(VmTemplateInput, (), (template_library_item))
BOOST_DESCRIBE_STRUCT(VmTemplateMachineInput, (), (template_library_item, vm))
BOOST_DESCRIBE_STRUCT(VmTemplateVersionInput, (), (template_library_item, version))
BOOST_DESCRIBE_STRUCT(IsoMountInput, (), (library_item, vm))
BOOST_DESCRIBE_STRUCT(IsoUnmountInput, (), (vm, cdrom))

namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Privilege;

constexpr auto ovf_service = "com.vmware.vcenter.ovf.library_item";
constexpr auto template_service = "com.vmware.vcenter.vm_template.library_items";
constexpr auto check_out_service = "com.vmware.vcenter.vm_template.library_items.check_outs";
constexpr auto version_service = "com.vmware.vcenter.vm_template.library_items.versions";
constexpr auto iso_service = "com.vmware.vcenter.iso.image";

std::vector<OvfProperty> to_api(const auto& properties) {
  std::vector<OvfProperty> out;
  for (const auto& property : properties)
    out.push_back({property.class_id, property.id, property.instance_id, property.category, false, property.label,
                   property.description, property.type, property.value});
  return out;
}

struct OvfFilter {
  using Input = OvfFilterInput;
  using Output = OvfSummary;
  static OperationFacts facts() {
    return {.service = ovf_service,
            .name = "filter",
            .method = "POST",
            .path = "/vcenter/ovf/library-item/{ovf_library_item_id}",
            .action = "filter",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::resource_inaccessible},
            .summary =
                "What is asked or shown before a package is deployed, out of its descriptor; the target has no "
                "say in it."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto deployment,
                           services.packages.deployment(call.caller, content::ItemId(input.ovf_library_item_id)));
    OvfSummary summary{deployment.name,     deployment.annotation,     deployment.eulas,
                       deployment.networks, deployment.storage_groups, std::nullopt};
    if (!deployment.properties.empty())
      summary.additional_params = std::vector{OvfPropertyParams{to_api(deployment.properties), "PropertyParams"}};
    return summary;
  }
};

Result<void> exists(service::Services& services, const CallContext& call, const content::ItemId& id) {
  QUIRE_RETURN_IF_ERROR(services.items.get(call.caller, id));
  return {};
}
Result<void> exists(service::Services& services, const CallContext& call, const content::LibraryId& id) {
  QUIRE_RETURN_IF_ERROR(services.libraries.get(call.caller, id));
  return {};
}

// Whether what an input names exists, as far as it is ours.
Result<void> check(service::Services&, const CallContext&, const NoInput&) { return {}; }
Result<void> check(service::Services&, const CallContext&, const OvfImportFlagInput&) { return {}; }
Result<void> check(service::Services&, const CallContext&, const IsoUnmountInput&) { return {}; }
Result<void> check(service::Services& services, const CallContext& call, const OvfDeployInput& input) {
  return exists(services, call, content::ItemId(input.ovf_library_item_id));
}
Result<void> check(service::Services& services, const CallContext& call, const OvfCreateInput& input) {
  if (const auto& id = input.target.library_id) QUIRE_RETURN_IF_ERROR(exists(services, call, content::LibraryId(*id)));
  if (const auto& id = input.target.library_item_id)
    QUIRE_RETURN_IF_ERROR(exists(services, call, content::ItemId(*id)));
  return {};
}
Result<void> check(service::Services& services, const CallContext& call, const VmTemplateCreateInput& input) {
  return input.spec.library ? exists(services, call, content::LibraryId(*input.spec.library)) : Result<void>();
}
template <class Input>
  requires requires(const Input& input) { input.template_library_item; }
Result<void> check(service::Services& services, const CallContext& call, const Input& input) {
  return exists(services, call, content::ItemId(input.template_library_item));
}
Result<void> check(service::Services& services, const CallContext& call, const IsoMountInput& input) {
  return exists(services, call, content::ItemId(input.library_item));
}

/// An operation that this server cannot do for want of virtual machines.
template <class InputType>
struct NeedsHypervisor {
  using Input = InputType;
  using Output = void;
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_RETURN_IF_ERROR(check(services, call, input));
    return Error(ErrorKind::unsupported, "quire.hypervisor.none",
                 "This server keeps content and has no hypervisor: it neither runs virtual machines nor looks at them. "
                 "Download the item and deploy it on a hypervisor, or point that at this library.");
  }
};

struct Place {
  std::string service;
  std::string name;
  std::string method;
  std::string path;
  std::string action;
};

template <class Input>
void add_unsupported(std::vector<Operation>& all, const Place& place) {
  all.push_back(
      bind<NeedsHypervisor<Input>>({.service = place.service,
                                    .name = place.name,
                                    .method = place.method,
                                    .path = "/vcenter" + place.path,
                                    .action = place.action,
                                    .status = 204,
                                    .privilege = Privilege::System_Read,
                                    .errors = {ErrorKind::not_found, ErrorKind::unsupported},
                                    .summary = "Needs a hypervisor, which this server has not: Unsupported.",
                                    .legacy_at_path = place.service.starts_with("com.vmware.vcenter.vm_template")}));
}

}  // namespace

void add_hypervisor_operations(std::vector<Operation>& all) {
  all.push_back(bind<OvfFilter>());
  const std::string ovf = "/ovf/library-item";
  add_unsupported<OvfCreateInput>(all, {ovf_service, "create", "POST", ovf, ""});
  add_unsupported<OvfDeployInput>(all, {ovf_service, "deploy", "POST", ovf + "/{ovf_library_item_id}", "deploy"});
  add_unsupported<NoInput>(all, {"com.vmware.vcenter.ovf.export_flag", "list", "GET", "/ovf/export-flag", ""});
  add_unsupported<OvfImportFlagInput>(all,
                                      {"com.vmware.vcenter.ovf.import_flag", "list", "GET", "/ovf/import-flag", ""});
  const std::string templates = "/vm-template/library-items";
  const auto one = templates + "/{template_library_item}";
  add_unsupported<VmTemplateCreateInput>(all, {template_service, "create", "POST", templates, ""});
  add_unsupported<VmTemplateInput>(all, {template_service, "get", "GET", one, ""});
  add_unsupported<VmTemplateInput>(all, {template_service, "deploy", "POST", one, "deploy"});
  const auto check_outs = one + "/check-outs";
  add_unsupported<VmTemplateInput>(all, {check_out_service, "list", "GET", check_outs, ""});
  add_unsupported<VmTemplateMachineInput>(all, {check_out_service, "get", "GET", check_outs + "/{vm}", ""});
  add_unsupported<VmTemplateMachineInput>(all, {check_out_service, "delete", "DELETE", check_outs + "/{vm}", ""});
  add_unsupported<VmTemplateInput>(all, {check_out_service, "check_out", "POST", check_outs, "check-out"});
  add_unsupported<VmTemplateMachineInput>(all,
                                          {check_out_service, "check_in", "POST", check_outs + "/{vm}", "check-in"});
  const auto versions = one + "/versions";
  add_unsupported<VmTemplateInput>(all, {version_service, "list", "GET", versions, ""});
  add_unsupported<VmTemplateVersionInput>(all, {version_service, "get", "GET", versions + "/{version}", ""});
  add_unsupported<VmTemplateVersionInput>(all, {version_service, "delete", "DELETE", versions + "/{version}", ""});
  add_unsupported<VmTemplateVersionInput>(all,
                                          {version_service, "rollback", "POST", versions + "/{version}", "rollback"});
  add_unsupported<IsoMountInput>(all, {iso_service, "mount", "POST", "/iso/image", "mount"});
  add_unsupported<IsoUnmountInput>(all, {iso_service, "unmount", "POST", "/iso/image", "unmount"});
}

}  // namespace quire::api
