#include "client/credentials.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "client/failure.h"
#include "client/places.h"

namespace quire::client {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

std::filesystem::path credentials_file() { return configuration_folder() / "credentials.json"; }

base::Result<Credentials> Credentials::read(const std::filesystem::path& file) {
  QUIRE_ASSIGN_OR_RETURN(const auto content, read_file(file));
  Credentials credentials;
  if (!content) return credentials;
  if (is_open_to_others(file))
    return local_error("others can read " + file.string() + ", which holds tokens; run: chmod 600 " + file.string());
  json::error_code failed;
  const auto value = json::parse(*content, failed);
  if (failed || !value.is_object())
    return local_error(file.string() + " is not as 'quire login' writes it; remove it and sign in again");
  const auto& root = value.get_object();
  credentials.default_server = text_of(root, "default");
  const auto* servers = root.if_contains("servers");
  if (servers == nullptr || !servers->is_object()) return credentials;
  for (const auto& [url, entry] : servers->get_object()) {
    if (!entry.is_object()) continue;
    auto& credential = credentials.servers[std::string(url)];
    credential.user = text_of(entry.get_object(), "user");
    credential.token = text_of(entry.get_object(), "token");
    const auto dialect = text_of(entry.get_object(), "api");
    if (dialect == "legacy") credential.dialect = Dialect::legacy;
    if (dialect == "current") credential.dialect = Dialect::current;
  }
  return credentials;
}

base::Result<void> Credentials::write(const std::filesystem::path& file) const {
  json::object all;
  for (const auto& [url, credential] : servers) {
    json::object entry{{"token", credential.token}};
    if (!credential.user.empty()) entry["user"] = credential.user;
    if (credential.dialect) entry["api"] = *credential.dialect == Dialect::legacy ? "legacy" : "current";
    all[url] = std::move(entry);
  }
  const json::object root{{"default", default_server}, {"servers", std::move(all)}};
  return write_private_file(file, json::serialize(root) + '\n');
}

}  // namespace quire::client
