#pragma once

#include "engine/api/object.h"

namespace orrery::control {

/// spec.persistentVolumeClaimRetentionPolicy is kept by owner references on the claims of the pods:
/// whenDeleted=Delete makes the set their owner, whenScaled=Delete the pod, once its ordinal is
/// condemned; the garbage collector does the rest.
/// Kubernetes v1.32 pkg/controller/statefulset, stateful_set_utils.go.

/// The owner references of the claim are as the policy of `set` wants them for `pod`, or somebody
/// else's, and then not to be touched.
bool claim_owners_fit(const api::Object& claim, const api::Object& set, const api::Object& pod);

/// Makes them so. Where another controller has the claim, only references of ours are removed.
void fix_claim_owners(api::Object& claim, const api::Object& set, const api::Object& pod);

/// There is a policy, and something that is neither the set nor the pod controls the claim.
bool has_foreign_controller(const api::Object& claim, const api::Object& set,
                            const api::Object& pod);

/// An owner of the claim is called like `owner` but is another object.
bool has_stale_owner(const api::Object& claim, const api::Object& owner);

/// The policy deletes the claims of condemned pods.
bool deletes_when_scaled(const api::Object& set);

}  // namespace orrery::control
