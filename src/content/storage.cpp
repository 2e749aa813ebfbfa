#include "content/storage.h"

#include <algorithm>

#include "base/check.h"

namespace quire::content {

Storages::Storages(std::vector<Storage> all) : all_(std::move(all)) { QUIRE_CHECK(!all_.empty()); }

const Storage* Storages::find(const StorageId& id) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& storage) { return storage.id == id; });
  return found == all_.end() ? nullptr : &*found;
}

const Storage* Storages::containing(std::string_view storage_uri) const {
  if (storage_uri.find("/..") != std::string_view::npos || storage_uri.find("%2") != std::string_view::npos)
    return nullptr;
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& storage) {
    return storage_uri.starts_with(storage.uri) &&
           (storage_uri.size() == storage.uri.size() || storage_uri[storage.uri.size()] == '/');
  });
  return found == all_.end() ? nullptr : &*found;
}

}  // namespace quire::content
