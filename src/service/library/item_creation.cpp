#include "service/library/item_creation.h"

#include "content/text.h"
#include "service/library/library_rules.h"
#include "service/transaction/create_once.h"
#include "service/transaction/find.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Item;
using content::ItemId;
using content::Library;
using content::LibraryId;

Result<void> check_texts(const ItemSpec& spec, const content::Limits& limits) {
  if (spec.name) QUIRE_RETURN_IF_ERROR(content::check_name("name", *spec.name, limits.name_chars_max));
  if (spec.type) QUIRE_RETURN_IF_ERROR(content::check_text("type", *spec.type, limits.type_chars_max));
  if (spec.description) return content::check_text("description", *spec.description, limits.description_chars_max);
  return {};
}

Error name_taken(const std::string& name, const Library& library) {
  // The id and arguments that clients know from real servers (§1.8.3).
  return {ErrorKind::already_exists,
          "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library",
          "An item named {name} is in library {library} already; choose another name.",
          {{"name", name}, {"library", library.name}, {"library_id", library.id.text()}}};
}

Result<void> check_local(const Library& library) {
  if (library.type == content::LibraryType::LOCAL) return {};
  return Error(ErrorKind::invalid_element_type, "quire.library.not_local",
               "Library {name} is a subscribed library; its items come from the publisher.", {{"name", library.name}});
}

Result<Library> find_destination(View view, const LibraryId& id, const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(auto library, find_library(view, id, content::Privilege::ContentLibrary_AddLibraryItem));
  QUIRE_RETURN_IF_ERROR(check_local(library));
  QUIRE_RETURN_IF_ERROR(check_in_service(library));
  if (view->item_named(id, name)) return name_taken(name, library);
  return library;
}

Error missing_member(const std::string& member) {
  return {ErrorKind::invalid_argument, "quire.item.member_missing", "{member} is required.", {{"member", member}}};
}

std::string digest_of(const ItemSpec& spec, const std::string& source) {
  return spec_digest({source, spec.library_id, spec.name, spec.description, spec.type, spec.source_id});
}

Item new_item(const Transaction& t, const LibraryId& library) {
  Item item;
  item.id = ItemId(t.context().identities.uuid_made_at(t.wall_time()));
  item.library_id = library;
  item.creator = content::fold_case(t.caller().user);
  item.creation_time = t.wall_time();
  item.last_modified_time = item.creation_time;
  return item;
}

}  // namespace quire::service
