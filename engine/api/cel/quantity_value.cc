#include "engine/api/cel/functions.h"
#include "engine/api/quantity.h"

namespace orrery::api::cel {
namespace {

class QuantityValue final : public Opaque {
 public:
  explicit QuantityValue(Quantity quantity) : quantity_(std::move(quantity)) {}
  std::string_view type_name() const override { return "kubernetes.Quantity"; }
  std::string to_string() const override { return quantity_.to_string(); }
  bool equals(const Opaque& other) const override { return quantity_ == static_cast<const QuantityValue&>(other).quantity_; }

  Result<Value> call(std::string_view name, const std::vector<Value>& args) const override {
    if (args.size() == 1) return of_itself(name);
    Quantity other;
    if (args.size() != 2 || !read(args[1], &other)) return no_overload(name);
    if (name == "isLessThan") return Value::flag(quantity_.compare(other) < 0);
    if (name == "isGreaterThan") return Value::flag(quantity_.compare(other) > 0);
    if (name == "compareTo") return Value::integer(quantity_.compare(other));
    Quantity out = quantity_;
    if (name == "add") out.add(other);
    else if (name == "sub") out.sub(other);
    else return no_overload(name);
    return Value::of_opaque(std::make_shared<QuantityValue>(out));
  }

 private:
  Result<Value> of_itself(std::string_view name) const {
    int64_t whole = 0;
    const bool is_whole = quantity_.as_int64(&whole);
    if (name == "isInteger") return Value::flag(is_whole);
    if (name == "asInteger") return is_whole ? Value::integer(whole) : Result<Value>(bad_request("cannot convert value to integer"));
    if (name == "asApproximateFloat") return Value::of(Json(quantity_.as_double()));
    if (name == "sign") return Value::integer(quantity_.sign());
    return no_overload(name);
  }
  static bool read(const Value& value, Quantity* out) {
    if (value.is_int()) *out = Quantity::from_int(value.as_int());
    else if (value.type_name() == "kubernetes.Quantity") *out = static_cast<const QuantityValue&>(*value.opaque).quantity_;
    else return false;
    return true;
  }

  Quantity quantity_;
};

}  // namespace

Result<Value> quantity_value(const Value& text) {
  if (!text.is_string()) return no_overload("quantity");
  ORRERY_ASSIGN(Quantity parsed, Quantity::parse(text.string()));
  return Value::of_opaque(std::make_shared<QuantityValue>(std::move(parsed)));
}

}  // namespace orrery::api::cel
