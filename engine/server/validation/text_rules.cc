#include "engine/server/validation/text_rules.h"

#include <algorithm>

#include "engine/api/names.h"

namespace orrery::server {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }

template <typename F>
bool all(std::string_view text, F allowed) {
  return std::all_of(text.begin(), text.end(), allowed);
}

// A generateName may end in "-": the suffix follows.
std::string mask_trailing_dash(std::string_view name) {
  if (name.size() > 1 && name.back() == '-') return str_cat(name.substr(0, name.size() - 2), "a");
  return std::string(name);
}

template <Messages (*Check)(std::string_view)>
Messages named(std::string_view name, bool prefix) {
  return prefix ? Check(mask_trailing_dash(name)) : Check(name);
}

std::string longer_than(int max) { return str_cat("must be no more than ", max, " characters"); }

constexpr size_t kSubdomainMax = 253;

void check_relative_start(std::string_view value, Messages& messages) {
  if (value == ".") messages.push_back("must not be '.'");
  else if (value == "..") messages.push_back("must not be '..'");
  else if (value.starts_with("..")) messages.push_back("must not start with '..'");
}

}  // namespace

Messages check_dns1035_label(std::string_view name) {
  Messages messages;
  if (name.size() > 63) messages.push_back(longer_than(63));
  const bool ok = !name.empty() && is_lower(name.front()) && name.back() != '-' &&
                  all(name, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
  if (!ok)
    messages.push_back(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation "
        "is '[a-z]([-a-z0-9]*[a-z0-9])?')");
  return messages;
}

Messages check_wildcard_subdomain(std::string_view name) {
  Messages messages;
  if (name.size() > kSubdomainMax) messages.push_back(longer_than(253));
  if (!name.starts_with("*.") || !api::check_dns1123_subdomain(name.substr(2, kSubdomainMax)).empty())
    messages.push_back(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
        "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
        "regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
  return messages;
}

Messages check_port_name(std::string_view name) {
  Messages messages;
  if (name.size() > 15) messages.push_back(longer_than(15));
  if (name.empty() || !all(name, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; }))
    messages.push_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (std::none_of(name.begin(), name.end(), is_lower)) messages.push_back("must contain at least one letter (a-z)");
  if (contains(name, "--")) messages.push_back("must not contain consecutive hyphens");
  if (!name.empty() && (name.front() == '-' || name.back() == '-'))
    messages.push_back("must not begin or end with a hyphen");
  return messages;
}

Messages check_env_name(std::string_view name) {
  Messages messages;
  if (name.empty()) messages.push_back("environment variable name must be non-empty");
  if (!all(name, [](char c) { return c >= 0x20 && c < 0x7f && c != '='; }))
    messages.push_back(
        "a valid environment variable name must consist only of printable ASCII characters other than '='");
  return messages;
}

Messages check_config_map_key(std::string_view key) {
  Messages messages;
  if (key.size() > kSubdomainMax) messages.push_back(longer_than(253));
  if (key.empty() || !all(key, [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; }))
    messages.push_back(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
        "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
  check_relative_start(key, messages);
  return messages;
}

Messages check_http_header_name(std::string_view name) {
  if (!name.empty() && all(name, [](char c) { return is_alnum(c) || c == '-'; })) return {};
  return {"a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
          "validation is '[-A-Za-z0-9]+')"};
}

Messages check_percent(std::string_view text) {
  if (text.size() > 1 && text.back() == '%' && all(text.substr(0, text.size() - 1), is_digit)) return {};
  return {"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used "
          "for validation is '[0-9]+%')"};
}

Messages check_path_segment(std::string_view name) {
  if (name == "." || name == "..") return {str_cat("may not be '", name, "'")};
  Messages messages;
  for (const char* part : {"/", "%"})
    if (contains(name, part)) messages.push_back(str_cat("may not contain '", part, "'"));
  return messages;
}

std::string between(int64_t low, int64_t high) { return str_cat("must be between ", low, " and ", high, ", inclusive"); }

Messages name_is_subdomain(std::string_view name, bool prefix) { return named<api::check_dns1123_subdomain>(name, prefix); }
Messages name_is_label(std::string_view name, bool prefix) { return named<api::check_dns1123_label>(name, prefix); }
Messages name_is_dns1035_label(std::string_view name, bool prefix) { return named<check_dns1035_label>(name, prefix); }
Messages name_is_path_segment(std::string_view name, bool prefix) {
  return prefix && (name == "." || name == "..") ? Messages() : check_path_segment(name);
}
Messages name_is_anything(std::string_view, bool) { return {}; }

void check_label(std::string_view value, const Path& at, Findings& findings) {
  if (const Messages wrong = api::check_dns1123_label(value); !wrong.empty()) findings.invalid(at, value, wrong);
}
void check_subdomain(std::string_view value, const Path& at, Findings& findings) {
  if (const Messages wrong = api::check_dns1123_subdomain(value); !wrong.empty()) findings.invalid(at, value, wrong);
}
void check_qualified(std::string_view value, const Path& at, Findings& findings) {
  if (const Messages wrong = api::check_qualified_name(value); !wrong.empty()) findings.invalid(at, value, wrong);
}

void check_port_number(int64_t port, const Path& at, Findings& findings) {
  if (port < 1 || port > 65535) findings.invalid(at, port, between(1, 65535));
}

void check_user_id(int64_t id, const Path& at, Findings& findings) {
  if (id < 0 || id > INT32_MAX) findings.invalid(at, id, between(0, INT32_MAX));
}

void check_port_number_or_name(const api::IntOrString& port, const Path& at, Findings& findings) {
  if (!port.is_text) return check_port_number(port.number, at, findings);
  if (const Messages wrong = check_port_name(port.text); !wrong.empty()) findings.invalid(at, port.text, wrong);
}

void check_domain_prefixed_path(std::string_view value, const Path& at, Findings& findings) {
  if (value.empty()) return findings.required(at);
  const size_t slash = value.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == value.size())
    return findings.invalid(at, value, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  check_subdomain(value.substr(0, slash), at, findings);
  const std::string_view path = value.substr(slash + 1);
  if (!all(path, [](char c) { return is_alnum(c) || contains("/-._~%!$&'()*+,;=:", std::string_view(&c, 1)); }))
    findings.invalid(at, path, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
}

void check_signer_name(std::string_view value, const Path& at, Findings& findings) {
  if (value.empty()) return findings.required(at);
  const auto segments = split(value, '/');
  if (segments.size() != 2)
    return findings.invalid(at, value, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
  const auto check_parts = [&](std::string_view segment, Messages (*check)(std::string_view)) {
    for (const std::string_view label : split(segment, '.')) {
      const Messages wrong = check(label);
      for (const std::string& w : wrong) findings.invalid(at, segment, str_cat("validating label ", api::quoted(label), ": ", w));
      if (!wrong.empty()) return;
    }
  };
  if (segments[0].size() > kSubdomainMax) findings.too_long(at, kSubdomainMax);
  check_parts(segments[0], api::check_dns1123_label);
  if (!contains(segments[0], ".")) findings.invalid(at, segments[0], "should be a domain with at least two segments separated by dots");
  check_parts(segments[1], api::check_dns1123_subdomain);
  constexpr int64_t kSignerMax = 253 + 1 + 253 + 63 + 1;
  if (static_cast<int64_t>(value.size()) > kSignerMax) findings.too_long(at, kSignerMax);
}

void check_fully_qualified_domain(std::string_view value, const Path& at, Findings& findings) {
  if (value.empty()) return findings.required(at);
  if (value.ends_with('.')) value.remove_suffix(1);
  if (const Messages wrong = api::check_dns1123_subdomain(value); !wrong.empty())
    return findings.invalid(at, value, api::join(wrong, ","));
  if (!contains(value, ".")) return findings.invalid(at, value, "should be a domain with at least two segments separated by dots");
  for (const std::string_view label : split(value, '.'))
    if (const Messages wrong = api::check_dns1123_label(label); !wrong.empty())
      return findings.invalid(at, label, api::join(wrong, ","));
}

void check_no_backsteps(std::string_view path, const Path& at, Findings& findings) {
  if (!contains(path, "..")) return;
  for (const std::string_view step : split(path, '/'))
    if (step == "..") return findings.invalid(at, path, "must not contain '..'");
}

void check_descending_path(std::string_view path, const Path& at, Findings& findings) {
  if (path.starts_with('/')) findings.invalid(at, path, "must be a relative path");
  check_no_backsteps(path, at, findings);
}

void check_local_path(std::string_view path, const Path& at, Findings& findings) {
  check_descending_path(path, at, findings);
  if (path.starts_with("..") && !path.starts_with("../")) findings.invalid(at, path, "must not start with '..'");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trim_space(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

bool Seen::has(std::string_view text) const {
  if (!many_.empty()) return many_.count(text) > 0;
  return std::find(few_.begin(), few_.begin() + static_cast<ptrdiff_t>(count_), text) !=
         few_.begin() + static_cast<ptrdiff_t>(count_);
}

bool Seen::insert(std::string_view text) {
  if (has(text)) return false;
  if (count_ < few_.size()) {
    few_[count_++] = text;
    return true;
  }
  if (many_.empty()) many_.insert(few_.begin(), few_.end());
  many_.insert(text);
  return true;
}

}  // namespace orrery::server
