#include "engine/api/big_decimal.h"

#include <algorithm>
#include <charconv>

namespace orrery::api {
namespace {

constexpr uint32_t kBase = 1'000'000'000;

uint32_t power_of_ten(int32_t exponent) {
  uint32_t power = 1;
  for (int32_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

}  // namespace

BigDecimal::BigDecimal(int64_t unscaled, int32_t scale) : negative_(unscaled < 0), scale_(scale) {
  auto magnitude = static_cast<uint64_t>(unscaled);
  if (negative_) magnitude = 0 - magnitude;
  for (; magnitude > 0; magnitude /= kBase) limbs_.push_back(static_cast<uint32_t>(magnitude % kBase));
}

bool BigDecimal::parse(std::string_view text, BigDecimal* out) {
  *out = BigDecimal();
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::string digits;
  const size_t point = text.find('.');
  digits.append(text.substr(0, point));
  if (point != std::string_view::npos) {
    digits.append(text.substr(point + 1));
    out->scale_ = static_cast<int32_t>(text.size() - point - 1);
  }
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return false;
  for (size_t end = digits.size(); end > 0;) {
    const size_t begin = end > 9 ? end - 9 : 0;
    uint32_t limb = 0;
    std::from_chars(digits.data() + begin, digits.data() + end, limb);
    out->limbs_.push_back(limb);
    end = begin;
  }
  out->trim();
  out->negative_ = negative && !out->limbs_.empty();
  return true;
}

void BigDecimal::trim() {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
  if (limbs_.empty()) negative_ = false;
}

void BigDecimal::multiply_small(uint32_t factor) {
  uint64_t carry = 0;
  for (uint32_t& limb : limbs_) {
    carry += uint64_t{limb} * factor;
    limb = static_cast<uint32_t>(carry % kBase);
    carry /= kBase;
  }
  for (; carry > 0; carry /= kBase) limbs_.push_back(static_cast<uint32_t>(carry % kBase));
  trim();
}

void BigDecimal::multiply(int64_t factor) {
  const BigDecimal other(factor, 0);
  BigDecimal product;
  for (size_t i = 0; i < other.limbs_.size(); ++i) {
    BigDecimal part = *this;
    part.negative_ = false;
    part.multiply_small(other.limbs_[i]);
    part.limbs_.insert(part.limbs_.begin(), part.limbs_.empty() ? 0 : i, 0);
    product.add_magnitude(part);
  }
  product.scale_ = scale_;
  product.negative_ = negative_ != other.negative_;
  product.trim();
  *this = std::move(product);
}

void BigDecimal::shift_digits(int32_t count) {
  if (limbs_.empty()) return;
  limbs_.insert(limbs_.begin(), static_cast<size_t>(count / 9), 0);
  multiply_small(power_of_ten(count % 9));
}

uint32_t BigDecimal::divide_small(uint32_t divisor) {
  uint64_t remainder = 0;
  for (size_t i = limbs_.size(); i-- > 0;) {
    remainder = remainder * kBase + limbs_[i];
    limbs_[i] = static_cast<uint32_t>(remainder / divisor);
    remainder %= divisor;
  }
  trim();
  return static_cast<uint32_t>(remainder);
}

bool BigDecimal::drop_digits(int32_t count) {
  bool lost = false;
  const bool was_negative = negative_;
  for (; count >= 9 && !limbs_.empty(); count -= 9) {
    lost = lost || limbs_.front() != 0;
    limbs_.erase(limbs_.begin());
  }
  if (!limbs_.empty() && count > 0) lost = divide_small(power_of_ten(count)) != 0 || lost;
  negative_ = was_negative && !limbs_.empty();
  return lost;
}

int32_t BigDecimal::remove_factors(uint32_t base) {
  int32_t times = 0;
  while (!limbs_.empty()) {
    BigDecimal quotient = *this;
    if (quotient.divide_small(base) != 0) break;
    *this = std::move(quotient);
    ++times;
  }
  return times;
}

bool BigDecimal::round_away(int32_t scale) {
  const int32_t drop = scale_ - scale;
  scale_ = scale;
  if (drop <= 0) {
    shift_digits(-drop);
    return true;
  }
  const bool was_negative = negative_;
  if (!drop_digits(drop)) return true;
  negative_ = false;
  add_magnitude(BigDecimal(1, 0));
  negative_ = was_negative;
  return false;
}

int BigDecimal::compare_magnitude(const BigDecimal& a, const BigDecimal& b) {
  if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() < b.limbs_.size() ? -1 : 1;
  for (size_t i = a.limbs_.size(); i-- > 0;)
    if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] < b.limbs_[i] ? -1 : 1;
  return 0;
}

void BigDecimal::add_magnitude(const BigDecimal& other) {
  limbs_.resize(std::max(limbs_.size(), other.limbs_.size()), 0);
  uint32_t carry = 0;
  for (size_t i = 0; i < limbs_.size(); ++i) {
    uint32_t sum = limbs_[i] + carry + (i < other.limbs_.size() ? other.limbs_[i] : 0);
    carry = sum >= kBase ? 1 : 0;
    limbs_[i] = sum - carry * kBase;
  }
  if (carry) limbs_.push_back(1);
}

void BigDecimal::subtract_magnitude(const BigDecimal& other) {
  int64_t borrow = 0;
  for (size_t i = 0; i < limbs_.size(); ++i) {
    int64_t d = int64_t{limbs_[i]} - borrow - (i < other.limbs_.size() ? int64_t{other.limbs_[i]} : 0);
    borrow = d < 0 ? 1 : 0;
    limbs_[i] = static_cast<uint32_t>(d + borrow * kBase);
  }
  trim();
}

void BigDecimal::add(const BigDecimal& other) {
  BigDecimal b = other;
  if (b.scale_ < scale_) b.round_away(scale_);
  if (scale_ < b.scale_) round_away(b.scale_);
  if (negative_ == b.negative_) {
    add_magnitude(b);
  } else if (compare_magnitude(*this, b) >= 0) {
    subtract_magnitude(b);
  } else {
    b.subtract_magnitude(*this);
    *this = std::move(b);
  }
  trim();
}

int BigDecimal::compare(const BigDecimal& other) const {
  if (sign() != other.sign()) return sign() < other.sign() ? -1 : 1;
  if (sign() == 0) return 0;
  // Numbers of different magnitude are told apart without aligning their scales.
  const int64_t mine = static_cast<int64_t>(digits()) - scale_;
  const int64_t theirs = static_cast<int64_t>(other.digits()) - other.scale_;
  int result;
  if (mine != theirs) {
    result = mine < theirs ? -1 : 1;
  } else {
    BigDecimal a = *this, b = other;
    if (a.scale_ < b.scale_) a.round_away(b.scale_);
    if (b.scale_ < a.scale_) b.round_away(a.scale_);
    result = compare_magnitude(a, b);
  }
  return negative_ ? -result : result;
}

bool BigDecimal::unscaled_fits_int64() const {
  BigDecimal plain = *this, limit(INT64_MAX, 0);
  plain.scale_ = 0;
  if (negative_) {
    limit.add(BigDecimal(1, 0));
    limit.negate();
    return plain.compare(limit) >= 0;
  }
  return plain.compare(limit) <= 0;
}

int64_t BigDecimal::unscaled_low64() const {
  uint64_t low = 0;
  for (size_t i = limbs_.size(); i-- > 0;) low = low * kBase + limbs_[i];
  return static_cast<int64_t>(negative_ ? 0 - low : low);
}

std::string BigDecimal::unscaled_text() const {
  if (limbs_.empty()) return "0";
  std::string text = negative_ ? "-" : "";
  text += std::to_string(limbs_.back());
  for (size_t i = limbs_.size() - 1; i-- > 0;) {
    const std::string limb = std::to_string(limbs_[i]);
    text.append(9 - limb.size(), '0').append(limb);
  }
  return text;
}

size_t BigDecimal::digits() const { return unscaled_text().size() - (negative_ ? 1 : 0); }

std::string BigDecimal::to_string() const {
  std::string text = unscaled_text();
  if (scale_ <= 0) {
    if (!limbs_.empty()) text.append(static_cast<size_t>(-int64_t{scale_}), '0');
    return text;
  }
  const size_t begin = negative_ ? 1 : 0;
  const auto decimals = static_cast<size_t>(scale_);
  if (text.size() - begin <= decimals) text.insert(begin, decimals + 1 - (text.size() - begin), '0');
  text.insert(text.size() - decimals, 1, '.');
  return text;
}

}  // namespace orrery::api
