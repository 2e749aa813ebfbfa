#include "client/operations.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace quire::client {
namespace {

#define QUIRE_REST "/com/vmware/content"

constexpr std::array operations = {
    Operation{"session.create", "POST", "/session", "", "POST", "/com/vmware/cis/session"},
    Operation{"session.get", "GET", "/session", "", "POST", "/com/vmware/cis/session?~action=get"},
    Operation{"session.delete", "DELETE", "/session", "", "DELETE", "/com/vmware/cis/session"},

    Operation{"library.list", "GET", "/content/library", "", "GET", QUIRE_REST "/library"},
    Operation{"library.get", "GET", "/content/library/{library_id}", "", "GET", QUIRE_REST "/library/id:{library_id}"},
    Operation{"library.find", "POST", "/content/library?action=find", "spec", "POST",
              QUIRE_REST "/library?~action=find", true},
    Operation{"local_library.create", "POST", "/content/local-library", "create_spec", "POST",
              QUIRE_REST "/local-library"},
    Operation{"local_library.delete", "DELETE", "/content/local-library/{library_id}", "", "DELETE",
              QUIRE_REST "/local-library/id:{library_id}"},
    Operation{"local_library.update", "PATCH", "/content/local-library/{library_id}", "update_spec", "PATCH",
              QUIRE_REST "/local-library/id:{library_id}"},
    Operation{"local_library.publish", "POST", "/content/local-library/{library_id}?action=publish", "", "POST",
              QUIRE_REST "/local-library/id:{library_id}?~action=publish", true},
    Operation{"local_library.publication", "GET", "/quire/local-library/{library_id}/publication", ""},
    Operation{"subscribed_library.create", "POST", "/content/subscribed-library", "create_spec", "POST",
              QUIRE_REST "/subscribed-library", true},
    Operation{"subscribed_library.probe", "POST", "/content/subscribed-library?action=probe", "", "POST",
              QUIRE_REST "/subscribed-library?~action=probe", true},
    Operation{"subscribed_library.sync", "POST", "/content/subscribed-library/{library_id}?action=sync", "", "POST",
              QUIRE_REST "/subscribed-library/id:{library_id}?~action=sync", true},
    Operation{"subscribed_library.evict", "POST", "/content/subscribed-library/{library_id}?action=evict", "", "POST",
              QUIRE_REST "/subscribed-library/id:{library_id}?~action=evict", true},
    Operation{"subscribed_library.status", "GET", "/quire/subscribed-library/{library_id}/status", ""},
    Operation{"subscribed_item.sync", "POST", "/content/library/subscribed-item/{library_item_id}?action=sync", "",
              "POST", QUIRE_REST "/library/subscribed-item/id:{library_item_id}?~action=sync", true},
    Operation{"subscribed_item.evict", "POST", "/content/library/subscribed-item/{library_item_id}?action=evict", "",
              "POST", QUIRE_REST "/library/subscribed-item/id:{library_item_id}?~action=evict", true},
    Operation{"datastore.list", "GET", "/vcenter/datastore", "", "GET", "/vcenter/datastore"},

    Operation{"item.create", "POST", "/content/library/item", "create_spec", "POST", QUIRE_REST "/library/item"},
    Operation{"item.copy", "POST", "/content/library/item/{source_library_item_id}?action=copy",
              "destination_create_spec", "POST", QUIRE_REST "/library/item/id:{source_library_item_id}?~action=copy"},
    Operation{"item.list", "GET", "/content/library/item", "", "GET", QUIRE_REST "/library/item"},
    Operation{"item.find", "POST", "/content/library/item?action=find", "spec", "POST",
              QUIRE_REST "/library/item?~action=find", true},
    Operation{"item.get", "GET", "/content/library/item/{library_item_id}", "", "GET",
              QUIRE_REST "/library/item/id:{library_item_id}"},
    Operation{"item.delete", "DELETE", "/content/library/item/{library_item_id}", "", "DELETE",
              QUIRE_REST "/library/item/id:{library_item_id}"},
    Operation{"item.file.list", "GET", "/content/library/item/{library_item_id}/file", "", "GET",
              QUIRE_REST "/library/item/file"},

    Operation{"update_session.create", "POST", "/content/library/item/update-session", "create_spec", "POST",
              QUIRE_REST "/library/item/update-session", true},
    Operation{"update_session.list", "GET", "/content/library/item/update-session", "", "GET",
              QUIRE_REST "/library/item/update-session"},
    Operation{"update_session.get", "GET", "/content/library/item/update-session/{update_session_id}", "", "GET",
              QUIRE_REST "/library/item/update-session/id:{update_session_id}"},
    Operation{"update_session.keep_alive", "POST",
              "/content/library/item/update-session/{update_session_id}?action=keep-alive", "", "POST",
              QUIRE_REST "/library/item/update-session/id:{update_session_id}?~action=keep-alive", true},
    Operation{"update_session.complete", "POST",
              "/content/library/item/update-session/{update_session_id}?action=complete", "", "POST",
              QUIRE_REST "/library/item/update-session/id:{update_session_id}?~action=complete"},
    Operation{"update_session.cancel", "POST", "/content/library/item/update-session/{update_session_id}?action=cancel",
              "", "POST", QUIRE_REST "/library/item/update-session/id:{update_session_id}?~action=cancel"},
    Operation{"update_session.delete", "DELETE", "/content/library/item/update-session/{update_session_id}", "",
              "DELETE", QUIRE_REST "/library/item/update-session/id:{update_session_id}"},
    Operation{"update_session.file.add", "POST", "/content/library/item/update-session/{update_session_id}/file",
              "file_spec", "POST", QUIRE_REST "/library/item/updatesession/file/id:{update_session_id}?~action=add"},
    Operation{"update_session.file.list", "GET", "/content/library/item/update-session/{update_session_id}/file", "",
              "GET", QUIRE_REST "/library/item/updatesession/file"},
    Operation{"update_session.file.remove", "DELETE",
              "/content/library/item/update-session/{update_session_id}/file/{file_name}", "", "POST",
              QUIRE_REST "/library/item/updatesession/file/id:{update_session_id}?~action=remove"},

    Operation{"download_session.create", "POST", "/content/library/item/download-session", "create_spec", "POST",
              QUIRE_REST "/library/item/download-session", true},
    Operation{"download_session.list", "GET", "/content/library/item/download-session", "", "GET",
              QUIRE_REST "/library/item/download-session"},
    Operation{"download_session.get", "GET", "/content/library/item/download-session/{download_session_id}", "", "GET",
              QUIRE_REST "/library/item/download-session/id:{download_session_id}"},
    Operation{"download_session.keep_alive", "POST",
              "/content/library/item/download-session/{download_session_id}?action=keep-alive", "", "POST",
              QUIRE_REST "/library/item/download-session/id:{download_session_id}?~action=keep-alive", true},
    Operation{"download_session.cancel", "POST",
              "/content/library/item/download-session/{download_session_id}?action=cancel", "", "POST",
              QUIRE_REST "/library/item/download-session/id:{download_session_id}?~action=cancel"},
    Operation{"download_session.delete", "DELETE", "/content/library/item/download-session/{download_session_id}", "",
              "DELETE", QUIRE_REST "/library/item/download-session/id:{download_session_id}"},
    Operation{"download_session.file.list", "GET", "/content/library/item/download-session/{download_session_id}/file",
              "", "GET", QUIRE_REST "/library/item/downloadsession/file"},
    Operation{"download_session.file.prepare", "POST",
              "/content/library/item/download-session/{download_session_id}/file?action=prepare", "", "POST",
              QUIRE_REST "/library/item/downloadsession/file/id:{download_session_id}?~action=prepare", true},
    Operation{"download_session.file.get", "GET", "/content/library/item/download-session/{download_session_id}/file",
              "", "POST", QUIRE_REST "/library/item/downloadsession/file/id:{download_session_id}?~action=get"},

    Operation{"task.list", "POST", "/cis/tasks?action=list", "", {}, {}, true},
    Operation{"task.get", "GET", "/cis/tasks/{task}", ""},
    Operation{"task.cancel", "POST", "/cis/tasks/{task}?action=cancel", ""},

    Operation{"users.list", "GET", "/quire/access/users", ""},
    Operation{"users.get", "GET", "/quire/access/users/{user}", ""},
    Operation{"users.create", "POST", "/quire/access/users", "spec"},
    Operation{"users.update", "PATCH", "/quire/access/users/{user}", "spec"},
    Operation{"users.set_password", "POST", "/quire/access/users/{user}?action=set-password", ""},
    Operation{"users.change_password", "POST", "/quire/access/users?action=change-password", "spec"},
    Operation{"users.delete", "DELETE", "/quire/access/users/{user}", ""},
    Operation{"roles.list", "GET", "/quire/access/roles", ""},
    Operation{"roles.create", "POST", "/quire/access/roles", "spec"},
    Operation{"roles.delete", "DELETE", "/quire/access/roles/{role}", ""},
    Operation{"permissions.list", "GET", "/quire/access/permissions", ""},
    Operation{"permissions.set", "PUT", "/quire/access/permissions", "spec"},
    Operation{"permissions.delete", "DELETE", "/quire/access/permissions", ""},
    Operation{"tokens.list", "GET", "/quire/access/tokens", ""},
    Operation{"tokens.create", "POST", "/quire/access/tokens", "spec"},
    Operation{"tokens.delete", "DELETE", "/quire/access/tokens/{token}", ""},
    Operation{"audit.list", "GET", "/quire/audit", ""},
    Operation{"server.state", "GET", "/quire/server/state", ""},
    Operation{"server.workers", "GET", "/quire/server/workers", ""},
};

#undef QUIRE_REST

}  // namespace

const Operation& operation(std::string_view name) {
  const auto* found = std::ranges::find(operations, name, &Operation::name);
  QUIRE_CHECK(found != operations.end());
  return *found;
}

}  // namespace quire::client
