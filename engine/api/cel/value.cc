#include "engine/api/cel/value.h"

namespace orrery::api::cel {

Value Value::of(Json value) {
  Value out;
  out.json = std::make_shared<const Json>(std::move(value));
  return out;
}

Value Value::view(const Json& value) {
  Value out;
  out.json = std::shared_ptr<const Json>(std::shared_ptr<const Json>(), &value);
  return out;
}

Value Value::part(const Json& inside) const {
  Value out;
  out.json = std::shared_ptr<const Json>(json, &inside);
  return out;
}

Value Value::duration(int64_t ns) {
  Value out;
  out.kind = Kind::kDuration;
  out.ns = ns;
  return out;
}

Value Value::timestamp(int64_t ns) {
  Value out;
  out.kind = Kind::kTimestamp;
  out.ns = ns;
  return out;
}

Value Value::type_named(std::string_view name) {
  Value out;
  out.kind = Kind::kType;
  out.text = name;
  return out;
}

Value Value::optional(const Value* value) {
  Value out;
  out.kind = Kind::kOptional;
  if (value) out.json = value->json;
  return out;
}

std::string_view Value::type_name() const {
  switch (kind) {
    case Kind::kDuration: return "google.protobuf.Duration";
    case Kind::kTimestamp: return "google.protobuf.Timestamp";
    case Kind::kQuantity: return "kubernetes.Quantity";
    case Kind::kType: return "type";
    case Kind::kOptional: return "optional_type";
    case Kind::kJson: break;
  }
  if (is_string()) return "string";
  if (is_bool()) return "bool";
  if (is_int()) return "int";
  if (is_double()) return "double";
  if (is_list()) return "list";
  return is_map() ? "map" : "null_type";
}

bool equal(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Value::Kind::kDuration:
    case Value::Kind::kTimestamp: return a.ns == b.ns;
    case Value::Kind::kQuantity: return a.quantity == b.quantity;
    case Value::Kind::kType: return a.text == b.text;
    default: return a.json && b.json ? *a.json == *b.json : a.json == b.json;
  }
}

namespace {

template <typename T>
int order_of(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

bool compare(const Value& a, const Value& b, int* order) {
  if (a.kind != b.kind) return false;
  if (a.kind == Value::Kind::kDuration || a.kind == Value::Kind::kTimestamp) {
    *order = order_of(a.ns, b.ns);
  } else if (a.is_string() && b.is_string()) {
    *order = order_of(a.string(), b.string());
  } else if (a.is_int() && b.is_int()) {
    *order = order_of(a.json->as_int(), b.json->as_int());
  } else if (a.is_number() && b.is_number()) {
    *order = order_of(a.json->as_double(), b.json->as_double());
  } else if (a.is_bool() && b.is_bool()) {
    *order = order_of(a.json->as_bool(), b.json->as_bool());
  } else {
    return false;
  }
  return true;
}

}  // namespace orrery::api::cel
