#pragma once

#include <string_view>

#include "engine/api/ip.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

using api::IpAddress;
using api::IpNetwork;
using api::parse_cidr;
using api::parse_ip;

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
