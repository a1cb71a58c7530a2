// What the names of formats mean. Source: Kubernetes v1.32 kube-openapi pkg/validation/strfmt,
// apiextensions-apiserver pkg/apiserver/validation/formats.go, github.com/asaskevich/govalidator.
#include <algorithm>

#include "engine/api/cel/functions.h"
#include "engine/api/ip.h"
#include "engine/api/regex.h"
#include "engine/api/scalars.h"
#include "engine/server/custom/schema_check.h"

namespace orrery::server {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto regex = api::Regex::compile(pattern);
  return regex.is_ok() && regex->found_in(text);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

bool is_uuid(std::string_view text, std::string_view version) {
  return matches(str_cat("^[0-9a-f]{8}-?[0-9a-f]{4}-?", version, "-?[0-9a-f]{12}$"), lower_case(text));
}

bool is_date(std::string_view text) {
  return matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", text) && api::parse_time(str_cat(text, "T00:00:00Z")).is_ok();
}

bool is_date_time(std::string_view text) {
  const std::string lower = lower_case(text);
  const size_t at = lower.find('t');
  return at != std::string::npos && is_date(lower.substr(0, at)) &&
         matches("^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})$", lower.substr(at + 1));
}

// As in Go, or numbers with units as people write them somewhere in the text.
bool is_duration(std::string_view text) {
  constexpr std::string_view kUnits =
      "[0-9]\\s*(ns|nano[a-z\u00b5]*|us|\u00b5s|micro[a-z\u00b5]*|ms|milli[a-z\u00b5]*|s|sec[a-z\u00b5]*|m|min[a-z\u00b5]*|h|hr|hour[a-z\u00b5]*|d|"
      "day[a-z\u00b5]*|w|wk|week[a-z\u00b5]*)([^a-z\u00b5]|$)";
  return api::parse_go_duration(text).is_ok() || matches(kUnits, lower_case(text));
}

// Leading zeros were once allowed, and still are.
std::string without_leading_zeros(std::string_view address) {
  std::string out;
  for (size_t i = 0; i < address.size(); ++i) {
    const bool begins = i == 0 || address[i - 1] == '.' || (address[i - 1] == '0' && (out.empty() || out.back() == '.'));
    const bool followed = i + 1 < address.size() && address[i + 1] >= '0' && address[i + 1] <= '9';
    if (address[i] != '0' || !begins || !followed) out += address[i];
  }
  return out;
}
bool is_address(std::string_view text) {
  const bool dotted = text.find(':') == text.npos;
  return api::parse_ip(dotted ? without_leading_zeros(text) : std::string(text)).has_value();
}

bool is_range(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos || !is_address(text.substr(0, slash))) return false;
  const std::string_view bits = text.substr(slash + 1);
  return matches(text.find(':') == text.npos ? "^0*([0-9]|[12][0-9]|3[0-2])$" : "^0*([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])$", bits);
}

bool is_mac(std::string_view text) {
  constexpr std::string_view kCounts[] = {"{5}", "{7}", "{19}"};
  return std::any_of(std::begin(kCounts), std::end(kCounts),
                     [&](std::string_view count) {
                       return matches(str_cat("^([0-9a-fA-F]{2}(:[0-9a-fA-F]{2})", count, "|[0-9a-fA-F]{2}(-[0-9a-fA-F]{2})", count, ")$"), text);
                     }) ||
         matches("^[0-9a-fA-F]{4}(\\.[0-9a-fA-F]{4}){2}$|^[0-9a-fA-F]{4}(\\.[0-9a-fA-F]{4}){3}$|^[0-9a-fA-F]{4}(\\.[0-9a-fA-F]{4}){9}$", text);
}

bool is_host_name(std::string_view text) {
  constexpr std::string_view kPattern =
      "^([a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|"
      "([a-zA-Z0-9\\p{S}\\p{L}](([a-zA-Z0-9-\\p{S}\\p{L}]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$";
  constexpr size_t kNameMax = 255, kLabelMax = 63;
  if (text.size() > kNameMax || !matches(kPattern, text)) return false;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('.', at), text.size());
    if (end - at > kLabelMax) return false;
    at = end + 1;
  }
  return true;
}

// An address, or a name and an address in angle brackets.
bool is_email(std::string_view text) {
  constexpr std::string_view kAtom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+";
  const std::string local = str_cat("(", kAtom, "(\\.", kAtom, ")*|\"([^\"\\\\]|\\\\.)*\")");
  const std::string address = str_cat(local, "@", kAtom, "(\\.", kAtom, ")*");
  return matches(str_cat("^\\s*", address, "\\s*$"), text) || matches(str_cat("^[^<>@,;:\"]*(\"[^\"]*\")?[^<>@,;:\"]*<", address, ">\\s*$"), text);
}

bool is_uri(std::string_view text) {
  return api::cel::call_function("isURL", {api::cel::Value::string_of(std::string(text))})->is_true();
}

std::string digits_of(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c >= '0' && c <= '9') digits += c;
  return digits;
}

bool is_credit_card(std::string_view text) {
  const std::string digits = digits_of(text);
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0', doubled = i % 2 == 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 == 0 && matches("^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|"
                                  "3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$", digits);
}

std::string without_dashes(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '-' && c != ' ') out += c;
  return out;
}

bool is_isbn10(std::string_view text) {
  const std::string plain = without_dashes(text);
  if (!matches("^(?:[0-9]{9}X|[0-9]{10})$", plain)) return false;
  int sum = 0;
  for (int i = 0; i < 10; ++i) sum += (i + 1) * (plain[i] == 'X' ? 10 : plain[i] - '0');
  return sum % 11 == 0;
}

bool is_isbn13(std::string_view text) {
  const std::string plain = without_dashes(text);
  if (!matches("^[0-9]{13}$", plain)) return false;
  int sum = 0;
  for (int i = 0; i < 13; ++i) sum += (i % 2 == 0 ? 1 : 3) * (plain[i] - '0');
  return sum % 10 == 0;
}

bool is_rgb_color(std::string_view text) {
  constexpr std::string_view kPart = "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*";
  return matches(str_cat("^rgb\\(", kPart, ",", kPart, ",", kPart, "\\)$"), text);
}

struct Format {
  std::string_view name;  // without dashes
  bool (*fits)(std::string_view text);
};
constexpr Format kFormats[] = {
    {"bsonobjectid", [](std::string_view t) { return matches("^[0-9a-fA-F]{24}$", t); }},
    {"byte", [](std::string_view t) { return matches("^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$", t); }},
    {"cidr", is_range},
    {"creditcard", is_credit_card},
    {"date", is_date},
    {"datetime", is_date_time},
    {"duration", is_duration},
    {"email", is_email},
    {"hexcolor", [](std::string_view t) { return matches("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", t); }},
    {"hostname", is_host_name},
    {"ipv4", [](std::string_view t) { return t.find('.') != t.npos && is_address(t); }},
    {"ipv6", [](std::string_view t) { return t.find(':') != t.npos && api::parse_ip(t).has_value(); }},
    {"isbn", [](std::string_view t) { return is_isbn10(t) || is_isbn13(t); }},
    {"isbn10", is_isbn10},
    {"isbn13", is_isbn13},
    {"mac", is_mac},
    {"rgbcolor", is_rgb_color},
    {"ssn", [](std::string_view t) { return t.size() == 11 && matches("^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$", t); }},
    {"uri", is_uri},
    {"uuid", [](std::string_view t) { return is_uuid(t, "[0-9a-f]{4}-?[0-9a-f]{4}"); }},
    {"uuid3", [](std::string_view t) { return is_uuid(t, "3[0-9a-f]{3}-?[0-9a-f]{4}"); }},
    {"uuid4", [](std::string_view t) { return is_uuid(t, "4[0-9a-f]{3}-?[89ab][0-9a-f]{3}"); }},
    {"uuid5", [](std::string_view t) { return is_uuid(t, "5[0-9a-f]{3}-?[89ab][0-9a-f]{3}"); }},
};

}  // namespace

bool fits_format(std::string_view format, std::string_view text) {
  std::string name(format);
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  for (const Format& known : kFormats)
    if (known.name == name) return known.fits(text);
  return true;
}

}  // namespace orrery::server
