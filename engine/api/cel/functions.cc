#include "engine/api/cel/functions.h"

#include <cmath>

#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/api/regex.h"
#include "engine/api/scalars.h"

namespace orrery::api::cel {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

size_t runes_in(std::string_view s) {
  size_t count = 0;
  for (char c : s) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

Result<Value> size_of(const Value& value) {
  if (value.is_string()) return Value::integer(static_cast<int64_t>(runes_in(value.string())));
  if (value.kind == Value::Kind::kBytes) return Value::integer(static_cast<int64_t>(value.text.size()));
  if (value.is_list() || value.is_map()) return Value::integer(static_cast<int64_t>(value.size()));
  return no_overload("size");
}

Status not_converted(const Value& value, std::string_view to) {
  return bad_request(str_cat("type conversion error from '", value.type_name(), "' to '", to, "'"));
}

Result<Value> to_int(const Value& value) {
  if (value.is_int()) return value;
  if (value.is_uint()) return value.number < 0 ? Result<Value>(bad_request("integer overflow")) : Value::integer(value.number);
  if (value.is_double()) {
    const double d = value.as_double();
    constexpr double kLimit = 9223372036854775807.0;
    if (!(std::fabs(d) < kLimit)) return bad_request("integer overflow");
    return Value::integer(static_cast<int64_t>(d));
  }
  if (value.kind == Value::Kind::kTimestamp) return Value::integer(value.number / kNanosPerSecond);
  if (value.kind == Value::Kind::kDuration) return Value::integer(value.number);
  if (!value.is_string()) return no_overload("int");
  std::string_view digits = value.string();
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  const bool plain = !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
  errno = 0;
  const int64_t parsed = plain ? std::strtoll(std::string(value.string()).c_str(), nullptr, 10) : 0;
  return plain && errno == 0 ? Value::integer(parsed) : Result<Value>(not_converted(value, "int"));
}

Result<Value> to_uint(const Value& value) {
  if (value.is_uint()) return value;
  if (value.is_int()) return value.as_int() < 0 ? Result<Value>(bad_request("unsigned integer overflow")) : Value::uint(static_cast<uint64_t>(value.as_int()));
  if (value.is_double()) {
    constexpr double kLimit = 18446744073709551615.0;
    const double d = value.as_double();
    if (!(d >= 0 && d < kLimit)) return bad_request("unsigned integer overflow");
    return Value::uint(static_cast<uint64_t>(d));
  }
  if (!value.is_string()) return no_overload("uint");
  const bool plain = !value.string().empty() && value.string().find_first_not_of("0123456789") == std::string_view::npos;
  errno = 0;
  const uint64_t parsed = plain ? std::strtoull(std::string(value.string()).c_str(), nullptr, 10) : 0;
  return plain && errno == 0 ? Value::uint(parsed) : Result<Value>(not_converted(value, "uint"));
}

Result<Value> to_double(const Value& value) {
  if (value.is_number()) return Value::of(Json(value.as_double()));
  if (!value.is_string()) return no_overload("double");
  const std::string text(value.string());
  char* end = nullptr;
  const double parsed = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return not_converted(value, "double");
  return Value::of(Json(parsed));
}

Result<Value> to_string(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kDuration: {
      std::string seconds;
      append_json_double(seconds, static_cast<double>(value.number) / static_cast<double>(kNanosPerSecond));
      return Value::string_of(seconds + "s");
    }
    case Value::Kind::kTimestamp: return Value::string_of(format_time_nano(Timestamp(Time{value.number})));
    case Value::Kind::kUint: return Value::string_of(std::to_string(static_cast<uint64_t>(value.number)));
    case Value::Kind::kBytes: return Value::string_of(value.text);
    case Value::Kind::kOpaque: return Value::string_of(value.opaque->to_string());
    default: break;
  }
  if (value.is_string()) return value;
  if (value.is_number() || value.is_bool()) return Value::string_of(value.json->dump());
  return no_overload("string");
}

Result<Value> to_bytes(const Value& value) {
  if (value.kind == Value::Kind::kBytes) return value;
  return value.is_string() ? Value::bytes(std::string(value.string())) : Result<Value>(no_overload("bytes"));
}

Result<Value> to_bool(const Value& value) {
  if (value.is_bool()) return value;
  if (!value.is_string()) return no_overload("bool");
  for (const std::string_view yes : {"1", "t", "true", "TRUE", "True", "T"})
    if (value.string() == yes) return Value::flag(true);
  for (const std::string_view no : {"0", "f", "false", "FALSE", "False", "F"})
    if (value.string() == no) return Value::flag(false);
  return not_converted(value, "bool");
}

Result<Value> to_duration(const Value& value) {
  if (value.kind == Value::Kind::kDuration) return value;
  if (value.is_int()) return Value::duration(value.as_int());
  if (!value.is_string()) return no_overload("duration");
  const auto parsed = parse_go_duration(value.string());
  return parsed.is_ok() ? Value::duration(parsed->ns) : Result<Value>(not_converted(value, "google.protobuf.Duration"));
}

Result<Value> to_timestamp(const Value& value) {
  if (value.kind == Value::Kind::kTimestamp) return value;
  if (value.is_int()) return Value::timestamp(value.as_int() * kNanosPerSecond);
  if (!value.is_string()) return no_overload("timestamp");
  const auto parsed = parse_time(value.string());
  return parsed.is_ok() ? Value::timestamp(parsed->time().ns) : Result<Value>(not_converted(value, "google.protobuf.Timestamp"));
}

template <Result<Value> (*kMake)(const Value&)>
Result<Value> is_one(const Value& value) {
  if (!value.is_string()) return no_overload("is");
  return Value::flag(kMake(value).is_ok());
}

Result<Value> type_of(const Value& value) { return Value::type_named(value.type_name()); }
Result<Value> same(const Value& value) { return value; }
Result<Value> some(const Value& value) { return Value::some(value); }
Result<Value> some_unless_zero(const Value& value) {
  const bool zero = value.is_null() || (value.is_bool() && !value.is_true()) || (value.is_number() && value.as_double() == 0) ||
                    (value.is_string() && value.string().empty()) || ((value.is_list() || value.is_map()) && value.size() == 0);
  return zero ? Value::none() : Value::some(value);
}
Result<Value> quote(const Value& value) {
  return value.is_string() ? Value::string_of(quoted(value.string())) : Result<Value>(no_overload("strings.quote"));
}
Result<Value> format_named(const Value& value) {
  if (!value.is_string()) return no_overload("format.named");
  auto found = named_format(value.string());
  return found ? Value::some(std::move(*found)) : Value::none();
}

Result<Value> sign_of(const Value& value) {
  return value.type_name() == "kubernetes.Quantity" ? value.opaque->call("sign", {value}) : Result<Value>(no_overload("sign"));
}

struct Function {
  std::string_view name;
  Result<Value> (*call)(const Value& value);
};
constexpr Function kFunctions[] = {
    {"size", size_of},
    {"int", to_int},
    {"uint", to_uint},
    {"double", to_double},
    {"string", to_string},
    {"bytes", to_bytes},
    {"bool", to_bool},
    {"duration", to_duration},
    {"timestamp", to_timestamp},
    {"quantity", quantity_value},
    {"isQuantity", is_one<quantity_value>},
    {"sign", sign_of},
    {"ip", ip_value},
    {"isIP", is_one<ip_value>},
    {"ip.isCanonical", ip_is_canonical},
    {"cidr", cidr_value},
    {"isCIDR", is_one<cidr_value>},
    {"url", url_value},
    {"isURL", is_one<url_value>},
    {"type", type_of},
    {"dyn", same},
    {"optional.of", some},
    {"optional.ofNonZeroValue", some_unless_zero},
    {"strings.quote", quote},
    {"format.named", format_named},
};

Result<Value> optional_method(std::string_view name, const std::vector<Value>& args) {
  const auto& items = *args[0].items;
  if (name == "hasValue" && args.size() == 1) return Value::flag(!items.empty());
  if (name != "value" || args.size() != 1) return no_overload(name);
  return items.empty() ? Result<Value>(bad_request("optional.none() dereference")) : items.front();
}

size_t found_in(const Value& items, const Value& list) {
  size_t found = 0;
  const std::vector<Value> range = list.range();
  for (const Value& item : items.range())
    for (const Value& each : range)
      if (equal(each, item)) {
        ++found;
        break;
      }
  return found;
}

Result<Value> set_function(std::string_view name, const std::vector<Value>& args) {
  if (args.size() != 2 || !args[0].is_list() || !args[1].is_list()) return no_overload(name);
  const size_t found = found_in(args[1], args[0]);
  const bool contains = found == args[1].size();
  if (name == "sets.contains") return Value::flag(contains);
  if (name == "sets.intersects") return Value::flag(found > 0);
  return Value::flag(contains && found_in(args[0], args[1]) == args[0].size());
}

}  // namespace

Status no_overload(std::string_view) { return bad_request("no such overload"); }

bool is_right_text(std::string_view function, std::string_view text) {
  if (function == "matches") return Regex::compile(text).is_ok();
  if (function == "duration") return parse_go_duration(text).is_ok();
  return function != "timestamp" || parse_time(text).is_ok();
}

bool is_namespace(std::string_view name) {
  return name == "optional" || name == "sets" || name == "strings" || name == "ip" || name == "format";
}

Result<Value> call_function(std::string_view name, const std::vector<Value>& args) {
  if (name == "optional.none" && args.empty()) return Value::none();
  if (name.starts_with("sets.")) return set_function(name, args);
  if (name == "matches" && !args.empty()) return call_method(name, args);
  for (const Function& function : kFunctions)
    if (function.name == name && args.size() == 1) return function.call(args[0]);
  if (name.starts_with("format.") && args.empty())
    if (auto found = named_format(name.substr(name.find('.') + 1))) return std::move(*found);
  return bad_request(str_cat("undeclared reference to '", name, "' (in container '')"));
}

Result<Value> call_method(std::string_view name, const std::vector<Value>& args) {
  if (args.empty()) return no_overload(name);
  if (name == "size" && args.size() == 1) return size_of(args[0]);
  switch (args[0].kind) {
    case Value::Kind::kOptional: return optional_method(name, args);
    case Value::Kind::kOpaque: return args[0].opaque->call(name, args);
    case Value::Kind::kDuration:
    case Value::Kind::kTimestamp: return time_method(name, args);
    default: break;
  }
  if (args[0].is_string()) return string_method(name, args);
  if (args[0].is_list()) return list_method(name, args);
  return no_overload(name);
}

}  // namespace orrery::api::cel
