#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::api {

/// An integer of any size (base 10^9, least significant limb first) times 10^-scale. What a
/// quantity falls back to when int64 is too small; speed does not matter here.
class BigDecimal {
 public:
  BigDecimal() = default;
  BigDecimal(int64_t unscaled, int32_t scale);
  /// Digits with an optional sign and one optional point; false if it is no such text.
  static bool parse(std::string_view text, BigDecimal* out);

  int sign() const { return limbs_.empty() ? 0 : (negative_ ? -1 : 1); }
  int32_t scale() const { return scale_; }
  void set_scale(int32_t scale) { scale_ = scale; }
  void negate() { negative_ = !negative_ && !limbs_.empty(); }
  void multiply_small(uint32_t factor);
  void multiply(int64_t factor);
  /// 10^count times the unscaled number (the scale stays).
  void shift_digits(int32_t count);
  /// Divides the unscaled number by 10^count toward zero; true if digits other than 0 were lost.
  bool drop_digits(int32_t count);
  /// The unscaled number is divided by 10 or 1024 as often as that is exact; how often.
  int32_t remove_factors(uint32_t base);
  /// To exactly `scale` decimals, rounded away from zero; true if nothing was lost.
  bool round_away(int32_t scale);
  void add(const BigDecimal& other);
  int compare(const BigDecimal& other) const;
  bool unscaled_fits_int64() const;
  /// The low 64 bits of the unscaled number in two's complement.
  int64_t unscaled_low64() const;
  std::string unscaled_text() const;
  /// Plain decimal notation with `scale` decimals.
  std::string to_string() const;
  size_t digits() const;

 private:
  void trim();
  static int compare_magnitude(const BigDecimal& a, const BigDecimal& b);
  void add_magnitude(const BigDecimal& other);
  void subtract_magnitude(const BigDecimal& other);  // requires |*this| >= |other|
  uint32_t divide_small(uint32_t divisor);           // the remainder

  bool negative_ = false;
  int32_t scale_ = 0;
  std::vector<uint32_t> limbs_;
};

}  // namespace orrery::api
