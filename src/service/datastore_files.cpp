#include "service/datastore_files.h"

#include <optional>
#include <set>

#include "service/library/item_content.h"
#include "service/transaction/find.h"
#include "service/transaction/refusals.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::ItemId;
using content::Library;
using content::LibraryId;
using content::Privilege;

constexpr std::string_view library_prefix = "contentlib-";

Error no_such_path(std::string_view path) {
  return {ErrorKind::not_found,
          "quire.datastore.no_such_path",
          "The datastore has no file or folder {path}.",
          {{"path", std::string(path)}}};
}

/// What is at the path was not found for `reason`. A caller who may not see it learns no more than the path.
Error no_such_path(std::string_view path, const Error& reason) {
  return is_refusal(reason) ? hidden(no_such_path(path)) : no_such_path(path);
}

/// The parts of a path; slashes at its ends and doubled ones do not count.
struct Place {
  std::string_view library;  ///< its folder; empty: the root of the datastore
  std::string_view item;
  std::string within;  ///< the item
};

Place place_of(std::string_view path) {
  const auto take = [&path] {
    while (path.starts_with('/')) path.remove_prefix(1);
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    return part;
  };
  Place place;
  place.library = take();
  place.item = take();
  for (auto part = take(); !part.empty(); part = take()) {
    if (!place.within.empty()) place.within += '/';
    place.within += part;
  }
  return place;
}

/// A library that the caller may read and that is on that datastore.
Result<Library> library_at(View view, const content::StorageId& datastore, std::string_view folder) {
  if (!folder.starts_with(library_prefix)) return no_such_path(folder);
  auto library =
      find_library(view, LibraryId(std::string(folder.substr(library_prefix.size()))), Privilege::System_Read);
  if (!library) return no_such_path(folder, library.error());
  if (library->storage != datastore) return no_such_path(folder);
  return library;
}

Result<content::Item> item_at(View view, const content::StorageId& datastore, const Place& place) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, library_at(view, datastore, place.library));
  auto item = find_item(view, ItemId(std::string(place.item)), Privilege::ContentLibrary_ReadStorage);
  if (!item && item.error().kind() != ErrorKind::not_found) return item.error();
  if (!item) return no_such_path(place.item, item.error());
  if (item->library_id != library.id) return no_such_path(place.item);
  return item;
}

std::vector<DatastoreEntry> libraries_on(View view, const content::StorageId& datastore) {
  content::LibraryFilter readable;
  readable.among = &view.caller().grants->readable_libraries();
  std::vector<DatastoreEntry> entries;
  for (const auto& id : view->libraries(readable)) {
    const auto library = view->find<Library>(id);
    if (!library || library->storage != datastore) continue;
    entries.push_back({std::string(library_prefix) + id.text(), true, 0, library->last_modified_time});
  }
  return entries;
}

std::vector<DatastoreEntry> items_of(View view, const LibraryId& library) {
  content::ItemFilter readable;
  readable.library_id = library;
  readable.among = &view.caller().grants->readable_items();
  std::vector<DatastoreEntry> entries;
  for (const auto& id : view->items(readable))
    if (const auto item = view->find<content::Item>(id))
      entries.push_back({id.text(), true, 0, item->last_modified_time});
  return entries;
}

/// What is right in `folder` of the item; nullopt when it has no such folder.
std::optional<std::vector<DatastoreEntry>> files_in(View view, const content::Item& item, const std::string& folder) {
  const std::string prefix = folder.empty() ? "" : folder + "/";
  std::vector<DatastoreEntry> entries;
  std::set<std::string> folders;
  for (const auto& file : files_of(view, item)) {
    if (!file.name.starts_with(prefix)) continue;
    const auto name = file.name.substr(prefix.size());
    const auto slash = name.find('/');
    if (slash == std::string::npos)
      entries.push_back({name, false, file.size, item.last_modified_time});
    else if (folders.insert(name.substr(0, slash)).second)
      entries.push_back({name.substr(0, slash), true, 0, item.last_modified_time});
  }
  if (entries.empty() && !folder.empty()) return std::nullopt;
  return entries;
}

}  // namespace

Result<std::vector<DatastoreEntry>> DatastoreFiles::list(const Caller& caller, const content::StorageId& datastore,
                                                         std::string_view folder) {
  if (context_.storages.find(datastore) == nullptr) return no_such_path(folder);
  const auto place = place_of(folder);
  return read(context_, caller, [&](View view) -> Result<std::vector<DatastoreEntry>> {
    if (place.library.empty()) return libraries_on(view, datastore);
    if (place.item.empty()) {
      QUIRE_ASSIGN_OR_RETURN(const auto library, library_at(view, datastore, place.library));
      return items_of(view, library.id);
    }
    QUIRE_ASSIGN_OR_RETURN(const auto item, item_at(view, datastore, place));
    if (auto files = files_in(view, item, place.within)) return *std::move(files);
    return no_such_path(folder);
  });
}

Result<DownloadFile> DatastoreFiles::prepare(const Caller& caller, const content::StorageId& datastore,
                                             std::string_view path) {
  const auto place = place_of(path);
  QUIRE_ASSIGN_OR_RETURN(const auto item, read(context_, caller, [&](View view) -> Result<content::Item> {
                           if (place.within.empty()) return no_such_path(path);
                           QUIRE_ASSIGN_OR_RETURN(auto found, item_at(view, datastore, place));
                           if (!view->find<content::ContentFile>({found.content, place.within}))
                             return no_such_path(path);
                           return found;
                         }));
  QUIRE_ASSIGN_OR_RETURN(const auto session, sessions_.create(caller, item.id.text(), std::nullopt));
  return sessions_.prepare(caller, session, place.within, false);
}

}  // namespace quire::service
