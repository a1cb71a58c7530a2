#include "engine/server/validation/ip.h"

#include "engine/server/validation/text_rules.h"

namespace orrery::server {
void check_ip(std::string_view value, const Path& at, Findings& findings) {
  if (!parse_ip(value)) findings.invalid(at, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

void check_cidr(std::string_view value, const Path& at, Findings& findings) {
  if (!parse_cidr(value)) findings.invalid(at, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

void check_ordinary_ip(std::string_view value, const Path& at, Findings& findings) {
  const auto ip = parse_ip(value);
  if (!ip) return findings.invalid(at, value, "must be a valid IP address");
  if (ip->is_unspecified()) findings.invalid(at, value, str_cat("may not be unspecified (", value, ")"));
  if (ip->is_loopback()) findings.invalid(at, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (ip->is_link_local_unicast())
    findings.invalid(at, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  if (ip->is_link_local_multicast())
    findings.invalid(at, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

void check_ingress_hostname(std::string_view value, const Path& at, Findings& findings) {
  check_subdomain(value, at, findings);
  if (parse_ip(value)) findings.invalid(at, value, "must be a DNS name, not an IP address");
}

}  // namespace orrery::server
