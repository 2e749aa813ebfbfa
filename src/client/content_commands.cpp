#include <boost/json/array.hpp>

#include "client/catalog_names.h"
#include "client/command_groups.h"
#include "client/failure.h"
#include "client/json_reading.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Result;

Result<void> show_libraries(Api& api, const Arguments&, Output& output, json::object& result) {
  output.heading({"NAME", "ID", "TYPE", "ITEMS", "DESCRIPTION"});
  QUIRE_ASSIGN_OR_RETURN(const auto ids, api.call("library.list"));
  std::int64_t count = 0;
  for (const auto& id : texts_of(ids)) {
    const auto library = api.call("library.get", {{"library_id", id}});
    if (!library && library.error().kind() == base::ErrorKind::not_found) continue;  // removed meanwhile
    if (!library) return library.error();
    QUIRE_ASSIGN_OR_RETURN(const auto items, api.call("item.list", {{"library_id", id}}));
    auto fields = object_of(*library);
    fields["item_count"] = elements_of(items).size();
    output.row("library",
               {text_at(*library, "name"), id, text_at(*library, "type"), std::to_string(elements_of(items).size()),
                text_at(*library, "description")},
               std::move(fields));
    ++count;
  }
  result["count"] = count;
  return {};
}

Result<void> make_library(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  QUIRE_ASSIGN_OR_RETURN(const auto id, create_library(api, arguments.text("NAME"), arguments.find("description"),
                                                       arguments.find("storage")));
  result["library_id"] = id;
  output.note("created library " + arguments.text("NAME"));
  return {};
}

Result<void> show_items(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  output.heading({"NAME", "ID", "TYPE", "SIZE", "VERSION", "CHANGED"});
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, arguments.text("LIBRARY")));
  QUIRE_ASSIGN_OR_RETURN(const auto ids, api.call("item.list", {{"library_id", library}}));
  std::int64_t count = 0;
  for (const auto& id : texts_of(ids)) {
    const auto item = api.call("item.get", {{"library_item_id", id}});
    if (!item && item.error().kind() == base::ErrorKind::not_found) continue;
    if (!item) return item.error();
    output.row(
        "item",
        {text_at(*item, "name"), id, text_at(*item, "type"), size_for_people(number_at(*item, "size").value_or(0)),
         text_at(*item, "content_version"), text_at(*item, "last_modified_time")},
        object_of(*item));
    ++count;
  }
  result["count"] = count;
  return {};
}

Result<void> show_files(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  output.heading({"NAME", "SIZE", "CHECKSUM"});
  QUIRE_ASSIGN_OR_RETURN(const auto name, parse_item_name(arguments.text("LIBRARY/ITEM")));
  QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(api, name));
  QUIRE_ASSIGN_OR_RETURN(const auto files, api.call("item.file.list", {{"library_item_id", item}}));
  for (const auto& file : elements_of(files)) {
    const auto checksum = checksum_at(file);
    output.row("file",
               {text_at(file, "name"), size_for_people(number_at(file, "size").value_or(0)),
                checksum ? std::string(name_of(checksum->algorithm)) + ':' + checksum->hex : "-"},
               object_of(file));
  }
  result["library_item_id"] = item;
  result["count"] = elements_of(files).size();
  return {};
}

Result<void> remove(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  const auto names = arguments.all("NAME");
  const bool libraries = arguments.has("library");
  std::int64_t count = 0;
  for (const auto& name : names) {
    if (libraries) {
      QUIRE_ASSIGN_OR_RETURN(const auto id, find_library(api, name));
      QUIRE_RETURN_IF_ERROR(api.call("local_library.delete", {{"library_id", id}}));
    } else {
      QUIRE_ASSIGN_OR_RETURN(const auto item_name, parse_item_name(name));
      QUIRE_ASSIGN_OR_RETURN(const auto id, find_item(api, item_name));
      QUIRE_RETURN_IF_ERROR(api.call("item.delete", {{"library_item_id", id}}));
    }
    output.note("removed " + name);
    result["count"] = ++count;
  }
  return {};
}

Result<void> copy(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  QUIRE_ASSIGN_OR_RETURN(const auto from, parse_item_name(arguments.text("LIBRARY/ITEM")));
  const auto target = arguments.text("TARGET");
  const auto slash = target.find('/');
  const auto library_name = target.substr(0, slash);
  const auto item_name =
      slash == std::string::npos || slash + 1 == target.size() ? from.item : target.substr(slash + 1);
  QUIRE_ASSIGN_OR_RETURN(const auto source, find_item(api, from));
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, library_name));
  const json::object spec{{"name", item_name}, {"library_id", library}};
  QUIRE_ASSIGN_OR_RETURN(
      const auto id, api.call("item.copy", {{"source_library_item_id", source}, {"destination_create_spec", spec}}));
  result["library_item_id"] = id;
  output.note("copied " + from.text() + " to " + library_name + '/' + item_name);
  return {};
}

}  // namespace

void add_content_commands(std::vector<CommandDefinition>& commands) {
  commands.push_back(api_command({{"libraries"}, "List the libraries", ""}, show_libraries));
  commands.push_back(
      api_command({{"libraries", "create"},
                   "Create a library",
                   "",
                   {{"NAME", "The name of the library"}},
                   {{"description", "TEXT", "What it is for"},
                    {"storage", "NAME", "The storage (datastore) that it lies on, by name or id; else the first one"}}},
                  make_library));
  commands.push_back(api_command(
      {{"items"}, "List the items of a library", "", {{"LIBRARY", "The library", true, false, Completes::library}}},
      show_items));
  commands.push_back(api_command(
      {{"files"}, "List the files of an item", "", {{"LIBRARY/ITEM", "The item", true, false, Completes::item}}},
      show_files));
  commands.push_back(api_command({{"rm"},
                                  "Remove items or libraries",
                                  "A library is removed with all its items, and only when --library says so.",
                                  {{"NAME", "LIBRARY/ITEM, or LIBRARY with --library", true, true, Completes::item}},
                                  {{"library", "", "The names are libraries"}}},
                                 remove));
  commands.push_back(
      api_command({{"cp"},
                   "Copy an item on the server",
                   "No byte goes over the network.",
                   {{"LIBRARY/ITEM", "The item", true, false, Completes::item},
                    {"TARGET", "LIBRARY/ITEM, or LIBRARY for the same name", true, false, Completes::item}}},
                  copy));
}

}  // namespace quire::client
