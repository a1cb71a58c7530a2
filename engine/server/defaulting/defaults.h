#pragma once

#include <span>

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"
#include "engine/server/defaulting.h"

namespace orrery::server {

/// The defaults of one kind. Source of all: Kubernetes v1.32 pkg/apis/*/v1/defaults.go.
struct DefaultRow {
  const api::TypeDesc& (*type)();
  void (*apply)(api::Object& object);
};
template <typename T, void (*Apply)(T&)>
constexpr DefaultRow default_row() {
  return {&T::descriptor, [](api::Object& object) { Apply(object.mut<T>()); }};
}

/// The tables, one for each group of kinds.
std::span<const DefaultRow> pod_defaults();
std::span<const DefaultRow> workload_defaults();
std::span<const DefaultRow> service_defaults();
std::span<const DefaultRow> storage_defaults();
std::span<const DefaultRow> cluster_defaults();
std::span<const DefaultRow> autoscaling_defaults();
std::span<const DefaultRow> admission_defaults();

/// Parts that several kinds have.
void default_template(Ref<corev1::PodTemplateSpec>& tmpl);
void default_volume(corev1::Volume& volume);
void default_claim(corev1::PersistentVolumeClaim& claim);

inline void set_if_empty(Str& field, std::string_view value) {
  if (field.empty()) field = Str(value);
}
template <typename T>
void set_if_absent(Opt<T>& field, T value) {
  if (!field) field = std::move(value);
}
/// Fills in the text fields that the schema has a default for (FieldDesc::default_json).
void apply_schema_defaults(const api::TypeDesc& type, void* object);
template <typename T>
void apply_schema_defaults(Ref<T>& ref) {
  if (ref) apply_schema_defaults(T::descriptor(), &ref.mut());
}

}  // namespace orrery::server
