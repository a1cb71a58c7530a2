// Methods of lists, quantities and times.
#include "engine/api/cel/functions.h"

namespace orrery::api::cel {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000, kNanosPerSecond = 1000 * kNanosPerMilli;

Result<Value> flag(bool b) { return Value::of(Json(b)); }
Result<Value> number(int64_t n) { return Value::of(Json(n)); }

Result<Value> joined(const Value& list, std::string_view by) {
  std::string out;
  bool first = true;
  for (const Json& item : list.json->items()) {
    if (!item.is_string()) return no_overload("join");
    if (!first) out += by;
    first = false;
    out += item.as_string();
  }
  return Value::of(Json(std::move(out)));
}

Result<Value> sum(const Value& list) {
  int64_t whole = 0;
  double all = 0;
  bool is_whole = true;
  for (const Json& item : list.json->items()) {
    if (!item.is_number()) return no_overload("sum");
    is_whole = is_whole && item.type() != Json::Type::kDouble;
    if (is_whole && __builtin_add_overflow(whole, item.as_int(), &whole)) return bad_request("integer overflow");
    all += item.as_double();
  }
  return is_whole ? number(whole) : Value::of(Json(all));
}

// `sign` -1: the least, 1: the greatest.
Result<Value> extreme(const Value& list, int sign) {
  if (list.json->size() == 0) return bad_request(sign < 0 ? "min called on empty list" : "max called on empty list");
  Value best = list.part((*list.json)[size_t{0}]);
  for (const Json& item : list.json->items()) {
    int order = 0;
    const Value candidate = list.part(item);
    if (!compare(candidate, best, &order)) return no_overload("min");
    if (order * sign > 0) best = candidate;
  }
  return best;
}

Result<Value> sorted(const Value& list) {
  for (size_t i = 1; i < list.json->size(); ++i) {
    int order = 0;
    if (!compare(list.part((*list.json)[i - 1]), list.part((*list.json)[i]), &order)) return no_overload("isSorted");
    if (order > 0) return flag(false);
  }
  return flag(true);
}

Result<Value> place(const Value& list, const Value& item, bool last) {
  int64_t found = -1;
  for (size_t i = 0; i < list.json->size(); ++i)
    if ((last || found < 0) && equal(list.part((*list.json)[i]), item)) found = static_cast<int64_t>(i);
  return number(found);
}

}  // namespace

Result<Value> list_method(std::string_view name, const std::vector<Value>& args) {
  const Value& list = args[0];
  if (args.size() == 2 && (name == "indexOf" || name == "lastIndexOf")) return place(list, args[1], name == "lastIndexOf");
  if (name == "join" && args.size() == 2 && args[1].is_string()) return joined(list, args[1].string());
  if (args.size() != 1) return no_overload(name);
  if (name == "join") return joined(list, "");
  if (name == "sum") return sum(list);
  if (name == "min") return extreme(list, -1);
  if (name == "max") return extreme(list, 1);
  if (name == "isSorted") return sorted(list);
  return no_overload(name);
}

Result<Value> quantity_method(std::string_view name, const std::vector<Value>& args) {
  const Quantity& self = args[0].quantity;
  if (args.size() == 1) {
    int64_t whole = 0;
    const bool is_whole = self.as_int64(&whole);
    if (name == "isInteger") return flag(is_whole);
    if (name == "asInteger") return is_whole ? number(whole) : Result<Value>(bad_request("cannot convert value to integer"));
    if (name == "asApproximateFloat") return Value::of(Json(self.as_double()));
    if (name == "sign") return number(self.sign());
    return no_overload(name);
  }
  if (args.size() != 2) return no_overload(name);
  Quantity other;
  if (args[1].kind == Value::Kind::kQuantity) other = args[1].quantity;
  else if (args[1].is_int()) other = Quantity::from_int(args[1].json->as_int());
  else return no_overload(name);
  if (name == "isLessThan") return flag(self.compare(other) < 0);
  if (name == "isGreaterThan") return flag(self.compare(other) > 0);
  if (name == "compareTo") return number(self.compare(other));
  Value out = args[0];
  if (name == "add") out.quantity.add(other);
  else if (name == "sub") out.quantity.sub(other);
  else return no_overload(name);
  return out;
}

Result<Value> time_method(std::string_view name, const std::vector<Value>& args) {
  if (args.size() != 1) return no_overload(name);
  const int64_t ns = args[0].ns;
  if (name == "getMilliseconds") return number(ns / kNanosPerMilli % 1000);
  if (name == "getSeconds") return number(args[0].kind == Value::Kind::kDuration ? ns / kNanosPerSecond : ns / kNanosPerSecond % 60);
  if (name == "getMinutes") return number(args[0].kind == Value::Kind::kDuration ? ns / kNanosPerSecond / 60 : ns / kNanosPerSecond / 60 % 60);
  if (name == "getHours") return number(args[0].kind == Value::Kind::kDuration ? ns / kNanosPerSecond / 3600 : ns / kNanosPerSecond / 3600 % 24);
  return no_overload(name);
}

}  // namespace orrery::api::cel
