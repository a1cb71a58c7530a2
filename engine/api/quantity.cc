#include "engine/api/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

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

bool multiply_checked(int64_t a, int64_t b, int64_t* out) {
  return !__builtin_mul_overflow(a, b, out);
}

/// base / 10^digits, rounded away from zero; true if exact.
bool scale_down(int64_t base, int64_t digits, int64_t* out) {
  int64_t value = base;
  bool fraction = false;
  for (int64_t i = 0; i < digits && value != 0; ++i) {
    fraction = fraction || value % 10 != 0;
    value /= 10;
  }
  if (fraction) value += base > 0 ? 1 : -1;
  *out = value;
  return !fraction;
}

/// base * 10^digits. When it does not fit: the wrapped product for 1, 2, 3, 6 and 9 digits, else
/// 0, as the reference answers.
bool scale_up(int64_t base, int64_t digits, int64_t* out) {
  if (base == 0) return *out = 0, true;
  if (digits == 0) return *out = base, true;
  int64_t factor = 1;
  for (int64_t i = 0; i < digits && i < 18; ++i) factor *= 10;
  const bool fits = digits <= 18 && multiply_checked(base, factor, out);
  if (fits) return true;
  const bool wraps = digits <= 3 || digits == 6 || digits == 9;
  *out = wraps && base != INT64_MIN
             ? static_cast<int64_t>(static_cast<uint64_t>(base) * static_cast<uint64_t>(factor))
             : 0;
  return false;
}

/// The unscaled number at another number of decimals: any rest counts as one more, and what does
/// not fit wraps, as in the reference.
int64_t rescaled_low64(const BigDecimal& dec, int32_t new_scale) {
  const int32_t drop = dec.scale() - new_scale;
  BigDecimal number = dec;
  number.set_scale(0);
  if (drop <= 0) {
    number.shift_digits(-drop);
    return number.unscaled_low64();
  }
  const bool small = number.compare(BigDecimal(INT64_MAX, 0)) < 0 && drop <= 18;
  if (small) {
    int64_t divisor = 1;
    for (int32_t i = 0; i < drop; ++i) divisor *= 10;
    const int64_t value = number.unscaled_low64();
    return value / divisor + (value % divisor != 0 ? 1 : 0);
  }
  const bool negative = number.sign() < 0;
  const bool lost = number.drop_digits(drop);
  // Euclidean division: the remainder is never negative.
  const uint64_t quotient = static_cast<uint64_t>(number.unscaled_low64()) - (negative && lost ? 1 : 0);
  return static_cast<int64_t>(quotient + (lost ? 1 : 0));  // wraps, as Go's int64 does
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

}  // namespace

std::string_view quantity_format_name(QuantityFormat format) {
  static constexpr std::array<std::string_view, 4> kNames = {"", "DecimalSI", "BinarySI", "DecimalExponent"};
  return kNames[static_cast<size_t>(format)];
}

namespace {

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
  if (!multiply_checked(number, factor, &value)) return std::nullopt;
  const bool canonical = binary ? number % 8 != 0
                                : scale % 3 == 0 && digits[0] != '0' && !digits.ends_with("000");
  return FastResult{parts.positive ? value : -value, scale, canonical};
}

}  // namespace

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

Quantity Quantity::from_int(int64_t value, QuantityFormat format) {
  Quantity q;
  q.value_ = value;
  q.format_ = format;
  return q;
}

Quantity Quantity::from_milli(int64_t milli, QuantityFormat format) {
  Quantity q = from_int(milli, format);
  q.scale_ = -3;
  return q;
}

Quantity Quantity::from_scaled(int64_t value, int32_t scale) {
  Quantity q = from_int(value);
  q.scale_ = scale;
  return q;
}

BigDecimal Quantity::dec() const { return big_ ? *big_ : BigDecimal(value_, -scale_); }

BigDecimal& Quantity::make_big() {
  if (!big_) {
    big_ = Ref<BigDecimal>::make(dec());
    value_ = 0;
    scale_ = 0;
  }
  return big_.mut();
}

int Quantity::sign() const {
  if (big_) return big_->sign();
  return value_ == 0 ? 0 : (value_ < 0 ? -1 : 1);
}

int64_t Quantity::scaled_int64(int32_t scale) const {
  int64_t result = 0;
  if (scale_ < scale) {
    scale_down(value_, int64_t{scale} - scale_, &result);
  } else {
    scale_up(value_, int64_t{scale_} - scale, &result);
  }
  return result;
}

int64_t Quantity::scaled_value(int32_t scale) const {
  return big_ ? rescaled_low64(*big_, -scale) : scaled_int64(scale);
}

int64_t Quantity::value() const { return scaled_value(0); }
int64_t Quantity::milli_value() const { return scaled_value(-3); }

bool Quantity::as_int64(int64_t* out) const {
  if (big_ || scale_ < 0) return false;
  return scale_up(value_, scale_, out);
}

double Quantity::as_double() const {
  double base = static_cast<double>(value_);
  int32_t exponent = scale_;
  if (big_) {
    const std::string digits = big_->unscaled_text();
    std::from_chars(digits.data(), digits.data() + digits.size(), base);
    exponent = -big_->scale();
  }
  return exponent == 0 ? base : base * std::pow(10.0, exponent);
}

std::string Quantity::as_dec() const { return dec().to_string(); }

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

bool Quantity::round_up(int32_t scale) {
  if (big_) {
    text_ = Str();
    return big_.mut().round_away(-scale);
  }
  if (scale_ >= scale) return true;
  text_ = Str();
  int64_t rounded = 0;
  const bool exact = scale_down(value_, int64_t{scale} - scale_, &rounded);
  value_ = rounded;
  scale_ = scale;
  return exact;
}

bool Quantity::add_fast(int64_t value, int32_t scale) {
  if (value == 0) return true;
  int64_t mine = value_, theirs = value, sum = 0;
  if (mine == 0) {
    value_ = value;
    scale_ = scale;
    return true;
  }
  const int32_t common = scale_ < scale ? scale_ : scale;
  if (!scale_up(mine, int64_t{scale_} - common, &mine)) return false;
  if (!scale_up(theirs, int64_t{scale} - common, &theirs)) return false;
  if (__builtin_add_overflow(mine, theirs, &sum)) return false;
  value_ = sum;
  scale_ = common;
  return true;
}

void Quantity::add(const Quantity& other) {
  text_ = Str();
  if (is_zero()) format_ = other.format_;
  if (!big_ && !other.big_ && add_fast(other.value_, other.scale_)) return;
  const BigDecimal theirs = other.dec();
  make_big().add(theirs);
}

void Quantity::sub(const Quantity& other) {
  Quantity negative = other;
  negative.negate();
  add(negative);
}

void Quantity::negate() {
  text_ = Str();
  if (!big_ && value_ != INT64_MIN) {
    value_ = -value_;
  } else {
    make_big().negate();
  }
}

bool Quantity::mul(int64_t factor) {
  text_ = Str();
  if (!big_) {
    if (value_ == 0) return true;
    if (factor == 0) {
      value_ = 0;
      scale_ = 0;
      return true;
    }
    int64_t product = 0;
    if (multiply_checked(value_, factor, &product)) {
      value_ = product;
      return true;
    }
  }
  BigDecimal& big = make_big();
  big.multiply(factor);
  return big.unscaled_fits_int64();
}

int Quantity::compare(const Quantity& other) const {
  if (!big_ && !other.big_ && scale_ == other.scale_)
    return value_ < other.value_ ? -1 : (value_ > other.value_ ? 1 : 0);
  return dec().compare(other.dec());
}

int Quantity::compare_int(int64_t value) const { return compare(from_int(value)); }

}  // namespace orrery::api
