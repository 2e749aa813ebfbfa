#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quire::content {

/// An IPv4 or IPv6 address by its bytes.
class IpAddress {
 public:
  /// Reads `192.0.2.1` and every form of RFC 4291, without brackets and zone. Short, octal and hexadecimal IPv4 forms
  /// (`127.1`, `0177.0.0.1`) are no addresses here.
  static std::optional<IpAddress> parse(std::string_view text);
  /// 4 or 16 bytes in network order; nullopt for any other number.
  static std::optional<IpAddress> from_bytes(std::span<const std::byte> bytes);

  bool is_ipv4() const { return length_ == 4; }
  std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(length_); }
  /// The IPv4 address that traffic to this IPv6 address may end at: mapped (::ffff:0:0/96), compatible (::/96),
  /// translated (::ffff:0:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48) and 6to4 (2002::/16).
  std::optional<IpAddress> embedded_ipv4() const;
  std::string text() const;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::size_t length_ = 0;
};

/// The addresses that agree in their first bits: `10.0.0.0/8`, `fd00::/8`, or one address.
class IpNetwork {
 public:
  /// nullopt when `text` is no network, or names bits behind its prefix (`10.1.2.3/8`).
  static std::optional<IpNetwork> parse(std::string_view text);
  /// False for an address of the other family.
  bool contains(const IpAddress& address) const;

 private:
  IpNetwork(IpAddress address, int prefix) : address_(address), prefix_(prefix) {}

  IpAddress address_;
  int prefix_;
};

/// Which addresses the server may connect to for its users (content-library-api.md §28.3). A value; all threads may
/// ask it.
///
/// An address that holds an IPv4 address (IpAddress::embedded_ipv4) is judged by that one. In this order:
///   1. refused when a network of `deny` contains it, in either form;
///   2. allowed when a network of `allow` contains it;
///   3. refused when it is loopback, link-local, unspecified (0.0.0.0/8 and ::), multicast, broadcast, or a cloud's
///      metadata service;
///   4. else allowed, private networks included.
class AddressPolicy {
 public:
  /// No lists: only the default refusals.
  AddressPolicy() = default;
  /// Networks in CIDR form or single addresses. Fails with `invalid_argument`, naming the entry.
  static base::Result<AddressPolicy> make(std::span<const std::string> allow, std::span<const std::string> deny);

  bool allows(const IpAddress& address) const { return !refusal(address).has_value(); }
  /// False for a text that is no address.
  bool allows(std::string_view address) const;
  /// Why the address is refused, fitting after "it is": `a loopback address`. nullopt when it is allowed.
  std::optional<std::string_view> refusal(const IpAddress& address) const;

 private:
  std::vector<IpNetwork> allow_;
  std::vector<IpNetwork> deny_;
};

}  // namespace quire::content
