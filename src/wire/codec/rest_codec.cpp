#include "wire/codec/rest_codec.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "wire/codec/error_table.h"
#include "wire/codec/scalar_codec.h"

namespace quire::wire {
namespace {

namespace json = boost::json;
using api::TypeKind;
using base::Result;

Result<void> decode_structure(const json::value& value, const api::Type& type, void* target, RestForm form,
                              const InputPath& path) {
  const auto* object = value.if_object();
  if (!object) return wrong_value(path, "an object");
  for (const auto& field : type.fields) {
    const InputPath member{&path, field.name};
    const auto* found = object->if_contains(field.name);
    if (found && !found->is_null()) {
      if (auto done = decode_rest(*found, *field.type, field.get_mutable(target), form, member); !done) return done;
    } else if (field.type->kind != TypeKind::optional) {
      return required(member);
    }
  }
  return {};
}

Result<void> decode_list(const json::value& value, const api::Type& type, void* target, RestForm form,
                         const InputPath& path) {
  const auto* array = value.if_array();
  if (!array) return wrong_value(path, "an array");
  if (array->size() > elements_max) return too_many_elements(path);
  for (std::size_t i = 0; i < array->size(); ++i) {
    const InputPath element{&path, {}, i};
    if ((*array)[i].is_null()) return required(element);
    if (auto done = decode_rest((*array)[i], *type.element, type.append(target), form, element); !done) return done;
  }
  return {};
}

Result<void> decode_entry(std::string_view key, const json::value& value, const api::Type& type, void* target,
                          RestForm form, const InputPath& path) {
  const InputPath entry{&path, key};
  if (!base::is_text(key)) return wrong_value(path, "a map whose keys hold no character U+0000");
  void* place = type.insert(target, key);
  if (!place) return wrong_value(path, "a map with each key once");
  if (value.is_null()) return required(entry);
  return decode_rest(value, *type.element, place, form, entry);
}

Result<void> decode_map(const json::value& value, const api::Type& type, void* target, RestForm form,
                        const InputPath& path) {
  if (form == RestForm::current) {
    const auto* object = value.if_object();
    if (!object) return wrong_value(path, "an object");
    if (object->size() > elements_max) return too_many_elements(path);
    for (const auto& member : *object)
      if (auto done = decode_entry(member.key(), member.value(), type, target, form, path); !done) return done;
    return {};
  }
  const auto* array = value.if_array();
  if (!array) return wrong_value(path, "an array of objects with key and value");
  if (array->size() > elements_max) return too_many_elements(path);
  for (const auto& element : *array) {
    const auto* pair = element.if_object();
    const auto* key = pair ? pair->if_contains("key") : nullptr;
    const auto* mapped = pair ? pair->if_contains("value") : nullptr;
    if (!key || !key->is_string() || !mapped) return wrong_value(path, "an array of objects with key and value");
    const std::string_view name(key->get_string().data(), key->get_string().size());
    if (auto done = decode_entry(name, *mapped, type, target, form, path); !done) return done;
  }
  return {};
}

json::value encode_map(const api::Type& type, const void* value, RestForm form, const json::storage_ptr& memory) {
  if (form == RestForm::current) {
    json::object object(memory);
    for (std::size_t i = 0; i < type.size(value); ++i)
      object.emplace(type.key_at(value, i), encode_rest(*type.element, type.at(value, i), form, memory));
    return object;
  }
  json::array array(memory);
  for (std::size_t i = 0; i < type.size(value); ++i) {
    json::object pair(memory);
    pair.emplace("key", type.key_at(value, i));
    pair.emplace("value", encode_rest(*type.element, type.at(value, i), form, memory));
    array.push_back(std::move(pair));
  }
  return array;
}

bool begins_with_member(std::string_view parameter, std::string_view name) {
  return parameter.size() > name.size() && parameter.substr(0, name.size()) == name && parameter[name.size()] == '.';
}

bool is_in_query(const std::vector<QueryParameter>& query, const std::string& name) {
  for (const auto& parameter : query)
    if (parameter.name == name || begins_with_member(parameter.name, name)) return true;
  return false;
}

Result<void> decode_query_scalar(const std::vector<QueryParameter>& query, const std::string& name,
                                 const api::Type& type, void* target, std::vector<bool>& used) {
  const InputPath path{nullptr, name};
  bool found = false;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query[i].name != name) continue;
    if (found) return wrong_value(path, "given once");
    found = used[i] = true;
    if (auto done = decode_scalar(query[i].value, type, target, path); !done) return done;
  }
  if (!found) return required(path);
  return {};
}

/// In the order in which they stand; the numbers of `name.1` only have to be numbers.
Result<void> decode_query_list(const std::vector<QueryParameter>& query, const std::string& name, const api::Type& type,
                               void* target, std::vector<bool>& used) {
  const InputPath path{nullptr, name};
  if (!is_scalar(*type.element)) return wrong_value(path, "left out: a query cannot hold it");
  std::size_t count = 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    const auto& given = query[i].name;
    const bool numbered =
        begins_with_member(given, name) && given.find_first_not_of("0123456789", name.size() + 1) == std::string::npos;
    if (given != name && !numbered) continue;
    used[i] = true;
    const InputPath element{&path, {}, count++};
    if (auto done = decode_scalar(query[i].value, *type.element, type.append(target), element); !done) return done;
  }
  if (count == 0) return required(path);
  return {};
}

}  // namespace

Result<void> decode_rest(const json::value& value, const api::Type& type, void* target, RestForm form,
                         const InputPath& path) {
  switch (type.kind) {
    case TypeKind::optional:
      if (value.is_null()) return {};
      return decode_rest(value, *type.element, type.emplace(target), form, path);
    case TypeKind::structure:
      return decode_structure(value, type, target, form, path);
    case TypeKind::list:
      return decode_list(value, type, target, form, path);
    case TypeKind::map:
      return decode_map(value, type, target, form, path);
    default:
      return decode_scalar(value, type, target, path);
  }
}

json::value encode_rest(const api::Type& type, const void* value, RestForm form, json::storage_ptr memory) {
  switch (type.kind) {
    case TypeKind::optional: {
      const void* inner = type.value(value);
      return inner ? encode_rest(*type.element, inner, form, memory) : json::value(nullptr, memory);
    }
    case TypeKind::structure: {
      json::object object(memory);
      if (type.dynamic) object.emplace("@class", type.name);
      for (const auto& field : type.fields) {
        const void* member = field.get(value);
        if (field.type->kind == TypeKind::optional && !field.type->value(member)) continue;
        object.emplace(field.name, encode_rest(*field.type, member, form, memory));
      }
      return object;
    }
    case TypeKind::list: {
      json::array array(memory);
      array.reserve(type.size(value));
      for (std::size_t i = 0; i < type.size(value); ++i)
        array.push_back(encode_rest(*type.element, type.at(value, i), form, memory));
      return array;
    }
    case TypeKind::map:
      return encode_map(type, value, form, memory);
    case TypeKind::error:
      return json::value(rest_error_body(error_of(*static_cast<const api::ErrorValue*>(value)), form), memory);
    default:
      return encode_scalar(type, value, std::move(memory));
  }
}

Result<void> decode_query(const std::vector<QueryParameter>& query, const std::string& name, const api::Type& type,
                          void* target, std::vector<bool>& used) {
  QUIRE_CHECK(used.size() == query.size());
  switch (type.kind) {
    case TypeKind::optional:
      if (!is_in_query(query, name)) return {};
      return decode_query(query, name, *type.element, type.emplace(target), used);
    case TypeKind::structure:
      for (const auto& field : type.fields) {
        const auto member = name + "." + field.name;
        if (auto done = decode_query(query, member, *field.type, field.get_mutable(target), used); !done) return done;
      }
      return {};
    case TypeKind::list:
      return decode_query_list(query, name, type, target, used);
    case TypeKind::map:
      return wrong_value(InputPath{nullptr, name}, "left out: a query cannot hold it");
    default:
      return decode_query_scalar(query, name, type, target, used);
  }
}

}  // namespace quire::wire
