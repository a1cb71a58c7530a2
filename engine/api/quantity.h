#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/api/big_decimal.h"
#include "engine/base/cow.h"
#include "engine/base/status.h"
#include "engine/base/str.h"

namespace orrery::api {

enum class QuantityFormat : uint8_t { kUnset, kDecimalSI, kBinarySI, kDecimalExponent };

/// The suffix family's name ("DecimalSI"); "" for kUnset.
std::string_view quantity_format_name(QuantityFormat format);

/// resource.Quantity: an exact decimal number with a preferred way of writing it ("100m", "1Gi",
/// "12e6"). Amounts that fit are int64 * 10^scale; the rest is an arbitrary-precision decimal.
/// Source of the rules: Kubernetes v1.32 apimachinery/pkg/api/resource.
class Quantity {
 public:
  Quantity() = default;

  /// Parses `text`; the error's message is what Kubernetes' ParseQuantity says.
  static Result<Quantity> parse(std::string_view text);
  /// For constants in code and tests: CHECKs that `text` is valid.
  static Quantity of(std::string_view text);
  static Quantity from_int(int64_t value, QuantityFormat format = QuantityFormat::kDecimalSI);
  static Quantity from_milli(int64_t milli, QuantityFormat format = QuantityFormat::kDecimalSI);
  static Quantity from_scaled(int64_t value, int32_t scale);

  /// The canonical text.
  std::string to_string() const;
  QuantityFormat format() const { return format_; }
  int sign() const;
  bool is_zero() const { return sign() == 0; }
  /// Rounded up to whole units, thousandths, or 10^scale; saturates as the reference does.
  int64_t value() const;
  int64_t milli_value() const;
  int64_t scaled_value(int32_t scale) const;
  /// True, and the number, if it is an integer that fits.
  bool as_int64(int64_t* out) const;
  /// The nearest double, up to the rounding of one multiplication by a power of ten.
  double as_double() const;
  /// The unscaled decimal text of the exact value ("1.500").
  std::string as_dec() const;
  /// Rounds away from zero to 10^scale; true if nothing was lost.
  bool round_up(int32_t scale);

  void add(const Quantity& other);
  void sub(const Quantity& other);
  void negate();
  /// Multiplies in place; false if the result left the fast int64 form.
  bool mul(int64_t factor);
  int compare(const Quantity& other) const;
  int compare_int(int64_t value) const;
  /// The same amount (the format does not matter).
  friend bool operator==(const Quantity& a, const Quantity& b) { return a.compare(b) == 0; }
  friend std::strong_ordering operator<=>(const Quantity& a, const Quantity& b) {
    return a.compare(b) <=> 0;
  }

  /// The text that parsing saw as canonical already ("" if it was not), and the int64 amount and
  /// scale that parsing left; part of the text that pod-template hashes are made from.
  const Str& cached_text() const { return text_; }
  bool is_big() const { return static_cast<bool>(big_); }
  int64_t raw_value() const { return value_; }
  int32_t raw_scale() const { return scale_; }

 private:
  // The number as a big decimal, whichever form it has.
  BigDecimal dec() const;
  // Switches to the big form.
  BigDecimal& make_big();
  bool add_fast(int64_t value, int32_t scale);
  int64_t scaled_int64(int32_t scale) const;
  std::string canonical() const;

  int64_t value_ = 0;
  int32_t scale_ = 0;
  QuantityFormat format_ = QuantityFormat::kUnset;
  Str text_;
  Ref<BigDecimal> big_;
};

}  // namespace orrery::api
