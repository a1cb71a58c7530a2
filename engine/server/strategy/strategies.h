#pragma once

#include <span>

#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"

namespace orrery::server {

/// What is updated and when; subresource: "", "status", or another that has rules of its own.
struct Update {
  std::string_view subresource;
  Time now;
};

/// What the kinds do beyond the common rules when they are created and updated: PrepareForCreate and
/// PrepareForUpdate of the registry strategies of Kubernetes v1.32.
struct Strategy {
  void (*create)(api::Object& object) = nullptr;
  void (*update)(api::Object& fresh, const api::Object& old, const Update& update) = nullptr;
};

struct StrategyRow {
  const api::TypeDesc& (*type)();
  Strategy strategy;
};
std::span<const StrategyRow> pod_strategies();
std::span<const StrategyRow> workload_strategies();
std::span<const StrategyRow> cluster_strategies();
std::span<const StrategyRow> storage_strategies();

template <typename T, void (*Create)(T&)>
constexpr void create_as(api::Object& object) {
  Create(object.mut<T>());
}
template <typename T, void (*Change)(T&, const T&, const Update&)>
constexpr void update_as(api::Object& fresh, const api::Object& old, const Update& update) {
  Change(fresh.mut<T>(), old.get<T>(), update);
}

/// Drops the fields of pod specs whose features are off by default in v1.32, unless `old` has them.
void drop_disabled_fields(corev1::PodSpec& spec, const corev1::PodSpec* old);

/// The selector and labels that a Job without a selector of its own gets.
void generate_job_selector(batchv1::Job& job);
void add_namespace_finalizer(corev1::Namespace& ns);

}  // namespace orrery::server
