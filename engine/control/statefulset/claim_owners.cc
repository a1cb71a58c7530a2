#include "engine/control/statefulset/claim_owners.h"

#include <algorithm>

#include "engine/api/gen/appsv1.h"
#include "engine/control/common/claim.h"
#include "engine/control/statefulset/ordinals.h"

namespace orrery::control {
namespace {

const appsv1::StatefulSetSpec& spec_of(const api::Object& set) {
  return *set.get<appsv1::StatefulSet>().spec;
}

/// Which references the claim of a pod has to have.
struct Wanted {
  bool set = false;
  bool pod = false;
  bool operator==(const Wanted&) const = default;
};

struct Policy {
  bool when_deleted = false;  // Delete
  bool when_scaled = false;
};

Policy policy_of(const api::Object& set) {
  const auto* policy = spec_of(set).persistent_volume_claim_retention_policy.get();
  if (!policy) return {};
  const auto known = [](const Str& value) { return value == "Delete" || value == "Retain"; };
  if (!known(policy->when_deleted) || !known(policy->when_scaled)) return {};
  return {policy->when_deleted == "Delete", policy->when_scaled == "Delete"};
}

/// With both policies a condemned pod's claim goes with the pod: the set would keep it alive.
Wanted wanted_owners(const api::Object& set, const api::Object& pod) {
  const Policy policy = policy_of(set);
  const bool goes =
      policy.when_scaled && !in_ordinal_range(spec_of(set), ordinal_of(pod.meta().name));
  return {policy.when_deleted && !goes, goes};
}

bool names(const metav1::OwnerReference& ref, const api::Object& owner) {
  return ref.api_version == owner.kind()->api_version && ref.kind == owner.kind()->kind &&
         ref.name == owner.meta().name;
}

bool is_owner(const api::Object& claim, const api::Object& owner) {
  const auto& refs = claim.meta().owner_references;
  return std::any_of(refs.begin(), refs.end(),
                     [&](const auto& ref) { return ref.uid == owner.meta().uid; });
}

}  // namespace

bool deletes_when_scaled(const api::Object& set) {
  const auto* policy = spec_of(set).persistent_volume_claim_retention_policy.get();
  return policy && policy->when_scaled != "Retain";
}

bool has_stale_owner(const api::Object& claim, const api::Object& owner) {
  for (const auto& ref : claim.meta().owner_references)
    if (names(ref, owner)) return ref.uid != owner.meta().uid;
  return false;
}

bool has_foreign_controller(const api::Object& claim, const api::Object& set,
                            const api::Object& pod) {
  const auto* policy = spec_of(set).persistent_volume_claim_retention_policy.get();
  if (!policy || (policy->when_scaled == "Retain" && policy->when_deleted == "Retain"))
    return false;
  const auto& refs = claim.meta().owner_references;
  return std::any_of(refs.begin(), refs.end(), [&](const auto& ref) {
    if (names(ref, set)) return ref.uid != set.meta().uid;
    if (names(ref, pod)) return ref.uid != pod.meta().uid;
    return ref.controller.value_or(false);
  });
}

bool claim_owners_fit(const api::Object& claim, const api::Object& set, const api::Object& pod) {
  if (has_stale_owner(claim, set) || has_stale_owner(claim, pod)) return true;
  const Wanted present{is_owner(claim, set), is_owner(claim, pod)};
  if (has_foreign_controller(claim, set, pod)) return present == Wanted{};
  for (const auto& ref : claim.meta().owner_references) {
    const bool ours = ref.uid == set.meta().uid || ref.uid == pod.meta().uid;
    if (ours && !ref.controller.value_or(false)) return false;
  }
  return present == wanted_owners(set, pod);
}

void fix_claim_owners(api::Object& claim, const api::Object& set, const api::Object& pod) {
  const bool foreign = has_foreign_controller(claim, set, pod);
  auto& refs = claim.mut_meta().owner_references;
  refs.erase_if([&](const auto& ref) { return names(ref, set) || names(ref, pod); });
  if (foreign) return;
  const Wanted wanted = wanted_owners(set, pod);
  if (wanted.pod && !is_owner(claim, pod)) refs.push_back(controller_reference(pod));
  if (wanted.set && !is_owner(claim, set)) refs.push_back(controller_reference(set));
}

}  // namespace orrery::control
