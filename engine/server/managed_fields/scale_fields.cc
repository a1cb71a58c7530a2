#include "engine/server/managed_fields/scale_fields.h"

#include <algorithm>

#include "engine/server/managed_fields/managers.h"

namespace orrery::server::managed {
namespace {

constexpr std::string_view kScaleVersion = "autoscaling/v1";
constexpr std::string_view kScalePath = "spec.replicas";

std::vector<PathElement> steps_of(std::string_view path) {
  std::vector<PathElement> steps;
  while (!path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    steps.push_back({PathElement::Kind::kField, path.substr(0, dot)});
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return steps;
}

bool has(const FieldSet* set, std::string_view path) { return has_path(set, steps_of(path)); }

}  // namespace

const char* builtin_replicas_path(std::string_view) { return "spec.replicas"; }

Result<List<metav1::ManagedFieldsEntry>> fields_of_scale(const List<metav1::ManagedFieldsEntry>& object,
                                                         const ReplicasPath& path) {
  FieldSetPool pool;
  ORRERY_ASSIGN(Managers managers, decode_managers(object, pool));
  std::erase_if(managers, [&](Manager& manager) {
    const char* replicas = path(manager.api_version);
    if (!replicas || !*replicas || !has(manager.set, replicas)) return true;
    manager.set_fields(pool.path(steps_of(kScalePath)));
    manager.api_version = Str(kScaleVersion);
    return false;
  });
  return encode_managers(std::move(managers));
}

Result<List<metav1::ManagedFieldsEntry>> fields_with_scale(const List<metav1::ManagedFieldsEntry>& object,
                                                           const List<metav1::ManagedFieldsEntry>& scale,
                                                           std::string_view api_version, const ReplicasPath& path) {
  FieldSetPool pool;
  ORRERY_ASSIGN(Managers managers, decode_managers(object, pool));
  ORRERY_ASSIGN(Managers scalers, decode_managers(scale, pool));
  std::erase_if(managers, [&](Manager& manager) {
    const char* replicas = path(manager.api_version);
    if (!replicas) return true;
    if (!*replicas || !has(manager.set, replicas)) return false;
    const Manager* same = find_manager(scalers, manager);
    if (same) {
      scalers.erase(scalers.begin() + (same - scalers.data()));
    } else {
      manager.set_fields(pool.subtract(manager.set, pool.path(steps_of(replicas))));
    }
    return manager.set == nullptr;
  });
  for (Manager& scaler : scalers) {
    if (!has(scaler.set, kScalePath)) continue;
    scaler.set_fields(pool.path(steps_of(path(api_version))));
    const Manager* known = find_manager(managers, scaler);
    scaler.time = known ? known->time : std::nullopt;
    scaler.api_version = Str(api_version);
    managers.push_back(scaler);
  }
  if (managers.empty()) return List<metav1::ManagedFieldsEntry>();
  return encode_managers(std::move(managers));
}

}  // namespace orrery::server::managed
