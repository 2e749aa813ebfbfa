#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/enumeration.h"
#include "content/ids.h"

/// Tags that users put on libraries, items and datastores (wire-protocols.md §3.7).
namespace quire::content {

/// How many tags of a category an object may have. Spelled as on the wire.
QUIRE_ENUM(TagCardinality, SINGLE, MULTIPLE)

struct TagCategory {
  TagCategoryId id;
  std::string name;  ///< once in the catalog
  std::string description;
  TagCardinality cardinality = TagCardinality::SINGLE;
  std::vector<std::string> associable_types;  ///< of objects that take its tags; empty: all
  bool operator==(const TagCategory&) const = default;
};

struct Tag {
  TagId id;
  TagCategoryId category;
  std::string name;  ///< once in its category
  std::string description;
  bool operator==(const Tag&) const = default;
};

struct TagAttachment {
  TagId tag;
  std::string object_type;  ///< `com.vmware.content.Library`
  std::string object;       ///< its identifier
  bool operator==(const TagAttachment&) const = default;
};

/// Looks at what it is made of, so it is used in the call only.
struct TagAttachmentKey {
  const TagId& tag;
  std::string_view object_type;
  std::string_view object;
};

inline constexpr std::string_view library_object_type = "com.vmware.content.Library";
inline constexpr std::string_view item_object_type = "com.vmware.content.library.Item";

}  // namespace quire::content
