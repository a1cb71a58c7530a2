#pragma once

#include <string_view>

#include "engine/api/json_value.h"
#include "engine/api/schema.h"

namespace orrery::api::strategic {

/// What applying and making strategic merge patches share. Source of the rules: Kubernetes v1.32
/// apimachinery/pkg/util/strategicpatch.

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kElementOrder = "$setElementOrder/";
constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";

/// What the schema says about one member of an object. Members of maps without a schema (labels)
/// merge as plain maps.
struct Meta {
  const TypeDesc* type = nullptr;  // of the value, or of the elements
  std::string_view merge_key;
  bool merge = false;
  bool replace = false;
  bool retain_keys = false;
};

/// The error is the one that clients of Kubernetes see for unknown fields. `type` may be null.
Result<Meta> lookup(const TypeDesc* type, std::string_view name);

/// kApply: `original` is a document. kCombine: it is a patch too, and keeps directives and nulls.
enum class Mode : uint8_t { kApply, kCombine };

/// Merges `patch` into *original.
Status merge(Json& original, const Json& patch, const TypeDesc* type, Mode mode);

}  // namespace orrery::api::strategic
