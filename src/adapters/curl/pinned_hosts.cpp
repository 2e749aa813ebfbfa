#include "adapters/curl/pinned_hosts.h"

#include <string_view>

#include "adapters/curl/certificate_check.h"
#include "adapters/curl/named_host.h"

namespace quire::adapters::curl {
namespace {

base::Error unreadable(const std::string& entry, std::string_view problem) {
  return {base::ErrorKind::invalid_argument,
          "quire.pull.unreadable_pin",
          "The pinned certificate {entry} cannot be read: {problem}. Write HOST=THUMBPRINT or HOST:PORT=THUMBPRINT.",
          {{"entry", entry}, {"problem", std::string(problem)}}};
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

    const auto host = NamedHost::parse(std::string_view(entry).substr(0, equals));
    if (!host) return unreadable(entry, host.error().text());
    hosts.pins_.push_back({host->host, host->port.value_or(""), *thumbprint});
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
