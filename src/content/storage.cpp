#include "content/storage.h"

#include <algorithm>

#include "base/check.h"

namespace quire::content {
namespace {

/// `%2e` or `%2f` in either case: a dot or a slash in disguise.
bool has_escaped_separator(std::string_view uri) {
  for (auto at = uri.find("%2"); at != std::string_view::npos; at = uri.find("%2", at + 2))
    if (at + 2 < uri.size() && std::string_view("eEfF").find(uri[at + 2]) != std::string_view::npos) return true;
  return false;
}

}  // namespace

base::Error storage_full(const std::string& storage_name) {
  return {base::ErrorKind::unable_to_allocate_resource,
          "quire.storage.full",
          "Storage {storage} is full. Delete content that is not needed there or make it larger, then try again.",
          {{"storage", storage_name}}};
}

Storages::Storages(std::vector<Storage> all) : all_(std::move(all)) { QUIRE_CHECK(!all_.empty()); }

const Storage* Storages::find(const StorageId& id) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& storage) { return storage.id == id; });
  return found == all_.end() ? nullptr : &*found;
}

base::Result<const Storage*> Storages::get(const StorageId& id) const {
  if (const auto* storage = find(id)) return storage;
  return base::internal_error("storage " + id.text() + " is not configured");
}

const Storage* Storages::containing(std::string_view storage_uri) const {
  if (storage_uri.find("/..") != std::string_view::npos || has_escaped_separator(storage_uri)) return nullptr;
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& storage) {
    return storage_uri.starts_with(storage.uri) &&
           (storage_uri.size() == storage.uri.size() || storage_uri[storage.uri.size()] == '/');
  });
  return found == all_.end() ? nullptr : &*found;
}

}  // namespace quire::content
