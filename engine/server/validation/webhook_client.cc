#include "engine/server/validation/webhook_client.h"

namespace orrery::server {
namespace {

constexpr std::string_view kForm = "; desired format: https://host[/path]";

// The text up to the first of `ends`, taken off `rest`.
std::string_view take(std::string_view& rest, std::string_view ends) {
  const size_t end = std::min(rest.find_first_of(ends), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end);
  return part;
}

}  // namespace

void check_webhook_url(std::string_view url, const Path& at, Findings& findings) {
  std::string_view rest = url, scheme, authority, query, fragment;
  if (const size_t hash = rest.find('#'); hash != std::string_view::npos) {
    fragment = rest.substr(hash + 1);
    rest = rest.substr(0, hash);
  }
  if (const size_t colon = rest.find_first_of(":/?"); colon != std::string_view::npos && rest[colon] == ':') {
    scheme = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    authority = take(rest, "/?");
  }
  if (const size_t mark = rest.find('?'); mark != std::string_view::npos) query = rest.substr(mark + 1);
  if (lower(scheme) != "https") findings.invalid(at, scheme, str_cat("'https' is the only allowed URL scheme", kForm));
  const size_t user_end = authority.rfind('@');
  const std::string_view host = user_end == std::string_view::npos ? authority : authority.substr(user_end + 1);
  if (host.empty()) findings.invalid(at, host, str_cat("host must be specified", kForm));
  if (user_end != std::string_view::npos)
    findings.invalid(at, authority.substr(0, user_end), "user information is not permitted in the URL");
  if (!fragment.empty()) findings.invalid(at, fragment, "fragments are not permitted in the URL");
  if (!query.empty()) findings.invalid(at, query, "query parameters are not permitted in the URL");
}

void check_webhook_path(const Str& path, const Path& at, Findings& findings) {
  std::string_view rest = path;
  if (rest == "/" || rest.empty()) return;
  if (rest == "//") return findings.invalid(at, path, "segment[0] may not be empty");
  if (!rest.starts_with('/')) findings.invalid(at, path, "must start with a '/'");
  rest.remove_prefix(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto steps = split(rest, '/');
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].empty()) findings.invalid(at, path, str_cat("segment[", uint64_t{i}, "] may not be empty"));
    else
      for (const std::string& wrong : name_is_subdomain(steps[i], false))
        findings.invalid(at, path, str_cat("segment[", uint64_t{i}, "]: ", wrong));
  }
}

}  // namespace orrery::server
