#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/str.h"

namespace orrery::api {

/// A JSON value without a schema: patches, custom resources, configuration, managed fields.
/// Integers stay exact; members keep their order; each node may know its source line.
class Json {
 public:
  enum class Type : uint8_t { kNull, kBool, kInt, kUint, kDouble, kString, kArray, kObject };
  struct Member;
  using Array = std::vector<Json>;
  using Members = std::vector<Member>;

  Json();
  Json(bool b);                // NOLINT: the conversions are implicit by design
  Json(int n);                 // NOLINT
  Json(int64_t n);             // NOLINT
  Json(uint64_t n);            // NOLINT
  Json(double d);              // NOLINT
  Json(Str s);                 // NOLINT
  Json(std::string_view s);    // NOLINT
  Json(const std::string& s);  // NOLINT
  Json(const char* s);         // NOLINT
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();
  static Json array();
  static Json object();

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::kNull; }
  bool is_bool() const { return type_ == Type::kBool; }
  bool is_int() const { return type_ == Type::kInt; }
  bool is_number() const { return type_ == Type::kInt || type_ == Type::kUint || type_ == Type::kDouble; }
  bool is_string() const { return type_ == Type::kString; }
  bool is_array() const { return type_ == Type::kArray; }
  bool is_object() const { return type_ == Type::kObject; }
  /// "null", "boolean", "number", "string", "array" or "object": for messages.
  std::string_view type_name() const;

  bool as_bool() const { return int_ != 0; }
  int64_t as_int() const { return int_; }
  uint64_t as_uint() const { return static_cast<uint64_t>(int_); }
  double as_double() const;
  const Str& as_string() const { return string_; }
  /// "" for what is no string.
  std::string_view text() const { return is_string() ? string_.view() : std::string_view(); }
  /// The value true, of a member that may be absent.
  bool is_true() const { return is_bool() && as_bool(); }

  const Array& items() const { return array_; }
  Array& items() { return array_; }
  const Members& members() const { return members_; }
  Members& members() { return members_; }
  size_t size() const;
  /// The member, or nullptr; nullptr also if this is no object.
  const Json* find(std::string_view key) const;
  Json* find(std::string_view key);
  /// The member, or null.
  const Json& operator[](std::string_view key) const;
  const Json& operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  const Json& operator[](size_t index) const { return array_[index]; }
  /// Sets or replaces a member (this becomes an object if it is null).
  Json& set(std::string_view key, Json value);
  bool erase(std::string_view key);
  /// The new element (this becomes an array if it is null).
  Json& push_back(Json value);

  /// Source line, 1-based; 0: unknown.
  uint32_t line() const { return line_; }
  void set_line(uint32_t line) { line_ = line; }

  /// As JSON values: members in any order, 1 and 1.0 equal.
  friend bool operator==(const Json& a, const Json& b);

  /// Compact text with Go's escapes (<, >, &, U+2028, U+2029; invalid UTF-8 becomes U+FFFD).
  std::string dump() const;
  void dump_to(std::string& out) const;
  /// With members sorted by name, as Go writes maps.
  std::string dump_sorted() const;

  /// One JSON text, with nothing after it. Depth is limited to 512; duplicate members: the last
  /// wins, and `duplicates`, if given, gets their paths.
  static Result<Json> parse(std::string_view text, std::vector<std::string>* duplicates = nullptr);

 private:
  explicit Json(Type type);

  Type type_ = Type::kNull;
  uint32_t line_ = 0;
  int64_t int_ = 0;
  double double_ = 0;
  Str string_;
  Array array_;
  Members members_;
};

struct Json::Member {
  Str key;
  Json value;
};

// Below Member, because they may have to destroy members.
inline Json::Json() = default;
inline Json::Json(Type type) : type_(type) {}
inline Json::Json(bool b) : type_(Type::kBool), int_(b) {}
inline Json::Json(int n) : type_(Type::kInt), int_(n) {}
inline Json::Json(int64_t n) : type_(Type::kInt), int_(n) {}
inline Json::Json(double d) : type_(Type::kDouble), double_(d) {}
inline Json::Json(Str s) : type_(Type::kString), string_(std::move(s)) {}
inline Json::Json(std::string_view s) : Json(Str(s)) {}
inline Json::Json(const std::string& s) : Json(Str(s)) {}
inline Json::Json(const char* s) : Json(Str(s)) {}
inline Json::Json(const Json&) = default;
inline Json::Json(Json&&) noexcept = default;
inline Json& Json::operator=(const Json&) = default;
inline Json& Json::operator=(Json&&) noexcept = default;
inline Json::~Json() = default;
inline Json Json::array() { return Json(Type::kArray); }
inline Json Json::object() { return Json(Type::kObject); }

/// Appends `text` as a JSON string with Go's escapes.
void append_json_string(std::string& out, std::string_view text);
/// Appends a number as Go's encoding/json writes a float64.
void append_json_double(std::string& out, double number);

}  // namespace orrery::api
