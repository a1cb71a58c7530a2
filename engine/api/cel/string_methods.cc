// Methods of texts. Positions count characters, not bytes.
#include <algorithm>

#include "engine/api/cel/functions.h"
#include "engine/api/regex.h"
#include "engine/base/ascii.h"

namespace orrery::api::cel {
namespace {

Result<Value> flag(bool b) { return Value::flag(b); }
Result<Value> text(std::string t) { return Value::string_of(std::move(t)); }
Result<Value> number(int64_t n) { return Value::integer(n); }

std::string mapped(std::string_view s, char low, char high, int shift) {
  std::string out(s);
  for (char& c : out)
    if (c >= low && c <= high) c = static_cast<char>(c + shift);
  return out;
}

std::vector<std::string_view> characters(std::string_view s) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < s.size();) {
    size_t end = at + 1;
    while (end < s.size() && (static_cast<unsigned char>(s[end]) & 0xc0) == 0x80) ++end;
    out.push_back(s.substr(at, end - at));
    at = end;
  }
  return out;
}

// Byte position -> character position.
int64_t position(std::string_view s, size_t byte) {
  return byte == s.npos ? -1 : static_cast<int64_t>(characters(s.substr(0, byte)).size());
}

Result<Value> split(std::string_view s, std::string_view by, int64_t limit) {
  Json out = Json::array();
  if (limit == 0) return Value::of(std::move(out));
  if (by.empty()) {
    for (const std::string_view c : characters(s)) out.push_back(Json(c));
    return Value::of(std::move(out));
  }
  for (size_t at = s.find(by); at != s.npos && (limit < 0 || static_cast<int64_t>(out.size()) + 1 < limit); at = s.find(by)) {
    out.push_back(Json(s.substr(0, at)));
    s.remove_prefix(at + by.size());
  }
  out.push_back(Json(s));
  return Value::of(std::move(out));
}

std::string replaced(std::string_view s, std::string_view from, std::string_view to, int64_t count) {
  std::string out;
  for (size_t at = s.find(from); !from.empty() && at != s.npos && count != 0; at = s.find(from), --count) {
    out += s.substr(0, at);
    out += to;
    s.remove_prefix(at + from.size());
  }
  return out + std::string(s);
}

Result<Value> substring(std::string_view s, int64_t begin, int64_t end) {
  const auto chars = characters(s);
  if (begin < 0 || end < begin || end > static_cast<int64_t>(chars.size())) return bad_request(str_cat("index out of range: ", begin));
  std::string out;
  for (int64_t i = begin; i < end; ++i) out += chars[static_cast<size_t>(i)];
  return text(std::move(out));
}

Result<Value> find_all(std::string_view s, std::string_view pattern, int64_t limit) {
  ORRERY_ASSIGN(Regex regex, Regex::compile(pattern));
  Json out = Json::array();
  while (limit < 0 || static_cast<int64_t>(out.size()) < limit) {
    const auto found = regex.find(s);
    if (!found) break;
    out.push_back(Json(*found));
    const size_t end = static_cast<size_t>(found->data() - s.data()) + std::max<size_t>(1, found->size());
    if (end >= s.size()) break;
    s.remove_prefix(end);
  }
  return Value::of(std::move(out));
}

Result<Value> without_argument(std::string_view name, std::string_view s) {
  if (name == "lowerAscii") return text(mapped(s, 'A', 'Z', 32));
  if (name == "upperAscii") return text(mapped(s, 'a', 'z', -32));
  if (name == "trim") return text(std::string(trimmed(s, " \t\n\v\f\r")));
  return no_overload(name);
}

Result<Value> with_text(std::string_view name, std::string_view s, std::string_view arg) {
  if (name == "startsWith") return flag(s.starts_with(arg));
  if (name == "endsWith") return flag(s.ends_with(arg));
  if (name == "contains") return flag(s.find(arg) != s.npos);
  if (name == "indexOf") return number(position(s, s.find(arg)));
  if (name == "lastIndexOf") return number(position(s, s.rfind(arg)));
  if (name == "split") return split(s, arg, -1);
  if (name == "findAll") return find_all(s, arg, -1);
  if (name != "matches" && name != "find") return no_overload(name);
  ORRERY_ASSIGN(Regex regex, Regex::compile(arg));
  if (name == "find") return text(std::string(regex.find(s).value_or("")));
  return flag(regex.found_in(s));
}

// Searches that begin (indexOf) or end (lastIndexOf) at a character.
Result<Value> find_from(bool last, std::string_view s, std::string_view part, int64_t from) {
  const auto chars = characters(s);
  if (part.empty()) return number(from);
  if (from < 0 || from >= static_cast<int64_t>(chars.size())) {
    if (from == static_cast<int64_t>(chars.size()) && !last) return number(-1);
    return bad_request(str_cat("index out of range: ", from));
  }
  const size_t byte = static_cast<size_t>(chars[static_cast<size_t>(from)].data() - s.data());
  return number(position(s, last ? s.rfind(part, byte) : s.find(part, byte)));
}

}  // namespace

Result<Value> string_method(std::string_view name, const std::vector<Value>& args) {
  const std::string_view s = args[0].string();
  const auto whole = [&](size_t i) { return args[i].as_int(); };
  if (args.size() == 1) return without_argument(name, s);
  if (args.size() == 2 && args[1].is_string()) return with_text(name, s, args[1].string());
  if (name == "charAt" && args.size() == 2 && args[1].is_int()) {
    const auto chars = characters(s);
    if (whole(1) == static_cast<int64_t>(chars.size())) return text("");
    return substring(s, whole(1), whole(1) + 1);
  }
  if (name == "substring" && args.size() == 2 && args[1].is_int())
    return substring(s, whole(1), static_cast<int64_t>(characters(s).size()));
  if (name == "substring" && args.size() == 3 && args[1].is_int() && args[2].is_int()) return substring(s, whole(1), whole(2));
  if (name == "split" && args.size() == 3 && args[1].is_string() && args[2].is_int()) return split(s, args[1].string(), whole(2));
  if (args.size() == 3 && args[1].is_string() && args[2].is_int()) {
    if (name == "findAll") return find_all(s, args[1].string(), whole(2));
    if (name == "indexOf" || name == "lastIndexOf") return find_from(name == "lastIndexOf", s, args[1].string(), whole(2));
  }
  if (name == "format" && args.size() == 2 && args[1].is_list()) return formatted(s, args[1]);
  const bool replaces = name == "replace" && args.size() >= 3 && args[1].is_string() && args[2].is_string();
  if (replaces && args.size() == 3) return text(replaced(s, args[1].string(), args[2].string(), -1));
  if (replaces && args.size() == 4 && args[3].is_int()) return text(replaced(s, args[1].string(), args[2].string(), whole(3)));
  return no_overload(name);
}

}  // namespace orrery::api::cel
