#include "client/known_servers.h"

#include <sstream>

#include "client/places.h"

namespace quire::client {

base::Result<std::map<std::string, std::string>> KnownServers::read() const {
  QUIRE_ASSIGN_OR_RETURN(const auto content, read_file(file_));
  std::map<std::string, std::string> keys;
  std::istringstream lines(content.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string authority;
    std::string key;
    if (words >> authority >> key && !authority.starts_with('#')) keys[authority] = key;
  }
  return keys;
}

base::Result<void> KnownServers::write(const std::map<std::string, std::string>& keys) {
  std::string content = "# Keys of servers that were accepted by quire: HOST:PORT SHA256:BASE64\n";
  for (const auto& [authority, key] : keys) content += authority + ' ' + key + '\n';
  return write_private_file(file_, content);
}

base::Result<std::optional<std::string>> KnownServers::key_of(const std::string& authority) const {
  QUIRE_ASSIGN_OR_RETURN(const auto keys, read());
  const auto found = keys.find(authority);
  return found == keys.end() ? std::optional<std::string>() : std::optional(found->second);
}

base::Result<void> KnownServers::accept(const std::string& authority, const std::string& key) {
  QUIRE_ASSIGN_OR_RETURN(auto keys, read());
  keys[authority] = key;
  return write(keys);
}

base::Result<void> KnownServers::forget(const std::string& authority) {
  QUIRE_ASSIGN_OR_RETURN(auto keys, read());
  if (keys.erase(authority) == 0) return {};
  return write(keys);
}

}  // namespace quire::client
