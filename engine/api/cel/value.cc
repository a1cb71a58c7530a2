#include "engine/api/cel/value.h"

#include <cmath>

#include "engine/api/base64.h"
#include "engine/api/codec_json.h"
#include "engine/api/scalars.h"
#include "engine/api/cel/typed_json.h"

namespace orrery::api::cel {

Value Value::of(Json value) {
  Value out;
  out.json = std::make_shared<const Json>(std::move(value));
  return out;
}

Value Value::view(const Json& value, const Json* schema) {
  Value out;
  out.json = std::shared_ptr<const Json>(std::shared_ptr<const Json>(), &value);
  if (!schema) return out;
  out.schema = schema;
  return typed(std::move(out));
}

Value Value::part(const Json& inside, const Json* its_schema) const {
  Value out;
  out.json = std::shared_ptr<const Json>(json, &inside);
  if (!its_schema) return out;
  out.schema = its_schema;
  return typed(std::move(out));
}

Value Value::numbered(Kind kind, int64_t number) {
  Value out;
  out.kind = kind;
  out.number = number;
  return out;
}

Value Value::texted(Kind kind, std::string text) {
  Value out;
  out.kind = kind;
  out.text = std::move(text);
  return out;
}

Value Value::holding(Kind kind, std::vector<Value> items) {
  Value out;
  out.kind = kind;
  out.items = std::make_shared<const std::vector<Value>>(std::move(items));
  return out;
}

Value Value::some(Value value) {
  std::vector<Value> items;
  items.push_back(std::move(value));
  return holding(Kind::kOptional, std::move(items));
}

Value Value::of_opaque(std::shared_ptr<const Opaque> opaque) {
  Value out;
  out.kind = Kind::kOpaque;
  out.opaque = std::move(opaque);
  return out;
}

double Value::as_double() const { return is_uint() ? static_cast<double>(static_cast<uint64_t>(number)) : json->as_double(); }

size_t Value::size() const {
  if (is_json()) return json->size();
  return kind == Kind::kMap ? items->size() / 2 : items->size();
}

Value Value::at(size_t index) const {
  if (!is_json()) return (*items)[index];
  return part((*json)[index], schema ? schema->find("items") : nullptr);
}

std::optional<Value> Value::find(std::string_view key) const {
  if (!is_json()) return find(string_of(std::string(key)));
  const Json* found = json->find(key);
  const bool has_properties = schema && !(*schema)["additionalProperties"].is_object();
  if (!found || (has_properties && found->is_null())) return std::nullopt;  // to a rule a null that may be is not there
  const Json* of_member = schema ? (*schema)["properties"].find(key) : nullptr;
  if (schema && !of_member && (*schema)["additionalProperties"].is_object()) of_member = schema->find("additionalProperties");
  return part(*found, of_member);
}

std::optional<Value> Value::find(const Value& key) const {
  if (is_json()) return key.is_string() ? find(key.string()) : std::nullopt;
  for (size_t i = 0; i + 1 < items->size(); i += 2)
    if (equal((*items)[i], key)) return (*items)[i + 1];
  return std::nullopt;
}

std::vector<Value> Value::range() const {
  std::vector<Value> out;
  if (is_list())
    for (size_t i = 0; i < size(); ++i) out.push_back(at(i));
  else if (kind == Kind::kMap)
    for (size_t i = 0; i < items->size(); i += 2) out.push_back((*items)[i]);
  else
    for (const Json::Member& member : json->members()) out.push_back(of(Json(member.key)));
  return out;
}

Json Value::to_json() const {
  switch (kind) {
    case Kind::kJson: return *json;
    case Kind::kUint: return Json(static_cast<uint64_t>(number));
    case Kind::kBytes: return Json(base64_encode(text));
    case Kind::kDuration: return Json(format_go_duration({number}));
    case Kind::kTimestamp: return Json(format_time_nano(Timestamp(Time{number})));
    case Kind::kType: return Json(text);
    case Kind::kOpaque: return Json(opaque->to_string());
    case Kind::kOptional: return items->empty() ? Json() : items->front().to_json();
    case Kind::kList: {
      Json out = Json::array();
      for (const Value& item : *items) out.push_back(item.to_json());
      return out;
    }
    case Kind::kMap: break;
  }
  Json out = Json::object();
  for (size_t i = 0; i + 1 < items->size(); i += 2) {
    const Value& key = (*items)[i];
    out.set(key.is_string() ? std::string(key.string()) : key.to_json().dump(), (*items)[i + 1].to_json());
  }
  return out;
}

std::string Value::type_name() const {
  switch (kind) {
    case Kind::kUint: return "uint";
    case Kind::kBytes: return "bytes";
    case Kind::kDuration: return "google.protobuf.Duration";
    case Kind::kTimestamp: return "google.protobuf.Timestamp";
    case Kind::kType: return "type";
    case Kind::kOptional: return "optional_type";
    case Kind::kList: return "list";
    case Kind::kMap: return "map";
    case Kind::kOpaque: return std::string(opaque->type_name());
    case Kind::kJson: break;
  }
  if (is_string()) return "string";
  if (is_bool()) return "bool";
  if (is_int()) return "int";
  if (is_double()) return "double";
  if (is_list()) return "list";
  return is_map() ? "map" : "null_type";
}

bool Opaque::equals(const Opaque& other) const { return this == &other; }

Result<Value> Opaque::member(std::string_view name) const { return bad_request(str_cat("no such key: ", name)); }

std::string Opaque::to_string() const { return std::string(type_name()); }

namespace {

template <typename T>
int order_of(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

bool equal_lists(const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!equal(a.at(i), b.at(i))) return false;
  return true;
}

bool equal_maps(const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (const Value& key : a.range()) {
    const auto other = b.find(key);
    if (!other || !equal(*a.find(key), *other)) return false;
  }
  return true;
}

bool compare_numbers(const Value& a, const Value& b, int* order) {
  if (a.is_int() && b.is_int()) {
    *order = order_of(a.as_int(), b.as_int());
  } else if (a.is_uint() && b.is_uint()) {
    *order = order_of(static_cast<uint64_t>(a.number), static_cast<uint64_t>(b.number));
  } else if (!a.is_double() && !b.is_double()) {  // an int and a uint
    const bool a_signed = a.is_int();
    const int64_t whole = a_signed ? a.as_int() : b.as_int();
    const uint64_t other = static_cast<uint64_t>(a_signed ? b.number : a.number);
    const int sign = whole < 0 ? -1 : order_of(static_cast<uint64_t>(whole), other);
    *order = a_signed ? sign : -sign;
  } else {
    if (std::isnan(a.as_double()) || std::isnan(b.as_double())) return false;
    *order = order_of(a.as_double(), b.as_double());
  }
  return true;
}

}  // namespace

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    int order = 0;
    return compare_numbers(a, b, &order) && order == 0;
  }
  if (a.is_list() && b.is_list()) return equal_lists(a, b);
  if (a.is_map() && b.is_map()) return equal_maps(a, b);
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Value::Kind::kDuration:
    case Value::Kind::kTimestamp: return a.number == b.number;
    case Value::Kind::kBytes:
    case Value::Kind::kType: return a.text == b.text;
    case Value::Kind::kOpaque: return a.opaque->type_name() == b.opaque->type_name() && a.opaque->equals(*b.opaque);
    case Value::Kind::kOptional: return equal_lists(Value::list(*a.items), Value::list(*b.items));
    default: return a.json && b.json && *a.json == *b.json;
  }
}

bool compare(const Value& a, const Value& b, int* order) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b, order);
  if (a.kind != b.kind) return false;
  if (a.kind == Value::Kind::kDuration || a.kind == Value::Kind::kTimestamp) {
    *order = order_of(a.number, b.number);
  } else if (a.kind == Value::Kind::kBytes) {
    *order = order_of(a.text, b.text);
  } else if (a.is_string() && b.is_string()) {
    *order = order_of(a.string(), b.string());
  } else if (a.is_bool() && b.is_bool()) {
    *order = order_of(a.json->as_bool(), b.json->as_bool());
  } else {
    return false;
  }
  return true;
}

}  // namespace orrery::api::cel
