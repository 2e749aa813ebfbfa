#include "formats/ovf_descriptor.h"

#include <libxml/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/file_name.h"
#include "base/hex.h"
#include "base/uri.h"
#include "base/utf8.h"
#include "formats/content_kind.h"
#include "formats/text_lines.h"

namespace quire::formats {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// oVirt and virt-v2v write them with a slash at the end.
constexpr std::string_view ovf_namespace_1 = "http://schemas.dmtf.org/ovf/envelope/1";
constexpr std::string_view ovf_namespace_2 = "http://schemas.dmtf.org/ovf/envelope/2";
constexpr std::string_view vmware_namespace = "http://www.vmware.com/schema/ovf";
/// What the parser gets at once; small, so that max_ovf_tag_bytes is noticed in time.
constexpr std::size_t piece_bytes = std::size_t{16} << 10U;
constexpr std::uint64_t max_size = std::numeric_limits<std::int64_t>::max();

Error invalid(int line, std::string reason) {
  return {ErrorKind::invalid_argument,
          "quire.ovf.invalid",
          "The OVF descriptor cannot be used: {reason} (line {line}). Export the package again.",
          {{"reason", std::move(reason)}, {"line", std::int64_t{line}}}};
}

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

bool is_ovf_namespace(std::string_view uri) {
  if (uri.ends_with('/')) uri.remove_suffix(1);
  return uri == ovf_namespace_1 || uri == ovf_namespace_2;
}

/// Why `name` in the namespace `uri` is no root of a descriptor.
std::string root_problem(std::string_view name, std::string_view uri) {
  static constexpr std::string_view expected = "its root is not the Envelope of OVF 1 or OVF 2";
  if (base::to_lower(name) == "html") return "it is an HTML page";
  if (uri == "http://www.vmware.com/schema/ovf/1/envelope")
    return std::string(expected) + ", but that of OVF 0.9, which is not supported";
  if (uri == "http://schemas.citrix.com/ovf/envelope/1" || uri == "http://www.citrix.com/xenclient/ovf/1")
    return std::string(expected) + ", but that of Xen's own format, which is not supported";
  return std::string(expected) + ", but '" + base::displayable(name, 80) + "' in " +
         (uri.empty() ? "no namespace" : "the namespace '" + base::displayable(uri) + "'");
}

/// Schemes that people put before what they take for the name of a file; a colon in a name is otherwise a colon.
bool is_url(std::string_view href) {
  const auto scheme = base::uri_scheme(href);
  return scheme == "file" || scheme == "http" || scheme == "https" || scheme == "ftp" || scheme == "ds";
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  text = trimmed(text, white_space);
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value > max_size) return std::nullopt;
  return value;
}

/// The attributes of one element that are in an OVF namespace or in none.
class Attributes {
 public:
  Attributes(int count, const xmlChar** all) : count_(static_cast<std::size_t>(count)), all_(all) {}

  struct Found {
    std::size_t times = 0;
    std::string_view value;
  };

  Found find(std::string_view name) const { return find(name, is_ovf_namespace); }
  /// One of VMware's own.
  std::string_view vmware(std::string_view name) const {
    return find(name, [](std::string_view uri) { return uri == vmware_namespace; }).value;
  }

 private:
  template <class IsNamespace>
  Found find(std::string_view name, IsNamespace is_namespace) const {
    Found found;
    for (std::size_t i = 0; i < count_; ++i) {
      // Five pointers each: local name, prefix, namespace, start and end of the value.
      const xmlChar** attribute = all_ + i * 5;
      if (view(attribute[0]) != name) continue;
      if (attribute[2] != nullptr && !is_namespace(view(attribute[2]))) continue;
      found.value = {reinterpret_cast<const char*>(attribute[3]),
                     static_cast<std::size_t>(attribute[4] - attribute[3])};
      ++found.times;
    }
    return found;
  }

  std::size_t count_;
  const xmlChar** all_;
};

/// A number in parentheses behind `name`: `MinLen(5)`.
std::string bound_in(std::string_view qualifiers, std::string_view name) {
  const auto at = qualifiers.find(name);
  if (at == std::string_view::npos) return {};
  const auto number = qualifiers.substr(at + name.size());
  const auto digits = number.substr(0, number.find_first_not_of("0123456789"));
  return number.substr(digits.size()).starts_with(')') ? std::string(digits) : std::string();
}

std::string property_type(std::string_view type, std::string_view qualifiers, bool is_password) {
  std::string text(type.empty() ? "string" : type);
  if (text.starts_with("uint") || text.starts_with("sint")) text = "int";
  if (text == "real32" || text == "real64") text = "real";
  if (is_password && text == "string") text = "password";
  if (const auto at = qualifiers.find("ValueMap{"); at != std::string_view::npos) {
    const auto values = qualifiers.substr(at + std::string_view("ValueMap{").size());
    return text + "[" + std::string(values.substr(0, values.find('}'))) + "]";
  }
  auto least = bound_in(qualifiers, "MinLen(");
  auto most = bound_in(qualifiers, "MaxLen(");
  if (least.empty()) least = bound_in(qualifiers, "MinValue(");
  if (most.empty()) most = bound_in(qualifiers, "MaxValue(");
  return least.empty() && most.empty() ? text : text + "(" + least + ".." + most + ")";
}

/// Bytes in a unit as DSP0004 annex C writes them, as far as descriptors use it: `byte`, `byte * 2^30`, `GigaBytes`.
std::optional<std::uint64_t> unit_bytes(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 4> words = {
      {{"KiloBytes", 10U}, {"MegaBytes", 20U}, {"GigaBytes", 30U}, {"TeraBytes", 40U}}};
  constexpr std::uint64_t exponent_max = 50;
  unit = trimmed(unit, white_space);
  if (unit.empty() || unit == "byte" || unit == "Bytes") return 1;
  for (const auto& [word, bits] : words)
    if (unit == word) return std::uint64_t{1} << bits;
  const auto power = unit.find("2^");
  if (!unit.starts_with("byte") || power == std::string_view::npos) return std::nullopt;
  const auto exponent = parse_size(unit.substr(power + 2));
  if (!exponent || *exponent > exponent_max) return std::nullopt;
  return std::uint64_t{1} << *exponent;
}

/// Collects what is asked or shown before a deployment, wherever in the document its sections stand.
class DeploymentReader {
 public:
  void start_element(std::string_view name, std::string_view uri, const Attributes& attributes) {
    const bool is_ovf = is_ovf_namespace(uri);
    const auto parent = path_.empty() ? std::string() : path_.back();
    path_.emplace_back(is_ovf ? name : "");
    if (text_of_) return;  // markup within a text
    if (uri == vmware_namespace && name == "StorageGroupSection")
      found_.storage_groups.emplace_back(attributes.vmware("id"));
    if (is_ovf && !visit_description(name, parent, attributes)) visit(name, parent, attributes);
  }
  void text(std::string_view piece) {
    if (text_of_) text_ += piece;
  }
  void end_element() {
    if (text_of_ && path_.size() == text_depth_) {
      text_of_(trimmed(text_, white_space));
      text_of_ = nullptr;
    }
    path_.pop_back();
  }

  OvfDeployment take() {
    std::erase_if(found_.storage_groups, [](const std::string& id) { return id.empty(); });
    for (auto& disk : found_.disks)
      if (const auto file = files_.find(disk.file_ref); file != files_.end()) disk.file = file->second;
    return std::move(found_);
  }

 private:
  /// What only describes the package. True when the element is part of that.
  bool visit_description(std::string_view name, std::string_view parent, const Attributes& attributes) {
    if (parent == "ProductSection") {
      std::string* text = name == "Product"       ? &found_.product
                          : name == "FullVersion" ? &found_.product_version
                          : name == "Vendor"      ? &found_.vendor
                          : name == "ProductUrl"  ? &found_.product_url
                                                  : nullptr;
      if (text != nullptr) collect([text](std::string_view piece) { set_first(*text, piece); });
      return text != nullptr;
    }
    if (name == "File" && parent == "References") {
      files_.emplace(attributes.find("id").value, base::without_leading_dot(attributes.find("href").value));
    } else if (name == "Disk" && parent == "DiskSection") {
      add_disk(attributes);
    } else if (name == "OperatingSystemSection") {
      const auto vsphere = attributes.vmware("osType");
      found_.operating_systems.emplace_back(vsphere.empty() ? "CIM " + std::string(attributes.find("id").value)
                                                            : std::string(vsphere));
    } else if (name == "Description" && parent == "OperatingSystemSection") {
      collect([this](std::string_view text) {
        if (!text.empty()) found_.operating_systems.back() = text;
      });
    } else {
      return false;
    }
    return true;
  }

  void add_disk(const Attributes& attributes) {
    auto& disk = found_.disks.emplace_back();
    disk.id = attributes.find("diskId").value;
    disk.file_ref = attributes.find("fileRef").value;
    disk.format = attributes.find("format").value;
    const auto unit = unit_bytes(attributes.find("capacityAllocationUnits").value);
    const auto units = parse_size(attributes.find("capacity").value);
    if (unit && units && *units <= max_size / *unit) disk.capacity_bytes = *units * *unit;
  }

  void visit(std::string_view name, std::string_view parent, const Attributes& attributes) {
    if (name == "Name" && (parent == "VirtualSystem" || parent == "VirtualSystemCollection")) {
      collect([this](std::string_view text) { set_first(found_.name, text); });
    } else if (name == "Annotation" && parent == "AnnotationSection") {
      collect([this](std::string_view text) { set_first(found_.annotation, text); });
    } else if (name == "License" && parent == "EulaSection") {
      collect([this](std::string_view text) { found_.eulas.emplace_back(text); });
    } else if (name == "Network" && parent == "NetworkSection") {
      found_.networks.emplace_back(attributes.find("name").value);
    } else if (name == "ProductSection") {
      product_ = {};
      product_.class_id = attributes.find("class").value;
      product_.instance_id = attributes.find("instance").value;
    } else if (name == "Category" && parent == "ProductSection") {
      collect([this](std::string_view text) { product_.category = text; });
    } else if (name == "Property" && parent == "ProductSection") {
      add_property(attributes);
    } else if (parent == "Property" && settable_) {
      visit_property(name, attributes);
    }
  }

  void add_property(const Attributes& attributes) {
    settable_ = attributes.find("userConfigurable").value == "true";
    if (!settable_) return;
    auto& property = found_.properties.emplace_back(product_);
    property.id = attributes.find("key").value;
    property.value = attributes.find("value").value;
    property.type = property_type(attributes.find("type").value, attributes.find("qualifiers").value,
                                  attributes.find("password").value == "true");
  }
  void visit_property(std::string_view name, const Attributes& attributes) {
    if (name == "Label")
      collect([this](std::string_view text) { found_.properties.back().label = text; });
    else if (name == "Description")
      collect([this](std::string_view text) { found_.properties.back().description = text; });
    else if (name == "Value" && found_.properties.back().value.empty())
      found_.properties.back().value = attributes.find("value").value;
  }

  /// What stands in the element that has just begun goes to `take` at its end.
  void collect(std::function<void(std::string_view)> take) {
    text_of_ = std::move(take);
    text_depth_ = path_.size();
    text_.clear();
  }
  static void set_first(std::string& target, std::string_view text) {
    if (target.empty()) target = text;
  }

  OvfDeployment found_;
  std::map<std::string, std::string, std::less<>> files_;  ///< href by id
  OvfProperty product_;  ///< what the properties of the current section have in common
  bool settable_ = false;
  std::vector<std::string> path_;  ///< names of the open elements, empty for those of other namespaces
  std::function<void(std::string_view)> text_of_;
  std::size_t text_depth_ = 0;
  std::string text_;
};

/// Takes the parser's events. Our own refusals stop the parser at once; the first of them is the answer.
class Reader {
 public:
  void attach(xmlParserCtxtPtr parser) { parser_ = parser; }

  void doctype() { refuse("it has a DOCTYPE, which is not allowed"); }

  void start_element(std::string_view name, std::string_view uri, std::size_t namespaces, int attribute_count,
                     const xmlChar** attributes) {
    const auto count = static_cast<std::size_t>(attribute_count);
    namespaces_ += namespaces;
    if (count > max_ovf_attributes)
      return refuse("an element has more than " + std::to_string(max_ovf_attributes) + " attributes");
    if (namespaces_ > max_ovf_namespaces)
      return refuse("it declares more than " + std::to_string(max_ovf_namespaces) + " namespaces");
    if (static_cast<std::size_t>(xmlDictSize(parser_->dict)) > max_ovf_names) {
      return refuse("it uses more than " + std::to_string(max_ovf_names) + " different names");
    }
    if (depth_ == max_ovf_depth) return refuse("elements are nested deeper than " + std::to_string(max_ovf_depth));
    if (!count_nodes(1 + namespaces + count)) return;
    if (depth_ == 0 && (name != "Envelope" || !is_ovf_namespace(uri))) return refuse(root_problem(name, uri));
    visit(name, is_ovf_namespace(uri), Attributes(attribute_count, attributes));
    // A refusal stops the parser, which then frees what the attributes lie in.
    if (refused()) return;
    deployment_.start_element(name, uri, Attributes(attribute_count, attributes));
    ++depth_;
  }

  void text(std::string_view piece) { deployment_.text(piece); }

  void end_element() {
    deployment_.end_element();
    --depth_;
    if (depth_ == 1) in_references_ = false;
  }

  void other_node() { count_nodes(1); }

  /// The parser's own complaint; the first one is kept, and counts only when the document turns out ill-formed.
  void complain(int at, std::string_view text) {
    if (!complaint_) complaint_ = invalid(std::max(at, line()), base::displayable(trimmed(text, white_space)));
  }

  void refuse(std::string reason) {
    if (error_) return;
    error_ = invalid(line(), std::move(reason));
    xmlStopParser(parser_);
  }

  bool refused() const { return error_.has_value(); }

  /// What was read, after the parser has seen everything or was stopped.
  Result<OvfDescriptor> take(bool well_formed) {
    if (error_) return *error_;
    if (!well_formed) return complaint_ ? *complaint_ : invalid(line(), "it is not well-formed XML");
    descriptor_.deployment = deployment_.take();
    return std::move(descriptor_);
  }

 private:
  int line() const { return parser_ != nullptr && parser_->input != nullptr ? std::max(parser_->input->line, 1) : 1; }

  bool count_nodes(std::size_t more) {
    nodes_ += more;
    if (nodes_ > max_ovf_nodes) refuse("it has more than " + std::to_string(max_ovf_nodes) + " nodes");
    return !refused();
  }

  void visit(std::string_view name, bool is_ovf, const Attributes& attributes) {
    if (!is_ovf) return;
    if (depth_ == 1 && name == "References") in_references_ = true;
    if (depth_ == 1 && (name == "VirtualSystem" || name == "VirtualSystemCollection") &&
        descriptor_.package_name.empty()) {
      descriptor_.package_name = attributes.find("id").value;
    }
    if (depth_ == 2 && in_references_ && name == "File") add_reference(attributes);
  }

  void add_reference(const Attributes& attributes) {
    OvfReference reference;
    const auto href = attributes.find("href");
    const auto compression = attributes.find("compression");
    if (href.times == 0) return refuse("a File has no href");
    if (href.times > 1 || compression.times > 1) return refuse("a File gives one attribute with and without namespace");
    if (is_url(href.value))
      return refuse("the href '" + base::displayable(href.value) +
                    "' is a URL, but a package's files lie beside its descriptor");
    reference.href = base::without_leading_dot(href.value);
    if (compression.times == 1) reference.compression = compression.value;
    if (!read_size(attributes, "size", reference.size) || !read_size(attributes, "chunkSize", reference.chunk_size))
      return;
    if (reference.chunk_size == 0U) return refuse("a File has the chunkSize 0");
    if (add_names(reference)) descriptor_.references.push_back(std::move(reference));
  }

  bool read_size(const Attributes& attributes, std::string_view name, std::optional<std::uint64_t>& size) {
    const auto found = attributes.find(name);
    if (found.times == 0) return true;
    if (found.times == 1) size = parse_size(found.value);
    if (!size) refuse("a File has an unusable " + std::string(name) + " '" + base::displayable(found.value, 80) + "'");
    return size.has_value();
  }

  /// Checks the href and every file that it stands for, and keeps their names to notice a second use.
  bool add_names(const OvfReference& reference);
  bool add_name(const std::string& name);

  xmlParserCtxtPtr parser_ = nullptr;
  OvfDescriptor descriptor_;
  DeploymentReader deployment_;
  std::set<std::string, std::less<>> hrefs_;
  std::set<std::string, std::less<>> files_;
  std::size_t nodes_ = 0;
  std::size_t namespaces_ = 0;
  std::size_t depth_ = 0;
  bool in_references_ = false;
  std::optional<Error> error_;
  std::optional<Error> complaint_;
};

std::uint64_t chunk_count(const OvfReference& reference) {
  const auto size = reference.size.value_or(0);
  const auto chunk = *reference.chunk_size;
  return std::max<std::uint64_t>(size / chunk + (size % chunk != 0 ? 1 : 0), 1);
}

std::uint64_t file_count(const OvfReference& reference) { return reference.chunk_size ? chunk_count(reference) : 1; }

std::string chunk_name(const std::string& href, std::uint64_t index) {
  auto digits = std::to_string(index);
  digits.insert(0, 9 - std::min<std::size_t>(digits.size(), 9), '0');
  return href + "." + digits;
}

void append_expected(const OvfReference& reference, std::vector<ExpectedFile>& files) {
  if (!reference.chunk_size) {
    files.push_back({reference.href, reference.size});
    return;
  }
  if (!reference.size) {
    files.push_back({chunk_name(reference.href, 0), std::nullopt});
    return;
  }
  auto left = *reference.size;
  for (std::uint64_t i = 0; i < chunk_count(reference); ++i) {
    const auto size = std::min(left, *reference.chunk_size);
    files.push_back({chunk_name(reference.href, i), size});
    left -= size;
  }
}

bool Reader::add_names(const OvfReference& reference) {
  if (auto problem = base::file_name_problem(reference.href)) {
    refuse("the href '" + base::displayable(reference.href) +
           "' is not the name of a file of the package: " + *problem);
    return false;
  }
  if (!hrefs_.insert(reference.href).second) {
    refuse("two Files have the href '" + base::displayable(reference.href) + "'");
    return false;
  }
  if (file_count(reference) > max_ovf_files - files_.size()) {
    refuse("it needs more than " + std::to_string(max_ovf_files) + " files");
    return false;
  }
  std::vector<ExpectedFile> files;
  append_expected(reference, files);
  return std::all_of(files.begin(), files.end(), [&](const auto& file) { return add_name(file.name); });
}

bool Reader::add_name(const std::string& name) {
  if (auto problem = base::file_name_problem(name)) {
    refuse("the name '" + base::displayable(name) + "' of a chunk cannot be used: " + *problem);
    return false;
  }
  if (!files_.insert(name).second) {
    refuse("two Files need the file '" + base::displayable(name) + "'");
    return false;
  }
  return true;
}

Reader& reader_of(void* data) { return *static_cast<Reader*>(data); }

// The callbacks are called through C, which no exception may cross: noexcept ends the process instead (out of memory).

void on_doctype(void* data, const xmlChar*, const xmlChar*, const xmlChar*) noexcept { reader_of(data).doctype(); }

void on_start_element(void* data, const xmlChar* name, const xmlChar*, const xmlChar* uri, int namespace_count,
                      const xmlChar**, int attribute_count, int, const xmlChar** attributes) noexcept {
  if (reader_of(data).refused()) return;
  reader_of(data).start_element(view(name), view(uri), static_cast<std::size_t>(namespace_count), attribute_count,
                                attributes);
}

void on_end_element(void* data, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
  if (!reader_of(data).refused()) reader_of(data).end_element();
}

void on_text(void* data, const xmlChar* text, int size) noexcept {
  if (!reader_of(data).refused())
    reader_of(data).text({reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)});
}

void on_comment(void* data, const xmlChar*) noexcept { reader_of(data).other_node(); }

void on_instruction(void* data, const xmlChar*, const xmlChar*) noexcept { reader_of(data).other_node(); }

void on_complaint(void* data, xmlErrorPtr error) noexcept {
  if (error->level >= XML_ERR_ERROR)
    reader_of(data).complain(error->line, error->message != nullptr ? error->message : "");
}

/// Says in other words what came as a complaint already.
void on_generic_complaint(void*, const char*, ...) noexcept {}

/// While it lives, what libxml2 has to complain about on this thread goes to the reader and not to stderr. Encoding
/// errors come without a parser, so a handler in the parser would miss them.
class Complaints {
 public:
  explicit Complaints(Reader& reader)
      : structured_(xmlStructuredError),
        structured_context_(xmlStructuredErrorContext),
        generic_(xmlGenericError),
        generic_context_(xmlGenericErrorContext) {
    xmlSetStructuredErrorFunc(&reader, on_complaint);
    xmlSetGenericErrorFunc(nullptr, on_generic_complaint);
  }
  ~Complaints() {
    xmlSetStructuredErrorFunc(structured_context_, structured_);
    xmlSetGenericErrorFunc(generic_context_, generic_);
  }
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;

 private:
  xmlStructuredErrorFunc structured_;
  void* structured_context_;
  xmlGenericErrorFunc generic_;
  void* generic_context_;
};

xmlSAXHandler events() {
  xmlSAXHandler handler = {};  // no entity and no external subset is ever resolved: nobody is asked
  handler.initialized = XML_SAX2_MAGIC;
  handler.internalSubset = on_doctype;
  handler.startElementNs = on_start_element;
  handler.endElementNs = on_end_element;
  handler.characters = on_text;
  handler.ignorableWhitespace = on_text;
  handler.cdataBlock = on_text;
  handler.comment = on_comment;
  handler.processingInstruction = on_instruction;
  return handler;
}

struct FreeParser {
  void operator()(xmlParserCtxtPtr parser) const {
    xmlFreeDoc(parser->myDoc);
    xmlFreeParserCtxt(parser);
  }
};

using Parser = std::unique_ptr<xmlParserCtxt, FreeParser>;

Parser make_parser(Reader& reader) {
  static const bool initialised = [] {
    xmlInitParser();
    return true;
  }();
  QUIRE_CHECK(initialised);
  auto handler = events();
  Parser parser(xmlCreatePushParserCtxt(&handler, &reader, nullptr, 0, nullptr));
  QUIRE_CHECK(parser != nullptr);
  // NOENT: without it `&amp;` in an attribute comes as `&#38;`. There are no entities but XML's own five.
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET | XML_PARSE_NOENT);
  reader.attach(parser.get());
  return parser;
}

/// Bytes that the parser holds and cannot take apart yet: the beginning of a tag, a comment, or the like.
std::size_t pending_bytes(const xmlParserCtxt& parser) {
  return parser.input == nullptr ? 0 : static_cast<std::size_t>(parser.input->end - parser.input->cur);
}

}  // namespace

Result<OvfDescriptor> parse_ovf_descriptor(std::span<const std::byte> bytes) {
  if (bytes.size() > max_ovf_bytes) return invalid(1, "it is larger than " + std::to_string(max_ovf_bytes) + " bytes");
  if (const auto kind = content_kind(bytes); kind && *kind != "an XML document")
    return invalid(1, "it is no XML document" + looks_like(bytes));
  Reader reader;
  const Complaints complaints(reader);
  const auto parser = make_parser(reader);
  auto rest = text_of(bytes);
  while (!rest.empty() && !reader.refused() && parser->wellFormed == 1) {
    const auto piece = rest.substr(0, piece_bytes);
    const int problem = xmlParseChunk(parser.get(), piece.data(), static_cast<int>(piece.size()), 0);
    // Bytes that cannot be converted do not always make the document ill-formed in the parser's own eyes.
    if (problem == XML_ERR_INVALID_ENCODING) reader.refuse("it is not in the encoding that it declares");
    rest.remove_prefix(piece.size());
    if (pending_bytes(*parser) > max_ovf_tag_bytes) {
      reader.refuse("a tag, comment or CDATA section is longer than " + std::to_string(max_ovf_tag_bytes) + " bytes");
    }
  }
  if (!reader.refused()) xmlParseChunk(parser.get(), nullptr, 0, 1);
  return reader.take(parser->wellFormed == 1 && parser->nsWellFormed == 1);
}

std::vector<ExpectedFile> expected_files(const OvfDescriptor& descriptor) {
  std::vector<ExpectedFile> files;
  for (const auto& reference : descriptor.references) append_expected(reference, files);
  return files;
}

}  // namespace quire::formats
