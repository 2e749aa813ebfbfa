#include "adapters/curl/proxy_choice.h"

#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "base/hex.h"
#include "content/address_policy.h"

namespace quire::adapters::curl {
namespace {

std::optional<std::string> first_set(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    auto value = environment(name);
    if (value && !value->empty()) return value;
  }
  return std::nullopt;
}

std::string_view without_last_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool is_below(std::string_view host, std::string_view domain) {
  if (!host.ends_with(domain) || domain.empty()) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

bool entry_matches(std::string_view entry, std::string_view host) {
  if (const auto address = content::IpAddress::parse(host)) {
    if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
    const auto network = content::IpNetwork::parse(entry);
    return network && network->contains(*address);
  }
  entry = without_last_dot(entry);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  return is_below(without_last_dot(host), entry);
}

bool is_exempt(const std::string& host, const std::string& no_proxy) {
  if (no_proxy == "*") return true;
  const std::string list = base::to_lower(no_proxy);
  std::string_view rest = list;
  while (!rest.empty()) {
    const auto end = rest.find_first_of(", \t");
    const auto entry = rest.substr(0, end);
    if (!entry.empty() && entry_matches(entry, host)) return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> proxy_for(const HttpUrl& url, const Environment& environment) {
  const auto no_proxy = first_set(environment, {"no_proxy", "NO_PROXY"});
  if (no_proxy && is_exempt(url.host(), *no_proxy)) return std::nullopt;
  // HTTP_PROXY in capitals is what a CGI request could set, so curl does not read it.
  return url.is_https() ? first_set(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                        : first_set(environment, {"http_proxy", "all_proxy", "ALL_PROXY"});
}

}  // namespace quire::adapters::curl
