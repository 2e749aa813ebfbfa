#include "wire/soap/soap_xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/utf8.h"

namespace quire::wire {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::string_view white_space = " \t\r\n";

Error refuse(std::string reason) {
  return {ErrorKind::invalid_request,
          "quire.soap.xml.invalid",
          "The request is not a document that this server reads: {reason}.",
          {{"reason", std::move(reason)}}};
}

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

/// Builds the tree from the parser's calls. A parent's `children` do not grow while one of them is open, so the
/// pointers in `open` stay good.
struct TreeBuilder {
  xmlParserCtxt* parser;
  const XmlLimits& limits;
  std::optional<XmlElement> root;
  std::vector<XmlElement*> open;
  std::size_t elements = 0;
  std::string refusal;

  void stop(std::string reason) {
    if (refusal.empty()) refusal = std::move(reason);
    xmlStopParser(parser);
  }

  void start(std::string_view name, std::string_view space, std::size_t attribute_count, const xmlChar** attributes) {
    if (!refusal.empty()) return;
    if (++elements > limits.elements_max) return stop("it has too many elements");
    if (open.size() >= limits.depth_max) return stop("it is nested too deeply");
    XmlElement* element = nullptr;
    if (open.empty()) {
      element = &root.emplace();
    } else {
      element = &open.back()->children.emplace_back();
    }
    element->name = name;
    element->space = space;
    for (std::size_t i = 0; i < attribute_count; ++i) {
      // Five pointers each: local name, prefix, namespace, start and end of the value.
      const xmlChar** attribute = attributes + i * 5;
      if (attribute[2] != nullptr) continue;
      element->attributes.emplace_back(view(attribute[0]),
                                       std::string(reinterpret_cast<const char*>(attribute[3]),
                                                   static_cast<std::size_t>(attribute[4] - attribute[3])));
    }
    open.push_back(element);
  }

  void text(std::string_view characters) {
    if (refusal.empty() && !open.empty()) open.back()->text.append(characters);
  }

  void end() {
    if (refusal.empty() && !open.empty()) open.pop_back();
  }
};

TreeBuilder& builder(void* context) { return *static_cast<TreeBuilder*>(context); }

void on_start(void* context, const xmlChar* name, const xmlChar*, const xmlChar* space, int, const xmlChar**,
              int attribute_count, int, const xmlChar** attributes) {
  builder(context).start(view(name), view(space), static_cast<std::size_t>(attribute_count), attributes);
}

void on_end(void* context, const xmlChar*, const xmlChar*, const xmlChar*) { builder(context).end(); }

void on_text(void* context, const xmlChar* characters, int length) {
  builder(context).text({reinterpret_cast<const char*>(characters), static_cast<std::size_t>(length)});
}

/// Comes before the declarations inside the document type are read, so none of them takes effect.
void on_document_type(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  builder(context).stop("it declares a document type");
}

void ignore_problem(void*, xmlError*) {}

xmlSAXHandler tree_building_handler() {
  xmlSAXHandler handler{};
  handler.initialized = XML_SAX2_MAGIC;
  handler.startElementNs = on_start;
  handler.endElementNs = on_end;
  handler.characters = on_text;
  handler.cdataBlock = on_text;
  handler.internalSubset = on_document_type;
  handler.serror = ignore_problem;  // without it libxml2 prints on stderr
  return handler;
}

bool may_stand_in_xml(char32_t point) {
  return point == '\t' || point == '\n' || point == '\r' || (point >= 0x20 && point != 0xFFFE && point != 0xFFFF);
}

/// Well-formed UTF-8 of characters that XML allows: no zero bytes, so nothing that libxml2 could take for another
/// encoding.
bool is_xml_text(std::string_view text) {
  while (!text.empty()) {
    const auto point = base::take_code_point(text);
    if (!point || !may_stand_in_xml(*point)) return false;
  }
  return true;
}

/// libxml2 compares every attribute of an element with every other. `<` cannot stand in a start tag after its first
/// character, so the equals signs up to the next `<` bound the attributes from above. Text may hold many, but no
/// request that we know has such text.
bool has_too_many_attributes(std::string_view document, std::size_t max) {
  std::size_t count = 0;
  for (const char c : document) {
    if (c == '<') count = 0;
    if (c == '=' && ++count > max) return true;
  }
  return false;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::string_view before = text;
    const auto point = base::take_code_point(text);
    if (!point) {
      out += "\uFFFD";
      text.remove_prefix(1);
    } else if (!may_stand_in_xml(*point)) {
      out += "\uFFFD";
    } else if (*point == '&') {
      out += "&amp;";
    } else if (*point == '<') {
      out += "&lt;";
    } else if (*point == '>') {
      out += "&gt;";
    } else if (*point == '"') {
      out += "&quot;";
    } else if (*point < 0x20) {  // as they are, readers would turn them into line ends or blanks
      out += "&#" + std::to_string(static_cast<unsigned>(*point)) + ";";
    } else {
      out += before.substr(0, before.size() - text.size());
    }
  }
}

bool is_ascii_xml_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == ':' || c == '-' || c == '.';
  });
}

}  // namespace

const XmlElement* XmlElement::child(std::string_view local_name) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const XmlElement& element) { return element.name == local_name; });
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::attribute(std::string_view local_name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const auto& attribute) { return attribute.first == local_name; });
  return found == attributes.end() ? std::string_view{} : found->second;
}

std::string_view XmlElement::trimmed_text() const {
  const std::string_view all = text;
  const auto first = all.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return all.substr(first, all.find_last_not_of(white_space) - first + 1);
}

Result<XmlElement> read_xml(std::string_view document, const XmlLimits& limits) {
  if (document.empty()) return refuse("it is empty");
  if (document.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return refuse("it is too long");
  if (!is_xml_text(document)) return refuse("it is not UTF-8 text");
  if (has_too_many_attributes(document, limits.attributes_max)) return refuse("an element has too many attributes");

  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(
      xmlCreateMemoryParserCtxt(document.data(), static_cast<int>(document.size())), xmlFreeParserCtxt);
  if (!parser) return base::internal_error("libxml2 made no parser");
  // The declared encoding is ignored: the text is UTF-8 already, and no other decoder shall ever run. NOENT means that
  // the five predefined entities arrive as characters also in attributes; there are no others without a document type.
  xmlCtxtUseOptions(parser.get(),
                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
  TreeBuilder tree{.parser = parser.get(), .limits = limits, .root = {}, .open = {}, .refusal = {}};
  *parser->sax = tree_building_handler();
  parser->userData = &tree;
  xmlParseDocument(parser.get());

  if (!tree.refusal.empty()) return refuse(std::move(tree.refusal));
  if (parser->wellFormed != 1 || parser->nsWellFormed != 1 || !tree.root || !tree.open.empty()) {
    return refuse("it is not well-formed XML");
  }
  return std::move(*tree.root);
}

XmlWriter::XmlWriter() : document_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

void XmlWriter::open(std::string_view name) {
  QUIRE_CHECK(is_ascii_xml_name(name));
  end_start_tag();
  document_.append("<").append(name);
  open_.emplace_back(name);
  in_start_tag_ = true;
}

void XmlWriter::attribute(std::string_view name, std::string_view value) {
  QUIRE_CHECK(in_start_tag_ && is_ascii_xml_name(name));
  document_.append(" ").append(name).append("=\"");
  append_escaped(document_, value);
  document_ += '"';
}

void XmlWriter::text(std::string_view text) {
  if (text.empty()) return;
  end_start_tag();
  append_escaped(document_, text);
}

void XmlWriter::close() {
  QUIRE_CHECK(!open_.empty());
  if (in_start_tag_) {
    document_ += "/>";
    in_start_tag_ = false;
  } else {
    document_.append("</").append(open_.back()).append(">");
  }
  open_.pop_back();
}

void XmlWriter::leaf(std::string_view name, std::string_view content) {
  open(name);
  text(content);
  close();
}

std::string XmlWriter::finish() && {
  QUIRE_CHECK(open_.empty());
  return std::move(document_);
}

void XmlWriter::end_start_tag() {
  if (in_start_tag_) document_ += '>';
  in_start_tag_ = false;
}

}  // namespace quire::wire
