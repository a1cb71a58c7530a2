#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orrery::api {

/// An IP address; IPv4 as its IPv6-mapped form.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};
  bool is_v4 = false;

  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local_unicast() const;
  bool is_link_local_multicast() const;
  bool is_multicast() const;
  /// Neither of those, nor IPv4's broadcast: what net.IP.IsGlobalUnicast says.
  bool is_global_unicast() const;
  /// "10.0.0.1", "2001:db8::1".
  std::string to_string() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// A network: address and prefix length (0-32, or 0-128 for IPv6).
struct IpNetwork {
  IpAddress address;  // as written, not masked
  int prefix = 0;

  bool contains(const IpAddress& ip) const;
  IpNetwork masked() const;
};

/// As Go's net.ParseIP and net.ParseCIDR, but leading zeros are allowed (k8s.io/utils/net).
std::optional<IpAddress> parse_ip(std::string_view text);
std::optional<IpNetwork> parse_cidr(std::string_view text);

}  // namespace orrery::api
