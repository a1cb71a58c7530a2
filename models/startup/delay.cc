#include "models/startup/delay.h"

#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "engine/base/str.h"

namespace orrery::models {
namespace {

bool parse_numbers(std::string_view text, std::vector<double>* out) {
  for (;;) {
    const size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || end != part.data() + part.size() || !(number >= 0)) return false;
    out->push_back(number);
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<Delay> Delay::parse(std::string_view text) {
  const auto wrong = bad_request(str_cat("found \"", text, "\", must be seconds, uniform(low,high), exponential(mean) or lognormal(median,sigma)"));
  std::vector<double> numbers;
  const size_t open = text.find('(');
  if (open == std::string_view::npos) {
    if (!parse_numbers(text, &numbers) || numbers.size() != 1) return wrong;
    return constant(numbers[0]);
  }
  if (!text.ends_with(')') || !parse_numbers(text.substr(open + 1, text.size() - open - 2), &numbers)) return wrong;
  const std::string_view name = text.substr(0, open);
  if (name == "exponential" && numbers.size() == 1) return Delay{Kind::kExponential, numbers[0], 0};
  if (name == "uniform" && numbers.size() == 2 && numbers[0] <= numbers[1]) return Delay{Kind::kUniform, numbers[0], numbers[1]};
  if (name == "lognormal" && numbers.size() == 2) return Delay{Kind::kLognormal, numbers[0], numbers[1]};
  return wrong;
}

Duration Delay::draw(RngStream& rng) const {
  switch (kind) {
    case Kind::kConstant: return duration_from_seconds(a);
    case Kind::kUniform: return duration_from_seconds(a + (b - a) * rng.uniform());
    case Kind::kExponential: return duration_from_seconds(rng.exponential(a));
    case Kind::kLognormal: return duration_from_seconds(a * std::exp(b * rng.normal()));
  }
  return {};
}

Duration pull_time(int64_t bytes, double bytes_per_second, Duration latency) {
  return latency + duration_from_seconds(static_cast<double>(bytes) / bytes_per_second);
}

}  // namespace orrery::models
