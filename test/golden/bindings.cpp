#include "golden/bindings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>

namespace quire::golden {
namespace {

namespace json = boost::json;
using api::TypeKind;

/// Where an operation is found, below `/rest/com/vmware` (unless the target says `/rest` itself) and below `/api`
/// (content-library-api.md §2–§19, wire-protocols.md §3.3, §3.4). `{name}` stands for an input in the path or query.
struct Place {
  std::string_view operation;
  std::string_view legacy_method;
  std::string_view legacy_target;
  std::string_view method;
  std::string_view target;
};

constexpr auto client_address = "192.0.2.1";

constexpr std::array places = {
    Place{"cis.session.create", "POST", "/cis/session", "POST", "/session"},
    Place{"cis.session.get", "POST", "/cis/session?~action=get", "GET", "/session"},
    Place{"cis.session.delete", "DELETE", "/cis/session", "DELETE", "/session"},

    Place{"content.configuration.get", "POST", "/content/configuration?~action=get", "GET", "/content/configuration"},
    Place{"content.configuration.update", "PATCH", "/content/configuration", "PATCH", "/content/configuration"},
    Place{"content.type.list", "GET", "/content/type", "GET", "/content/type"},

    Place{"content.security_policies.list", "GET", "/rest/content/security-policies", "GET",
          "/content/security-policies"},
    Place{"content.trusted_certificates.create", "POST", "/rest/content/trusted-certificates", "POST",
          "/content/trusted-certificates"},
    Place{"content.trusted_certificates.list", "GET", "/rest/content/trusted-certificates", "GET",
          "/content/trusted-certificates"},
    Place{"content.trusted_certificates.get", "GET", "/rest/content/trusted-certificates/{certificate}", "GET",
          "/content/trusted-certificates/{certificate}"},
    Place{"content.trusted_certificates.delete", "DELETE", "/rest/content/trusted-certificates/{certificate}", "DELETE",
          "/content/trusted-certificates/{certificate}"},

    Place{"content.library.list", "GET", "/content/library", "GET", "/content/library"},
    Place{"content.library.get", "GET", "/content/library/id:{library_id}", "GET", "/content/library/{library_id}"},
    Place{"content.library.find", "POST", "/content/library?~action=find", "POST", "/content/library?action=find"},
    Place{"content.library.update", "PATCH", "/content/library/id:{library_id}", "PATCH",
          "/content/library/{library_id}"},

    Place{"content.library.delete", "DELETE", "/content/library/id:{library_id}", "DELETE",
          "/content/library/{library_id}"},
    Place{"content.library.force_delete", "POST", "/content/library/id:{library_id}?~action=force-delete", "POST",
          "/content/library/{library_id}?action=force-delete"},
    Place{"content.library.migrate", "POST", "/content/library/id:{library_id}?~action=migrate", "POST",
          "/content/library/{library_id}?action=migrate"},
    Place{"content.library.convert", "POST", "/content/library/id:{library_id}?~action=convert", "POST",
          "/content/library/{library_id}?action=convert"},
    Place{"content.library.enter_maintenance", "POST", "/content/library/id:{library_id}?~action=enter-maintenance",
          "POST", "/content/library/{library_id}?action=enter-maintenance"},
    Place{"content.library.exit_maintenance", "POST", "/content/library/id:{library_id}?~action=exit-maintenance",
          "POST", "/content/library/{library_id}?action=exit-maintenance"},
    Place{"content.library.subscriptions.list", "GET", "/content/library/subscriptions", "GET",
          "/content/library/{library}/subscriptions"},
    Place{"content.library.subscriptions.create", "POST", "/content/library/subscriptions/id:{library}", "POST",
          "/content/library/{library}/subscriptions"},
    Place{"content.library.subscriptions.get", "POST", "/content/library/subscriptions/id:{library}?~action=get", "GET",
          "/content/library/{library}/subscriptions/{subscription}"},
    Place{"content.library.subscriptions.update", "PATCH", "/content/library/subscriptions/id:{library}", "PATCH",
          "/content/library/{library}/subscriptions/{subscription}"},
    Place{"content.library.subscriptions.delete", "POST", "/content/library/subscriptions/id:{library}?~action=delete",
          "DELETE", "/content/library/{library}/subscriptions/{subscription}"},
    Place{"content.local_library.publish", "POST", "/content/local-library/id:{library_id}?~action=publish", "POST",
          "/content/local-library/{library_id}?action=publish"},
    Place{"content.library.item.publish", "POST", "/content/library/item/id:{library_item_id}?~action=publish", "POST",
          "/content/library/item/{library_item_id}?action=publish"},
    Place{"content.library.usages.list", "GET", "/rest/content/library/{library}/usages", "GET",
          "/content/library/{library}/usages"},
    Place{"content.library.usages.add", "POST", "/rest/content/library/{library}/usages", "POST",
          "/content/library/{library}/usages"},
    Place{"content.library.usages.get", "GET", "/rest/content/library/{library}/usages/{usage}", "GET",
          "/content/library/{library}/usages/{usage}"},
    Place{"content.library.usages.remove", "DELETE", "/rest/content/library/{library}/usages/{usage}", "DELETE",
          "/content/library/{library}/usages/{usage}"},
    Place{"content.local_library.force_delete", "POST", "/content/local-library/id:{library_id}?~action=force-delete",
          "POST", "/content/local-library/{library_id}?action=force-delete"},
    Place{"content.local_library.create", "POST", "/content/local-library", "POST", "/content/local-library"},
    Place{"content.local_library.list", "GET", "/content/local-library", "GET", "/content/local-library"},
    Place{"content.local_library.get", "GET", "/content/local-library/id:{library_id}", "GET",
          "/content/local-library/{library_id}"},
    Place{"content.local_library.update", "PATCH", "/content/local-library/id:{library_id}", "PATCH",
          "/content/local-library/{library_id}"},
    Place{"content.local_library.delete", "DELETE", "/content/local-library/id:{library_id}", "DELETE",
          "/content/local-library/{library_id}"},
    Place{"content.subscribed_library.list", "GET", "/content/subscribed-library", "GET",
          "/content/subscribed-library"},
    Place{"content.subscribed_library.get", "GET", "/content/subscribed-library/id:{library_id}", "GET",
          "/content/subscribed-library/{library_id}"},
    Place{"content.subscribed_library.create", "POST", "/content/subscribed-library", "POST",
          "/content/subscribed-library"},
    Place{"content.subscribed_library.update", "PATCH", "/content/subscribed-library/id:{library_id}", "PATCH",
          "/content/subscribed-library/{library_id}"},
    Place{"content.subscribed_library.delete", "DELETE", "/content/subscribed-library/id:{library_id}", "DELETE",
          "/content/subscribed-library/{library_id}"},
    Place{"content.subscribed_library.force_delete", "POST",
          "/content/subscribed-library/id:{library_id}?~action=force-delete", "POST",
          "/content/subscribed-library/{library_id}?action=force-delete"},
    Place{"content.subscribed_library.sync", "POST", "/content/subscribed-library/id:{library_id}?~action=sync", "POST",
          "/content/subscribed-library/{library_id}?action=sync"},
    Place{"content.subscribed_library.evict", "POST", "/content/subscribed-library/id:{library_id}?~action=evict",
          "POST", "/content/subscribed-library/{library_id}?action=evict"},
    Place{"content.subscribed_library.probe", "POST", "/content/subscribed-library?~action=probe", "POST",
          "/content/subscribed-library?action=probe"},
    Place{"content.library.subscribed_item.sync", "POST",
          "/content/library/subscribed-item/id:{library_item_id}?~action=sync", "POST",
          "/content/library/subscribed-item/{library_item_id}?action=sync"},
    Place{"content.library.subscribed_item.evict", "POST",
          "/content/library/subscribed-item/id:{library_item_id}?~action=evict", "POST",
          "/content/library/subscribed-item/{library_item_id}?action=evict"},

    Place{"content.library.item.create", "POST", "/content/library/item", "POST", "/content/library/item"},
    Place{"content.library.item.copy", "POST", "/content/library/item/id:{source_library_item_id}?~action=copy", "POST",
          "/content/library/item/{source_library_item_id}?action=copy"},
    Place{"content.library.item.list", "GET", "/content/library/item", "GET", "/content/library/item"},
    Place{"content.library.item.find", "POST", "/content/library/item?~action=find", "POST",
          "/content/library/item?action=find"},
    Place{"content.library.item.get", "GET", "/content/library/item/id:{library_item_id}", "GET",
          "/content/library/item/{library_item_id}"},
    Place{"content.library.item.update", "PATCH", "/content/library/item/id:{library_item_id}", "PATCH",
          "/content/library/item/{library_item_id}"},
    Place{"content.library.item.delete", "DELETE", "/content/library/item/id:{library_item_id}", "DELETE",
          "/content/library/item/{library_item_id}"},

    Place{"content.library.item.file.list", "GET", "/content/library/item/file", "GET",
          "/content/library/item/{library_item_id}/file"},
    Place{"content.library.item.file.get", "POST", "/content/library/item/file/id:{library_item_id}?~action=get", "GET",
          "/content/library/item/{library_item_id}/file?name={name}"},
    Place{"content.library.item.storage.list", "GET", "/content/library/item/storage", "GET",
          "/content/library/item/{library_item_id}/storage"},
    Place{"content.library.item.storage.get", "POST", "/content/library/item/storage/id:{library_item_id}?~action=get",
          "GET", "/content/library/item/{library_item_id}/storage?file_name={file_name}"},

    Place{"content.library.item.changes.list", "GET", "/rest/content/library/item/{library_item}/changes", "GET",
          "/content/library/item/{library_item}/changes"},
    Place{"content.library.item.changes.get", "GET", "/rest/content/library/item/{library_item}/changes/{version}",
          "GET", "/content/library/item/{library_item}/changes/{version}"},

    Place{"content.library.item.update_session.create", "POST", "/content/library/item/update-session", "POST",
          "/content/library/item/update-session"},
    Place{"content.library.item.update_session.list", "GET", "/content/library/item/update-session", "GET",
          "/content/library/item/update-session"},
    Place{"content.library.item.update_session.get", "GET",
          "/content/library/item/update-session/id:{update_session_id}", "GET",
          "/content/library/item/update-session/{update_session_id}"},
    Place{"content.library.item.update_session.update", "PATCH",
          "/content/library/item/update-session/id:{update_session_id}", "PATCH",
          "/content/library/item/update-session/{update_session_id}"},
    Place{"content.library.item.update_session.complete", "POST",
          "/content/library/item/update-session/id:{update_session_id}?~action=complete", "POST",
          "/content/library/item/update-session/{update_session_id}?action=complete"},
    Place{"content.library.item.update_session.keep_alive", "POST",
          "/content/library/item/update-session/id:{update_session_id}?~action=keep-alive", "POST",
          "/content/library/item/update-session/{update_session_id}?action=keep-alive"},
    Place{"content.library.item.update_session.cancel", "POST",
          "/content/library/item/update-session/id:{update_session_id}?~action=cancel", "POST",
          "/content/library/item/update-session/{update_session_id}?action=cancel"},
    Place{"content.library.item.update_session.fail", "POST",
          "/content/library/item/update-session/id:{update_session_id}?~action=fail", "POST",
          "/content/library/item/update-session/{update_session_id}?action=fail"},
    Place{"content.library.item.update_session.delete", "DELETE",
          "/content/library/item/update-session/id:{update_session_id}", "DELETE",
          "/content/library/item/update-session/{update_session_id}"},

    Place{"content.library.item.updatesession.file.add", "POST",
          "/content/library/item/updatesession/file/id:{update_session_id}?~action=add", "POST",
          "/content/library/item/update-session/{update_session_id}/file"},
    Place{"content.library.item.updatesession.file.list", "GET", "/content/library/item/updatesession/file", "GET",
          "/content/library/item/update-session/{update_session_id}/file"},
    Place{"content.library.item.updatesession.file.get", "POST",
          "/content/library/item/updatesession/file/id:{update_session_id}?~action=get", "GET",
          "/content/library/item/update-session/{update_session_id}/file/{file_name}"},
    Place{"content.library.item.updatesession.file.remove", "POST",
          "/content/library/item/updatesession/file/id:{update_session_id}?~action=remove", "DELETE",
          "/content/library/item/update-session/{update_session_id}/file/{file_name}"},
    Place{"content.library.item.updatesession.file.probe", "POST",
          "/content/library/item/updatesession/file?~action=probe", "", ""},
    Place{"content.library.item.updatesession.file.validate", "POST",
          "/content/library/item/updatesession/file/id:{update_session_id}?~action=validate", "POST",
          "/content/library/item/update-session/{update_session_id}/file?action=validate"},

    Place{"content.library.item.download_session.create", "POST", "/content/library/item/download-session", "POST",
          "/content/library/item/download-session"},
    Place{"content.library.item.download_session.list", "GET", "/content/library/item/download-session", "GET",
          "/content/library/item/download-session"},
    Place{"content.library.item.download_session.get", "GET",
          "/content/library/item/download-session/id:{download_session_id}", "GET",
          "/content/library/item/download-session/{download_session_id}"},
    Place{"content.library.item.download_session.keep_alive", "POST",
          "/content/library/item/download-session/id:{download_session_id}?~action=keep-alive", "POST",
          "/content/library/item/download-session/{download_session_id}?action=keep-alive"},
    Place{"content.library.item.download_session.cancel", "POST",
          "/content/library/item/download-session/id:{download_session_id}?~action=cancel", "POST",
          "/content/library/item/download-session/{download_session_id}?action=cancel"},
    Place{"content.library.item.download_session.fail", "POST",
          "/content/library/item/download-session/id:{download_session_id}?~action=fail", "POST",
          "/content/library/item/download-session/{download_session_id}?action=fail"},
    Place{"content.library.item.download_session.delete", "DELETE",
          "/content/library/item/download-session/id:{download_session_id}", "DELETE",
          "/content/library/item/download-session/{download_session_id}"},

    Place{"content.library.item.downloadsession.file.list", "GET", "/content/library/item/downloadsession/file", "GET",
          "/content/library/item/download-session/{download_session_id}/file"},
    Place{"content.library.item.downloadsession.file.prepare", "POST",
          "/content/library/item/downloadsession/file/id:{download_session_id}?~action=prepare", "POST",
          "/content/library/item/download-session/{download_session_id}/file?action=prepare"},
    Place{"content.library.item.downloadsession.file.get", "POST",
          "/content/library/item/downloadsession/file/id:{download_session_id}?~action=get", "GET",
          "/content/library/item/download-session/{download_session_id}/file?file_name={file_name}"},

    Place{"quire.access.privileges.list", "GET", "/quire/access/privileges", "GET", "/quire/access/privileges"},
    Place{"quire.access.roles.list", "GET", "/quire/access/roles", "GET", "/quire/access/roles"},
    Place{"quire.access.roles.get", "GET", "/quire/access/roles/id:{role}", "GET", "/quire/access/roles/{role}"},
    Place{"quire.access.roles.create", "POST", "/quire/access/roles", "POST", "/quire/access/roles"},
    Place{"quire.access.roles.update", "PATCH", "/quire/access/roles/id:{role}", "PATCH", "/quire/access/roles/{role}"},
    Place{"quire.access.roles.delete", "DELETE", "/quire/access/roles/id:{role}", "DELETE",
          "/quire/access/roles/{role}"},
    Place{"quire.access.users.list", "GET", "/quire/access/users", "GET", "/quire/access/users"},
    Place{"quire.access.users.get", "GET", "/quire/access/users/id:{user}", "GET", "/quire/access/users/{user}"},
    Place{"quire.access.users.create", "POST", "/quire/access/users", "POST", "/quire/access/users"},
    Place{"quire.access.users.update", "PATCH", "/quire/access/users/id:{user}", "PATCH", "/quire/access/users/{user}"},
    Place{"quire.access.users.set_password", "POST", "/quire/access/users/id:{user}?~action=set-password", "POST",
          "/quire/access/users/{user}?action=set-password"},
    Place{"quire.access.users.change_password", "POST", "/quire/access/users?~action=change-password", "POST",
          "/quire/access/users?action=change-password"},
    Place{"quire.access.users.delete", "DELETE", "/quire/access/users/id:{user}", "DELETE",
          "/quire/access/users/{user}"},
    Place{"quire.access.groups.list", "GET", "/quire/access/groups", "GET", "/quire/access/groups"},
    Place{"quire.access.groups.get", "GET", "/quire/access/groups/id:{group}", "GET", "/quire/access/groups/{group}"},
    Place{"quire.access.groups.create", "POST", "/quire/access/groups", "POST", "/quire/access/groups"},
    Place{"quire.access.groups.update", "PATCH", "/quire/access/groups/id:{group}", "PATCH",
          "/quire/access/groups/{group}"},
    Place{"quire.access.groups.delete", "DELETE", "/quire/access/groups/id:{group}", "DELETE",
          "/quire/access/groups/{group}"},
    Place{"quire.access.tokens.list", "GET", "/quire/access/tokens", "GET", "/quire/access/tokens"},
    Place{"quire.access.tokens.get", "GET", "/quire/access/tokens/id:{token}", "GET", "/quire/access/tokens/{token}"},
    Place{"quire.access.tokens.create", "POST", "/quire/access/tokens", "POST", "/quire/access/tokens"},
    Place{"quire.access.tokens.delete", "DELETE", "/quire/access/tokens/id:{token}", "DELETE",
          "/quire/access/tokens/{token}"},
    Place{"quire.access.permissions.list", "GET", "/quire/access/permissions", "GET", "/quire/access/permissions"},
    Place{"quire.access.permissions.set", "PUT", "/quire/access/permissions", "PUT", "/quire/access/permissions"},
    Place{"quire.access.permissions.delete", "POST", "/quire/access/permissions?~action=delete", "DELETE",
          "/quire/access/permissions"},
    Place{"quire.access.permissions.effective", "POST", "/quire/access/permissions?~action=effective", "GET",
          "/quire/access/permissions/effective"},
    Place{"appliance.system.version.get", "GET", "/rest/appliance/system/version", "GET", "/appliance/system/version"},
    Place{"vcenter.datastore.list", "GET", "/rest/vcenter/datastore", "GET", "/vcenter/datastore"},
    Place{"vcenter.datastore.get", "GET", "/rest/vcenter/datastore/{datastore}", "GET",
          "/vcenter/datastore/{datastore}"},
    Place{"vcenter.datacenter.list", "GET", "/rest/vcenter/datacenter", "GET", "/vcenter/datacenter"},
    Place{"vcenter.folder.list", "GET", "/rest/vcenter/folder", "GET", "/vcenter/folder"},
    Place{"cis.tagging.category.create", "POST", "/cis/tagging/category", "POST", "/cis/tagging/category"},
    Place{"cis.tagging.category.get", "GET", "/cis/tagging/category/id:{category_id}", "GET",
          "/cis/tagging/category/{category_id}"},
    Place{"cis.tagging.category.update", "PATCH", "/cis/tagging/category/id:{category_id}", "PATCH",
          "/cis/tagging/category/{category_id}"},
    Place{"cis.tagging.category.delete", "DELETE", "/cis/tagging/category/id:{category_id}", "DELETE",
          "/cis/tagging/category/{category_id}"},
    Place{"cis.tagging.category.list", "GET", "/cis/tagging/category", "GET", "/cis/tagging/category"},
    Place{"cis.tagging.category.list_used_categories", "POST",
          "/cis/tagging/category/id:{used_by_entity}?~action=list-used-categories", "POST",
          "/cis/tagging/category?action=list-used-categories"},
    Place{"cis.tagging.tag.create", "POST", "/cis/tagging/tag", "POST", "/cis/tagging/tag"},
    Place{"cis.tagging.tag.get", "GET", "/cis/tagging/tag/id:{tag_id}", "GET", "/cis/tagging/tag/{tag_id}"},
    Place{"cis.tagging.tag.update", "PATCH", "/cis/tagging/tag/id:{tag_id}", "PATCH", "/cis/tagging/tag/{tag_id}"},
    Place{"cis.tagging.tag.delete", "DELETE", "/cis/tagging/tag/id:{tag_id}", "DELETE", "/cis/tagging/tag/{tag_id}"},
    Place{"cis.tagging.tag.list", "GET", "/cis/tagging/tag", "GET", "/cis/tagging/tag"},
    Place{"cis.tagging.tag.list_used_tags", "POST", "/cis/tagging/tag/id:{used_by_entity}?~action=list-used-tags",
          "POST", "/cis/tagging/tag?action=list-used-tags"},
    Place{"cis.tagging.tag.list_tags_for_category", "POST",
          "/cis/tagging/tag/id:{category_id}?~action=list-tags-for-category", "POST",
          "/cis/tagging/tag?action=list-tags-for-category"},
    Place{"cis.tagging.tag_association.attach", "POST", "/cis/tagging/tag-association/id:{tag_id}?~action=attach",
          "POST", "/cis/tagging/tag-association/{tag_id}?action=attach"},
    Place{"cis.tagging.tag_association.detach", "POST", "/cis/tagging/tag-association/id:{tag_id}?~action=detach",
          "POST", "/cis/tagging/tag-association/{tag_id}?action=detach"},
    Place{"cis.tagging.tag_association.attach_multiple_tags_to_object", "POST",
          "/cis/tagging/tag-association?~action=attach-multiple-tags-to-object", "POST",
          "/cis/tagging/tag-association?action=attach-multiple-tags-to-object"},
    Place{"cis.tagging.tag_association.attach_tag_to_multiple_objects", "POST",
          "/cis/tagging/tag-association/id:{tag_id}?~action=attach-tag-to-multiple-objects", "POST",
          "/cis/tagging/tag-association/{tag_id}?action=attach-tag-to-multiple-objects"},
    Place{"cis.tagging.tag_association.detach_multiple_tags_from_object", "POST",
          "/cis/tagging/tag-association?~action=detach-multiple-tags-from-object", "POST",
          "/cis/tagging/tag-association?action=detach-multiple-tags-from-object"},
    Place{"cis.tagging.tag_association.detach_tag_from_multiple_objects", "POST",
          "/cis/tagging/tag-association/id:{tag_id}?~action=detach-tag-from-multiple-objects", "POST",
          "/cis/tagging/tag-association/{tag_id}?action=detach-tag-from-multiple-objects"},
    Place{"cis.tagging.tag_association.list_attached_objects", "POST",
          "/cis/tagging/tag-association/id:{tag_id}?~action=list-attached-objects", "POST",
          "/cis/tagging/tag-association/{tag_id}?action=list-attached-objects"},
    Place{"cis.tagging.tag_association.list_attached_objects_on_tags", "POST",
          "/cis/tagging/tag-association?~action=list-attached-objects-on-tags", "POST",
          "/cis/tagging/tag-association?action=list-attached-objects-on-tags"},
    Place{"cis.tagging.tag_association.list_attached_tags", "POST",
          "/cis/tagging/tag-association?~action=list-attached-tags", "POST",
          "/cis/tagging/tag-association?action=list-attached-tags"},
    Place{"cis.tagging.tag_association.list_attached_tags_on_objects", "POST",
          "/cis/tagging/tag-association?~action=list-attached-tags-on-objects", "POST",
          "/cis/tagging/tag-association?action=list-attached-tags-on-objects"},
    Place{"cis.tagging.tag_association.list_attachable_tags", "POST",
          "/cis/tagging/tag-association?~action=list-attachable-tags", "POST",
          "/cis/tagging/tag-association?action=list-attachable-tags"},
    Place{"cis.tasks.get", "GET", "/rest/cis/tasks/{task}", "GET", "/cis/tasks/{task}"},
    Place{"cis.tasks.list", "GET", "/rest/cis/tasks", "POST", "/cis/tasks?action=list"},
    Place{"cis.tasks.cancel", "POST", "/rest/cis/tasks/{task}?action=cancel", "POST",
          "/cis/tasks/{task}?action=cancel"},

    Place{"vcenter.ovf.library_item.create", "POST", "/vcenter/ovf/library-item", "POST", "/vcenter/ovf/library-item"},
    Place{"vcenter.ovf.library_item.filter", "POST",
          "/vcenter/ovf/library-item/id:{ovf_library_item_id}?~action=filter", "POST",
          "/vcenter/ovf/library-item/{ovf_library_item_id}?action=filter"},
    Place{"vcenter.ovf.library_item.deploy", "POST",
          "/vcenter/ovf/library-item/id:{ovf_library_item_id}?~action=deploy", "POST",
          "/vcenter/ovf/library-item/{ovf_library_item_id}?action=deploy"},
    Place{"vcenter.ovf.export_flag.list", "GET", "/vcenter/ovf/export-flag", "GET", "/vcenter/ovf/export-flag"},
    Place{"vcenter.ovf.import_flag.list", "GET", "/vcenter/ovf/import-flag", "GET", "/vcenter/ovf/import-flag?rp={rp}"},
    Place{"vcenter.vm_template.library_items.create", "POST", "/rest/vcenter/vm-template/library-items", "POST",
          "/vcenter/vm-template/library-items"},
    Place{"vcenter.vm_template.library_items.get", "GET",
          "/rest/vcenter/vm-template/library-items/{template_library_item}", "GET",
          "/vcenter/vm-template/library-items/{template_library_item}"},
    Place{"vcenter.vm_template.library_items.deploy", "POST",
          "/rest/vcenter/vm-template/library-items/{template_library_item}?action=deploy", "POST",
          "/vcenter/vm-template/library-items/{template_library_item}?action=deploy"},
    Place{"vcenter.vm_template.library_items.check_outs.list", "GET",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/check-outs", "GET",
          "/vcenter/vm-template/library-items/{template_library_item}/check-outs"},
    Place{"vcenter.vm_template.library_items.check_outs.get", "GET",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}", "GET",
          "/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}"},
    Place{"vcenter.vm_template.library_items.check_outs.delete", "DELETE",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}", "DELETE",
          "/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}"},
    Place{"vcenter.vm_template.library_items.check_outs.check_out", "POST",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/check-outs?action=check-out", "POST",
          "/vcenter/vm-template/library-items/{template_library_item}/check-outs?action=check-out"},
    Place{"vcenter.vm_template.library_items.check_outs.check_in", "POST",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}?action=check-in", "POST",
          "/vcenter/vm-template/library-items/{template_library_item}/check-outs/{vm}?action=check-in"},
    Place{"vcenter.vm_template.library_items.versions.list", "GET",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/versions", "GET",
          "/vcenter/vm-template/library-items/{template_library_item}/versions"},
    Place{"vcenter.vm_template.library_items.versions.get", "GET",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/versions/{version}", "GET",
          "/vcenter/vm-template/library-items/{template_library_item}/versions/{version}"},
    Place{"vcenter.vm_template.library_items.versions.delete", "DELETE",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/versions/{version}", "DELETE",
          "/vcenter/vm-template/library-items/{template_library_item}/versions/{version}"},
    Place{"vcenter.vm_template.library_items.versions.rollback", "POST",
          "/rest/vcenter/vm-template/library-items/{template_library_item}/versions/{version}?action=rollback", "POST",
          "/vcenter/vm-template/library-items/{template_library_item}/versions/{version}?action=rollback"},
    Place{"vcenter.iso.image.mount", "POST", "/vcenter/iso/image/id:{library_item}?~action=mount", "POST",
          "/vcenter/iso/image?action=mount"},
    Place{"vcenter.iso.image.unmount", "POST", "/vcenter/iso/image/id:{vm}?~action=unmount", "POST",
          "/vcenter/iso/image?action=unmount"},

    Place{"quire.quota.libraries.list", "GET", "/quire/quota/libraries", "GET", "/quire/quota/libraries"},
    Place{"quire.quota.libraries.get", "GET", "/quire/quota/libraries/id:{library}", "GET",
          "/quire/quota/libraries/{library}"},
    Place{"quire.quota.libraries.set", "PUT", "/quire/quota/libraries/id:{library}", "PUT",
          "/quire/quota/libraries/{library}"},
    Place{"quire.quota.libraries.delete", "DELETE", "/quire/quota/libraries/id:{library}", "DELETE",
          "/quire/quota/libraries/{library}"},
    Place{"quire.quota.users.list", "GET", "/quire/quota/users", "GET", "/quire/quota/users"},
    Place{"quire.quota.users.get", "GET", "/quire/quota/users/id:{user}", "GET", "/quire/quota/users/{user}"},
    Place{"quire.quota.users.set", "PUT", "/quire/quota/users/id:{user}", "PUT", "/quire/quota/users/{user}"},
    Place{"quire.quota.users.delete", "DELETE", "/quire/quota/users/id:{user}", "DELETE", "/quire/quota/users/{user}"},
    Place{"quire.quota.own.get", "POST", "/quire/quota/own?~action=get", "GET", "/quire/quota/own"},
    Place{"quire.audit.list", "GET", "/quire/audit", "GET", "/quire/audit"},
    Place{"quire.webhooks.create", "POST", "/quire/webhooks", "POST", "/quire/webhooks"},
    Place{"quire.webhooks.list", "GET", "/quire/webhooks", "GET", "/quire/webhooks"},
    Place{"quire.webhooks.get", "GET", "/quire/webhooks/id:{webhook}", "GET", "/quire/webhooks/{webhook}"},
    Place{"quire.webhooks.update", "PATCH", "/quire/webhooks/id:{webhook}", "PATCH", "/quire/webhooks/{webhook}"},
    Place{"quire.webhooks.delete", "DELETE", "/quire/webhooks/id:{webhook}", "DELETE", "/quire/webhooks/{webhook}"},
    Place{"quire.webhooks.deliveries.list", "GET", "/quire/webhooks/deliveries", "GET",
          "/quire/webhooks/{webhook}/deliveries"},
    Place{"quire.webhooks.deliveries.redeliver", "POST", "/quire/webhooks/deliveries/id:{webhook}?~action=redeliver",
          "POST", "/quire/webhooks/{webhook}/deliveries?action=redeliver"},
    Place{"quire.subscribed_library.status", "POST", "/quire/subscribed-library/id:{library_id}?~action=status", "GET",
          "/quire/subscribed-library/{library_id}/status"},
    Place{"quire.subscribed_library.set_limits", "POST", "/quire/subscribed-library/id:{library_id}?~action=set-limits",
          "POST", "/quire/subscribed-library/{library_id}?action=set-limits"},
    Place{"quire.local_library.publication", "POST", "/quire/local-library/id:{library_id}?~action=publication", "GET",
          "/quire/local-library/{library_id}/publication"},
    Place{"quire.server.workers.list", "GET", "/quire/server/workers", "GET", "/quire/server/workers"},
    Place{"quire.server.state.get", "POST", "/quire/server/state?~action=get", "GET", "/quire/server/state"},
    Place{"quire.libraries.list", "GET", "/quire/libraries", "GET", "/quire/libraries"},
    Place{"quire.items.list", "GET", "/quire/items", "GET", "/quire/items"},
    Place{"quire.items.package", "POST", "/quire/items/id:{library_item_id}?~action=package", "GET",
          "/quire/items/{library_item_id}/package"},
    Place{"quire.update_sessions.list", "GET", "/quire/update-sessions", "GET", "/quire/update-sessions"},
};

/// HTTP statuses of §1.8.1 with §28.4: legacy, new.
const std::map<std::string, std::pair<int, int>, std::less<>> error_statuses = {
    {"ALREADY_EXISTS", {400, 400}},
    {"ALREADY_IN_DESIRED_STATE", {400, 400}},
    {"CONCURRENT_CHANGE", {409, 409}},
    {"INVALID_ARGUMENT", {400, 400}},
    {"INVALID_ELEMENT_CONFIGURATION", {400, 400}},
    {"INVALID_ELEMENT_TYPE", {400, 400}},
    {"NOT_ALLOWED_IN_CURRENT_STATE", {400, 400}},
    {"NOT_FOUND", {404, 404}},
    {"RESOURCE_BUSY", {400, 500}},
    {"RESOURCE_INACCESSIBLE", {400, 500}},
    {"RESOURCE_IN_USE", {400, 400}},
    {"SERVICE_UNAVAILABLE", {503, 503}},
    {"UNABLE_TO_ALLOCATE_RESOURCE", {400, 500}},
    {"UNAUTHENTICATED", {401, 401}},
    {"UNAUTHORIZED", {403, 403}},
    {"UNSUPPORTED", {400, 400}},
};

std::string full_name(std::string_view name) {
  return (name.starts_with("quire.") ? "com." : "com.vmware.") + std::string(name);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
  }
  return out;
}

std::string base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8U | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += i + j > text.size() ? '=' : digits[bits >> (18 - 6 * j) & 63U];
  }
  return out;
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

/// Fills the `{name}` of a target; what is used up leaves `input`.
std::string filled(std::string_view target, json::object& input) {
  std::string out;
  while (!target.empty()) {
    const auto open = target.find('{');
    out += target.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = target.find('}');
    const auto name = target.substr(open + 1, close - open - 1);
    out += percent_encoded(text_of(input.at(name)));
    input.erase(name);
    target.remove_prefix(close + 1);
  }
  return out;
}

void add_to_query(std::string& target, std::string_view name, const json::value& value) {
  if (const auto* list = value.if_array()) {
    for (const auto& one : *list) add_to_query(target, name, one);
    return;
  }
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += std::string(name) + "=" + percent_encoded(text_of(value));
}

json::value wrapped(std::string_view wrapper, json::value value) {
  json::object object;
  object.emplace(wrapper, std::move(value));
  return object;
}

const json::value* only_member(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  return object && object->size() == 1 ? object->if_contains(name) : nullptr;
}

bool is_map(const json::array& array) {
  return !array.empty() && std::all_of(array.begin(), array.end(), [](const json::value& entry) {
    const auto* pair = entry.if_object();
    return pair && pair->size() == 2 && pair->contains("key") && pair->contains("value");
  });
}

/// Any binding's value as new REST writes it.
json::value plain(const json::value& value) {
  for (const auto* wrapper : {"OPTIONAL", "SECRET"})
    if (const auto* inner = only_member(value, wrapper)) return plain(*inner);
  for (const auto* wrapper : {"STRUCTURE", "ERROR"})
    if (const auto* named = only_member(value, wrapper)) return plain(named->get_object().begin()->value());
  if (const auto* error = value.if_object(); error && error->size() == 2 && error->contains("type") &&
                                             error->contains("value") && error->at("type").is_string() &&
                                             error->at("type").get_string().starts_with("com.vmware.vapi.std.errors."))
    return plain(error->at("value"));
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& member : *object)
      if (auto content = plain(member.value()); !content.is_null() && member.key() != "@class")  // REST's alone
        out.emplace(member.key(), std::move(content));
    return out;
  }
  if (const auto* array = value.if_array()) {
    json::array elements;
    for (const auto& element : *array) elements.push_back(plain(element));
    if (!is_map(elements)) return elements;
    json::object map;
    for (const auto& entry : elements)
      map.emplace(entry.get_object().at("key").get_string(), entry.get_object().at("value"));
    return map;
  }
  return value;
}

std::string header(const wire::Response& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or(""));
}

/// The outcome that an error's body tells, whose form is checked on the way.
Outcome refusal(const json::value& error) {
  const auto body = plain(error);
  const auto& object = body.as_object();
  const auto& messages = object.at("messages").as_array();
  EXPECT_FALSE(messages.empty());
  for (const auto& message : messages) {
    EXPECT_TRUE(message.at("id").is_string() && message.at("args").is_array()) << json::serialize(message);
    EXPECT_EQ(message.at("default_message").as_string().find('%'), json::string::npos) << "Ansible formats it again";
  }
  return {"", std::string(object.at("error_type").as_string()), nullptr, body};
}

Outcome legacy_outcome(const api::Operation& operation, const wire::Response& response) {
  if (response.status == 200) {
    if (operation.output == nullptr) {
      EXPECT_EQ(response.body, "");
      EXPECT_FALSE(response.headers.contains("Content-Type"));
      return {};
    }
    const auto body = json::parse(response.body);
    EXPECT_EQ(header(response, "Content-Type"), "application/json");
    EXPECT_EQ(body.as_object().size(), 1U);
    return {"", "", plain(body.at("value")), nullptr};
  }
  EXPECT_EQ(header(response, "Content-Type"), "application/json");
  const auto body = json::parse(response.body);
  auto outcome = refusal(body.at("value"));
  EXPECT_EQ(response.status, error_statuses.at(outcome.error_type).first);
  std::string name = "com.vmware.vapi.std.errors.";
  for (const char c : outcome.error_type) name += static_cast<char>(c == '_' ? c : c - 'A' + 'a');
  EXPECT_EQ(body.at("type").as_string(), name);
  return outcome;
}

Outcome new_outcome(const api::Operation& operation, const wire::Response& response) {
  if (response.status < 300) {
    if (operation.output == nullptr) {
      EXPECT_EQ(response.status, 204);
      EXPECT_EQ(response.body, "");
      EXPECT_FALSE(response.headers.contains("Content-Type"));
      return {};
    }
    // Usages say 200 (§20).
    const bool creates =
        operation.facts.name == "create" ||
        (operation.facts.name == "add" && operation.facts.service != "com.vmware.content.library.usages");
    EXPECT_EQ(response.status, creates ? 201 : 200);
    EXPECT_EQ(header(response, "Content-Type"), "application/json");
    return {"", "", plain(json::parse(response.body)), nullptr};
  }
  EXPECT_EQ(header(response, "Content-Type"), "application/json");
  auto outcome = refusal(json::parse(response.body));
  EXPECT_EQ(response.status, error_statuses.at(outcome.error_type).second);
  return outcome;
}

/// Every optional wrapped, every mandatory member there and bare (§1.4), whatever the server's encoder thinks.
void check_vapi(const json::value& value, const api::Type& type, const std::string& where) {
  switch (type.kind) {
    case TypeKind::optional: {
      const auto* inner = only_member(value, "OPTIONAL");
      ASSERT_NE(inner, nullptr) << where << " is not wrapped: " << json::serialize(value);
      if (!inner->is_null()) check_vapi(*inner, *type.element, where);
      return;
    }
    case TypeKind::structure: {
      const auto* named = only_member(value, "STRUCTURE");
      ASSERT_NE(named, nullptr) << where;
      ASSERT_EQ(named->as_object().size(), 1U) << where;
      EXPECT_EQ(named->as_object().begin()->key(), type.name) << where;
      const auto& members = named->as_object().begin()->value().as_object();
      EXPECT_EQ(members.size(), type.fields.size()) << where;
      for (const auto& field : type.fields) {
        ASSERT_TRUE(members.contains(field.name)) << where << "." << field.name;
        check_vapi(members.at(field.name), *field.type, where + "." + field.name);
      }
      return;
    }
    case TypeKind::list:
      ASSERT_TRUE(value.is_array()) << where;
      for (const auto& element : value.as_array()) check_vapi(element, *type.element, where + "[]");
      return;
    case TypeKind::secret:
      EXPECT_NE(only_member(value, "SECRET"), nullptr) << where;
      return;
    case TypeKind::error:
      EXPECT_NE(only_member(value, "ERROR"), nullptr) << where;
      return;
    case TypeKind::map:
      ASSERT_TRUE(value.is_array()) << where;
      return;
    case TypeKind::boolean:
      EXPECT_TRUE(value.is_bool()) << where;
      return;
    case TypeKind::integer:
      EXPECT_TRUE(value.is_int64()) << where;
      return;
    default:
      EXPECT_TRUE(value.is_string()) << where << ": " << json::serialize(value);
  }
}

Outcome rpc_outcome(const api::Operation& operation, const wire::Response& response, int id) {
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Content-Type"), "application/json");
  const auto body = json::parse(response.body);
  EXPECT_EQ(body.at("jsonrpc").as_string(), "2.0");
  EXPECT_EQ(body.at("id").as_string(), std::to_string(id));
  const auto& result = body.at("result").as_object();
  EXPECT_EQ(result.size(), 1U);
  if (const auto* error = result.if_contains("error")) {
    const auto& named = *error->at("ERROR").as_object().begin();
    EXPECT_EQ(header(response, "vapi-error"), named.key());
    return refusal(named.value());
  }
  EXPECT_FALSE(response.headers.contains("vapi-error"));
  const auto& output = result.at("output");
  if (operation.output == nullptr)
    EXPECT_TRUE(output.is_null());
  else
    check_vapi(output, *operation.output, operation.facts.name);
  return {"", "", plain(output), nullptr};
}

/// Errors that any operation may give, besides those that it declares (§1.8.4).
bool may_refuse_with(const api::Operation& operation, std::string_view error_type) {
  for (const auto* general : {"UNAUTHENTICATED", "UNAUTHORIZED", "INTERNAL_SERVER_ERROR"})
    if (error_type == general) return true;
  std::string name;
  for (const char c : error_type) name += static_cast<char>(c == '_' ? c : c - 'A' + 'a');
  const auto& declared = operation.facts.errors;
  return std::any_of(declared.begin(), declared.end(), [&](auto kind) { return base::name_of(kind) == name; });
}

}  // namespace

std::string Outcome::error_id() const {
  return error.is_null() ? "" : std::string(error.at("messages").at(0).at("id").as_string());
}

std::string short_name(const api::Operation& operation) {
  const auto full = operation.facts.service + "." + operation.facts.name;
  const std::string_view published = "com.vmware.";
  return full.substr(full.starts_with(published) ? published.size() : std::string_view("com.").size());
}

json::value vapi_input(const api::Type& type, const json::value* value) {
  switch (type.kind) {
    case TypeKind::optional:
      return wrapped("OPTIONAL", value && !value->is_null() ? vapi_input(*type.element, value) : json::value(nullptr));
    case TypeKind::structure: {
      const auto* given = value ? value->if_object() : nullptr;
      if (value && !given) return *value;
      json::object members;
      for (const auto& field : type.fields) {
        const auto* member = given ? given->if_contains(field.name) : nullptr;
        if (member || field.type->kind == TypeKind::optional)
          members.emplace(field.name, vapi_input(*field.type, member));
      }
      return wrapped("STRUCTURE", wrapped(type.name, std::move(members)));
    }
    case TypeKind::list: {
      json::array elements;
      for (const auto& element : value->as_array()) elements.push_back(vapi_input(*type.element, &element));
      return elements;
    }
    case TypeKind::map: {
      json::array entries;
      for (const auto& member : value->as_object())
        entries.push_back(wrapped(
            "STRUCTURE", wrapped("map-entry", json::object{{"key", member.key()},
                                                           {"value", vapi_input(*type.element, &member.value())}})));
      return entries;
    }
    case TypeKind::secret:
      return wrapped("SECRET", *value);
    default:
      return *value;
  }
}

json::value legacy_input(const api::Type& type, const json::value& value) {
  switch (type.kind) {
    case TypeKind::optional:
      return legacy_input(*type.element, value);
    case TypeKind::structure: {
      const auto* given = value.if_object();
      if (!given) return value;
      json::object members = *given;
      for (const auto& field : type.fields)
        if (auto* member = members.if_contains(field.name)) *member = legacy_input(*field.type, *member);
      return members;
    }
    case TypeKind::list: {
      json::array elements;
      for (const auto& element : value.as_array()) elements.push_back(legacy_input(*type.element, element));
      return elements;
    }
    case TypeKind::map: {
      json::array entries;
      for (const auto& member : value.as_object())
        entries.push_back(json::object{{"key", member.key()}, {"value", legacy_input(*type.element, member.value())}});
      return entries;
    }
    default:
      return value;
  }
}

wire::Request Client::rest_request(std::string_view name, json::object input, bool with_body) {
  const auto* place =
      std::find_if(places.begin(), places.end(), [&](const auto& row) { return row.operation == name; });
  if (place == places.end()) throw std::runtime_error("no place in the bindings: " + std::string(name));
  const bool legacy = binding_ == Binding::legacy_rest;
  wire::Request request;
  request.client_address = client_address;
  request.method = legacy ? place->legacy_method : place->method;
  request.target = (!legacy                                      ? "/api"
                    : place->legacy_target.starts_with("/rest/") ? ""
                    : name.starts_with("quire.")                 ? "/rest/com"
                                                                 : "/rest/com/vmware") +
                   filled(legacy ? place->legacy_target : place->target, input);
  if (token_) request.headers.add("vmware-api-session-id", *token_);
  if (credentials_) {
    request.headers.add("Authorization", "Basic " + base64(credentials_->user + ":" + credentials_->password));
    if (legacy) request.headers.add("vmware-use-header-authn", "true");
  }
  if (!legacy && input.contains("client_token")) {
    add_to_query(request.target, "client_token", input.at("client_token"));
    input.erase("client_token");
  }
  if (request.method == "GET" || request.method == "DELETE") {
    for (const auto& [name_of_member, value] : input) {
      const auto* structure = value.if_object();
      if (!structure) add_to_query(request.target, name_of_member, value);
      for (const auto& inner : structure ? *structure : json::object())
        add_to_query(request.target, std::string(name_of_member) + "." + std::string(inner.key()), inner.value());
    }
    return request;
  }
  if (!with_body || input.empty()) return request;
  request.headers.add("Content-Type", "application/json");
  constexpr std::string_view association = "cis.tagging.tag_association.";
  const bool by_name = legacy || name.starts_with(association) || name == "content.subscribed_library.probe";
  const auto* whole = !by_name && input.size() == 1 ? input.begin()->value().if_object() : nullptr;
  request.body = whole ? json::serialize(*whole) : json::serialize(input);
  return request;
}

wire::Request Client::rpc_request(const api::Operation& operation, const json::object& input) {
  json::object security;
  const std::string scheme = "com.vmware.vapi.std.security.";
  if (credentials_) {
    security = {
        {"schemeId", scheme + "user_pass"}, {"userName", credentials_->user}, {"password", credentials_->password}};
  } else if (token_) {
    security = {{"schemeId", scheme + "session_id"}, {"sessionId", *token_}};
  } else {
    security = {{"schemeId", scheme + "no_authentication"}};
  }
  const auto id = std::to_string(++rpc_id_);
  json::object context{{"appCtx", json::object{{"opId", "golden-" + id}}}, {"securityCtx", security}};
  const json::value given = input;
  json::object params{{"serviceId", operation.facts.service},
                      {"operationId", operation.facts.name},
                      {"input", vapi_input(*operation.input, &given)},
                      {"ctx", context}};
  wire::Request request;
  request.client_address = client_address;
  request.method = "POST";
  request.target = "/api";
  request.headers.add("Content-Type", "application/json");
  request.headers.add("vapi-service", operation.facts.service);
  request.headers.add("vapi-operation", operation.facts.name);
  request.body =
      json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"method", "invoke"}, {"params", params}});
  return request;
}

Outcome Client::call(std::string_view name, json::object input, std::string_view title, bool with_body) {
  const std::string full = full_name(name);
  const auto dot = full.rfind('.');
  const auto* operation = api::find_operation(full.substr(0, dot), full.substr(dot + 1));
  if (operation == nullptr) throw std::runtime_error("no operation " + full);
  SCOPED_TRACE(title);
  if (binding_ == Binding::legacy_rest) input = legacy_input(*operation->input, input).as_object();
  const auto request = is_rest() ? rest_request(name, std::move(input), with_body) : rpc_request(*operation, input);
  credentials_.reset();
  server_.clock().advance(std::chrono::seconds(1));
  const auto response = server_.handle(request);
  transcript_.exchange(title, request, response);
  Outcome outcome;
  switch (binding_) {
    case Binding::legacy_rest:
      outcome = legacy_outcome(*operation, response);
      break;
    case Binding::new_rest:
      outcome = new_outcome(*operation, response);
      break;
    case Binding::json_rpc:
      outcome = rpc_outcome(*operation, response, rpc_id_);
      break;
  }
  outcome.operation = name;
  EXPECT_TRUE(outcome.error_type.empty() || may_refuse_with(*operation, outcome.error_type))
      << name << " does not declare " << outcome.error_type;
  outcomes_.push_back(outcome);
  return outcome;
}

json::value Client::done(std::string_view operation, json::object input, std::string_view remark) {
  const auto title = std::string(operation) + (remark.empty() ? "" : ": ") + std::string(remark);
  auto outcome = call(operation, std::move(input), title, true);
  EXPECT_EQ(outcome.error_type, "") << title;
  return std::move(outcome.result);
}

void Client::refused(std::string_view error_type, std::string_view operation, json::object input,
                     std::string_view remark) {
  const auto title = std::string(operation) + (remark.empty() ? "" : ": ") + std::string(remark);
  EXPECT_EQ(call(operation, std::move(input), title, true).error_type, error_type) << title;
}

Outcome Client::attempt(std::string_view operation, json::object input) {
  return call(operation, std::move(input), operation, true);
}

void Client::done_without_body(std::string_view operation, json::object input) {
  const auto title = std::string(operation) + ": no body";
  EXPECT_EQ(call(operation, std::move(input), title, false).error_type, "") << title;
}

wire::Response Client::raw(std::string_view title, std::string method, std::string target, std::string body,
                           std::vector<std::pair<std::string, std::string>> headers) {
  wire::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  for (auto& [name, value] : headers) request.headers.add(std::move(name), std::move(value));
  auto response = server_.handle(request);
  transcript_.exchange(title, request, response);
  return response;
}

void Client::upload(std::string_view uri, std::string_view bytes) {
  transcript_.transfer("PUT " + std::string(uri) + " (" + std::to_string(bytes.size()) + " bytes)",
                       server_.upload(uri, bytes));
}

void Client::upload_part(std::string_view uri, std::string_view bytes) {
  transcript_.transfer(
      "PUT " + std::string(uri) + " (the connection breaks after " + std::to_string(bytes.size()) + " bytes)",
      server_.upload_part(uri, bytes));
}

void Client::download(std::string_view uri) { transcript_.transfer("GET " + std::string(uri), server_.download(uri)); }

}  // namespace quire::golden
