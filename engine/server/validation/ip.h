#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/server/validation/findings.h"

namespace orrery::server {

/// An IP address; IPv4 as its IPv6-mapped form.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};
  bool is_v4 = false;

  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local_unicast() const;
  bool is_link_local_multicast() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// A network: address and prefix length (0-32, or 0-128 for IPv6).
struct IpNetwork {
  IpAddress address;  // as written, not masked
  int prefix = 0;

  bool contains(const IpAddress& ip) const;
};

/// As Go's net.ParseIP and net.ParseCIDR, but leading zeros are allowed (k8s.io/utils/net).
std::optional<IpAddress> parse_ip(std::string_view text);
std::optional<IpNetwork> parse_cidr(std::string_view text);

inline bool is_ipv6_text(std::string_view text) {
  const auto ip = parse_ip(text);
  return ip && !ip->is_v4;
}

void check_ip(std::string_view value, const Path& at, Findings& findings);
void check_cidr(std::string_view value, const Path& at, Findings& findings);
/// Neither unspecified, loopback nor link-local.
void check_ordinary_ip(std::string_view value, const Path& at, Findings& findings);
/// A status' load-balancer host name: a DNS name, not an address.
void check_ingress_hostname(std::string_view value, const Path& at, Findings& findings);

}  // namespace orrery::server
