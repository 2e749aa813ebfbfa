#include "content/address_policy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace quire::content {
namespace {

constexpr std::size_t ipv4_length = 4;
constexpr std::size_t ipv6_length = 16;

struct Refused {
  const char* network;
  std::string_view what;
};

/// The metadata services stand first, so that their reason is the one that is told.
constexpr std::array default_refusals = {
    Refused{"169.254.169.254", "a cloud's metadata service"},  // most clouds
    Refused{"100.100.100.200", "a cloud's metadata service"},  // Alibaba
    Refused{"168.63.129.16", "a cloud's metadata service"},    // Azure
    Refused{"192.0.0.192", "a cloud's metadata service"},      // Oracle
    Refused{"fd00:ec2::254", "a cloud's metadata service"},    // Amazon
    Refused{"fd20:ce::254", "a cloud's metadata service"},     // Google
    Refused{"127.0.0.0/8", "a loopback address"},
    Refused{"::1", "a loopback address"},
    Refused{"169.254.0.0/16", "a link-local address"},
    Refused{"fe80::/10", "a link-local address"},
    Refused{"0.0.0.0/8", "an unspecified address"},
    Refused{"::", "an unspecified address"},
    Refused{"224.0.0.0/4", "a multicast address"},
    Refused{"ff00::/8", "a multicast address"},
    Refused{"255.255.255.255", "the broadcast address"},
};

struct RefusedNetwork {
  IpNetwork network;
  std::string_view what;
};

const std::vector<RefusedNetwork>& refused_networks() {
  static const std::vector<RefusedNetwork> networks = [] {
    std::vector<RefusedNetwork> all;
    all.reserve(default_refusals.size());
    for (const auto& row : default_refusals) all.push_back({IpNetwork::parse(row.network).value(), row.what});
    return all;
  }();
  return networks;
}

struct Embedding {
  const char* network;
  std::size_t at;  ///< of the first byte of the IPv4 address
};

constexpr std::array embeddings = {
    Embedding{"::ffff:0:0/96", 12}, Embedding{"::/96", 12},          Embedding{"::ffff:0:0:0/96", 12},
    Embedding{"64:ff9b::/96", 12},  Embedding{"64:ff9b:1::/48", 12}, Embedding{"2002::/16", 2},
};

const std::vector<std::pair<IpNetwork, std::size_t>>& embedding_networks() {
  static const std::vector<std::pair<IpNetwork, std::size_t>> networks = [] {
    std::vector<std::pair<IpNetwork, std::size_t>> all;
    all.reserve(embeddings.size());
    for (const auto& row : embeddings) all.emplace_back(IpNetwork::parse(row.network).value(), row.at);
    return all;
  }();
  return networks;
}

bool any_contains(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(), [&](const auto& network) { return network.contains(address); });
}

std::optional<int> parse_prefix(std::string_view text, int longest) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > longest) return std::nullopt;
  return value;
}

base::Result<std::vector<IpNetwork>> parse_list(std::string_view list, std::span<const std::string> texts) {
  std::vector<IpNetwork> networks;
  for (const auto& text : texts) {
    const auto network = IpNetwork::parse(text);
    if (!network) {
      return base::Error(base::ErrorKind::invalid_argument, "quire.address_policy.network",
                         "'{network}' in the list of networks to {list} is no network. Write an address or a network "
                         "whose bits behind the prefix are zero, as in 192.0.2.1, 10.0.0.0/8 or fd00::/8.",
                         {{"network", text}, {"list", std::string(list)}});
    }
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  IpAddress address;
  address.length_ = text.find(':') == std::string_view::npos ? ipv4_length : ipv6_length;
  const int family = address.is_ipv4() ? AF_INET : AF_INET6;
  if (inet_pton(family, terminated.c_str(), address.bytes_.data()) != 1) return std::nullopt;
  return address;
}

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::byte> bytes) {
  if (bytes.size() != ipv4_length && bytes.size() != ipv6_length) return std::nullopt;
  IpAddress address;
  address.length_ = bytes.size();
  std::transform(bytes.begin(), bytes.end(), address.bytes_.begin(),
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return address;
}

std::optional<IpAddress> IpAddress::embedded_ipv4() const {
  if (is_ipv4()) return std::nullopt;
  // Both lie in the range of compatible addresses but are addresses of their own.
  static const IpAddress unspecified = *parse("::");
  static const IpAddress loopback = *parse("::1");
  if (bytes_ == unspecified.bytes_ || bytes_ == loopback.bytes_) return std::nullopt;
  for (const auto& [network, at] : embedding_networks()) {
    if (network.contains(*this)) return from_bytes(std::as_bytes(bytes().subspan(at, ipv4_length)));
  }
  return std::nullopt;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(is_ipv4() ? AF_INET : AF_INET6, bytes_.data(), out.data(), out.size());
  return out.data();
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int longest = static_cast<int>(address->bytes().size()) * 8;
  const auto prefix =
      slash == std::string_view::npos ? std::optional(longest) : parse_prefix(text.substr(slash + 1), longest);
  if (!prefix) return std::nullopt;
  for (int bit = *prefix; bit < longest; ++bit) {
    if ((address->bytes()[static_cast<std::size_t>(bit) / 8] & (0x80U >> (bit % 8))) != 0) return std::nullopt;
  }
  return IpNetwork(*address, *prefix);
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.is_ipv4() != address_.is_ipv4()) return false;
  const auto whole = static_cast<std::size_t>(prefix_) / 8;
  const auto ours = address_.bytes();
  const auto theirs = address.bytes();
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin())) return false;
  const auto rest = static_cast<unsigned>(prefix_) % 8;
  return rest == 0 || ((ours[whole] ^ theirs[whole]) >> (8 - rest)) == 0;
}

base::Result<AddressPolicy> AddressPolicy::make(std::span<const std::string> allow, std::span<const std::string> deny) {
  QUIRE_ASSIGN_OR_RETURN(auto allowed, parse_list("allow", allow));
  QUIRE_ASSIGN_OR_RETURN(auto denied, parse_list("deny", deny));
  AddressPolicy policy;
  policy.allow_ = std::move(allowed);
  policy.deny_ = std::move(denied);
  return policy;
}

bool AddressPolicy::allows(std::string_view address) const {
  const auto parsed = IpAddress::parse(address);
  return parsed && allows(*parsed);
}

std::optional<std::string_view> AddressPolicy::refusal(const IpAddress& address) const {
  const auto judged = address.embedded_ipv4().value_or(address);
  if (any_contains(deny_, address) || any_contains(deny_, judged)) return "in a network that this server denies";
  if (any_contains(allow_, judged)) return std::nullopt;
  for (const auto& refused : refused_networks()) {
    if (refused.network.contains(judged)) return refused.what;
  }
  return std::nullopt;
}

}  // namespace quire::content
