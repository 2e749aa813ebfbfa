#include "service/transaction/find.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;

Error item_not_found(const content::ItemId& id) {
  return {ErrorKind::not_found,
          "quire.item.not_found",
          "No library item has the identifier {library_item_id}.",
          {{"library_item_id", id.text()}}};
}

base::Result<content::Item> find_item(View view, const content::ItemId& id) {
  if (auto item = view->find<content::Item>(id)) return *std::move(item);
  return item_not_found(id);
}

base::Result<content::Library> find_library(View view, const content::LibraryId& id) {
  if (auto library = view->find<content::Library>(id)) return *std::move(library);
  return Error(ErrorKind::not_found, "quire.library.not_found", "No library has the identifier {library_id}.",
               {{"library_id", id.text()}});
}

}  // namespace quire::service
