#include "engine/server/rest/query_values.h"

#include <charconv>

#include "engine/api/names.h"

namespace orrery::server {
namespace {

// The digits, with the sign that from_chars reads.
std::string_view without_plus(std::string_view text) {
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  return plus ? text.substr(1) : text;
}

std::from_chars_result parse(std::string_view text, int64_t& value) {
  const std::string_view digits = without_plus(text);
  auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ptr != digits.data() + digits.size()) result.ec = std::errc::invalid_argument;
  return result;
}

}  // namespace

Opt<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  if (parse(text, value).ec != std::errc()) return {};
  return value;
}

ApiResponse check_integers(const Query& query, std::initializer_list<std::string_view> names) {
  ApiResponse response;
  for (const std::string_view name : names) {
    if (!query.has(name)) continue;
    int64_t value = 0;
    const std::errc wrong = parse(query.get(name), value).ec;
    if (wrong == std::errc()) continue;
    const std::string_view why = wrong == std::errc::result_out_of_range ? "value out of range" : "invalid syntax";
    response.status = bad_request(str_cat("strconv.ParseInt: parsing ", api::quoted(query.get(name)), ": ", why));
    return response;
  }
  return response;
}

void check_dry_run(const std::vector<std::string>& values, FieldErrors& errors) {
  for (const std::string& value : values) {
    if (value == "All") continue;
    std::string listed;
    for (const std::string& v : values) listed += (listed.empty() ? "" : ", ") + api::quoted(v);
    errors.push_back({"dryRun", "FieldValueNotSupported",
                      str_cat("Unsupported value: []string{", listed, "}: supported values: \"All\"")});
    return;
  }
}

}  // namespace orrery::server
