#include "engine/api/quantity.h"

#include <charconv>
#include <cmath>

namespace orrery::api {
namespace {

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

}  // namespace

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
