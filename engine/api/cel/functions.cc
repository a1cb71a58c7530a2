#include "engine/api/cel/functions.h"

#include <cmath>

#include "engine/api/regex.h"
#include "engine/api/scalars.h"

namespace orrery::api::cel {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

Result<Value> number(int64_t n) { return Value::of(Json(n)); }
Result<Value> text(std::string t) { return Value::of(Json(std::move(t))); }
Result<Value> flag(bool b) { return Value::of(Json(b)); }

size_t runes_in(std::string_view s) {
  size_t count = 0;
  for (char c : s) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

Result<Value> size_of(const Value& value) {
  if (value.is_string()) return number(static_cast<int64_t>(runes_in(value.string())));
  if (value.is_list() || value.is_map()) return number(static_cast<int64_t>(value.json->size()));
  return no_overload("size");
}

Result<Value> to_int(const Value& value) {
  if (value.is_int()) return value;
  if (value.is_double()) {
    const double d = value.json->as_double();
    constexpr double kLimit = 9.2e18;
    if (!(std::fabs(d) < kLimit)) return bad_request("integer overflow");
    return number(static_cast<int64_t>(d));
  }
  if (value.kind == Value::Kind::kTimestamp) return number(value.ns / kNanosPerSecond);
  if (!value.is_string()) return no_overload("int");
  const auto parsed = Json::parse(value.string());
  if (!parsed.is_ok() || !parsed->is_int()) return bad_request(str_cat("strconv.ParseInt: parsing \"", value.string(), "\": invalid syntax"));
  return Value::of(*parsed);
}

Result<Value> to_double(const Value& value) {
  if (value.is_number()) return Value::of(Json(value.json->as_double()));
  if (!value.is_string()) return no_overload("double");
  const auto parsed = Json::parse(value.string());
  if (!parsed.is_ok() || !parsed->is_number()) return bad_request(str_cat("strconv.ParseFloat: parsing \"", value.string(), "\": invalid syntax"));
  return Value::of(Json(parsed->as_double()));
}

Result<Value> to_string(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kDuration: {
      std::string seconds;
      append_json_double(seconds, static_cast<double>(value.ns) / static_cast<double>(kNanosPerSecond));
      return text(seconds + "s");
    }
    case Value::Kind::kTimestamp: return text(format_time_nano(Timestamp(Time{value.ns})));
    case Value::Kind::kQuantity: return text(value.quantity.to_string());
    default: break;
  }
  if (value.is_string()) return value;
  if (value.is_number() || value.is_bool()) return text(value.json->dump());
  return no_overload("string");
}

Result<Value> to_bool(const Value& value) {
  if (value.is_bool()) return value;
  if (!value.is_string()) return no_overload("bool");
  for (const std::string_view yes : {"1", "t", "true", "TRUE", "True", "T"})
    if (value.string() == yes) return flag(true);
  for (const std::string_view no : {"0", "f", "false", "FALSE", "False", "F"})
    if (value.string() == no) return flag(false);
  return bad_request(str_cat("strconv.ParseBool: parsing \"", value.string(), "\": invalid syntax"));
}

Result<Value> to_duration(const Value& value) {
  if (value.kind == Value::Kind::kDuration) return value;
  if (!value.is_string()) return no_overload("duration");
  ORRERY_ASSIGN(ApiDuration parsed, parse_go_duration(value.string()));
  return Value::duration(parsed.ns);
}

Result<Value> to_timestamp(const Value& value) {
  if (value.kind == Value::Kind::kTimestamp) return value;
  if (value.is_int()) return Value::timestamp(value.json->as_int() * kNanosPerSecond);
  if (!value.is_string()) return no_overload("timestamp");
  ORRERY_ASSIGN(Timestamp parsed, parse_time(value.string()));
  return Value::timestamp(parsed.time().ns);
}

Result<Value> to_quantity(const Value& value) {
  if (!value.is_string()) return no_overload("quantity");
  ORRERY_ASSIGN(Quantity parsed, Quantity::parse(value.string()));
  Value out;
  out.kind = Value::Kind::kQuantity;
  out.quantity = parsed;
  return out;
}

Result<Value> is_quantity(const Value& value) {
  if (!value.is_string()) return no_overload("isQuantity");
  return flag(Quantity::parse(value.string()).is_ok());
}

Result<Value> type_of(const Value& value) { return Value::type_named(value.type_name()); }
Result<Value> same(const Value& value) { return value; }
Result<Value> some(const Value& value) { return Value::optional(&value); }

struct Function {
  std::string_view name;
  Result<Value> (*call)(const Value& value);
};
constexpr Function kFunctions[] = {
    {"size", size_of},           {"int", to_int},           {"uint", to_int},           {"double", to_double},
    {"string", to_string},       {"bool", to_bool},         {"duration", to_duration},  {"timestamp", to_timestamp},
    {"quantity", to_quantity},   {"isQuantity", is_quantity}, {"type", type_of},        {"dyn", same},
    {"optional.of", some},
};

Result<Value> optional_method(std::string_view name, const std::vector<Value>& args) {
  const Value& self = args[0];
  if (name == "hasValue" && args.size() == 1) return flag(self.json != nullptr);
  if (name == "value" && args.size() == 1) {
    if (!self.json) return bad_request("optional.none() dereference");
    return self.part(*self.json);
  }
  if (name == "orValue" && args.size() == 2) return self.json ? self.part(*self.json) : args[1];
  return no_overload(name);
}

bool holds(const Value& list, const Json& item) {
  for (const Json& each : list.json->items())
    if (each == item) return true;
  return false;
}

Result<Value> set_function(std::string_view name, const std::vector<Value>& args) {
  if (args.size() != 2 || !args[0].is_list() || !args[1].is_list()) return no_overload(name);
  size_t found = 0;
  for (const Json& item : args[1].json->items()) found += holds(args[0], item);
  const bool contains = found == args[1].json->size();
  if (name == "sets.contains") return flag(contains);
  if (name == "sets.intersects") return flag(found > 0);
  size_t back = 0;
  for (const Json& item : args[0].json->items()) back += holds(args[1], item);
  return flag(contains && back == args[0].json->size());
}

}  // namespace

Status no_overload(std::string_view) { return bad_request("no such overload"); }

Result<Value> call_function(std::string_view name, const std::vector<Value>& args) {
  if (name == "optional.none" && args.empty()) return Value::optional(nullptr);
  if (name.starts_with("sets.")) return set_function(name, args);
  if (name == "matches") return call_method(name, args);
  for (const Function& function : kFunctions)
    if (function.name == name && args.size() == 1) return function.call(args[0]);
  return bad_request(str_cat("undeclared reference to '", name, "' (in container '')"));
}

Result<Value> call_method(std::string_view name, const std::vector<Value>& args) {
  if (args.empty()) return no_overload(name);
  if (name == "size" && args.size() == 1) return size_of(args[0]);
  switch (args[0].kind) {
    case Value::Kind::kOptional: return optional_method(name, args);
    case Value::Kind::kQuantity: return quantity_method(name, args);
    case Value::Kind::kDuration:
    case Value::Kind::kTimestamp: return time_method(name, args);
    default: break;
  }
  if (args[0].is_string()) return string_method(name, args);
  if (args[0].is_list()) return list_method(name, args);
  return no_overload(name);
}

}  // namespace orrery::api::cel
