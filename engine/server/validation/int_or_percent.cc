#include "engine/server/validation/int_or_percent.h"

namespace orrery::server {
namespace {

bool is_percent(const api::IntOrString& value) { return value.is_text && check_percent(value.text).empty(); }

int64_t digits(std::string_view text) {
  int64_t number = 0;
  for (const char c : text)
    if (c >= '0' && c <= '9' && number < INT32_MAX) number = number * 10 + (c - '0');
  return number;
}

}  // namespace

void check_int_or_percent(const api::IntOrString& value, const Path& at, Findings& findings) {
  if (!value.is_text) return findings.non_negative(value.number, at);
  if (const Messages wrong = check_percent(value.text); !wrong.empty()) findings.invalid(at, value.text, wrong);
}

void check_percent_max(const api::IntOrString& value, const Path& at, Findings& findings) {
  if (is_percent(value) && digits(value.text) > 100) findings.invalid(at, value.text, "must not be greater than 100%");
}

int64_t int_or_percent(const api::IntOrString& value) {
  if (is_percent(value)) return digits(value.text);
  return api::int_value(value);
}

}  // namespace orrery::server
