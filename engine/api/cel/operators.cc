#include "engine/api/cel/operators.h"

#include <cmath>

#include "engine/api/cel/functions.h"

namespace orrery::api::cel {
namespace {

Result<Value> whole(std::string_view op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow = false;
  if (op == "+") overflow = __builtin_add_overflow(a, b, &out);
  if (op == "-") overflow = __builtin_sub_overflow(a, b, &out);
  if (op == "*") overflow = __builtin_mul_overflow(a, b, &out);
  if (op == "/" || op == "%") {
    if (b == 0) return bad_request(op == "/" ? "division by zero" : "modulus by zero");
    overflow = a == INT64_MIN && b == -1;
    if (!overflow) out = op == "/" ? a / b : a % b;
  }
  if (overflow) return bad_request("integer overflow");
  return Value::integer(out);
}

Result<Value> unsigned_whole(std::string_view op, uint64_t a, uint64_t b) {
  uint64_t out = 0;
  bool overflow = false;
  if (op == "+") overflow = __builtin_add_overflow(a, b, &out);
  if (op == "-") overflow = __builtin_sub_overflow(a, b, &out);
  if (op == "*") overflow = __builtin_mul_overflow(a, b, &out);
  if (op == "/" || op == "%") {
    if (b == 0) return bad_request(op == "/" ? "division by zero" : "modulus by zero");
    out = op == "/" ? a / b : a % b;
  }
  if (overflow) return bad_request("unsigned integer overflow");
  return Value::uint(out);
}

Result<Value> of_times(std::string_view op, const Value& a, const Value& b) {
  const bool a_time = a.kind == Value::Kind::kTimestamp, b_time = b.kind == Value::Kind::kTimestamp;
  const bool a_span = a.kind == Value::Kind::kDuration, b_span = b.kind == Value::Kind::kDuration;
  if (!(a_time || a_span) || !(b_time || b_span)) return no_overload(op);
  int64_t sum = 0;
  if (op == "+" && !(a_time && b_time)) {
    if (__builtin_add_overflow(a.number, b.number, &sum)) return bad_request("integer overflow");
    return a_time || b_time ? Value::timestamp(sum) : Value::duration(sum);
  }
  if (op != "-" || (b_time && !a_time)) return no_overload(op);
  if (__builtin_sub_overflow(a.number, b.number, &sum)) return bad_request("integer overflow");
  return a_time && b_span ? Value::timestamp(sum) : Value::duration(sum);
}

Result<Value> joined(const Value& a, const Value& b) {
  std::vector<Value> all = a.range();
  for (Value& item : b.range()) all.push_back(std::move(item));
  return Value::list(std::move(all));
}

Result<Value> arithmetic(std::string_view op, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return whole(op, a.as_int(), b.as_int());
  if (a.is_uint() && b.is_uint()) return unsigned_whole(op, static_cast<uint64_t>(a.number), static_cast<uint64_t>(b.number));
  if (a.is_double() && b.is_double() && op != "%") {
    const double x = a.as_double(), y = b.as_double();
    return Value::of(Json(op == "+" ? x + y : op == "-" ? x - y : op == "*" ? x * y : x / y));
  }
  if (op == "+" && a.is_string() && b.is_string()) return Value::string_of(str_cat(a.string(), b.string()));
  if (op == "+" && a.kind == Value::Kind::kBytes && b.kind == Value::Kind::kBytes) return Value::bytes(a.text + b.text);
  if (op == "+" && a.is_list() && b.is_list()) return joined(a, b);
  return of_times(op, a, b);
}

Result<Value> contained(const Value& item, const Value& in) {
  if (in.is_map()) return Value::flag(in.find(item).has_value());
  if (!in.is_list()) return no_overload("in");
  for (size_t i = 0; i < in.size(); ++i)
    if (equal(item, in.at(i))) return Value::flag(true);
  return Value::flag(false);
}

}  // namespace

Result<Value> apply_unary(std::string_view op, const Value& value) {
  if (op == "!") return value.is_bool() ? Value::flag(!value.is_true()) : Result<Value>(no_overload(op));
  if (value.is_int()) return whole("-", 0, value.as_int());
  if (value.is_double()) return Value::of(Json(-value.as_double()));
  return no_overload(op);
}

Result<Value> apply_binary(std::string_view op, const Value& a, const Value& b) {
  if (op == "+" || op == "-" || op == "*" || op == "/" || op == "%") return arithmetic(op, a, b);
  if (op == "==") return Value::flag(equal(a, b));
  if (op == "!=") return Value::flag(!equal(a, b));
  if (op == "in") return contained(a, b);
  int order = 0;
  if (!compare(a, b, &order)) return a.is_number() && b.is_number() ? Value::flag(false) : Result<Value>(no_overload(op));
  if (op == "<") return Value::flag(order < 0);
  if (op == "<=") return Value::flag(order <= 0);
  if (op == ">") return Value::flag(order > 0);
  return Value::flag(order >= 0);
}

Result<Value> value_at(const Value& container, const Value& key) {
  if (container.is_map()) {
    auto found = container.find(key);
    if (found) return std::move(*found);
    return bad_request(str_cat("no such key: ", key.is_string() ? std::string(key.string()) : key.to_json().dump()));
  }
  if (container.is_list() && key.is_string()) return bad_request("unsupported index type 'string' in list");
  if (!container.is_list() && (key.is_string() || key.is_int()))
    return bad_request(str_cat("no such key: ", key.is_string() ? std::string(key.string()) : key.to_json().dump()));
  if (!container.is_list() || !key.is_number()) return no_overload("_[_]");
  const double position = key.as_double();
  if (position != std::floor(position)) return bad_request(str_cat("unsupported index value: ", key.to_json().dump()));
  const int64_t at = key.is_int() ? key.as_int() : static_cast<int64_t>(position);
  if (at < 0 || static_cast<size_t>(at) >= container.size()) return bad_request(str_cat("index out of bounds: ", at));
  return container.at(static_cast<size_t>(at));
}

}  // namespace orrery::api::cel
