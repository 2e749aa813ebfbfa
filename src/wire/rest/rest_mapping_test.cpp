#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "wire/rest/legacy_mapping.h"
#include "wire/rest/new_rest_mapping.h"

namespace quire::wire {
namespace {

std::string legacy_text(const api::Operation& operation) {
  const auto& facts = operation.facts;
  if (facts.legacy_at_path && facts.name == "list") return "GET /rest" + facts.path;
  if (facts.legacy_at_path)
    return facts.method + " /rest" + facts.path + (facts.action.empty() ? "" : "?action=" + facts.action);
  const auto mapping = legacy_mapping(operation);
  auto text = mapping.method + " " + mapping.service_path;
  if (mapping.id) text += "/id:{" + mapping.id->name + "}";
  if (!mapping.action.empty()) text += "?~action=" + mapping.action;
  return text;
}

std::string new_text(const api::Operation& operation) {
  if (!operation.facts.in_new_rest) return "none";
  const auto& facts = operation.facts;
  const auto mapping = new_rest_mapping(operation);
  auto text = facts.method + " /api" + facts.path;
  if (!facts.action.empty()) text += "?action=" + facts.action;
  text += " " + std::to_string(facts.status);
  for (std::size_t i = 0; i < mapping.places.size(); ++i) {
    const auto& field = operation.input->fields[i];
    const auto mark = field.type->kind == api::TypeKind::optional ? "?" : "";
    switch (mapping.places[i]) {
      case InputPlace::path:
        break;
      case InputPlace::query:
        text += " query:" + field.name + mark;
        break;
      case InputPlace::client_token:
        text += " token";
        break;
      case InputPlace::whole_body:
        text += " body";
        break;
      case InputPlace::body_member:
        text += " member:" + field.name + mark;
        break;
    }
  }
  return text;
}

struct Row {
  std::string_view operation, legacy, current;
};

/// wire-protocols.md §3.3, §3.4 and §3.6, written out by hand for the operations of sessions, configuration, types,
/// local libraries, items, update sessions, download sessions, tags, the inventory and what is our own. `…` is
/// `/rest/com/vmware/content`.
const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"cis.session.create", "POST /rest/com/vmware/cis/session", "POST /api/session 201"},
      {"cis.session.get", "POST /rest/com/vmware/cis/session?~action=get", "GET /api/session 200"},
      {"cis.session.delete", "DELETE /rest/com/vmware/cis/session", "DELETE /api/session 204"},
      {"cis.tasks.get", "GET /rest/cis/tasks/{task}", "GET /api/cis/tasks/{task} 200 query:spec?"},
      {"cis.tasks.list", "GET /rest/cis/tasks",
       "POST /api/cis/tasks?action=list 200 member:filter_spec? member:result_spec?"},
      {"cis.tasks.cancel", "POST /rest/cis/tasks/{task}?action=cancel", "POST /api/cis/tasks/{task}?action=cancel 204"},
      {"content.configuration.get", "POST …/configuration?~action=get", "GET /api/content/configuration 200"},
      {"content.configuration.update", "PATCH …/configuration", "PATCH /api/content/configuration 204 body"},
      {"content.type.list", "GET …/type", "GET /api/content/type 200"},
      {"content.security_policies.list", "GET /rest/content/security-policies",
       "GET /api/content/security-policies 200"},
      {"content.trusted_certificates.create", "POST /rest/content/trusted-certificates",
       "POST /api/content/trusted-certificates 201 body"},
      {"content.trusted_certificates.list", "GET /rest/content/trusted-certificates",
       "GET /api/content/trusted-certificates 200"},
      {"content.trusted_certificates.get", "GET /rest/content/trusted-certificates/{certificate}",
       "GET /api/content/trusted-certificates/{certificate} 200"},
      {"content.trusted_certificates.delete", "DELETE /rest/content/trusted-certificates/{certificate}",
       "DELETE /api/content/trusted-certificates/{certificate} 204"},
      {"content.library.list", "GET …/library", "GET /api/content/library 200"},
      {"content.library.get", "GET …/library/id:{library_id}", "GET /api/content/library/{library_id} 200"},
      {"content.library.find", "POST …/library?~action=find", "POST /api/content/library?action=find 200 body"},
      {"content.library.update", "PATCH …/library/id:{library_id}", "PATCH /api/content/library/{library_id} 204 body"},
      {"content.local_library.create", "POST …/local-library", "POST /api/content/local-library 201 token body"},
      {"content.local_library.list", "GET …/local-library", "GET /api/content/local-library 200"},
      {"content.local_library.get", "GET …/local-library/id:{library_id}",
       "GET /api/content/local-library/{library_id} 200"},
      {"content.local_library.update", "PATCH …/local-library/id:{library_id}",
       "PATCH /api/content/local-library/{library_id} 204 body"},
      {"content.local_library.delete", "DELETE …/local-library/id:{library_id}",
       "DELETE /api/content/local-library/{library_id} 204"},
      {"content.subscribed_library.list", "GET …/subscribed-library", "GET /api/content/subscribed-library 200"},
      {"content.subscribed_library.get", "GET …/subscribed-library/id:{library_id}",
       "GET /api/content/subscribed-library/{library_id} 200"},
      {"content.library.item.create", "POST …/library/item", "POST /api/content/library/item 201 token body"},
      {"content.library.item.copy", "POST …/library/item/id:{source_library_item_id}?~action=copy",
       "POST /api/content/library/item/{source_library_item_id}?action=copy 200 token body"},
      {"content.library.item.list", "GET …/library/item", "GET /api/content/library/item 200 query:library_id"},
      {"content.library.item.find", "POST …/library/item?~action=find",
       "POST /api/content/library/item?action=find 200 body"},
      {"content.library.item.get", "GET …/library/item/id:{library_item_id}",
       "GET /api/content/library/item/{library_item_id} 200"},
      {"content.library.item.update", "PATCH …/library/item/id:{library_item_id}",
       "PATCH /api/content/library/item/{library_item_id} 204 body"},
      {"content.library.item.delete", "DELETE …/library/item/id:{library_item_id}",
       "DELETE /api/content/library/item/{library_item_id} 204"},
      {"content.library.item.file.list", "GET …/library/item/file",
       "GET /api/content/library/item/{library_item_id}/file 200"},
      {"content.library.item.file.get", "POST …/library/item/file/id:{library_item_id}?~action=get",
       "GET /api/content/library/item/{library_item_id}/file 200 query:name"},
      {"content.library.item.storage.list", "GET …/library/item/storage",
       "GET /api/content/library/item/{library_item_id}/storage 200"},
      {"content.library.item.storage.get", "POST …/library/item/storage/id:{library_item_id}?~action=get",
       "GET /api/content/library/item/{library_item_id}/storage 200 query:file_name"},
      {"content.library.item.changes.list", "GET /rest/content/library/item/{library_item}/changes",
       "GET /api/content/library/item/{library_item}/changes 200"},
      {"content.library.item.changes.get", "GET /rest/content/library/item/{library_item}/changes/{version}",
       "GET /api/content/library/item/{library_item}/changes/{version} 200"},
      {"content.library.item.update_session.create", "POST …/library/item/update-session",
       "POST /api/content/library/item/update-session 201 token body"},
      {"content.library.item.update_session.list", "GET …/library/item/update-session",
       "GET /api/content/library/item/update-session 200 query:library_item_id?"},
      {"content.library.item.update_session.get", "GET …/library/item/update-session/id:{update_session_id}",
       "GET /api/content/library/item/update-session/{update_session_id} 200"},
      {"content.library.item.update_session.update", "PATCH …/library/item/update-session/id:{update_session_id}",
       "PATCH /api/content/library/item/update-session/{update_session_id} 204 body"},
      {"content.library.item.update_session.complete",
       "POST …/library/item/update-session/id:{update_session_id}?~action=complete",
       "POST /api/content/library/item/update-session/{update_session_id}?action=complete 204"},
      {"content.library.item.update_session.keep_alive",
       "POST …/library/item/update-session/id:{update_session_id}?~action=keep-alive",
       "POST /api/content/library/item/update-session/{update_session_id}?action=keep-alive 204 "
       "member:client_progress?"},
      {"content.library.item.update_session.cancel",
       "POST …/library/item/update-session/id:{update_session_id}?~action=cancel",
       "POST /api/content/library/item/update-session/{update_session_id}?action=cancel 204"},
      {"content.library.item.update_session.fail",
       "POST …/library/item/update-session/id:{update_session_id}?~action=fail",
       "POST /api/content/library/item/update-session/{update_session_id}?action=fail 204 member:client_error_message"},
      {"content.library.item.update_session.delete", "DELETE …/library/item/update-session/id:{update_session_id}",
       "DELETE /api/content/library/item/update-session/{update_session_id} 204"},
      {"content.library.item.updatesession.file.add",
       "POST …/library/item/updatesession/file/id:{update_session_id}?~action=add",
       "POST /api/content/library/item/update-session/{update_session_id}/file 201 body"},
      {"content.library.item.updatesession.file.list", "GET …/library/item/updatesession/file",
       "GET /api/content/library/item/update-session/{update_session_id}/file 200"},
      {"content.library.item.updatesession.file.get",
       "POST …/library/item/updatesession/file/id:{update_session_id}?~action=get",
       "GET /api/content/library/item/update-session/{update_session_id}/file/{file_name} 200"},
      {"content.library.item.updatesession.file.remove",
       "POST …/library/item/updatesession/file/id:{update_session_id}?~action=remove",
       "DELETE /api/content/library/item/update-session/{update_session_id}/file/{file_name} 204"},
      {"content.library.item.updatesession.file.validate",
       "POST …/library/item/updatesession/file/id:{update_session_id}?~action=validate",
       "POST /api/content/library/item/update-session/{update_session_id}/file?action=validate 200"},
      {"content.library.item.updatesession.file.probe", "POST …/library/item/updatesession/file?~action=probe", "none"},
      {"content.library.item.download_session.create", "POST …/library/item/download-session",
       "POST /api/content/library/item/download-session 201 token body"},
      {"content.library.item.download_session.list", "GET …/library/item/download-session",
       "GET /api/content/library/item/download-session 200 query:library_item_id?"},
      {"content.library.item.download_session.get", "GET …/library/item/download-session/id:{download_session_id}",
       "GET /api/content/library/item/download-session/{download_session_id} 200"},
      {"content.library.item.download_session.keep_alive",
       "POST …/library/item/download-session/id:{download_session_id}?~action=keep-alive",
       "POST /api/content/library/item/download-session/{download_session_id}?action=keep-alive 204 member:progress?"},
      {"content.library.item.download_session.cancel",
       "POST …/library/item/download-session/id:{download_session_id}?~action=cancel",
       "POST /api/content/library/item/download-session/{download_session_id}?action=cancel 204"},
      {"content.library.item.download_session.fail",
       "POST …/library/item/download-session/id:{download_session_id}?~action=fail",
       "POST /api/content/library/item/download-session/{download_session_id}?action=fail 204 "
       "member:client_error_message"},
      {"content.library.item.download_session.delete",
       "DELETE …/library/item/download-session/id:{download_session_id}",
       "DELETE /api/content/library/item/download-session/{download_session_id} 204"},
      {"content.library.item.downloadsession.file.list", "GET …/library/item/downloadsession/file",
       "GET /api/content/library/item/download-session/{download_session_id}/file 200"},
      {"content.library.item.downloadsession.file.prepare",
       "POST …/library/item/downloadsession/file/id:{download_session_id}?~action=prepare",
       "POST /api/content/library/item/download-session/{download_session_id}/file?action=prepare 200 "
       "member:file_name member:endpoint_type?"},
      {"content.library.item.downloadsession.file.get",
       "POST …/library/item/downloadsession/file/id:{download_session_id}?~action=get",
       "GET /api/content/library/item/download-session/{download_session_id}/file 200 query:file_name"},
      {"quire.access.privileges.list", "GET /rest/com/quire/access/privileges", "GET /api/quire/access/privileges 200"},
      {"quire.access.roles.list", "GET /rest/com/quire/access/roles", "GET /api/quire/access/roles 200"},
      {"quire.access.roles.get", "GET /rest/com/quire/access/roles/id:{role}",
       "GET /api/quire/access/roles/{role} 200"},
      {"quire.access.roles.create", "POST /rest/com/quire/access/roles", "POST /api/quire/access/roles 201 body"},
      {"quire.access.roles.update", "PATCH /rest/com/quire/access/roles/id:{role}",
       "PATCH /api/quire/access/roles/{role} 204 body"},
      {"quire.access.roles.delete", "DELETE /rest/com/quire/access/roles/id:{role}",
       "DELETE /api/quire/access/roles/{role} 204"},
      {"quire.access.users.list", "GET /rest/com/quire/access/users", "GET /api/quire/access/users 200"},
      {"quire.access.users.get", "GET /rest/com/quire/access/users/id:{user}",
       "GET /api/quire/access/users/{user} 200"},
      {"quire.access.users.create", "POST /rest/com/quire/access/users", "POST /api/quire/access/users 204 body"},
      {"quire.access.users.update", "PATCH /rest/com/quire/access/users/id:{user}",
       "PATCH /api/quire/access/users/{user} 204 body"},
      {"quire.access.users.set_password", "POST /rest/com/quire/access/users/id:{user}?~action=set-password",
       "POST /api/quire/access/users/{user}?action=set-password 204 member:password"},
      {"quire.access.users.change_password", "POST /rest/com/quire/access/users?~action=change-password",
       "POST /api/quire/access/users?action=change-password 204 body"},
      {"quire.access.users.delete", "DELETE /rest/com/quire/access/users/id:{user}",
       "DELETE /api/quire/access/users/{user} 204"},
      {"quire.access.groups.list", "GET /rest/com/quire/access/groups", "GET /api/quire/access/groups 200"},
      {"quire.access.groups.get", "GET /rest/com/quire/access/groups/id:{group}",
       "GET /api/quire/access/groups/{group} 200"},
      {"quire.access.groups.create", "POST /rest/com/quire/access/groups", "POST /api/quire/access/groups 204 body"},
      {"quire.access.groups.update", "PATCH /rest/com/quire/access/groups/id:{group}",
       "PATCH /api/quire/access/groups/{group} 204 body"},
      {"quire.access.groups.delete", "DELETE /rest/com/quire/access/groups/id:{group}",
       "DELETE /api/quire/access/groups/{group} 204"},
      {"quire.access.permissions.list", "GET /rest/com/quire/access/permissions",
       "GET /api/quire/access/permissions 200 query:library_id? query:principal?"},
      {"quire.access.permissions.set", "PUT /rest/com/quire/access/permissions",
       "PUT /api/quire/access/permissions 204 body"},
      {"quire.access.permissions.delete", "POST /rest/com/quire/access/permissions?~action=delete",
       "DELETE /api/quire/access/permissions 204 query:type query:principal query:library_id?"},
      {"quire.access.permissions.effective", "POST /rest/com/quire/access/permissions?~action=effective",
       "GET /api/quire/access/permissions/effective 200 query:user? query:library_id?"},
      {"vcenter.ovf.library_item.create", "POST /rest/com/vmware/vcenter/ovf/library-item",
       "POST /api/vcenter/ovf/library-item 204 body"},
      {"vcenter.ovf.library_item.filter",
       "POST /rest/com/vmware/vcenter/ovf/library-item/id:{ovf_library_item_id}?~action=filter",
       "POST /api/vcenter/ovf/library-item/{ovf_library_item_id}?action=filter 200 body"},
      {"vcenter.ovf.library_item.deploy",
       "POST /rest/com/vmware/vcenter/ovf/library-item/id:{ovf_library_item_id}?~action=deploy",
       "POST /api/vcenter/ovf/library-item/{ovf_library_item_id}?action=deploy 204"},
      {"vcenter.ovf.export_flag.list", "GET /rest/com/vmware/vcenter/ovf/export-flag",
       "GET /api/vcenter/ovf/export-flag 204"},
      {"vcenter.ovf.import_flag.list", "GET /rest/com/vmware/vcenter/ovf/import-flag",
       "GET /api/vcenter/ovf/import-flag 204 query:rp"},
      {"vcenter.vm_template.library_items.create", "POST /rest/vcenter/vm-template/library-items",
       "POST /api/vcenter/vm-template/library-items 204 body"},
      {"vcenter.vm_template.library_items.get", "GET /rest/vcenter/vm-template/library-items/{template_library_item}",
       "GET /api/vcenter/vm-template/library-items/{template_library_item} 204"},
      {"vcenter.vm_template.library_items.deploy",
       "POST /rest/vcenter/vm-template/library-items/{template_library_item}?action=deploy",
       "POST /api/vcenter/vm-template/library-items/{template_library_item}?action=deploy 204"},
      {"vcenter.vm_template.library_items.check_outs.list",
       "GET /rest/vcenter/vm-template/library-items/{template_library_item}/check-outs",
       "GET /api/vcenter/vm-template/library-items/{template_library_item}/check-outs 204"},
      {"vcenter.vm_template.library_items.check_outs.get",
       "GET /rest/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}",
       "GET /api/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm} 204"},
      {"vcenter.vm_template.library_items.check_outs.delete",
       "DELETE /rest/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}",
       "DELETE /api/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm} 204"},
      {"vcenter.vm_template.library_items.check_outs.check_out",
       "POST /rest/vcenter/vm-template/library-items/{template_library_item}/check-outs?action=check-out",
       "POST /api/vcenter/vm-template/library-items/{template_library_item}/check-outs?action=check-out 204"},
      {"vcenter.vm_template.library_items.check_outs.check_in",
       "POST /rest/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}?action=check-in",
       "POST /api/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}?action=check-in 204"},
      {"vcenter.vm_template.library_items.versions.list",
       "GET /rest/vcenter/vm-template/library-items/{template_library_item}/versions",
       "GET /api/vcenter/vm-template/library-items/{template_library_item}/versions 204"},
      {"vcenter.vm_template.library_items.versions.get",
       "GET /rest/vcenter/vm-template/library-items/{template_library_item}/versions/{version}",
       "GET /api/vcenter/vm-template/library-items/{template_library_item}/versions/{version} 204"},
      {"vcenter.vm_template.library_items.versions.delete",
       "DELETE /rest/vcenter/vm-template/library-items/{template_library_item}/versions/{version}",
       "DELETE /api/vcenter/vm-template/library-items/{template_library_item}/versions/{version} 204"},
      {"vcenter.vm_template.library_items.versions.rollback",
       "POST /rest/vcenter/vm-template/library-items/{template_library_item}/versions/{version}?action=rollback",
       "POST /api/vcenter/vm-template/library-items/{template_library_item}/versions/{version}?action=rollback 204"},
      {"vcenter.iso.image.mount", "POST /rest/com/vmware/vcenter/iso/image/id:{library_item}?~action=mount",
       "POST /api/vcenter/iso/image?action=mount 204 member:library_item member:vm"},
      {"vcenter.iso.image.unmount", "POST /rest/com/vmware/vcenter/iso/image/id:{vm}?~action=unmount",
       "POST /api/vcenter/iso/image?action=unmount 204 member:vm member:cdrom"},
      {"content.library.delete", "DELETE …/library/id:{library_id}", "DELETE /api/content/library/{library_id} 204"},
      {"content.library.force_delete", "POST …/library/id:{library_id}?~action=force-delete",
       "POST /api/content/library/{library_id}?action=force-delete 204"},
      {"content.library.migrate", "POST …/library/id:{library_id}?~action=migrate",
       "POST /api/content/library/{library_id}?action=migrate 204 body"},
      {"content.library.convert", "POST …/library/id:{library_id}?~action=convert",
       "POST /api/content/library/{library_id}?action=convert 204 body"},
      {"content.library.enter_maintenance", "POST …/library/id:{library_id}?~action=enter-maintenance",
       "POST /api/content/library/{library_id}?action=enter-maintenance 204"},
      {"content.library.exit_maintenance", "POST …/library/id:{library_id}?~action=exit-maintenance",
       "POST /api/content/library/{library_id}?action=exit-maintenance 204"},
      {"content.local_library.force_delete", "POST …/local-library/id:{library_id}?~action=force-delete",
       "POST /api/content/local-library/{library_id}?action=force-delete 204"},
      {"content.subscribed_library.create", "POST …/subscribed-library",
       "POST /api/content/subscribed-library 201 token body"},
      {"content.subscribed_library.update", "PATCH …/subscribed-library/id:{library_id}",
       "PATCH /api/content/subscribed-library/{library_id} 204 body"},
      {"content.subscribed_library.delete", "DELETE …/subscribed-library/id:{library_id}",
       "DELETE /api/content/subscribed-library/{library_id} 204"},
      {"content.subscribed_library.force_delete", "POST …/subscribed-library/id:{library_id}?~action=force-delete",
       "POST /api/content/subscribed-library/{library_id}?action=force-delete 204"},
      {"content.subscribed_library.sync", "POST …/subscribed-library/id:{library_id}?~action=sync",
       "POST /api/content/subscribed-library/{library_id}?action=sync 204"},
      {"content.subscribed_library.evict", "POST …/subscribed-library/id:{library_id}?~action=evict",
       "POST /api/content/subscribed-library/{library_id}?action=evict 204"},
      {"content.subscribed_library.probe", "POST …/subscribed-library?~action=probe",
       "POST /api/content/subscribed-library?action=probe 200 member:subscription_info"},
      {"content.library.subscribed_item.sync", "POST …/library/subscribed-item/id:{library_item_id}?~action=sync",
       "POST /api/content/library/subscribed-item/{library_item_id}?action=sync 204 member:force_sync_content "
       "member:sync_optional_files?"},
      {"content.library.subscribed_item.evict", "POST …/library/subscribed-item/id:{library_item_id}?~action=evict",
       "POST /api/content/library/subscribed-item/{library_item_id}?action=evict 204"},
      {"content.library.subscriptions.create", "POST …/library/subscriptions/id:{library}",
       "POST /api/content/library/{library}/subscriptions 201 token body"},
      {"content.library.subscriptions.list", "GET …/library/subscriptions",
       "GET /api/content/library/{library}/subscriptions 200"},
      {"content.library.subscriptions.get", "POST …/library/subscriptions/id:{library}?~action=get",
       "GET /api/content/library/{library}/subscriptions/{subscription} 200"},
      {"content.library.subscriptions.update", "PATCH …/library/subscriptions/id:{library}",
       "PATCH /api/content/library/{library}/subscriptions/{subscription} 204 body"},
      {"content.library.subscriptions.delete", "POST …/library/subscriptions/id:{library}?~action=delete",
       "DELETE /api/content/library/{library}/subscriptions/{subscription} 204"},
      {"content.local_library.publish", "POST …/local-library/id:{library_id}?~action=publish",
       "POST /api/content/local-library/{library_id}?action=publish 204 member:subscriptions?"},
      {"content.library.item.publish", "POST …/library/item/id:{library_item_id}?~action=publish",
       "POST /api/content/library/item/{library_item_id}?action=publish 204 member:force_sync_content "
       "member:subscriptions?"},
      {"content.library.usages.list", "GET /rest/content/library/{library}/usages",
       "GET /api/content/library/{library}/usages 200"},
      {"content.library.usages.add", "POST /rest/content/library/{library}/usages",
       "POST /api/content/library/{library}/usages 200 body"},
      {"content.library.usages.get", "GET /rest/content/library/{library}/usages/{usage}",
       "GET /api/content/library/{library}/usages/{usage} 200"},
      {"content.library.usages.remove", "DELETE /rest/content/library/{library}/usages/{usage}",
       "DELETE /api/content/library/{library}/usages/{usage} 204"},
      {"appliance.system.version.get", "GET /rest/appliance/system/version", "GET /api/appliance/system/version 200"},
      {"vcenter.datastore.list", "GET /rest/vcenter/datastore", "GET /api/vcenter/datastore 200 query:filter?"},
      {"vcenter.datastore.get", "GET /rest/vcenter/datastore/{datastore}",
       "GET /api/vcenter/datastore/{datastore} 200"},
      {"vcenter.datacenter.list", "GET /rest/vcenter/datacenter", "GET /api/vcenter/datacenter 200 query:filter?"},
      {"vcenter.folder.list", "GET /rest/vcenter/folder", "GET /api/vcenter/folder 200 query:filter?"},
      {"cis.tagging.category.create", "POST /rest/com/vmware/cis/tagging/category",
       "POST /api/cis/tagging/category 201 body"},
      {"cis.tagging.category.get", "GET /rest/com/vmware/cis/tagging/category/id:{category_id}",
       "GET /api/cis/tagging/category/{category_id} 200"},
      {"cis.tagging.category.update", "PATCH /rest/com/vmware/cis/tagging/category/id:{category_id}",
       "PATCH /api/cis/tagging/category/{category_id} 204 body"},
      {"cis.tagging.category.delete", "DELETE /rest/com/vmware/cis/tagging/category/id:{category_id}",
       "DELETE /api/cis/tagging/category/{category_id} 204"},
      {"cis.tagging.category.list", "GET /rest/com/vmware/cis/tagging/category", "GET /api/cis/tagging/category 200"},
      {"cis.tagging.category.list_used_categories",
       "POST /rest/com/vmware/cis/tagging/category/id:{used_by_entity}?~action=list-used-categories",
       "POST /api/cis/tagging/category?action=list-used-categories 200 member:used_by_entity"},
      {"cis.tagging.tag.create", "POST /rest/com/vmware/cis/tagging/tag", "POST /api/cis/tagging/tag 201 body"},
      {"cis.tagging.tag.get", "GET /rest/com/vmware/cis/tagging/tag/id:{tag_id}",
       "GET /api/cis/tagging/tag/{tag_id} 200"},
      {"cis.tagging.tag.update", "PATCH /rest/com/vmware/cis/tagging/tag/id:{tag_id}",
       "PATCH /api/cis/tagging/tag/{tag_id} 204 body"},
      {"cis.tagging.tag.delete", "DELETE /rest/com/vmware/cis/tagging/tag/id:{tag_id}",
       "DELETE /api/cis/tagging/tag/{tag_id} 204"},
      {"cis.tagging.tag.list", "GET /rest/com/vmware/cis/tagging/tag", "GET /api/cis/tagging/tag 200"},
      {"cis.tagging.tag.list_used_tags",
       "POST /rest/com/vmware/cis/tagging/tag/id:{used_by_entity}?~action=list-used-tags",
       "POST /api/cis/tagging/tag?action=list-used-tags 200 member:used_by_entity"},
      {"cis.tagging.tag.list_tags_for_category",
       "POST /rest/com/vmware/cis/tagging/tag/id:{category_id}?~action=list-tags-for-category",
       "POST /api/cis/tagging/tag?action=list-tags-for-category 200 member:category_id"},
      {"cis.tagging.tag_association.attach",
       "POST /rest/com/vmware/cis/tagging/tag-association/id:{tag_id}?~action=attach",
       "POST /api/cis/tagging/tag-association/{tag_id}?action=attach 204 member:object_id"},
      {"cis.tagging.tag_association.detach",
       "POST /rest/com/vmware/cis/tagging/tag-association/id:{tag_id}?~action=detach",
       "POST /api/cis/tagging/tag-association/{tag_id}?action=detach 204 member:object_id"},
      {"cis.tagging.tag_association.attach_multiple_tags_to_object",
       "POST /rest/com/vmware/cis/tagging/tag-association?~action=attach-multiple-tags-to-object",
       "POST /api/cis/tagging/tag-association?action=attach-multiple-tags-to-object 200 member:object_id "
       "member:tag_ids"},
      {"cis.tagging.tag_association.attach_tag_to_multiple_objects",
       "POST /rest/com/vmware/cis/tagging/tag-association/id:{tag_id}?~action=attach-tag-to-multiple-objects",
       "POST /api/cis/tagging/tag-association/{tag_id}?action=attach-tag-to-multiple-objects 200 member:object_ids"},
      {"cis.tagging.tag_association.detach_multiple_tags_from_object",
       "POST /rest/com/vmware/cis/tagging/tag-association?~action=detach-multiple-tags-from-object",
       "POST /api/cis/tagging/tag-association?action=detach-multiple-tags-from-object 200 member:object_id "
       "member:tag_ids"},
      {"cis.tagging.tag_association.detach_tag_from_multiple_objects",
       "POST /rest/com/vmware/cis/tagging/tag-association/id:{tag_id}?~action=detach-tag-from-multiple-objects",
       "POST /api/cis/tagging/tag-association/{tag_id}?action=detach-tag-from-multiple-objects 200 member:object_ids"},
      {"cis.tagging.tag_association.list_attached_objects",
       "POST /rest/com/vmware/cis/tagging/tag-association/id:{tag_id}?~action=list-attached-objects",
       "POST /api/cis/tagging/tag-association/{tag_id}?action=list-attached-objects 200"},
      {"cis.tagging.tag_association.list_attached_objects_on_tags",
       "POST /rest/com/vmware/cis/tagging/tag-association?~action=list-attached-objects-on-tags",
       "POST /api/cis/tagging/tag-association?action=list-attached-objects-on-tags 200 member:tag_ids"},
      {"cis.tagging.tag_association.list_attached_tags",
       "POST /rest/com/vmware/cis/tagging/tag-association?~action=list-attached-tags",
       "POST /api/cis/tagging/tag-association?action=list-attached-tags 200 member:object_id"},
      {"cis.tagging.tag_association.list_attached_tags_on_objects",
       "POST /rest/com/vmware/cis/tagging/tag-association?~action=list-attached-tags-on-objects",
       "POST /api/cis/tagging/tag-association?action=list-attached-tags-on-objects 200 member:object_ids"},
      {"cis.tagging.tag_association.list_attachable_tags",
       "POST /rest/com/vmware/cis/tagging/tag-association?~action=list-attachable-tags",
       "POST /api/cis/tagging/tag-association?action=list-attachable-tags 200 member:object_id"},
      {"quire.access.tokens.create", "POST /rest/com/quire/access/tokens", "POST /api/quire/access/tokens 201 body"},
      {"quire.access.tokens.list", "GET /rest/com/quire/access/tokens", "GET /api/quire/access/tokens 200 query:user?"},
      {"quire.access.tokens.get", "GET /rest/com/quire/access/tokens/id:{token}",
       "GET /api/quire/access/tokens/{token} 200"},
      {"quire.access.tokens.delete", "DELETE /rest/com/quire/access/tokens/id:{token}",
       "DELETE /api/quire/access/tokens/{token} 204"},
      {"quire.audit.list", "GET /rest/com/quire/audit",
       "GET /api/quire/audit 200 query:user? query:operation? query:address? query:event? query:refused? "
       "query:library_id? query:library_item_id? query:since? query:before? query:newest_first? query:after? "
       "query:limit?"},
      {"quire.quota.libraries.list", "GET /rest/com/quire/quota/libraries", "GET /api/quire/quota/libraries 200"},
      {"quire.quota.libraries.get", "GET /rest/com/quire/quota/libraries/id:{library}",
       "GET /api/quire/quota/libraries/{library} 200"},
      {"quire.quota.libraries.set", "PUT /rest/com/quire/quota/libraries/id:{library}",
       "PUT /api/quire/quota/libraries/{library} 204 body"},
      {"quire.quota.libraries.delete", "DELETE /rest/com/quire/quota/libraries/id:{library}",
       "DELETE /api/quire/quota/libraries/{library} 204"},
      {"quire.quota.users.list", "GET /rest/com/quire/quota/users", "GET /api/quire/quota/users 200"},
      {"quire.quota.users.get", "GET /rest/com/quire/quota/users/id:{user}", "GET /api/quire/quota/users/{user} 200"},
      {"quire.quota.users.set", "PUT /rest/com/quire/quota/users/id:{user}",
       "PUT /api/quire/quota/users/{user} 204 body"},
      {"quire.quota.users.delete", "DELETE /rest/com/quire/quota/users/id:{user}",
       "DELETE /api/quire/quota/users/{user} 204"},
      {"quire.quota.own.get", "POST /rest/com/quire/quota/own?~action=get", "GET /api/quire/quota/own 200"},
      {"quire.webhooks.create", "POST /rest/com/quire/webhooks", "POST /api/quire/webhooks 201 body"},
      {"quire.webhooks.list", "GET /rest/com/quire/webhooks", "GET /api/quire/webhooks 200"},
      {"quire.webhooks.get", "GET /rest/com/quire/webhooks/id:{webhook}", "GET /api/quire/webhooks/{webhook} 200"},
      {"quire.webhooks.update", "PATCH /rest/com/quire/webhooks/id:{webhook}",
       "PATCH /api/quire/webhooks/{webhook} 204 body"},
      {"quire.webhooks.delete", "DELETE /rest/com/quire/webhooks/id:{webhook}",
       "DELETE /api/quire/webhooks/{webhook} 204"},
      {"quire.webhooks.deliveries.list", "GET /rest/com/quire/webhooks/deliveries",
       "GET /api/quire/webhooks/{webhook}/deliveries 200"},
      {"quire.webhooks.deliveries.redeliver", "POST /rest/com/quire/webhooks/deliveries/id:{webhook}?~action=redeliver",
       "POST /api/quire/webhooks/{webhook}/deliveries?action=redeliver 204 member:event"},
      {"quire.local_library.publication", "POST /rest/com/quire/local-library/id:{library_id}?~action=publication",
       "GET /api/quire/local-library/{library_id}/publication 200"},
      {"quire.subscribed_library.status", "POST /rest/com/quire/subscribed-library/id:{library_id}?~action=status",
       "GET /api/quire/subscribed-library/{library_id}/status 200"},
      {"quire.subscribed_library.set_limits",
       "POST /rest/com/quire/subscribed-library/id:{library_id}?~action=set-limits",
       "POST /api/quire/subscribed-library/{library_id}?action=set-limits 204 body"},
      {"quire.server.workers.list", "GET /rest/com/quire/server/workers", "GET /api/quire/server/workers 200"},
      {"quire.server.state.get", "POST /rest/com/quire/server/state?~action=get", "GET /api/quire/server/state 200"},
      {"quire.libraries.list", "GET /rest/com/quire/libraries", "GET /api/quire/libraries 200 query:library_id?"},
      {"quire.items.list", "GET /rest/com/quire/items", "GET /api/quire/items 200 query:library_id"},
      {"quire.items.package", "POST /rest/com/quire/items/id:{library_item_id}?~action=package",
       "GET /api/quire/items/{library_item_id}/package 200"},
      {"quire.update_sessions.list", "GET /rest/com/quire/update-sessions",
       "GET /api/quire/update-sessions 200 query:library_item_id?"},
  };
  return rows;
}

std::string written_out(std::string_view legacy) {
  static constexpr std::string_view mark = "…";
  std::string text(legacy);
  if (const auto at = text.find(mark); at != std::string::npos)
    text.replace(at, mark.size(), "/rest/com/vmware/content");
  return text;
}

/// Of a row's operation: rows leave out the beginning that all have.
std::string full_name(std::string_view operation) {
  return (operation.starts_with("quire.") ? "com." : "com.vmware.") + std::string(operation);
}

TEST(RestMapping, EveryOperationStandsWhereTheReferenceSays) {
  for (const auto& row : table()) {
    const auto name = full_name(row.operation);
    const auto dot = name.rfind('.');
    const auto* operation = api::find_operation(name.substr(0, dot), name.substr(dot + 1));
    ASSERT_NE(operation, nullptr) << name;
    EXPECT_EQ(legacy_text(*operation), written_out(row.legacy));
    EXPECT_EQ(new_text(*operation), row.current);
  }
}

TEST(RestMapping, TheTableMissesNoOperation) {
  std::set<std::string> rows;
  for (const auto& row : table()) rows.insert(full_name(row.operation));
  for (const auto& operation : api::all_operations())
    EXPECT_EQ(rows.count(operation.facts.service + "." + operation.facts.name), 1U)
        << "add a row for " << operation.facts.service << "." << operation.facts.name << "; the code says "
        << legacy_text(operation) << " and " << new_text(operation);
}

TEST(RestMapping, VoidIs204) {
  for (const auto& operation : api::all_operations())
    EXPECT_EQ(operation.output == nullptr, operation.facts.status == 204) << operation.facts.service;
}

}  // namespace
}  // namespace quire::wire
