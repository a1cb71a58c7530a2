// Priority classes, leases and runtime classes. Source: Kubernetes v1.32 pkg/apis/scheduling/validation,
// pkg/apis/coordination/validation, pkg/apis/node/validation.
#include "engine/api/gen/coordinationv1.h"
#include "engine/api/gen/nodev1.h"
#include "engine/api/gen/schedulingv1.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/placement.h"
#include "engine/server/validation/registry.h"
#include "engine/server/validation/resources.h"

namespace orrery::server {
namespace {

using coordinationv1::Lease;
using nodev1::RuntimeClass;
using schedulingv1::PriorityClass;

constexpr int32_t kUserPriorityMax = 1'000'000'000;

// Why a class whose name begins with "system-" is none of the system's; "": it is one.
std::string not_of_system(const PriorityClass& pc) {
  const Str& name = pc.metadata->name;
  const bool node = name == "system-node-critical";
  if (!node && name != "system-cluster-critical") return str_cat(name, " is not a known system priority class");
  const int32_t value = 2 * kUserPriorityMax + (node ? 1000 : 0);
  if (pc.value != value) return str_cat("value of ", name, " PriorityClass must be ", int64_t{value});
  if (pc.global_default) return str_cat("globalDefault of ", name, " PriorityClass must be false");
  return {};
}

void check_create(const PriorityClass& pc, Findings& findings) {
  check_object_meta(*pc.metadata, false, name_is_subdomain, findings);
  if (pc.metadata->name.view().starts_with("system-")) {
    if (const std::string why = not_of_system(pc); !why.empty())
      findings.forbidden(Path("metadata.name"),
                         str_cat("priority class names with 'system-' prefix are reserved for system use only. error: ", why));
  } else if (pc.value > kUserPriorityMax) {
    findings.forbidden(Path("value"), "maximum allowed value of a user defined priority is 1000000000");
  }
  if (pc.preemption_policy) findings.one_of(*pc.preemption_policy, Path("preemptionPolicy"), {"PreemptLowerPriority", "Never"});
}

void check_update(const PriorityClass& pc, const PriorityClass& old, Findings& findings) {
  check_object_meta_update(*pc.metadata, *old.metadata, findings);
  if (pc.value != old.value) findings.forbidden(Path("value"), "may not be changed in an update.");
  const auto& policy = pc.preemption_policy;
  check_immutable(policy, old.preemption_policy, Path("preemptionPolicy"), policy ? Shown(*policy) : Shown("null"), findings);
}

void check_lease_spec(const Lease& lease, Findings& findings) {
  constexpr Path kSpec("spec");
  const auto& spec = *lease.spec;
  if (spec.lease_duration_seconds && *spec.lease_duration_seconds <= 0)
    findings.invalid(kSpec.child("leaseDurationSeconds"), *spec.lease_duration_seconds, "must be greater than 0");
  if (spec.lease_transitions) findings.non_negative(*spec.lease_transitions, kSpec.child("leaseTransitions"));
  if (spec.preferred_holder && !spec.preferred_holder->empty() && (!spec.strategy || spec.strategy->empty()))
    findings.forbidden(kSpec.child("preferredHolder"), "may only be specified if `strategy` is defined");
}

void check_create(const Lease& lease, Findings& findings) {
  check_object_meta(*lease.metadata, true, name_is_subdomain, findings, false);
  check_lease_spec(lease, findings);
}

void check_update(const Lease& lease, const Lease& old, Findings& findings) {
  check_object_meta_update(*lease.metadata, *old.metadata, findings, false);
  check_lease_spec(lease, findings);
}

void check_scheduling(const nodev1::Scheduling& scheduling, Findings& findings) {
  constexpr Path kScheduling("scheduling"), kTolerations("scheduling.tolerations");
  check_labels(scheduling.node_selector, kScheduling.child("nodeSelector"), findings);
  const auto& list = scheduling.tolerations;
  check_tolerations(list, kTolerations.child("tolerations"), findings);
  for (size_t i = 0; i < list.size(); ++i) {
    const bool repeated = std::any_of(list.begin(), list.begin() + i, [&](const corev1::Toleration& t) {
      return t.key == list[i].key && t.operator_ == list[i].operator_ && t.value == list[i].value && t.effect == list[i].effect;
    });
    if (repeated) findings.duplicate(kTolerations.index(i), Shown::object(list[i]));
  }
}

void check_create(const RuntimeClass& rc, Findings& findings) {
  check_object_meta(*rc.metadata, false, name_is_subdomain, findings, false);
  check_label(rc.handler, Path("handler"), findings);
  if (rc.overhead) {
    corev1::ResourceRequirements requirements;
    requirements.limits = rc.overhead->pod_fixed;
    check_resource_requirements(requirements, Seen(), {}, Path("overhead"), findings);
  }
  if (rc.scheduling) check_scheduling(*rc.scheduling, findings);
}

void check_update(const RuntimeClass& rc, const RuntimeClass& old, Findings& findings) {
  check_create(rc, findings);
  check_object_meta_update(*rc.metadata, *old.metadata, findings, false);
  check_immutable(rc.handler, old.handler, Path("handler"), rc.handler, findings);
}

}  // namespace

std::span<const CheckRow> cluster_checks() {
  static const CheckRow kRows[] = {
      check_row<PriorityClass, check_create, check_update>(),
      check_row<Lease, check_create, check_update>(),
      check_row<RuntimeClass, check_create, check_update>(),
  };
  return kRows;
}

}  // namespace orrery::server
