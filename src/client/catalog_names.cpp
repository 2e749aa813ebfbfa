#include "client/catalog_names.h"

#include "base/hex.h"
#include "client/failure.h"
#include "client/json_reading.h"

namespace quire::client {

namespace json = boost::json;
using base::Result;

Result<ItemName> parse_item_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size())
    return usage_error("'" + std::string(text) + "' names no item; give it as LIBRARY/ITEM");
  return ItemName{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

Result<std::string> find_library(Api& api, const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(const auto answer, api.call("library.find", {{"spec", json::object{{"name", name}}}}));
  // Servers find names without regard to case.
  std::vector<std::string> exact;
  const auto found = texts_of(answer);
  for (const auto& id : found) {
    if (found.size() == 1) break;
    QUIRE_ASSIGN_OR_RETURN(const auto library, api.call("library.get", {{"library_id", id}}));
    if (text_at(library, "name") == name) exact.push_back(id);
  }
  const auto& ids = found.size() > 1 ? exact : found;
  if (ids.empty()) return not_found("there is no library '" + name + "' on " + api.server().url);
  if (ids.size() > 1)
    return conflict(std::to_string(ids.size()) + " libraries are called '" + name + "'; rename all but one");
  return ids.front();
}

Result<std::string> find_storage(Api& api, const std::optional<std::string>& storage) {
  const auto datastores = api.call("datastore.list");
  if (datastores) {
    for (const auto& each : elements_of(*datastores))
      if (!storage || text_at(each, "name") == *storage || text_at(each, "datastore") == *storage)
        return text_at(each, "datastore");
    return not_found(storage ? "there is no storage '" + *storage + "'" : "the server has no storage");
  }
  if (storage && (datastores.error().kind() == base::ErrorKind::not_found ||
                  datastores.error().kind() == base::ErrorKind::operation_not_found))
    return *storage;  // a server that does not list them knows them all the same
  return datastores.error();
}

Result<std::string> create_library(Api& api, const std::string& name, const std::optional<std::string>& description,
                                   const std::optional<std::string>& storage) {
  QUIRE_ASSIGN_OR_RETURN(const auto datastore, find_storage(api, storage));
  json::object spec{{"name", name}, {"type", "LOCAL"}};
  if (description) spec["description"] = *description;
  spec["storage_backings"] = json::array{json::object{{"type", "DATASTORE"}, {"datastore_id", datastore}}};
  QUIRE_ASSIGN_OR_RETURN(const auto id, api.call("local_library.create", {{"create_spec", spec}}));
  if (!id.is_string()) return local_error("the server gave the new library no id");
  return std::string(id.get_string());
}

Result<std::optional<std::string>> find_item(Api& api, const std::string& library_id, const std::string& name) {
  const json::object spec{{"library_id", library_id}, {"name", name}};
  QUIRE_ASSIGN_OR_RETURN(const auto answer, api.call("item.find", {{"spec", spec}}));
  for (const auto& id : texts_of(answer)) {
    QUIRE_ASSIGN_OR_RETURN(const auto item, api.call("item.get", {{"library_item_id", id}}));
    if (text_at(item, "name") == name) return std::optional(id);
  }
  return std::optional<std::string>();
}

Result<std::string> find_item(Api& api, const ItemName& name) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, name.library));
  QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(api, library, name.item));
  if (!item) return not_found("there is no item '" + name.item + "' in library '" + name.library + "'");
  return *item;
}

std::optional<base::Checksum> checksum_at(const json::value& file) {
  const auto* info = find_member(file, "checksum_info");
  if (info == nullptr) return std::nullopt;
  const auto digits = base::to_lower(text_at(*info, "checksum"));
  const auto named = text_at(*info, "algorithm");
  const auto algorithm = base::digest_algorithm(named.empty() ? "SHA1" : named);
  if (!algorithm || digits.size() != base::hex_length(*algorithm)) return std::nullopt;
  return base::Checksum{*algorithm, digits};
}

Result<std::vector<StoredFile>> list_files(Api& api, const std::string& item_id) {
  QUIRE_ASSIGN_OR_RETURN(const auto answer, api.call("item.file.list", {{"library_item_id", item_id}}));
  std::vector<StoredFile> files;
  for (const auto& file : elements_of(answer))
    files.push_back({text_at(file, "name"), number_at(file, "size").value_or(0), checksum_at(file)});
  return files;
}

}  // namespace quire::client
