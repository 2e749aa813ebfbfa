#include "adapters/curl/named_host.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"
#include "content/address_policy.h"

namespace quire::adapters::curl {
namespace {

using content::IpAddress;

base::Error unreadable_host(std::string_view problem) {
  return {base::ErrorKind::invalid_argument, "quire.settings.unreadable_host", problem};
}

/// A name of letters, digits, hyphens and underscores between dots, which is no address in an odd form.
bool is_host_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return false;
  bool numeric = false;
  for (std::size_t at = 0; at <= host.size();) {
    const auto end = std::min(host.find('.', at), host.size());
    const auto label = host.substr(at, end - at);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto fits = [&](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    };
    if (label.empty() || !std::all_of(label.begin(), label.end(), fits)) return false;
    numeric = std::all_of(label.begin(), label.end(), is_digit);
    at = end + 1;
  }
  return !numeric;
}

std::optional<std::string> normal_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  constexpr int port_max = 65535;
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > port_max) return std::nullopt;
  return std::to_string(port);
}

}  // namespace

std::string normal_host(std::string_view host) {
  if (const auto address = IpAddress::parse(host)) return address->text();
  if (host.ends_with('.')) host.remove_suffix(1);
  return base::to_lower(host);
}

base::Result<NamedHost> NamedHost::parse(std::string_view text) {
  constexpr std::string_view not_a_host = "what stands before the = is no host";
  auto host = text;
  if (host.find('/') != std::string_view::npos) return unreadable_host(not_a_host);
  std::optional<std::string_view> port;
  const bool bracketed = host.starts_with('[');
  const bool bare_ipv6 = !bracketed && std::count(host.begin(), host.end(), ':') > 1;
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && !bare_ipv6 && !host.ends_with(']')) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (bracketed) {
    if (!host.ends_with(']')) return unreadable_host("the bracket of its address does not close");
    host = host.substr(1, host.size() - 2);
  }
  const auto address = IpAddress::parse(host);
  const bool good = bracketed || bare_ipv6 ? address && !address->is_ipv4() : address || is_host_name(host);
  if (!good) return unreadable_host(not_a_host);
  const auto number = port ? normal_port(*port) : std::nullopt;
  if (port && !number) return unreadable_host("the port is not a number from 1 to 65535");
  return NamedHost{normal_host(host), number};
}

}  // namespace quire::adapters::curl
