#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "client/api.h"

/// Libraries, items and files by the names that people use.
namespace quire::client {

/// `LIBRARY/ITEM`; a library's name may not hold a slash here, an item's may.
struct ItemName {
  std::string library;
  std::string item;

  std::string text() const { return library + '/' + item; }
};
/// Usage error when there is no slash, or nothing on one side of it.
base::Result<ItemName> parse_item_name(std::string_view text);

/// The id of the library of that name. NotFound; a conflict when several have it.
base::Result<std::string> find_library(Api& api, const std::string& name);
/// The id of the storage of that name or id; else of the first one. NotFound when there is none.
base::Result<std::string> find_storage(Api& api, const std::optional<std::string>& storage);
/// Creates a local library and gives its id. `storage`: name or id of the datastore; else the first one. NotFound when
/// there is none of that name.
base::Result<std::string> create_library(Api& api, const std::string& name,
                                         const std::optional<std::string>& description = std::nullopt,
                                         const std::optional<std::string>& storage = std::nullopt);
/// The id of the item; nullopt when the library has none of that name.
base::Result<std::optional<std::string>> find_item(Api& api, const std::string& library_id, const std::string& name);
/// Both; NotFound when one is not there.
base::Result<std::string> find_item(Api& api, const ItemName& name);

/// A file of an item as the server lists it.
struct StoredFile {
  std::string name;
  std::int64_t size = 0;
  std::optional<base::Checksum> checksum;
};
base::Result<std::vector<StoredFile>> list_files(Api& api, const std::string& item_id);

/// The checksum that a structure of the API tells, if it is of a kind that this program knows.
std::optional<base::Checksum> checksum_at(const boost::json::value& file);

}  // namespace quire::client
