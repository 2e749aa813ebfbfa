#include "client/json_reading.h"

namespace quire::client {

namespace json = boost::json;

const json::value* find_member(const json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

std::string text_at(const json::value& value, std::string_view name) {
  const auto* found = find_member(value, name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::optional<std::int64_t> number_at(const json::value& value, std::string_view name) {
  const auto* found = find_member(value, name);
  return found != nullptr && found->is_int64() ? std::optional(found->get_int64()) : std::nullopt;
}

bool flag_at(const json::value& value, std::string_view name) {
  const auto* found = find_member(value, name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

const json::array& elements_of(const json::value& value) {
  static const json::array none;
  return value.is_array() ? value.get_array() : none;
}

json::object object_of(const json::value& value) { return value.is_object() ? value.get_object() : json::object(); }

std::vector<std::string> texts_of(const json::value& value) {
  std::vector<std::string> texts;
  for (const auto& element : elements_of(value))
    if (element.is_string()) texts.emplace_back(element.get_string());
  return texts;
}

std::string message_at(const json::value& value, std::string_view name) {
  const auto* found = find_member(value, name);
  return found == nullptr ? std::string() : text_at(*found, "default_message");
}

}  // namespace quire::client
