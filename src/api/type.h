#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace quire::api {

/// A password or token: shown as SECRET in JSON-RPC, as plain text in REST input, never logged.
struct Secret {
  std::string text;
  bool operator==(const Secret&) const = default;
};

/// A standard error as a value: why something went wrong that the answer tells of. Output only.
struct ErrorValue {
  base::ErrorKind kind = base::ErrorKind::error;
  std::vector<base::Message> messages;  ///< outermost first
};

enum class TypeKind {
  boolean,      ///< bool
  integer,      ///< std::int64_t
  string,       ///< std::string
  datetime,     ///< base::Time
  secret,       ///< Secret
  error,        ///< ErrorValue
  enumeration,  ///< a described enum class whose enumerators are spelled as on the wire
  optional,     ///< std::optional
  list,         ///< std::vector
  map,          ///< std::map<std::string, T>
  structure,    ///< a described struct
};

struct Type;

/// A member of a structure.
struct Field {
  std::string name;
  const Type* type = nullptr;
  const void* (*get)(const void* structure) = nullptr;
  void* (*get_mutable)(void* structure) = nullptr;
};

/// A runtime description of one C++ type: the wires, OpenAPI and tests walk it instead of being templates
/// (architecture.md "Describe once, read many times"). Objects are passed as untyped pointers to a value of
/// exactly this type. Only the members that belong to `kind` are set. Immutable; lives as long as the process.
struct Type {
  TypeKind kind = TypeKind::structure;

  /// structure: canonical name, `com.vmware.content.library_model`; enumeration: its canonical name.
  std::string name;

  // structure
  std::vector<Field> fields;
  bool dynamic = false;  ///< REST names it in a member `@class`, as the receiver does not know which one comes

  // enumeration
  std::vector<std::string> enumerators;
  std::string_view (*enumerator)(const void* value) = nullptr;
  bool (*set_enumerator)(void* value, std::string_view name) = nullptr;  ///< false: no such enumerator

  // optional, list, map
  const Type* element = nullptr;

  // optional
  const void* (*value)(const void* optional) = nullptr;  ///< nullptr when unset
  void* (*emplace)(void* optional) = nullptr;            ///< sets a default value and returns it

  // list and map
  std::size_t (*size)(const void* container) = nullptr;
  const void* (*at)(const void* container, std::size_t index) = nullptr;  ///< list: element; map: value, in key order
  // list
  void* (*append)(void* list) = nullptr;  ///< adds a default element and returns it
  // map
  std::string_view (*key_at)(const void* map, std::size_t index) = nullptr;
  void* (*insert)(void* map, std::string_view key) = nullptr;  ///< nullptr when the key is there already
};

}  // namespace quire::api
