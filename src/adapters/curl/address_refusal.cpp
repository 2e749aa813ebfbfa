#include "adapters/curl/address_refusal.h"

#include <netdb.h>
#include <netinet/in.h>

#include <memory>
#include <span>

namespace quire::adapters::curl {
namespace {

std::optional<content::IpAddress> address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(address);
    return content::IpAddress::from_bytes(std::as_bytes(std::span(&ipv4->sin_addr, 1)));
  }
  if (address->sa_family == AF_INET6) {
    const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(address);
    return content::IpAddress::from_bytes(std::as_bytes(std::span(&ipv6->sin6_addr, 1)));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> refusal_of(const content::AddressPolicy& policy, const sockaddr* address) {
  const auto ip = address_of(address);
  if (!ip) return "it is neither IPv4 nor IPv6";
  const auto refusal = policy.refusal(*ip);
  if (!refusal) return std::nullopt;
  return ip->text() + " is " + std::string(*refusal);
}

std::optional<std::string> refusal_of_host(const content::AddressPolicy& policy, const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  for (const auto* one = found; one != nullptr; one = one->ai_next)
    if (auto refusal = refusal_of(policy, one->ai_addr)) return refusal;
  return std::nullopt;
}

}  // namespace quire::adapters::curl
