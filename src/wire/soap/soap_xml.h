#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace quire::wire {

/// An element of a parsed request. Attributes in a namespace (`xsi:type`) are left out: no request needs them.
struct XmlElement {
  std::string space;  ///< namespace URI
  std::string name;   ///< local name
  std::string text;   ///< its own character data, joined, white space as sent
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<XmlElement> children;

  /// The first child of that local name, or nullptr.
  const XmlElement* child(std::string_view local_name) const;
  /// Empty when it is not there.
  std::string_view attribute(std::string_view local_name) const;
  std::string_view trimmed_text() const;
};

/// Bounds on a document; its length is bounded by who read it.
struct XmlLimits {
  std::size_t depth_max = 64;
  std::size_t elements_max = 10'000;
  std::size_t attributes_max = 64;  ///< of one element, namespace declarations included
};

/// The root element of a UTF-8 document. InvalidRequest for anything that is not well-formed, declares a document type
/// (and so for every entity but the five predefined ones) or breaks a limit. Opens no file and no connection, and
/// prints nothing. All threads may call it.
base::Result<XmlElement> read_xml(std::string_view document, const XmlLimits& limits = {});

/// Writes a document from the front. What it is given as text or value is escaped, and characters that XML cannot hold
/// become U+FFFD, so the result is well-formed whatever the input. Names are ours and must be XML names.
class XmlWriter {
 public:
  XmlWriter();

  void open(std::string_view name);
  /// Only right after open().
  void attribute(std::string_view name, std::string_view value);
  void text(std::string_view text);
  void close();
  /// An element that holds only `text`.
  void leaf(std::string_view name, std::string_view text);

  /// The document; every element must be closed.
  std::string finish() &&;

 private:
  void end_start_tag();

  std::string document_;
  std::vector<std::string> open_;
  bool in_start_tag_ = false;
};

}  // namespace quire::wire
