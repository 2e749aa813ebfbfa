#include "wire/codec/vapi_codec.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "base/utf8.h"
#include "wire/codec/error_table.h"
#include "wire/codec/scalar_codec.h"

namespace quire::wire {
namespace {

namespace json = boost::json;
using api::TypeKind;
using base::Result;

constexpr std::string_view map_entry = "map-entry";

/// The only member of an object with one member, if it has that name.
const json::value* wrapped_in(const json::value& value, std::string_view wrapper) {
  const auto* object = value.if_object();
  return object && object->size() == 1 ? object->if_contains(wrapper) : nullptr;
}

json::value wrap(std::string_view wrapper, json::value value) {
  json::object object;
  object.emplace(wrapper, std::move(value));
  return object;
}

/// nullptr when there is no value: missing, null or an OPTIONAL of null.
const json::value* present(const json::value* value) {
  if (value) {
    if (const auto* inner = wrapped_in(*value, "OPTIONAL")) value = inner;
  }
  return value && !value->is_null() ? value : nullptr;
}

Result<void> decode_present(const json::value& value, const api::Type& type, void* target, const InputPath& path);

Result<void> decode_member(const json::value* value, const api::Type& type, void* target, const InputPath& path) {
  const auto* given = present(value);
  if (!given) {
    if (type.kind == TypeKind::optional) return {};
    return required(path);
  }
  return decode_present(*given, type, target, path);
}

Result<void> decode_structure(const json::value& value, const api::Type& type, void* target, const InputPath& path) {
  const auto* fields = structure_fields(value);
  if (!fields) return wrong_value(path, "a STRUCTURE");
  for (const auto& field : type.fields) {
    auto done = decode_member(fields->if_contains(field.name), *field.type, field.get_mutable(target),
                              InputPath{&path, field.name});
    if (!done) return done;
  }
  return {};
}

Result<void> decode_list(const json::value& value, const api::Type& type, void* target, const InputPath& path) {
  const auto* array = value.if_array();
  if (!array) return wrong_value(path, "an array");
  if (array->size() > elements_max) return too_many_elements(path);
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto done = decode_member(&(*array)[i], *type.element, type.append(target), InputPath{&path, {}, i});
    if (!done) return done;
  }
  return {};
}

Result<void> decode_map(const json::value& value, const api::Type& type, void* target, const InputPath& path) {
  const auto* array = value.if_array();
  if (!array) return wrong_value(path, "an array of map-entry structures");
  if (array->size() > elements_max) return too_many_elements(path);
  for (const auto& element : *array) {
    const auto* fields = structure_fields(element);
    const auto* key = fields ? present(fields->if_contains("key")) : nullptr;
    if (!key || !key->is_string()) return wrong_value(path, "an array of map-entry structures");
    const std::string_view name(key->get_string().data(), key->get_string().size());
    if (!base::is_text(name)) return wrong_value(path, "a map whose keys hold no character U+0000");
    void* place = type.insert(target, name);
    if (!place) return wrong_value(path, "a map with each key once");
    if (auto done = decode_member(fields->if_contains("value"), *type.element, place, InputPath{&path, name}); !done)
      return done;
  }
  return {};
}

Result<void> decode_present(const json::value& value, const api::Type& type, void* target, const InputPath& path) {
  switch (type.kind) {
    case TypeKind::optional:
      return decode_present(value, *type.element, type.emplace(target), path);
    case TypeKind::structure:
      return decode_structure(value, type, target, path);
    case TypeKind::list:
      return decode_list(value, type, target, path);
    case TypeKind::map:
      return decode_map(value, type, target, path);
    case TypeKind::secret:
      if (const auto* text = wrapped_in(value, "SECRET")) return decode_scalar(*text, type, target, path);
      return decode_scalar(value, type, target, path);
    default:
      return decode_scalar(value, type, target, path);
  }
}

}  // namespace

const json::object* structure_fields(const json::value& value) {
  const auto* named = wrapped_in(value, "STRUCTURE");
  const auto* object = named ? named->if_object() : nullptr;
  return object && object->size() == 1 ? object->begin()->value().if_object() : nullptr;
}

Result<void> decode_vapi(const json::value& value, const api::Type& type, void* target, const InputPath& path) {
  return decode_member(&value, type, target, path);
}

json::value encode_vapi(const api::Type& type, const void* value) {
  switch (type.kind) {
    case TypeKind::optional: {
      const void* inner = type.value(value);
      return wrap("OPTIONAL", inner ? encode_vapi(*type.element, inner) : json::value(nullptr));
    }
    case TypeKind::structure: {
      json::object fields;
      for (const auto& field : type.fields) fields.emplace(field.name, encode_vapi(*field.type, field.get(value)));
      return wrap("STRUCTURE", wrap(type.name, std::move(fields)));
    }
    case TypeKind::list: {
      json::array array;
      array.reserve(type.size(value));
      for (std::size_t i = 0; i < type.size(value); ++i) array.push_back(encode_vapi(*type.element, type.at(value, i)));
      return array;
    }
    case TypeKind::map: {
      json::array entries;
      for (std::size_t i = 0; i < type.size(value); ++i) {
        json::object fields;
        fields.emplace("key", type.key_at(value, i));
        fields.emplace("value", encode_vapi(*type.element, type.at(value, i)));
        entries.push_back(wrap("STRUCTURE", wrap(map_entry, std::move(fields))));
      }
      return entries;
    }
    case TypeKind::secret:
      return wrap("SECRET", encode_scalar(type, value));
    case TypeKind::error:
      return vapi_error(error_of(*static_cast<const api::ErrorValue*>(value)));
    default:
      return encode_scalar(type, value);
  }
}

}  // namespace quire::wire
