#pragma once

#include <span>

#include "engine/api/object.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

/// How objects of one kind are checked beyond the metadata rules of all kinds: what the registry
/// strategies of Kubernetes v1.32 call in Validate and ValidateUpdate.
struct KindChecks {
  void (*create)(const api::Object& object, Findings& findings) = nullptr;
  void (*update)(const api::Object& object, const api::Object& old, Findings& findings) = nullptr;
  void (*status)(const api::Object& object, const api::Object& old, Findings& findings) = nullptr;
  /// Of the kind's own subresource that is written like the object; nullptr: as `update`.
  void (*other)(const api::Object& object, const api::Object& old, Findings& findings) = nullptr;
};
/// nullptr: none.
const KindChecks* checks_of(const api::KindDesc& kind);

struct CheckRow {
  const api::TypeDesc& (*type)();
  KindChecks checks;
};

/// A row of a group's table, from functions over the kind's own struct.
template <typename T, void (*Create)(const T&, Findings&), void (*Update)(const T&, const T&, Findings&)>
constexpr CheckRow check_row() {
  return {&T::descriptor,
          {[](const api::Object& o, Findings& f) { Create(o.get<T>(), f); },
           [](const api::Object& o, const api::Object& old, Findings& f) { Update(o.get<T>(), old.get<T>(), f); }, nullptr, nullptr}};
}
template <typename T, void (*Create)(const T&, Findings&), void (*Update)(const T&, const T&, Findings&),
          void (*Status)(const T&, const T&, Findings&)>
constexpr CheckRow check_row() {
  CheckRow row = check_row<T, Create, Update>();
  row.checks.status = [](const api::Object& o, const api::Object& old, Findings& f) { Status(o.get<T>(), old.get<T>(), f); };
  return row;
}
template <typename T, void (*Create)(const T&, Findings&), void (*Update)(const T&, const T&, Findings&),
          void (*Status)(const T&, const T&, Findings&), void (*Other)(const T&, const T&, Findings&)>
constexpr CheckRow check_row() {
  CheckRow row = check_row<T, Create, Update, Status>();
  row.checks.other = [](const api::Object& o, const api::Object& old, Findings& f) { Other(o.get<T>(), old.get<T>(), f); };
  return row;
}

/// The tables, one for each group of kinds.
std::span<const CheckRow> pod_checks();
std::span<const CheckRow> workload_checks();
std::span<const CheckRow> revision_checks();
std::span<const CheckRow> batch_checks();
std::span<const CheckRow> autoscaling_checks();
std::span<const CheckRow> policy_checks();
std::span<const CheckRow> service_checks();
std::span<const CheckRow> node_checks();
std::span<const CheckRow> config_checks();
std::span<const CheckRow> quota_checks();
std::span<const CheckRow> volume_checks();
std::span<const CheckRow> storage_checks();
std::span<const CheckRow> rbac_checks();
std::span<const CheckRow> networking_checks();
std::span<const CheckRow> discovery_checks();
std::span<const CheckRow> cluster_checks();
std::span<const CheckRow> event_checks();
std::span<const CheckRow> certificate_checks();
std::span<const CheckRow> flow_control_checks();
std::span<const CheckRow> api_service_checks();
std::span<const CheckRow> admission_checks();
std::span<const CheckRow> admission_policy_checks();
std::span<const CheckRow> definition_checks();

}  // namespace orrery::server
