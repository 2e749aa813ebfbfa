#include "vcsp/documents.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/hex.h"

namespace quire::vcsp {
namespace json = boost::json;
namespace {

constexpr std::string_view catalog_item = "vcsp.CatalogItem";
constexpr std::string_view additions_key = "x-quire";

bool has_extension(std::string_view name, std::string_view extension) {
  return base::to_lower(name).ends_with(extension);
}

std::string urn(std::string_view id) { return "urn:uuid:" + std::string(id); }

std::string time_text(const std::optional<base::Time>& time) { return base::to_text(time.value_or(base::Time())); }

json::object object_of(const File& file) {
  json::object object;
  object["name"] = file.name;
  object["size"] = file.size;
  object["etag"] = file.etag;
  if (file.generation) object["generationNum"] = *file.generation;
  object["hrefs"] = json::array(file.hrefs.begin(), file.hrefs.end());
  if (file.sha256) object[additions_key] = json::object{{"sha256", *file.sha256}};
  return object;
}

}  // namespace

std::string write_library(const Library& library) {
  json::object object;
  object["vcspVersion"] = std::to_string(library.dialect);
  object["version"] = std::to_string(library.version);
  object["contentVersion"] = "1";  // all publishers write this, whatever happens (vcsp.md §3)
  object["name"] = library.name;
  object["description"] = library.description;
  object["id"] = urn(library.id);
  object["created"] = time_text(library.created);
  object["itemType"] = catalog_item;
  object["capabilities"] = json::object{
      {"transferIn", json::array{"httpGet"}}, {"transferOut", json::array{"httpGet"}}, {"generateIds", true}};
  object["itemsHref"] = library.items_href;
  object["metadata"] = json::array();
  if (library.maintenance_message) object["maintenanceMessage"] = *library.maintenance_message;
  return json::serialize(object);
}

std::string write_item(const Item& item) {
  json::object object;
  object["id"] = urn(item.id);
  object["name"] = item.name;
  object["description"] = item.description;
  object["type"] = item.type;
  object["version"] = std::to_string(item.version);
  if (item.content_version) object["contentVersion"] = std::to_string(*item.content_version);
  object["created"] = time_text(item.created);
  object["selfHref"] = item.self_href;
  json::array files;
  files.reserve(item.files.size());
  for (const auto& file : item.files) files.push_back(object_of(file));
  object["files"] = std::move(files);
  object["properties"] = json::object();
  object["metadata"] = json::array();
  if (item.metadata_version)
    object[additions_key] = json::object{{"metadataVersion", std::to_string(*item.metadata_version)}};
  return json::serialize(object);
}

IndexWriter::IndexWriter(std::int64_t version, std::size_t bytes_expected) {
  text_.reserve(bytes_expected);
  text_ =
      R"({"itemType":")" + std::string(catalog_item) + R"(","version":")" + std::to_string(version) + R"(","items":[)";
}

void IndexWriter::add(std::string_view written_item) {
  if (!first_) text_ += ",\n";
  first_ = false;
  text_ += written_item;
}

std::string IndexWriter::finish() {
  text_ += "]}\n";
  return std::move(text_);
}

std::string_view type_of(std::string_view item_type, const std::vector<std::string>& file_names) {
  const auto type = base::to_lower(item_type);
  const auto has = [&](std::string_view extension) {
    return [extension](const std::string& name) { return has_extension(name, extension); };
  };
  if (type == "ovf" && std::ranges::any_of(file_names, has(".ovf"))) return ovf_type;
  if (type == "iso" && !file_names.empty() && std::ranges::all_of(file_names, has(".iso"))) return iso_type;
  return other_type;
}

std::string_view item_type_of(std::string_view type) {
  if (type == ovf_type) return "ovf";
  if (type == iso_type) return "iso";
  return "";
}

}  // namespace quire::vcsp
