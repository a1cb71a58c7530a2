#include "engine/api/json_value.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "engine/api/json_syntax.h"
#include "engine/api/json_text.h"
#include "engine/api/wide_integers.h"
#include "engine/base/check.h"

namespace orrery::api {

Json::Json(uint64_t n)
    : type_(n > INT64_MAX ? Type::kUint : Type::kInt), int_(static_cast<int64_t>(n)) {}

std::string_view Json::type_name() const {
  switch (type_) {
    case Type::kNull: return "null";
    case Type::kBool: return "boolean";
    case Type::kString: return "string";
    case Type::kArray: return "array";
    case Type::kObject: return "object";
    default: return "number";
  }
}

double Json::as_double() const {
  if (type_ == Type::kDouble) return double_;
  return type_ == Type::kUint ? static_cast<double>(as_uint()) : static_cast<double>(int_);
}

size_t Json::size() const { return is_array() ? array_.size() : members_.size(); }

const Json* Json::find(std::string_view key) const {
  for (const Member& member : members_)
    if (member.key == key) return &member.value;
  return nullptr;
}

Json* Json::find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* found = find(key);
  return found ? *found : kNull;
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) type_ = Type::kObject;
  CHECK(is_object()) << "set of a member in a " << type_name();
  if (Json* found = find(key)) return *found = std::move(value);
  members_.push_back({Str(key), std::move(value)});
  return members_.back().value;
}

bool Json::erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& m) { return m.key == key; }) > 0;
}

Json& Json::push_back(Json value) {
  if (is_null()) type_ = Type::kArray;
  CHECK(is_array()) << "push_back to a " << type_name();
  array_.push_back(std::move(value));
  return array_.back();
}

bool operator==(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    if (a.type_ == b.type_ && a.type_ != Json::Type::kDouble) return a.int_ == b.int_;
    return a.as_double() == b.as_double();
  }
  if (a.type_ != b.type_) return false;
  switch (a.type_) {
    case Json::Type::kNull: return true;
    case Json::Type::kBool: return a.int_ == b.int_;
    case Json::Type::kString: return a.string_ == b.string_;
    case Json::Type::kArray: return a.array_ == b.array_;
    default: break;
  }
  if (a.members_.size() != b.members_.size()) return false;
  return std::all_of(a.members_.begin(), a.members_.end(), [&](const Json::Member& m) {
    const Json* other = b.find(m.key);
    return other && m.value == *other;
  });
}

namespace {

// Length of the valid UTF-8 sequence at `p`, 0 if there is none (overlong forms, surrogates and
// values beyond U+10FFFF are invalid).
size_t utf8_length(const unsigned char* p, size_t n) {
  const auto tail = [&](size_t i) { return i < n && (p[i] & 0xC0) == 0x80; };
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return tail(1) ? 2 : 0;
  if ((p[0] & 0xF0) == 0xE0) {
    if (!tail(1) || !tail(2)) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] > 0x9F) return 0;
    return 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return 4;
  }
  return 0;
}

void append_control(std::string& out, unsigned char c) {
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const size_t n = text.size();
  for (size_t i = 0; i < n;) {
    const size_t run = plain_prefix(text.substr(i));
    out.append(text, i, run);
    if ((i += run) == n) break;
    const unsigned char c = p[i];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
      ++i;
    } else if (c < 0x80) {
      append_control(out, c);
      ++i;
    } else if (const size_t length = utf8_length(p + i, n - i); length == 0) {
      out += "\\ufffd";
      ++i;
    } else if (length == 3 && c == 0xE2 && p[i + 1] == 0x80 && (p[i + 2] & 0xFE) == 0xA8) {
      out += p[i + 2] == 0xA8 ? "\\u2028" : "\\u2029";
      i += 3;
    } else {
      out.append(text, i, length);
      i += length;
    }
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

// Source: ES6 number formatting as used by Go's encoding/json: shortest digits, exponent form
// below 1e-6 and from 1e21 on, exponents without padding.
void append_json_double(std::string& out, double number) {
  char buffer[40];
  constexpr double kExactMax = 0x1p53;  // beyond it to_chars writes more digits than are needed
  const double magnitude = std::fabs(number);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  const bool whole = !exponent && magnitude > kExactMax;
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), number,
                           exponent || whole ? std::chars_format::scientific : std::chars_format::fixed).ptr;
  std::string text(buffer, end);
  if (whole) {
    const size_t e = text.find('e');
    const size_t digits = static_cast<size_t>(std::stoi(text.substr(e + 1))) + 1 + (number < 0 ? 1 : 0);
    text.resize(e);
    std::erase(text, '.');
    text.resize(digits, '0');
  }
  const size_t zero = text.find("e-0");
  if (exponent && zero != std::string::npos) text.erase(zero + 2, 1);
  out += text;
}

void Json::dump_to(std::string& out) const {
  switch (type_) {
    case Type::kNull: out += "null"; return;
    case Type::kBool: out += as_bool() ? "true" : "false"; return;
    case Type::kInt: str_append(out, int_); return;
    case Type::kUint: str_append(out, as_uint()); return;
    case Type::kDouble: append_json_double(out, double_); return;
    case Type::kString: append_json_string(out, string_); return;
    case Type::kArray: {
      out += '[';
      for (size_t i = 0; i < array_.size(); ++i) {
        if (i > 0) out += ',';
        array_[i].dump_to(out);
      }
      out += ']';
      return;
    }
    case Type::kObject: {
      out += '{';
      for (size_t i = 0; i < members_.size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(out, members_[i].key);
        out += ':';
        members_[i].value.dump_to(out);
      }
      out += '}';
      return;
    }
  }
}

std::string Json::dump() const {
  std::string out;
  dump_to(out);
  return out;
}

namespace {

void sort_members(Json& value) {
  for (Json& item : value.items()) sort_members(item);
  for (Json::Member& member : value.members()) sort_members(member.value);
  std::stable_sort(value.members().begin(), value.members().end(),
                   [](const Json::Member& a, const Json::Member& b) { return a.key.view() < b.key.view(); });
}

constexpr size_t kDepthMax = 512;
constexpr size_t kScanMax = 16;

class TreeReader {
 public:
  explicit TreeReader(std::vector<std::string>* duplicates) : duplicates_(duplicates) {}

  Json read(simdjson::dom::element element) {
    using simdjson::dom::element_type;
    switch (element.type()) {
      case element_type::ARRAY: return read_array(element.get_array().value_unsafe());
      case element_type::OBJECT: return read_object(element.get_object().value_unsafe());
      case element_type::INT64: return Json(int64_t{element.get_int64().value_unsafe()});
      case element_type::UINT64: return Json(uint64_t{element.get_uint64().value_unsafe()});
      case element_type::DOUBLE: return Json(element.get_double().value_unsafe());
      case element_type::STRING: return Json(std::string_view(element.get_string().value_unsafe()));
      case element_type::BOOL: return Json(bool{element.get_bool().value_unsafe()});
      default: return Json();
    }
  }

 private:
  Json read_array(simdjson::dom::array array) {
    Json value = Json::array();
    value.items().reserve(array.size());
    const size_t mark = path_.size();
    for (auto item : array) {
      if (duplicates_) path_ += str_cat("[", uint64_t{value.size()}, "]");
      value.items().push_back(read(item));
      path_.resize(mark);
    }
    return value;
  }
  Json read_object(simdjson::dom::object object) {
    Json value = Json::object();
    value.members().reserve(object.size());
    // Large objects are looked into by hash: comparing every pair of names would take forever.
    const bool large = object.size() > kScanMax;
    std::unordered_map<std::string_view, size_t> places;
    for (auto field : object) {
      const std::string_view key = field.key;
      const size_t mark = path_.size();
      if (duplicates_) path_ += (mark ? "." : "") + std::string(key);
      Json member = read(field.value);
      Json* old = nullptr;
      if (!large) {
        old = value.find(key);
      } else if (const auto [it, fresh] = places.try_emplace(key, value.size()); !fresh) {
        old = &value.members()[it->second].value;
      }
      if (old) {
        if (duplicates_) duplicates_->push_back(path_);
        *old = std::move(member);
      } else {
        value.members().push_back({Str(key), std::move(member)});
      }
      path_.resize(mark);
    }
    return value;
  }

  std::vector<std::string>* duplicates_;
  std::string path_;
};

}  // namespace

std::string Json::dump_sorted() const {
  Json copy = *this;
  sort_members(copy);
  return copy.dump();
}

Result<Json> Json::parse(std::string_view text, std::vector<std::string>* duplicates) {
  simdjson::dom::parser parser;
  if (parser.allocate(text.size() + 1, kDepthMax) != simdjson::SUCCESS)
    return Status(Code::kRequestTooLarge, "JSON text is too large");
  simdjson::dom::element root;
  auto error = parser.parse(text.data(), text.size()).get(root);
  if (error == simdjson::NUMBER_ERROR) error = parser.parse(with_wide_integers(text)).get(root);
  if (error != simdjson::SUCCESS) {
    std::string what = json_syntax_error(text);
    if (what.empty()) what = str_cat("invalid JSON: ", simdjson::error_message(error));
    return bad_request(std::move(what));
  }
  return TreeReader(duplicates).read(root);
}

}  // namespace orrery::api
