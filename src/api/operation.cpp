#include "api/operation.h"

#include <algorithm>

#include "api/operations.h"
#include "api/structures.h"

namespace quire::api {

const std::vector<Operation>& all_operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> operations;
    add_session_operations(operations);
    add_configuration_operations(operations);
    add_library_operations(operations);
    add_item_operations(operations);
    add_update_session_operations(operations);
    add_download_session_operations(operations);
    return operations;
  }();
  return all;
}

const Operation* find_operation(std::string_view service, std::string_view name) {
  const auto& all = all_operations();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Operation& operation) {
    return operation.facts.service == service && operation.facts.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

std::string percent_encode_path(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[static_cast<unsigned char>(c) >> 4U];
      encoded += digits[static_cast<unsigned char>(c) & 15U];
    }
  }
  return encoded;
}

std::string transfer_uri(std::string_view base_url, std::string_view token, std::string_view file_name) {
  std::string uri(base_url);
  uri += "/cls/data/";
  uri += token;
  uri += '/';
  uri += percent_encode_path(file_name);
  return uri;
}

ChecksumInfo checksum_to_api(const base::Checksum& checksum) { return {checksum.algorithm, checksum.hex}; }

LocalizableMessage message_to_api(const base::Message& message) {
  LocalizableMessage out;
  out.id = message.id;
  out.default_message = message.default_message;
  out.args = message.args();
  if (!message.params.empty()) {
    auto& params = out.params.emplace();
    for (const auto& param : message.params) {
      LocalizationParam& value = params[param.name];
      if (const auto* number = std::get_if<std::int64_t>(&param.value))
        value.i = *number;
      else if (const auto* time = std::get_if<base::Time>(&param.value))
        value.dt = *time;
      else
        value.s = std::get<std::string>(param.value);
    }
  }
  return out;
}

}  // namespace quire::api
