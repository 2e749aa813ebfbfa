#include "wire/codec/scalar_codec.h"

#include <charconv>
#include <string>

#include "base/check.h"
#include "base/time.h"
#include "base/utf8.h"

namespace quire::wire {
namespace {

namespace json = boost::json;
using api::TypeKind;

std::string_view expected(TypeKind kind) {
  switch (kind) {
    case TypeKind::boolean:
      return "true or false";
    case TypeKind::integer:
      return "an integer of at most 64 bits";
    case TypeKind::datetime:
      return "a date and time like 2026-02-11T08:04:17.512Z";
    default:
      return "a string without the character U+0000";
  }
}

std::string choices(const api::Type& type) {
  std::string text = "one of ";
  for (const auto& name : type.enumerators) {
    if (&name != &type.enumerators.front()) text += ", ";
    text += name;
  }
  return text;
}

base::Result<void> decode_text(std::string_view text, const api::Type& type, void* target, const InputPath& path) {
  if (type.kind == TypeKind::enumeration) {
    if (!type.set_enumerator(target, text)) return wrong_value(path, choices(type));
    return {};
  }
  if (type.kind == TypeKind::datetime) {
    const auto time = base::parse_time(text);
    if (!time) return wrong_value(path, expected(type.kind));
    *static_cast<base::Time*>(target) = *time;
    return {};
  }
  if (!base::is_text(text)) return wrong_value(path, expected(type.kind));
  if (type.kind == TypeKind::secret)
    static_cast<api::Secret*>(target)->text = text;
  else
    *static_cast<std::string*>(target) = text;
  return {};
}

}  // namespace

bool is_scalar(const api::Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
    case TypeKind::integer:
    case TypeKind::string:
    case TypeKind::datetime:
    case TypeKind::secret:
    case TypeKind::enumeration:
      return true;
    default:
      return false;
  }
}

base::Result<void> decode_scalar(const json::value& value, const api::Type& type, void* target, const InputPath& path) {
  QUIRE_CHECK(is_scalar(type));
  if (type.kind == TypeKind::boolean) {
    if (!value.is_bool()) return wrong_value(path, expected(type.kind));
    *static_cast<bool*>(target) = value.get_bool();
    return {};
  }
  if (type.kind == TypeKind::integer) {  // Boost.JSON gives int64 to every integer that fits one
    if (!value.is_int64()) return wrong_value(path, expected(type.kind));
    *static_cast<std::int64_t*>(target) = value.get_int64();
    return {};
  }
  if (!value.is_string())
    return wrong_value(path, type.kind == TypeKind::enumeration ? choices(type) : std::string(expected(type.kind)));
  const auto& text = value.get_string();
  return decode_text(std::string_view(text.data(), text.size()), type, target, path);
}

base::Result<void> decode_scalar(std::string_view text, const api::Type& type, void* target, const InputPath& path) {
  QUIRE_CHECK(is_scalar(type));
  if (type.kind == TypeKind::boolean) {
    if (text != "true" && text != "false") return wrong_value(path, expected(type.kind));
    *static_cast<bool*>(target) = text == "true";
    return {};
  }
  if (type.kind == TypeKind::integer) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return wrong_value(path, expected(type.kind));
    *static_cast<std::int64_t*>(target) = number;
    return {};
  }
  return decode_text(text, type, target, path);
}

json::value encode_scalar(const api::Type& type, const void* value, json::storage_ptr memory) {
  switch (type.kind) {
    case TypeKind::boolean:
      return json::value(*static_cast<const bool*>(value), std::move(memory));
    case TypeKind::integer:
      return json::value(*static_cast<const std::int64_t*>(value), std::move(memory));
    case TypeKind::string:
      return json::value(*static_cast<const std::string*>(value), std::move(memory));
    case TypeKind::datetime:
      return json::value(base::to_text(*static_cast<const base::Time*>(value)), std::move(memory));
    case TypeKind::secret:
      return json::value(static_cast<const api::Secret*>(value)->text, std::move(memory));
    case TypeKind::enumeration:
      return json::value(type.enumerator(value), std::move(memory));
    default:
      QUIRE_CHECK(is_scalar(type));
      return nullptr;
  }
}

}  // namespace quire::wire
