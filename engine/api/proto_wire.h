#pragma once

#include <cstdint>
#include <string_view>

#include "engine/api/gen/metav1.h"
#include "engine/api/schema.h"

namespace orrery::api::wire {

/// What the two directions of the protobuf codec share. Source: the protobuf encoding, and
/// Kubernetes v1.32 apimachinery/pkg/runtime (Unknown, TypeMeta).

constexpr std::string_view kMagic{"k8s\0", 4};

enum Type : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// Field numbers of runtime.Unknown and of runtime.TypeMeta.
constexpr uint32_t kUnknownTypeMeta = 1, kUnknownRaw = 2, kUnknownEncoding = 3, kUnknownType = 4;
constexpr uint32_t kApiVersion = 1, kKind = 2;

/// A list of texts that has a type of its own in Go (metav1.Verbs): in protobuf a message whose field
/// 1 are the elements.
inline bool is_list_message(const FieldDesc& field) {
  return field.kind == FieldKind::kString && !field.go_type.empty() && field.go_type.front() != '[';
}

/// Configuration kinds have no message of their own: theirs is the TypeMeta that they embed (Go
/// promotes its Marshal), so nothing else of them survives.
inline const TypeDesc& message_type(const TypeDesc& type) {
  return type.proto_order.empty() ? metav1::TypeMeta::descriptor() : type;
}

}  // namespace orrery::api::wire
