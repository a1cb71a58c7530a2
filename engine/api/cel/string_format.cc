// text.format([...]). Source: cel-go ext/strings.go, ext/formatting.go.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "engine/api/cel/functions.h"


namespace orrery::api::cel {
namespace {

// %s: texts plain, lists and maps with their elements so too.
std::string plain(const Value& value) {
  if (value.is_string()) return std::string(value.string());
  if (value.is_list()) {
    std::string out = "[";
    for (size_t i = 0; i < value.size(); ++i) out += (i == 0 ? "" : ", ") + plain(value.at(i));
    return out + "]";
  }
  if (value.is_map()) {
    std::vector<std::string> members;
    for (const Value& key : value.range()) members.push_back(str_cat(plain(key), ": ", plain(*value.find(key))));
    std::sort(members.begin(), members.end());
    std::string out = "{";
    for (size_t i = 0; i < members.size(); ++i) out += (i == 0 ? "" : ", ") + members[i];
    return out + "}";
  }
  if (value.is_null()) return "null";
  if (value.is_double() && std::isnan(value.as_double())) return "NaN";
  if (value.is_double() && std::isinf(value.as_double())) return value.as_double() > 0 ? "Infinity" : "-Infinity";
  if (value.kind == Value::Kind::kType) return value.text;
  const auto text = call_function("string", {value});
  return text.is_ok() ? std::string(text->string()) : value.type_name();
}

std::string wrong_type(char clause, std::string_view type) {
  const std::string_view wanted = clause == 'd'                    ? "decimal clause can only be used on integers"
                                  : clause == 'f'                  ? "fixed-point clause can only be used on doubles"
                                  : clause == 'e'                  ? "scientific clause can only be used on doubles"
                                  : clause == 'b'                  ? "only integers and bools can be formatted as binary"
                                  : clause == 'o'                  ? "octal clause can only be used on integers"
                                                                   : "only integers, byte buffers, and strings can be formatted as hex";
  return str_cat("error during formatting: ", wanted, ", was given ", type);
}

Status wrong_type(char clause, const Value& value) { return bad_request(wrong_type(clause, value.type_name())); }

Result<std::string> in_base(char clause, int base, const Value& value) {
  std::array<char, 72> digits{};
  std::to_chars_result end{};
  if (value.is_int()) end = std::to_chars(digits.data(), digits.data() + digits.size(), value.as_int(), base);
  else if (value.is_uint()) end = std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<uint64_t>(value.number), base);
  else if (clause == 'b' && value.is_bool()) return std::string(value.is_true() ? "1" : "0");
  else return wrong_type(clause, value);
  return std::string(digits.data(), end.ptr);
}

Result<std::string> hexadecimal(char clause, const Value& value) {
  std::string out;
  if (value.is_string() || value.kind == Value::Kind::kBytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : value.is_string() ? value.string() : std::string_view(value.text)) {
      const auto byte = static_cast<unsigned char>(c);
      out += {kDigits[byte >> 4], kDigits[byte & 15]};
    }
  } else {
    ORRERY_ASSIGN(out, in_base('x', 16, value));
  }
  if (clause == 'X')
    for (char& c : out) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  return out;
}

Result<std::string> one(char clause, int precision, const Value& value) {
  switch (clause) {
    case 's': return plain(value);
    case 'd': return value.is_int() || value.is_uint() ? in_base('d', 10, value) : Result<std::string>(wrong_type('d', value));
    case 'b': return in_base('b', 2, value);
    case 'o': return in_base('o', 8, value);
    case 'x':
    case 'X': return hexadecimal(clause, value);
    default: break;
  }
  if (!value.is_double() && !value.is_int() && !value.is_uint()) return wrong_type(clause, value);
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), clause == 'f' ? "%.*f" : "%.*e", precision, value.as_double());
  return std::string(text.data());
}

// A pattern with `write(clause, precision, index)` in place of its clauses.
template <typename Write>
Result<std::string> filled(std::string_view pattern, size_t args, Write write) {
  constexpr int kPrecisionDefault = 6;
  constexpr size_t kPrecisionDigitsMax = 2;
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    if (++i >= pattern.size()) return bad_request("unexpected end of string");
    if (pattern[i] == '%') {
      out += '%';
      continue;
    }
    int precision = kPrecisionDefault;
    if (pattern[i] == '.') {
      const size_t begin = ++i;
      for (precision = 0; i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9' && i - begin < kPrecisionDigitsMax; ++i)
        precision = precision * 10 + pattern[i] - '0';
      if (i >= pattern.size()) return bad_request("could not find end of precision specifier");
    }
    if (std::string_view("sdfebxXo").find(pattern[i]) == std::string_view::npos)
      return bad_request(str_cat("unrecognized formatting clause \"", pattern.substr(i, 1), "\""));
    if (next >= args) return bad_request(str_cat("index ", next, " out of range"));
    ORRERY_ASSIGN(std::string text, write(pattern[i], precision, next++));
    out += text;
  }
  return out;
}

bool takes(char clause, const Type& type) {
  const auto is_one_of = [&type](std::initializer_list<Type::Kind> kinds) { return std::find(kinds.begin(), kinds.end(), type.kind) != kinds.end(); };
  using Kind = Type::Kind;
  if (type.is_dyn_or_error()) return true;
  switch (clause) {
    case 's': return !is_one_of({Kind::kObject, Kind::kOpaque, Kind::kParam});
    case 'd':
    case 'o': return is_one_of({Kind::kInt, Kind::kUint});
    case 'b': return is_one_of({Kind::kInt, Kind::kUint, Kind::kBool});
    case 'x':
    case 'X': return is_one_of({Kind::kInt, Kind::kUint, Kind::kString, Kind::kBytes});
    default: return is_one_of({Kind::kDouble, Kind::kString});
  }
}

}  // namespace

Result<Value> formatted(std::string_view pattern, const Value& args) {
  ORRERY_ASSIGN(std::string out, filled(pattern, args.size(), [&](char clause, int precision, size_t i) { return one(clause, precision, args.at(i)); }));
  return Value::string_of(std::move(out));
}

// Source: cel-go ext/formatting.go, stringFormatValidator.
FormatMismatch format_mismatch(std::string_view pattern, const std::vector<Type>& args) {
  FormatMismatch wrong;
  size_t asked = 0;
  const auto check_one = [&](char clause, int, size_t i) -> Result<std::string> {
    ++asked;
    if (takes(clause, args[i])) return std::string();
    wrong.arg = i;
    return bad_request(clause == 's' ? str_cat("error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, "
                                               "maps, lists, types, durations, and timestamps, was given ", args[i].declared())
                                     : wrong_type(clause, args[i].declared()));
  };
  const auto result = filled(pattern, args.size(), check_one);
  if (!result.is_ok()) wrong.why = result.status().message();
  else if (args.size() > asked)
    wrong.why = str_cat("too many arguments supplied to string.format (expected ", uint64_t{asked}, ", got ", uint64_t{args.size()}, ")");
  return wrong;
}

}  // namespace orrery::api::cel
