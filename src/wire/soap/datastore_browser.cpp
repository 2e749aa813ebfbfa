#include "wire/soap/datastore_browser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "wire/soap/soap_values.h"

namespace quire::wire {
namespace {

using base::ErrorKind;
using vim::Answer;
using vim::DataObject;
using vim::Fault;
using vim::Field;
using vim::Reference;

constexpr std::string_view browser_prefix = "datastoreBrowser-";
/// Of folders below: more is no search that a library needs.
constexpr std::size_t folders_max = 10'000;

struct DatastorePath {
  std::string datastore;
  std::string path;
};

/// `[name] path`.
std::optional<DatastorePath> parse_path(std::string_view text) {
  const auto end = text.find(']');
  if (!text.starts_with('[') || end == std::string_view::npos) return std::nullopt;
  DatastorePath parsed{std::string(text.substr(1, end - 1)), ""};
  text.remove_prefix(end + 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  parsed.path = text;
  return parsed;
}

std::string shown(const DatastorePath& at) { return "[" + at.datastore + "] " + at.path; }

/// With `*` for any characters and `?` for one.
bool matches(std::string_view name, std::string_view pattern) {
  std::size_t n = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

struct Wanted {
  std::vector<std::string> patterns;
  bool size = false;
  bool modification = false;

  bool lets_through(const std::string& name) const {
    return patterns.empty() ||
           std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return matches(name, pattern); });
  }
};

Wanted wanted_by(const XmlElement& arguments) {
  Wanted wanted;
  const XmlElement* spec = arguments.child("searchSpec");
  if (spec == nullptr) return wanted;
  wanted.patterns = child_texts(*spec, "matchPattern");
  if (const XmlElement* details = spec->child("details"); details != nullptr) {
    wanted.size = is_true(details->child("fileSize"));
    wanted.modification = is_true(details->child("modification"));
  }
  return wanted;
}

/// The class that clients tell the kind of a file by.
std::string class_of(const service::DatastoreEntry& entry) {
  const auto ends = [&](std::string_view suffix) { return entry.name.ends_with(suffix); };
  if (entry.is_folder) return "FolderFileInfo";
  if (ends(".iso")) return "IsoImageFileInfo";
  if (ends(".vmdk")) return "VmDiskFileInfo";
  return "FileInfo";
}

DataObject file_info(const service::DatastoreEntry& entry, const Wanted& wanted) {
  DataObject info{class_of(entry), {{"path", entry.name}}, true};
  if (wanted.size) info.fields.push_back({"fileSize", entry.size});
  if (wanted.modification) info.fields.push_back({"modification", entry.modified});
  return info;
}

/// The caller's datastore of that name, if the browser is its own.
std::optional<content::StorageId> storage_of(const SoapCall& call, const DatastorePath& at) {
  for (const auto& storage : call.services.storages.all())
    if (storage.name == at.datastore && call.receiver.id == std::string(browser_prefix) + storage.id.text())
      return storage.id;
  return std::nullopt;
}

Fault file_not_found(const DatastorePath& at) {
  return {"FileNotFound", "File " + shown(at) + " was not found", {{"file", shown(at)}}};
}

/// As a fault of the task: what concerns the path or its reader. nullopt: the server itself has failed.
std::optional<Fault> fault_of(const SoapCall& call, const DatastorePath& at, const base::Error& error) {
  if (error.kind() == ErrorKind::not_found) return file_not_found(at);
  if (error.kind() != ErrorKind::unauthorized) return std::nullopt;
  return Fault{"NoPermission",
               error.text(),
               {{"object", call.receiver}, {"privilegeId", std::string("ContentLibrary.ReadStorage")}}};
}

DataObject search_results(const Reference& datastore, const DatastorePath& at,
                          const std::vector<service::DatastoreEntry>& entries, const Wanted& wanted) {
  DataObject results{"HostDatastoreBrowserSearchResults", {{"datastore", datastore}, {"folderPath", shown(at)}}};
  for (const auto& entry : entries)
    if (wanted.lets_through(entry.name)) results.fields.push_back({"file", file_info(entry, wanted)});
  return results;
}

/// The results of one folder, or of it and all below.
base::Result<std::vector<DataObject>> search(const SoapCall& call, const content::StorageId& storage,
                                             const DatastorePath& start, const Wanted& wanted, bool below) {
  const Reference datastore{"Datastore", storage.text()};
  std::vector<DataObject> all;
  std::vector<DatastorePath> open{start};
  for (std::size_t next = 0; next < open.size(); ++next) {
    const auto at = open[next];
    const auto entries = call.services.datastore_files.list(call.session->caller, storage, at.path);
    if (!entries && next > 0 && entries.error().kind() != ErrorKind::internal_server_error) continue;
    if (!entries) return entries.error();
    all.push_back(search_results(datastore, at, *entries, wanted));
    for (const auto& entry : *entries)
      if (below && entry.is_folder && open.size() < folders_max)
        open.push_back({at.datastore, at.path.empty() ? entry.name : at.path + "/" + entry.name});
  }
  return all;
}

DataObject ended_task(const SoapCall& call, const Reference& task, Field outcome) {
  const auto now = call.services.clock.now();
  const bool failed = outcome.name == "error";
  DataObject info{
      "TaskInfo",
      {{"key", task.id},
       {"task", task},
       {"name", std::string(call.method)},
       {"descriptionId", std::string("HostDatastoreBrowser.") +
                             (call.method == "SearchDatastore_Task" ? "searchDatastore" : "searchDatastoreSubFolders")},
       {"entity", call.receiver},
       {"state", std::string(failed ? "error" : "success")},
       {"cancelled", false},
       {"cancelable", false},
       std::move(outcome),
       {"reason", DataObject{"TaskReasonUser", {{"userName", call.session->caller.user}}, true}},
       {"queueTime", now},
       {"startTime", now},
       {"completeTime", now},
       {"eventChainId", std::int64_t{0}}}};
  return info;
}

DataObject failure(const Fault& fault) {
  return {"LocalizedMethodFault",
          {{"fault", DataObject{fault.type, fault.fields, true}}, {"localizedMessage", fault.text}}};
}

}  // namespace

Answer<DataObject> search_datastore(const SoapCall& call, const Reference& task, bool with_folders_below) {
  const auto at = parse_path(child_text(call.arguments, "datastorePath"));
  if (!at)
    return tl::unexpected(vim::invalid_argument("datastorePath", "A datastore path is written [datastore] path."));
  const auto storage = storage_of(call, *at);
  if (!storage) return ended_task(call, task, {"error", failure(file_not_found(*at))});
  auto found = search(call, *storage, *at, wanted_by(call.arguments), with_folders_below);
  if (!found) {
    record_if_refused(call, found.error());
    const auto fault = fault_of(call, *at, found.error());
    if (!fault) return tl::unexpected(system_error(call.method, found.error()));
    return ended_task(call, task, {"error", failure(*fault)});
  }
  if (!with_folders_below) {
    found->front().says_type = true;
    return ended_task(call, task, {"result", std::move(found->front())});
  }
  DataObject results{"ArrayOfHostDatastoreBrowserSearchResults", {}, true};
  for (auto& one : *found) results.fields.push_back({"HostDatastoreBrowserSearchResults", std::move(one)});
  return ended_task(call, task, {"result", std::move(results)});
}

}  // namespace quire::wire
