// What the names of formats mean.
#include <algorithm>

#include "engine/api/base64.h"
#include "engine/api/regex.h"
#include "engine/api/scalars.h"
#include "engine/server/custom/schema_check.h"

namespace orrery::server {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto regex = api::Regex::compile(pattern);
  return regex.is_ok() && regex->found_in(text);
}

bool is_uuid(std::string_view text, std::string_view version) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return matches(str_cat("^[0-9a-f]{8}-?[0-9a-f]{4}-?", version, "-?[0-9a-f]{12}$"), lower);
}

bool is_date(std::string_view text) {
  return matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", text) && api::parse_time(str_cat(text, "T00:00:00Z")).is_ok();
}

bool is_base64(std::string_view text) {
  std::string bytes;
  return api::base64_decode(text, &bytes);
}

struct Format {
  std::string_view name;
  bool (*fits)(std::string_view text);
};
// Source: Kubernetes v1.32 kube-openapi pkg/validation/strfmt, apiextensions-apiserver
// pkg/apiserver/validation/formats.go.
constexpr Format kFormats[] = {
    {"date", is_date},
    {"date-time", [](std::string_view t) { return api::parse_time(t).is_ok(); }},
    {"datetime", [](std::string_view t) { return api::parse_time(t).is_ok(); }},
    {"duration", [](std::string_view t) { return api::parse_go_duration(t).is_ok(); }},
    {"byte", is_base64},
    {"uuid", [](std::string_view t) { return is_uuid(t, "[0-9a-f]{4}-?[0-9a-f]{4}"); }},
    {"uuid3", [](std::string_view t) { return is_uuid(t, "3[0-9a-f]{3}-?[0-9a-f]{4}"); }},
    {"uuid4", [](std::string_view t) { return is_uuid(t, "4[0-9a-f]{3}-?[89ab][0-9a-f]{3}"); }},
    {"uuid5", [](std::string_view t) { return is_uuid(t, "5[0-9a-f]{3}-?[89ab][0-9a-f]{3}"); }},
    {"ipv4", [](std::string_view t) { return matches("^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$", t); }},
    {"ipv6", [](std::string_view t) { return t.find(':') != t.npos && matches("^[0-9a-fA-F:.]+$", t); }},
    {"mac", [](std::string_view t) { return matches("^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$", t); }},
    {"email", [](std::string_view t) { return matches("^[^@\\s]+@[^@\\s]+$", t); }},
    {"hostname", [](std::string_view t) { return t.size() <= 255 && matches("^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*$", t); }},
    {"uri", [](std::string_view t) { return matches("^([a-zA-Z][a-zA-Z0-9+.-]*:|/)", t); }},
    {"hexcolor", [](std::string_view t) { return matches("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", t); }},
};

}  // namespace

bool fits_format(std::string_view format, std::string_view text) {
  for (const Format& known : kFormats)
    if (known.name == format) return known.fits(text);
  return true;
}

}  // namespace orrery::server
