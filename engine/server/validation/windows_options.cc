#include "engine/server/validation/windows_options.h"

#include <algorithm>

namespace orrery::server {
namespace {

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_netbios_name(std::string_view name) {
  constexpr size_t kNameMax = 15;
  return !name.empty() && name.size() <= kNameMax && name.front() != '.' && name.find_first_of("\\/:*?\"<>|") == std::string_view::npos;
}

bool is_dns_domain(std::string_view domain) {
  for (const std::string_view label : split(domain, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; })) return false;
  }
  return true;
}

void check_user(std::string_view user, const Str& whole, const Path& at, Findings& findings) {
  constexpr size_t kUserMax = 104;
  if (user.empty()) findings.invalid(at, whole, "runAsUserName's User cannot be empty");
  else if (user.size() > kUserMax) findings.invalid(at, whole, "runAsUserName's User length must not be longer than 104 characters");
  if (!user.empty() && user.find_first_not_of(". ") == std::string_view::npos)
    findings.invalid(at, whole, "runAsUserName's User cannot contain only periods or spaces");
  if (user.find_first_of("\"/\\:;|=,+*?<>@[]") != std::string_view::npos)
    findings.invalid(at, whole, "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
}

void check_run_as_user_name(const Str& name, const Path& at, Findings& findings) {
  constexpr size_t kDomainMax = 256;
  const std::string_view text = name;
  if (text.empty()) return findings.invalid(at, name, "runAsUserName cannot be an empty string");
  if (std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }))
    return findings.invalid(at, name, "runAsUserName cannot contain control characters");
  const auto parts = split(text, '\\');
  if (parts.size() > 2) return findings.invalid(at, name, "runAsUserName cannot contain more than one backslash");
  if (parts.size() == 2) {
    if (parts[0].size() >= kDomainMax) findings.invalid(at, name, "runAsUserName's Domain length must be under 256 characters");
    if (!is_netbios_name(parts[0]) && !is_dns_domain(parts[0]))
      findings.invalid(at, name, "runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  check_user(parts.back(), name, at, findings);
}

}  // namespace

void check_windows_options(const corev1::WindowsSecurityContextOptions& options, const Path& at, Findings& findings) {
  constexpr size_t kSpecMax = 64 * 1024;
  if (options.gmsa_credential_spec_name)
    check_subdomain(*options.gmsa_credential_spec_name, at.child("gmsaCredentialSpecName"), findings);
  if (options.gmsa_credential_spec) {
    const Path here = at.child("gmsaCredentialSpec");
    if (options.gmsa_credential_spec->empty())
      findings.invalid(here, *options.gmsa_credential_spec, "gmsaCredentialSpec cannot be an empty string");
    else if (options.gmsa_credential_spec->size() > kSpecMax)
      findings.invalid(here, *options.gmsa_credential_spec, "gmsaCredentialSpec size must be under 64 KiB");
  }
  if (options.run_as_user_name) check_run_as_user_name(*options.run_as_user_name, at.child("runAsUserName"), findings);
}

}  // namespace orrery::server
