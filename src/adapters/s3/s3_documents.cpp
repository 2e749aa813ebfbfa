#include "adapters/s3/s3_documents.h"

#include <libxml/entities.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/decimal.h"
#include "base/time.h"
#include "base/uri.h"

namespace quire::adapters::s3 {
namespace {

using Document = std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)>;
using XmlText = std::unique_ptr<xmlChar, decltype(xmlFree)>;

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

/// nullptr unless it is well-formed, its root is `root`, and it declares no document type (and so no entities). No file
/// or connection is opened, and nothing printed.
Document read_document(std::string_view text, std::string_view root) {
  static const bool initialised = [] {
    xmlInitParser();
    return true;
  }();
  QUIRE_CHECK(initialised);
  Document document(nullptr, &xmlFreeDoc);
  if (text.empty() || text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return document;
  document.reset(xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                               XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (document == nullptr || document->intSubset != nullptr) return {nullptr, &xmlFreeDoc};
  const auto* element = xmlDocGetRootElement(document.get());
  if (element == nullptr || view(element->name) != root) return {nullptr, &xmlFreeDoc};
  return document;
}

/// The children of an element that are elements called `name`, in whatever namespace: not all servers write S3's.
std::vector<const xmlNode*> children(const xmlNode* element, std::string_view name) {
  std::vector<const xmlNode*> found;
  for (const auto* child = element->children; child != nullptr; child = child->next)
    if (child->type == XML_ELEMENT_NODE && view(child->name) == name) found.push_back(child);
  return found;
}

/// The text of the first child called `name`; nullopt when there is none.
std::optional<std::string> text_of(const xmlNode* element, std::string_view name) {
  const auto found = children(element, name);
  if (found.empty()) return std::nullopt;
  const XmlText text(xmlNodeGetContent(found.front()), xmlFree);
  return std::string(view(text.get()));
}

/// By `encoding-type=url`, in which a blank may be a plus sign.
std::optional<std::string> decoded_key(std::string key) {
  std::replace(key.begin(), key.end(), '+', ' ');
  return base::percent_decode(key);
}

std::optional<content::ObjectStore::Listed> read_listed(const xmlNode* element, bool is_encoded) {
  auto key = text_of(element, "Key");
  if (key && is_encoded) key = decoded_key(*std::move(key));
  const auto size = base::parse_decimal(text_of(element, "Size").value_or(""));
  const auto modified = base::parse_time(text_of(element, "LastModified").value_or(""));
  if (!key || key->empty() || !size || !modified) return std::nullopt;
  return content::ObjectStore::Listed{*std::move(key), *size, *modified};
}

}  // namespace

std::optional<ErrorDocument> read_error(std::string_view document) {
  const auto read = read_document(document, "Error");
  if (read == nullptr) return std::nullopt;
  const auto* root = xmlDocGetRootElement(read.get());
  return ErrorDocument{text_of(root, "Code").value_or(""), text_of(root, "Message").value_or(""),
                       text_of(root, "Region").value_or("")};
}

std::optional<content::ObjectStore::Page> read_list(std::string_view document) {
  const auto read = read_document(document, "ListBucketResult");
  if (read == nullptr) return std::nullopt;
  const auto* root = xmlDocGetRootElement(read.get());
  const bool is_encoded = text_of(root, "EncodingType") == "url";
  content::ObjectStore::Page page;
  for (const auto* element : children(root, "Contents")) {
    auto listed = read_listed(element, is_encoded);
    if (!listed) return std::nullopt;
    page.objects.push_back(*std::move(listed));
  }
  const auto truncated = text_of(root, "IsTruncated");
  if (truncated != "true" && truncated != "false") return std::nullopt;
  if (truncated == "false") return page;
  page.next = text_of(root, "NextContinuationToken").value_or("");
  if (page.next.empty()) return std::nullopt;  // it would look like the last page
  return page;
}

std::string delete_document(std::span<const std::string> keys) {
  std::string document =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
  for (const auto& key : keys) {
    const XmlText escaped(xmlEncodeSpecialChars(nullptr, reinterpret_cast<const xmlChar*>(key.c_str())), xmlFree);
    QUIRE_CHECK(escaped != nullptr);
    document.append("<Object><Key>").append(view(escaped.get())).append("</Key></Object>");
  }
  return document + "</Delete>";
}

std::optional<std::vector<DeleteFailure>> read_delete_failures(std::string_view document) {
  const auto read = read_document(document, "DeleteResult");
  if (read == nullptr) return std::nullopt;
  std::vector<DeleteFailure> failures;
  for (const auto* element : children(xmlDocGetRootElement(read.get()), "Error"))
    failures.push_back({text_of(element, "Key").value_or(""), text_of(element, "Code").value_or("")});
  return failures;
}

}  // namespace quire::adapters::s3
