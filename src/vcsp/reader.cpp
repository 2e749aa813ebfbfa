#include "vcsp/reader.h"

#include <boost/json.hpp>
#include <limits>
#include <set>

#include "base/decimal.h"
#include "base/hex.h"
#include "base/identity.h"
#include "base/uri.h"
#include "base/utf8.h"
#include "vcsp/json_pieces.h"

namespace quire::vcsp {
namespace json = boost::json;
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::size_t name_characters_max = 80;

std::size_t characters_of(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty() && base::take_code_point(text)) ++count;
  return count;
}

std::optional<std::int64_t> number_of(const json::value& value) {
  if (value.is_string()) return base::parse_decimal(value.get_string());
  if (value.is_int64() && value.get_int64() >= 0) return value.get_int64();
  return std::nullopt;
}

/// Reads the members of one document; knows where it is, and collects remarks.
class DocumentReader {
 public:
  DocumentReader(std::string_view document, Remarks* remarks) : document_(document), remarks_(remarks) {}

  Error invalid(const std::string& where, std::string_view reason) const {
    return Error(ErrorKind::invalid_argument, "quire.vcsp.invalid", "{document} cannot be used: {where} {reason}.",
                 {{"document", std::string(document_)}, {"where", where}, {"reason", std::string(reason)}});
  }

  void remark(const std::string& where, std::string problem, Stumbling who) {
    if (remarks_ != nullptr) remarks_->push_back({where, std::move(problem), who});
  }

  Result<void> no_mark(std::string_view text) const {
    if (text.starts_with("\xEF\xBB\xBF")) return invalid("the document", "begins with a byte-order mark");
    return {};
  }

  Result<json::object> object(std::string_view text, const std::string& where = "the document") const {
    QUIRE_RETURN_IF_ERROR(no_mark(text));
    boost::system::error_code failure;
    auto value = json::parse(text, failure);
    if (failure) return invalid(where, "is not JSON (" + failure.message() + ")");
    if (!value.is_object()) return invalid(where, "is not a JSON object");
    return std::move(value.get_object());
  }

  Result<std::string> text(const json::object& from, const std::string& at, std::string_view key) const {
    const auto* value = from.if_contains(key);
    if (value == nullptr || !value->is_string()) return invalid(at + std::string(key), "is missing or no text");
    return std::string(value->get_string());
  }

  /// "" for a missing or null one, which some publishers write (vcsp.md §8).
  Result<std::string> description(const json::object& from, const std::string& at) {
    const auto where = at + "description";
    const auto* value = from.if_contains("description");
    if (value != nullptr && value->is_string()) return std::string(value->get_string());
    if (value != nullptr && !value->is_null()) return invalid(where, "is no text");
    remark(where, "should be a text, \"\" when there is none", Stumbling::nobody);
    return std::string();
  }

  /// A counter, which is a text that holds a number.
  Result<std::int64_t> counter(const json::object& from, const std::string& at, std::string_view key) {
    const auto where = at + std::string(key);
    const auto* value = from.if_contains(key);
    const auto number = value == nullptr ? std::nullopt : number_of(*value);
    if (!number) return invalid(where, "is missing or no whole number");
    if (!value->is_string()) remark(where, "should be a text that holds the number", Stumbling::cloud_director);
    return *number;
  }

  Result<std::optional<std::int64_t>> optional_counter(const json::object& from, const std::string& at,
                                                       std::string_view key) {
    if (!from.contains(key)) return std::optional<std::int64_t>();
    QUIRE_ASSIGN_OR_RETURN(const auto number, counter(from, at, key));
    return std::optional(number);
  }

  /// Without the prefix, lower case.
  Result<std::string> id(const json::object& from, const std::string& at) {
    QUIRE_ASSIGN_OR_RETURN(const auto given, text(from, at, "id"));
    constexpr std::string_view prefix = "urn:uuid:";
    auto id = base::to_lower(given);
    const bool prefixed = id.starts_with(prefix);
    if (prefixed) id.erase(0, prefix.size());
    if (!base::looks_like_uuid(id)) return invalid(at + "id", "is no UUID");
    if (!prefixed) remark(at + "id", "should begin with urn:uuid:", Stumbling::everybody);
    return id;
  }

  /// Informs only, so whatever it is, the document can be read.
  std::optional<base::Time> created(const json::object& from, const std::string& at) {
    const auto* value = from.if_contains("created");
    if (value == nullptr || !value->is_string()) {
      remark(at + "created", "is missing or no text", Stumbling::everybody);
      return std::nullopt;
    }
    const std::string given(value->get_string());
    if (const auto time = base::parse_time(given)) return time;
    remark(at + "created", "is not a time as 2026-02-11T08:10:00.000Z", Stumbling::nobody);
    auto zoned = given.ends_with('Z') ? given.substr(0, given.size() - 1) : given;
    for (const auto* seconds : {"", ":00"})
      if (const auto time = base::parse_time(zoned + seconds + "Z")) return time;
    return std::nullopt;
  }

  Result<Item> item(const json::object& from, const std::string& at);

 private:
  Result<File> file(const json::object& from, const std::string& at);
  void judge_etag(const File& file, const json::value* etag, const std::string& at);

  std::string_view document_;
  Remarks* remarks_;
};

Result<File> DocumentReader::file(const json::object& from, const std::string& at) {
  File file;
  QUIRE_ASSIGN_OR_RETURN(file.name, text(from, at, "name"));
  if (file.name.empty() || file.name == "." || file.name == ".." ||
      file.name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos || !base::is_text(file.name))
    return invalid(at + "name", "is not the bare name of a file");
  const auto* size = from.if_contains("size");
  const auto bytes = size == nullptr ? std::nullopt : number_of(*size);
  if (!bytes) return invalid(at + "size", "is missing or no whole number");
  if (size->is_string()) remark(at + "size", "should be a number, not a text", Stumbling::vcenter);
  file.size = *bytes;
  if (const auto* generation = from.if_contains("generationNum")) {
    file.generation = number_of(*generation);
    if (!file.generation) return invalid(at + "generationNum", "is no whole number of 64 bits");
    if (generation->is_string()) remark(at + "generationNum", "should be a number, not a text", Stumbling::vcenter);
  }
  const auto* etag = from.if_contains("etag");
  if (etag != nullptr && etag->is_string()) file.etag = etag->get_string();
  if (etag != nullptr && etag->is_number()) file.etag = json::serialize(*etag);
  judge_etag(file, etag, at);
  const auto* hrefs = from.if_contains("hrefs");
  if (hrefs == nullptr || !hrefs->is_array() || hrefs->get_array().empty())
    return invalid(at + "hrefs", "is missing or no list of at least one text");
  for (const auto& href : hrefs->get_array()) {
    if (!href.is_string() || href.get_string().empty()) return invalid(at + "hrefs", "holds something else than texts");
    file.hrefs.emplace_back(href.get_string());
  }
  if (file.hrefs.size() > 1)
    remark(at + "hrefs", "has " + std::to_string(file.hrefs.size()) + " members, exactly one is allowed",
           Stumbling::cloud_director);
  if (const auto* additions = from.if_contains("x-quire"); additions != nullptr && additions->is_object())
    if (const auto* sha256 = additions->get_object().if_contains("sha256"); sha256 != nullptr && sha256->is_string())
      file.sha256 = sha256->get_string();
  return file;
}

void DocumentReader::judge_etag(const File& file, const json::value* etag, const std::string& at) {
  if (etag == nullptr) {
    remark(at + "etag", "is missing", Stumbling::cloud_director);
  } else if (!etag->is_string()) {
    remark(at + "etag", "should be a text", Stumbling::cloud_director);
  }
  if (file.generation) {
    if (!base::parse_decimal(file.etag))
      remark(at + "etag", "is no whole number of 64 bits", Stumbling::cloud_director);
    return;
  }
  remark(at + "generationNum", "is missing, so the etag is read as the file's counter",
         base::parse_decimal(file.etag) ? Stumbling::nobody : Stumbling::vcenter);
  if (!base::parse_decimal(file.etag))
    remark(at + "etag", "is no whole number of 64 bits and there is no generationNum: a sync fails on it",
           Stumbling::everybody);
}

Result<Item> DocumentReader::item(const json::object& from, const std::string& at) {
  Item item;
  QUIRE_ASSIGN_OR_RETURN(item.id, id(from, at));
  QUIRE_ASSIGN_OR_RETURN(item.name, text(from, at, "name"));
  if (item.name.empty()) return invalid(at + "name", "is empty");
  if (characters_of(item.name) > name_characters_max)
    remark(at + "name", "is longer than 80 characters", Stumbling::everybody);
  QUIRE_ASSIGN_OR_RETURN(item.description, description(from, at));
  QUIRE_ASSIGN_OR_RETURN(item.type, text(from, at, "type"));
  if (item.type != ovf_type && item.type != iso_type && item.type != other_type)
    remark(at + "type", "is none of vcsp.ovf, vcsp.iso and vcsp.other", Stumbling::everybody);
  if (item.type == other_type) remark(at + "type", "is vcsp.other, which catalogs have no use for", Stumbling::nobody);
  QUIRE_ASSIGN_OR_RETURN(item.version, counter(from, at, "version"));
  QUIRE_ASSIGN_OR_RETURN(item.content_version, optional_counter(from, at, "contentVersion"));
  item.created = created(from, at);
  QUIRE_ASSIGN_OR_RETURN(item.self_href, text(from, at, "selfHref"));
  const auto* files = from.if_contains("files");
  if (files == nullptr || !files->is_array()) return invalid(at + "files", "is missing or no list");
  std::set<std::string, std::less<>> names;
  std::size_t place = 0;
  for (const auto& value : files->get_array()) {
    const auto here = at + "files[" + std::to_string(place++) + "].";
    if (!value.is_object()) return invalid(here, "is no object");
    QUIRE_ASSIGN_OR_RETURN(auto one, file(value.get_object(), here));
    if (!names.insert(one.name).second) return invalid(here + "name", "is there twice");
    item.files.push_back(std::move(one));
  }
  if (item.files.empty())
    remark(at + "files", "is empty: an item without files should not be published", Stumbling::everybody);
  const auto* properties = from.if_contains("properties");
  if (properties == nullptr || !(properties->is_object() || properties->is_array()))
    remark(at + "properties", "should be {}", Stumbling::cloud_director);
  if (const auto* additions = from.if_contains("x-quire"); additions != nullptr && additions->is_object())
    if (const auto* version = additions->get_object().if_contains("metadataVersion"))
      item.metadata_version = number_of(*version);
  for (const auto& file : item.files)
    if (!item.files.empty() && file.etag != item.files.front().etag) {
      remark(at + "files", "have different etags, where one for all of an item is specified",
             Stumbling::cloud_director);
      break;
    }
  return item;
}

/// Whether a key, as it is written, is this one.
bool is_key(std::string_view written, std::string_view key) {
  constexpr std::size_t longest_spelling = 64;  // every character of ours as \u0076
  if (written.size() > longest_spelling) return false;
  boost::system::error_code failure;
  const auto read = json::parse(written, failure);
  return !failure && read.is_string() && read.get_string() == key;
}

/// What a subscriber needs of the index, as it is written.
struct IndexPieces {
  std::optional<std::string_view> version;
  std::string_view items;  ///< a list
};

Result<IndexPieces> pieces_of(std::string_view text, const DocumentReader& reader) {
  QUIRE_RETURN_IF_ERROR(reader.no_mark(text));
  IndexPieces pieces;
  const auto problem = each_member(text, [&](std::string_view key, std::string_view value) {
    if (is_key(key, "version")) pieces.version = value;  // the last one of a name counts, as everywhere
    if (is_key(key, "items")) pieces.items = value;
  });
  if (problem) return reader.invalid("the document", *problem);
  if (!pieces.items.starts_with('[')) return reader.invalid("items", "is missing or no list");
  // Gone through before anything is handed out, so that a broken list is known by then.
  if (const auto broken = each_element(pieces.items, [](std::string_view) {})) return reader.invalid("items", *broken);
  return pieces;
}

Result<std::optional<std::int64_t>> version_of(const IndexPieces& pieces, DocumentReader& reader) {
  json::object holder;
  boost::system::error_code failure;
  if (pieces.version) holder["version"] = json::parse(*pieces.version, failure);
  return reader.optional_counter(holder, "", "version");
}

std::string shown_name(std::string_view name) {
  constexpr std::size_t bytes_max = 4 * name_characters_max;
  const auto shown = base::displayable(name, bytes_max);
  std::string_view rest = shown;
  for (std::size_t i = 0; i < name_characters_max && !rest.empty(); ++i) base::take_code_point(rest);
  return shown.substr(0, shown.size() - rest.size());
}

UnusableItem unusable(const json::object& from, Error reason) {
  UnusableItem unusable{"", "", std::move(reason)};
  DocumentReader reader(index_file, nullptr);
  if (const auto id = reader.id(from, "")) unusable.id = *id;
  if (const auto name = reader.text(from, "", "name")) unusable.name = shown_name(*name);
  return unusable;
}

}  // namespace

Result<Library> read_library(std::string_view text, Remarks* remarks) {
  DocumentReader reader(library_file, remarks);
  QUIRE_ASSIGN_OR_RETURN(const auto object, reader.object(text));
  Library library;
  QUIRE_ASSIGN_OR_RETURN(library.dialect, reader.counter(object, "", "vcspVersion"));
  if (library.dialect != 1 && library.dialect != 2) return reader.invalid("vcspVersion", "is neither 1 nor 2");
  QUIRE_ASSIGN_OR_RETURN(library.version, reader.counter(object, "", "version"));
  QUIRE_ASSIGN_OR_RETURN(const auto content_version, reader.optional_counter(object, "", "contentVersion"));
  if (!content_version && library.dialect == 2) reader.remark("contentVersion", "is missing", Stumbling::nobody);
  QUIRE_ASSIGN_OR_RETURN(library.name, reader.text(object, "", "name"));
  if (library.name.empty()) reader.remark("name", "is empty", Stumbling::everybody);
  QUIRE_ASSIGN_OR_RETURN(library.description, reader.description(object, ""));
  QUIRE_ASSIGN_OR_RETURN(library.id, reader.id(object, ""));
  library.created = reader.created(object, "");
  QUIRE_ASSIGN_OR_RETURN(library.items_href, reader.text(object, "", "itemsHref"));
  const auto* capabilities = object.if_contains("capabilities");
  if (capabilities == nullptr || !capabilities->is_object()) {
    reader.remark("capabilities", "is missing: the library is then said not to exist", Stumbling::vcenter);
  } else {
    for (const auto* way : {"transferIn", "transferOut"}) {
      const auto* methods = capabilities->get_object().if_contains(way);
      if (methods == nullptr || !methods->is_array() || methods->get_array().empty())
        reader.remark(std::string("capabilities.") + way, "should be [\"httpGet\"]", Stumbling::everybody);
    }
  }
  const auto* item_type = object.if_contains("itemType");
  if (item_type == nullptr || !item_type->is_string())
    reader.remark("itemType", "is missing; the first dialect asks for vcsp.CatalogItem", Stumbling::cloud_director);
  if (const auto* message = object.if_contains("maintenanceMessage"); message != nullptr && message->is_string())
    library.maintenance_message = std::string(message->get_string());
  return library;
}

Result<Index> read_index(std::string_view text, Remarks* remarks) {
  DocumentReader reader(index_file, remarks);
  QUIRE_ASSIGN_OR_RETURN(const auto object, reader.object(text));
  Index index;
  QUIRE_ASSIGN_OR_RETURN(index.version, reader.optional_counter(object, "", "version"));
  if (!index.version)
    reader.remark("version", "is missing; nobody can see that it belongs to another lib.json",
                  Stumbling::cloud_director);
  const auto* items = object.if_contains("items");
  if (items == nullptr || !items->is_array()) return reader.invalid("items", "is missing or no list");
  std::set<std::string, std::less<>> ids;
  std::set<std::string, std::less<>> names;
  std::size_t place = 0;
  for (const auto& value : items->get_array()) {
    const auto at = "items[" + std::to_string(place++) + "].";
    if (!value.is_object()) return reader.invalid(at, "is no object");
    QUIRE_ASSIGN_OR_RETURN(auto item, reader.item(value.get_object(), at));
    if (!ids.insert(item.id).second) return reader.invalid(at + "id", "is there twice");
    if (!names.insert(item.name).second)
      reader.remark(at + "name", "is there twice: a sync fails on the second item of a name", Stumbling::vcenter);
    index.items.push_back(std::move(item));
  }
  return index;
}

Result<Item> read_item(std::string_view text, Remarks* remarks) {
  DocumentReader reader(item_file, remarks);
  QUIRE_ASSIGN_OR_RETURN(const auto object, reader.object(text));
  return reader.item(object, "");
}

Result<std::optional<std::int64_t>> read_items(std::string_view text, const std::function<void(Item&&)>& take,
                                               const std::function<void(UnusableItem&&)>& refuse) {
  DocumentReader reader(index_file, nullptr);
  QUIRE_ASSIGN_OR_RETURN(const auto pieces, pieces_of(text, reader));
  QUIRE_ASSIGN_OR_RETURN(const auto version, version_of(pieces, reader));
  std::set<std::string, std::less<>> ids;
  std::size_t place = 0;
  each_element(pieces.items, [&](std::string_view element) {
    const auto where = "items[" + std::to_string(place++) + "]";
    const auto object = reader.object(element, where);
    if (!object) return refuse({"", "", object.error()});
    auto item = reader.item(*object, where + ".");
    if (!item) return refuse(unusable(*object, item.error()));
    if (!ids.insert(item->id).second) return refuse(unusable(*object, reader.invalid(where + ".id", "is there twice")));
    take(*std::move(item));
  });
  return version;
}

std::vector<std::string> resolve_href(std::string_view library_url, std::string_view self_href, std::string_view href) {
  std::vector<std::string> places{base::resolve_reference(library_url, href)};
  const auto slash = self_href.rfind('/');
  const auto own_directory = slash == std::string_view::npos ? std::string_view() : self_href.substr(0, slash + 1);
  // Root-relative, as most write them, absolute, or an address of its own: there is nothing else to try.
  if (own_directory.empty() || href.starts_with(own_directory) || href.starts_with('/') ||
      !base::uri_scheme(href).empty())
    return places;
  places.push_back(base::resolve_reference(base::resolve_reference(library_url, self_href), href));
  if (places.back() == places.front()) places.pop_back();
  return places;
}

std::optional<std::int64_t> generation_of(const File& file) {
  return file.generation ? file.generation : base::parse_decimal(file.etag);
}

}  // namespace quire::vcsp
