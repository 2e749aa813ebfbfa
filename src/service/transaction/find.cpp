#include "service/transaction/find.h"

#include <string_view>

#include "service/transaction/refusals.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using content::Caller;
using content::Privilege;

namespace {

/// `object` is `kind` and `name`, put together for the refusal only: nearly every call comes by here.
base::Result<void> check(const Caller& caller, const content::PrivilegeSet& held, Privilege privilege,
                         std::string_view kind, std::string_view name) {
  if (held.has(privilege)) return {};
  return unauthorized(caller, privilege, std::string(kind) + std::string(name));
}

Error no_item(const content::ItemId& id) {
  return {ErrorKind::not_found,
          "quire.item.not_found",
          "No library item has the identifier {library_item_id}.",
          {{"library_item_id", id.text()}}};
}

Error no_library(const content::LibraryId& id) {
  return {ErrorKind::not_found,
          "quire.library.not_found",
          "No library has the identifier {library_id}.",
          {{"library_id", id.text()}}};
}

}  // namespace

Error unauthorized(const Caller& caller, Privilege privilege, const std::string& object) {
  return {
      ErrorKind::unauthorized,
      "quire.access.unauthorized",
      "This needs the privilege {privilege} on {object}, which {user} does not have. Ask an administrator for a role "
      "that holds it.",
      {{"privilege", std::string(base::name_of(privilege))}, {"object", object}, {"user", caller.user}}};
}

base::Result<void> check_privilege(const Caller& caller, Privilege privilege) {
  return check(caller, caller.grants->on_root(), privilege, "the root", "");
}

base::Result<void> check_privilege(const Caller& caller, const content::Item& item, Privilege privilege) {
  return check(caller, caller.grants->on_items_of(item.library_id), privilege, "item ", item.name);
}

base::Result<content::Item> find_item(View view, const content::ItemId& id, Privilege privilege) {
  auto item = view->find<content::Item>(id);
  if (!item) return no_item(id);
  if (!view.caller().grants->on_items_of(item->library_id).has(Privilege::System_Read)) return hidden(no_item(id));
  QUIRE_RETURN_IF_ERROR(check_privilege(view.caller(), *item, privilege));
  return *std::move(item);
}

base::Result<content::Library> find_library(View view, const content::LibraryId& id, Privilege privilege) {
  const auto& held = view.caller().grants->on_library(id);
  auto library = view->find<content::Library>(id);
  if (!library) return no_library(id);
  if (!held.has(Privilege::System_Read)) return hidden(no_library(id));
  QUIRE_RETURN_IF_ERROR(check(view.caller(), held, privilege, "library ", library->name));
  return *std::move(library);
}

base::Result<content::Library> library_of(View view, const content::Item& item) {
  if (auto library = view->find<content::Library>(item.library_id)) return *std::move(library);
  return base::internal_error("item " + item.id.text() + " without a library");
}

bool is_administrator_of(const Caller& caller, const content::LibraryId& library) {
  return caller.grants->on_items_of(library) == content::PrivilegeSet::all();
}

}  // namespace quire::service
