#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"

namespace orrery::api::cel {

class Opaque;

/// A value of an expression: JSON, or one of the things that JSON does not have. Copies share.
/// Whole numbers are int, others double. JSON may come with the OpenAPI schema that it follows, which
/// says what its texts and numbers are (times, durations, bytes, doubles).
struct Value {
  enum class Kind : uint8_t {
    kJson,
    kUint,       // number
    kBytes,      // text
    kDuration,   // number: ns
    kTimestamp,  // number: ns since 1970
    kType,       // text: "int", "string", ...
    kOptional,   // none, or one item
    kList,       // items
    kMap,        // items: key, value, key, value, ...
    kOpaque,
  };
  Kind kind = Kind::kJson;
  std::shared_ptr<const Json> json;
  const Json* schema = nullptr;
  int64_t number = 0;
  std::string text;
  std::shared_ptr<const std::vector<Value>> items;
  std::shared_ptr<const Opaque> opaque;

  static Value of(Json value);
  static Value flag(bool value) { return of(Json(value)); }
  static Value integer(int64_t value) { return of(Json(value)); }
  static Value string_of(std::string value) { return of(Json(std::move(value))); }
  /// Not owned: `value` and `schema` outlive all that is made of this.
  static Value view(const Json& value, const Json* schema = nullptr);
  static Value uint(uint64_t value) { return numbered(Kind::kUint, static_cast<int64_t>(value)); }
  static Value duration(int64_t ns) { return numbered(Kind::kDuration, ns); }
  static Value timestamp(int64_t ns) { return numbered(Kind::kTimestamp, ns); }
  static Value bytes(std::string value) { return texted(Kind::kBytes, std::move(value)); }
  static Value type_named(std::string_view name) { return texted(Kind::kType, std::string(name)); }
  static Value list(std::vector<Value> items) { return holding(Kind::kList, std::move(items)); }
  static Value map(std::vector<Value> keys_and_values) { return holding(Kind::kMap, std::move(keys_and_values)); }
  static Value none() { return holding(Kind::kOptional, {}); }
  static Value some(Value value);
  static Value of_opaque(std::shared_ptr<const Opaque> opaque);

  bool is_json() const { return kind == Kind::kJson; }
  bool is_bool() const { return is_json() && json->is_bool(); }
  bool is_true() const { return is_bool() && json->as_bool(); }
  bool is_string() const { return is_json() && json->is_string(); }
  bool is_int() const { return is_json() && json->type() == Json::Type::kInt; }
  bool is_uint() const { return kind == Kind::kUint; }
  bool is_double() const { return is_json() && json->type() == Json::Type::kDouble; }
  bool is_number() const { return is_int() || is_double() || is_uint(); }
  bool is_null() const { return is_json() && json->is_null(); }
  bool is_list() const { return kind == Kind::kList || (is_json() && json->is_array()); }
  bool is_map() const { return kind == Kind::kMap || (is_json() && json->is_object()); }
  std::string_view string() const { return json->as_string(); }
  int64_t as_int() const { return json->as_int(); }
  double as_double() const;

  /// Of lists and maps.
  size_t size() const;
  /// An element of a list, which stays alive with it.
  Value at(size_t index) const;
  /// A member of a map; none if there is no such key.
  std::optional<Value> find(const Value& key) const;
  std::optional<Value> find(std::string_view key) const;
  /// The elements of a list, or the keys of a map.
  std::vector<Value> range() const;
  /// The value with lists and maps as JSON; values that JSON does not have become their texts or null.
  Json to_json() const;

  /// "int", "string", "map", "google.protobuf.Duration", ...
  std::string type_name() const;

 private:
  static Value numbered(Kind kind, int64_t number);
  static Value texted(Kind kind, std::string text);
  static Value holding(Kind kind, std::vector<Value> items);
  Value part(const Json& inside, const Json* its_schema) const;
};

/// A value of a library's own type: a quantity, an address, an authorizer, the variables of a policy.
class Opaque {
 public:
  virtual ~Opaque() = default;
  virtual std::string_view type_name() const = 0;
  /// A method; args[0] is the value itself.
  virtual Result<Value> call(std::string_view name, const std::vector<Value>& args) const = 0;
  virtual bool equals(const Opaque& other) const;
  /// A field, for those that have any.
  virtual Result<Value> member(std::string_view name) const;
  virtual std::string to_string() const;
};

bool equal(const Value& a, const Value& b);
/// Less, equal or greater: -1, 0, 1. False: the two have no order.
bool compare(const Value& a, const Value& b, int* order);

}  // namespace orrery::api::cel
