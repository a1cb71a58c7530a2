// Quantities as texts: read, and written in their canonical form.
#include <array>
#include <charconv>
#include <optional>

#include "engine/api/quantity.h"
#include "engine/base/check.h"

namespace orrery::api {
namespace {

constexpr const char* kFormatWrong =
    "quantities must match the regular expression "
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
constexpr const char* kSuffixWrong = "unable to parse quantity's suffix";
constexpr const char* kNumericWrong = "unable to parse numeric part of quantity";
constexpr int32_t kNano = -9;
// Exponents beyond this would expand to texts of megabytes.
constexpr int64_t kExponentMax = 100'000;

struct Suffix {
  std::string_view text;
  int32_t exponent;
};
constexpr std::array<Suffix, 10> kDecimal = {
    {{"n", -9}, {"u", -6}, {"m", -3}, {"", 0}, {"k", 3}, {"M", 6}, {"G", 9}, {"T", 12}, {"P", 15}, {"E", 18}}};
constexpr std::array<Suffix, 6> kBinary = {
    {{"Ki", 10}, {"Mi", 20}, {"Gi", 30}, {"Ti", 40}, {"Pi", 50}, {"Ei", 60}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The pieces of a quantity's text.
struct Parts {
  bool positive = true;
  std::string_view value;     // sign, digits, point
  std::string num = "0";      // digits before the point, leading zeros dropped
  std::string_view denom;     // digits after it
  std::string_view suffix;
};

std::optional<Parts> split(std::string_view text) {
  Parts parts;
  size_t pos = 0;
  const size_t end = text.size();
  if (end > 0 && (text[0] == '-' || text[0] == '+')) {
    parts.positive = text[0] == '+';
    pos = 1;
  }
  while (pos < end && text[pos] == '0') ++pos;
  size_t from = pos;
  while (pos < end && is_digit(text[pos])) ++pos;
  if (pos > from) parts.num = std::string(text.substr(from, pos - from));
  if (pos < end && text[pos] == '.') {
    from = ++pos;
    while (pos < end && is_digit(text[pos])) ++pos;
    parts.denom = text.substr(from, pos - from);
  }
  parts.value = text.substr(0, pos);
  from = pos;
  while (pos < end && std::string_view("eEinumkKMGTP").find(text[pos]) != std::string_view::npos) ++pos;
  if (pos < end && (text[pos] == '-' || text[pos] == '+')) ++pos;
  while (pos < end && is_digit(text[pos])) ++pos;
  if (pos != end) return std::nullopt;
  parts.suffix = text.substr(from);
  return parts;
}

struct Scaling {
  QuantityFormat format;
  int32_t exponent;  // of 10, or of 2 for kBinarySI
};

std::optional<Scaling> interpret(std::string_view suffix) {
  for (const Suffix& s : kDecimal)
    if (s.text == suffix) return Scaling{QuantityFormat::kDecimalSI, s.exponent};
  for (const Suffix& s : kBinary)
    if (s.text == suffix) return Scaling{QuantityFormat::kBinarySI, s.exponent};
  if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return std::nullopt;
  std::string_view digits = suffix.substr(1);
  if (digits[0] == '+') digits.remove_prefix(1);
  int64_t exponent = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (exponent > kExponentMax || exponent < -kExponentMax) return std::nullopt;
  return Scaling{QuantityFormat::kDecimalExponent, static_cast<int32_t>(exponent)};
}

std::string_view decimal_suffix(int32_t exponent) {
  for (const Suffix& s : kDecimal)
    if (s.exponent == exponent) return s.text;
  return "";
}

std::string_view binary_suffix(int32_t exponent) {
  for (const Suffix& s : kBinary)
    if (s.exponent == exponent) return s.text;
  return "";
}

std::string with_decimal_suffix(std::string number, int32_t exponent, QuantityFormat format) {
  if (format == QuantityFormat::kDecimalSI) return number + std::string(decimal_suffix(exponent));
  if (exponent != 0) number += "e" + std::to_string(exponent);
  return number;
}

struct FastResult {
  int64_t value;
  int32_t scale;
  bool canonical;
};

// The int64 form, for texts short enough that it cannot overflow unnoticed.
std::optional<FastResult> parse_fast(const Parts& parts, const Scaling& scaling) {
  const bool binary = scaling.format == QuantityFormat::kBinarySI;
  const auto num_size = static_cast<int32_t>(parts.num.size());
  const auto denom_size = static_cast<int32_t>(parts.denom.size());
  int64_t factor = 1;
  int32_t scale = 0;
  if (binary) {
    if (denom_size > 0 || 14 - num_size - scaling.exponent * 3 / 10 < 0) return std::nullopt;
    factor = int64_t{1} << scaling.exponent;
  } else {
    if (num_size + denom_size > 18) return std::nullopt;
    scale = scaling.exponent - denom_size;
  }
  if (scale < kNano) return std::nullopt;
  const std::string digits = parts.num + std::string(parts.denom);
  int64_t number = 0, value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (__builtin_mul_overflow(number, factor, &value)) return std::nullopt;
  const bool canonical = binary ? number % 8 != 0
                                : scale % 3 == 0 && digits[0] != '0' && !digits.ends_with("000");
  return FastResult{parts.positive ? value : -value, scale, canonical};
}

}  // namespace

std::string_view quantity_format_name(QuantityFormat format) {
  static constexpr std::array<std::string_view, 4> kNames = {"", "DecimalSI", "BinarySI", "DecimalExponent"};
  return kNames[static_cast<size_t>(format)];
}

Result<Quantity> Quantity::parse(std::string_view text) {
  Quantity q;
  if (text.empty()) return Status(Code::kBadRequest, kFormatWrong);
  if (text == "0") {
    q.format_ = QuantityFormat::kDecimalSI;
    q.text_ = Str(text);
    return q;
  }
  const auto parts = split(text);
  if (!parts) return Status(Code::kBadRequest, kFormatWrong);
  const auto scaling = interpret(parts->suffix);
  if (!scaling) return Status(Code::kBadRequest, kSuffixWrong);
  q.format_ = scaling->format;
  if (const auto fast = parse_fast(*parts, *scaling)) {
    q.value_ = fast->value;
    q.scale_ = fast->scale;
    if (fast->canonical) q.text_ = Str(text);
    return q;
  }
  BigDecimal amount;
  if (!BigDecimal::parse(parts->value, &amount)) return Status(Code::kBadRequest, kNumericWrong);
  if (scaling->format == QuantityFormat::kBinarySI) {
    for (int32_t i = 0; i < scaling->exponent; i += 10) amount.multiply_small(1024);
  } else {
    amount.set_scale(amount.scale() - scaling->exponent);
  }
  const bool negative = amount.sign() < 0;
  if (negative) amount.negate();
  if (amount.sign() != 0) amount.round_away(-kNano);
  if (scaling->format == QuantityFormat::kBinarySI) {
    const BigDecimal most(INT64_MAX, 0);
    if (amount.compare(most) > 0) amount = most;
    if (amount.sign() > 0 && amount.compare(BigDecimal(1, 0)) < 0) q.format_ = QuantityFormat::kDecimalSI;
  }
  if (negative) amount.negate();
  q.big_ = Ref<BigDecimal>::make(std::move(amount));
  return q;
}

Quantity Quantity::of(std::string_view text) {
  auto parsed = parse(text);
  CHECK(parsed.is_ok()) << text << ": " << parsed.status().message();
  return std::move(*parsed);
}

std::string Quantity::to_string() const { return text_.empty() ? canonical() : text_.str(); }

std::string Quantity::canonical() const {
  if (is_zero()) return "0";
  QuantityFormat format = format_ == QuantityFormat::kUnset ? QuantityFormat::kDecimalExponent : format_;
  BigDecimal number = dec();
  if (format == QuantityFormat::kBinarySI) {
    BigDecimal whole = number;
    const bool tiny = compare_int(-1024) > 0 && compare_int(1024) < 0;
    if (!tiny && whole.round_away(0)) {
      const int32_t times = whole.remove_factors(1024);
      return whole.unscaled_text() + std::string(binary_suffix(times * 10));
    }
    format = QuantityFormat::kDecimalSI;
  }
  int32_t exponent = -number.scale();
  exponent += number.remove_factors(10);
  const int32_t extra = ((exponent % 3) + 3) % 3;
  number.shift_digits(extra);
  return with_decimal_suffix(number.unscaled_text(), exponent - extra, format);
}

}  // namespace orrery::api
