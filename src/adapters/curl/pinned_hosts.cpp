#include "adapters/curl/pinned_hosts.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "adapters/curl/certificate_check.h"
#include "base/hex.h"
#include "content/address_policy.h"

namespace quire::adapters::curl {
namespace {

using content::IpAddress;

base::Error unreadable(const std::string& entry, std::string_view problem) {
  return {base::ErrorKind::invalid_argument,
          "quire.pull.unreadable_pin",
          "The pinned certificate {entry} cannot be read: {problem}. Write HOST=THUMBPRINT or HOST:PORT=THUMBPRINT.",
          {{"entry", entry}, {"problem", std::string(problem)}}};
}

/// Names in lower case without a last dot, addresses in their shortest form.
std::string normal_host(std::string_view host) {
  if (const auto address = IpAddress::parse(host)) return address->text();
  if (host.ends_with('.')) host.remove_suffix(1);
  return base::to_lower(host);
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

base::Result<PinnedHosts> PinnedHosts::make(std::span<const std::string> entries) {
  PinnedHosts hosts;
  for (const auto& entry : entries) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) return unreadable(entry, "it has no =");
    const auto thumbprint = normal_thumbprint(std::string_view(entry).substr(equals + 1));
    if (!thumbprint)
      return unreadable(entry, "the thumbprint is not the SHA-1 or SHA-256 of a certificate in 40 or 64 hex digits");

    std::string_view host = std::string_view(entry).substr(0, equals);
    constexpr std::string_view not_a_host = "what stands before the = is no host";
    if (host.find('/') != std::string_view::npos) return unreadable(entry, not_a_host);
    std::optional<std::string_view> port;
    const bool bracketed = host.starts_with('[');
    const bool bare_ipv6 = !bracketed && std::count(host.begin(), host.end(), ':') > 1;
    if (const auto colon = host.rfind(':'); colon != std::string_view::npos && !bare_ipv6 && !host.ends_with(']')) {
      port = host.substr(colon + 1);
      host = host.substr(0, colon);
    }
    if (bracketed) {
      if (!host.ends_with(']')) return unreadable(entry, "the bracket of its address does not close");
      host = host.substr(1, host.size() - 2);
    }
    const auto address = IpAddress::parse(host);
    const bool good = bracketed || bare_ipv6 ? address && !address->is_ipv4() : address || is_host_name(host);
    if (!good) return unreadable(entry, not_a_host);
    const auto number = port ? normal_port(*port) : std::optional<std::string>("");
    if (!number) return unreadable(entry, "the port is not a number from 1 to 65535");
    hosts.pins_.push_back({normal_host(host), *number, *thumbprint});
  }
  return hosts;
}

std::vector<std::string> PinnedHosts::thumbprints_of(const std::string& host, const std::string& port) const {
  std::vector<std::string> thumbprints;
  for (const auto& pin : pins_)
    if (pin.host == normal_host(host) && (pin.port.empty() || pin.port == port)) thumbprints.push_back(pin.thumbprint);
  return thumbprints;
}

}  // namespace quire::adapters::curl
