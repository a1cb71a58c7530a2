#pragma once

#include <vector>

#include "engine/api/gen/policyv1.h"
#include "engine/ports/api.h"

namespace orrery::server {

/// What becomes of the eviction of a pod: refused, or the pod is marked as disrupted and deleted.
struct EvictionVerdict {
  ApiResponse refusal;  // its status is a failure if the pod stays
  /// The budget after the pod has been taken from it; null: none is charged.
  api::Object charged;
  ApiDeleteOptions options;  // of the deletion
  /// The budget that lets the pod go only because it is not healthy, "" if there is none: a conflict
  /// is answered with busy_budget(), and the client tries again.
  Str lenient;
};

/// `budgets` are those that select the pod. Kubernetes v1.32
/// pkg/registry/core/pod/storage/eviction.go.
EvictionVerdict judge_eviction(const api::Object& pod, const std::vector<api::Object>& budgets,
                               const policyv1::Eviction& eviction, bool dry_run, Time now);

/// The options of the deletion that an eviction asks for.
ApiDeleteOptions eviction_options(const policyv1::Eviction& eviction);

/// The options as the mark of the pod sees them, which comes before the deletion: an empty
/// precondition is none.
ApiDeleteOptions mark_options(ApiDeleteOptions options);

/// The budget after one more pod is to go. Requires that it allows that.
void take_from_budget(api::Object& budget, const Str& pod, Time now);

/// A budget that has to be asked again, as far as a client is told.
ApiResponse busy_budget(const Str& budget);

/// The condition DisruptionTarget of a pod that is about to be deleted; true if that is a change.
bool mark_as_evicted(api::Object& pod, Time now);

/// A failure if the preconditions do not hold for the pod that is to be marked.
ApiResponse check_eviction(const EvictionVerdict& verdict, const api::Object& pod);

}  // namespace orrery::server
