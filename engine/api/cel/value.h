#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/api/quantity.h"

namespace orrery::api::cel {

/// A value of an expression: JSON, or one of the few things that JSON does not have. Copies share.
/// Whole numbers are int, others double; unsigned numbers count as int.
struct Value {
  enum class Kind : uint8_t {
    kJson,
    kDuration,   // ns
    kTimestamp,  // ns since 1970
    kQuantity,
    kType,       // text: "int", "string", ...
    kOptional,   // json; null pointer: none
  };
  Kind kind = Kind::kJson;
  std::shared_ptr<const Json> json;
  int64_t ns = 0;
  Quantity quantity;
  std::string text;

  static Value of(Json value);
  /// Not owned: `value` outlives all that is made of this.
  static Value view(const Json& value);
  /// A part of this value's JSON, which stays alive with it.
  Value part(const Json& inside) const;
  static Value duration(int64_t ns);
  static Value timestamp(int64_t ns);
  static Value type_named(std::string_view name);
  static Value optional(const Value* value);

  bool is_json() const { return kind == Kind::kJson; }
  bool is_bool() const { return is_json() && json->is_bool(); }
  bool is_true() const { return is_bool() && json->as_bool(); }
  bool is_string() const { return is_json() && json->is_string(); }
  bool is_int() const { return is_json() && (json->type() == Json::Type::kInt || json->type() == Json::Type::kUint); }
  bool is_double() const { return is_json() && json->type() == Json::Type::kDouble; }
  bool is_number() const { return is_json() && json->is_number(); }
  bool is_list() const { return is_json() && json->is_array(); }
  bool is_map() const { return is_json() && json->is_object(); }
  bool is_null() const { return is_json() && json->is_null(); }
  std::string_view string() const { return json->as_string(); }

  /// "int", "string", "map", "google.protobuf.Duration", ...
  std::string_view type_name() const;
};

bool equal(const Value& a, const Value& b);
/// Less, equal or greater: -1, 0, 1. False: the two have no order.
bool compare(const Value& a, const Value& b, int* order);

}  // namespace orrery::api::cel
