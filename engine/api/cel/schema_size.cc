#include "engine/api/cel/schema_size.h"

#include <algorithm>

namespace orrery::api::cel {
namespace {

constexpr uint64_t kRequestBytesMax = 3 << 20;
constexpr uint64_t kTextMax = kRequestBytesMax - 2;  // without its quotes, or brackets

struct Format {
  std::string_view name;
  uint64_t bytes_min, bytes_max;
};
constexpr Format kFormats[] = {{"duration", 3, 32}, {"date", 12, 12}, {"date-time", 21, 32}};

const Format* fixed_format(const Json& schema) {
  for (const Format& format : kFormats)
    if (format.name == schema["format"].text()) return &format;
  return nullptr;
}

uint64_t limit(const Json& schema, std::string_view name, uint64_t otherwise) {
  const Json& value = schema[name];
  return value.is_int() ? static_cast<uint64_t>(std::max<int64_t>(0, value.as_int())) : otherwise;
}

uint64_t text_max(const Json& schema) {
  if (const Format* format = fixed_format(schema)) return format->bytes_max;
  if (schema["format"].text() == "byte") return limit(schema, "maxLength", kTextMax);
  if (schema["maxLength"].is_int()) return times(4, limit(schema, "maxLength", 0));  // characters may take four bytes
  if (schema["enum"].size() == 0) return kTextMax;
  uint64_t longest = 0;
  for (const Json& allowed : schema["enum"].items()) longest = std::max<uint64_t>(longest, allowed.text().size());
  return longest;
}

}  // namespace

uint64_t plus(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? UINT64_MAX : out;
}

uint64_t times(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? UINT64_MAX : out;
}

uint64_t size_min(const Json& schema) {
  const std::string_view type = schema["type"].text();
  if (schema.find("x-kubernetes-int-or-string")) return 1;
  if (type == "boolean") return 4;
  if (type == "integer" || type == "number") return 1;
  if (const Format* format = type == "string" ? fixed_format(schema) : nullptr) return format->bytes_min;
  uint64_t size = 2;
  if (type != "object" || schema["additionalProperties"].is_object()) return size;
  for (const Json& name : schema["required"].items()) {
    const Json* property = schema["properties"].find(name.text());
    if (property && !property->find("default")) size += name.text().size() + size_min(*property) + 4;
  }
  return size;
}

uint64_t size_max(const Json& schema) {
  const std::string_view type = schema["type"].text();
  if (schema["x-kubernetes-int-or-string"].is_true()) return kTextMax;
  if (type == "array") return limit(schema, "maxItems", kTextMax / (size_min(schema["items"]) + 1));
  if (type == "object" && schema["additionalProperties"].is_object())
    return limit(schema, "maxProperties", kTextMax / (size_min(schema["additionalProperties"]) + 6));
  return type == "string" ? text_max(schema) : 0;
}

uint64_t occurrences_max(const Json& schema) { return kRequestBytesMax / (size_min(schema) + 1); }

}  // namespace orrery::api::cel
