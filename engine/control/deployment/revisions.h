#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/api/gen/appsv1.h"
#include "engine/api/object.h"
#include "engine/base/status.h"

namespace orrery::control {

/// The book-keeping of a Deployment and its ReplicaSets: annotations, orders, the ReplicaSet of a
/// template. Kubernetes v1.32 pkg/controller/deployment/util.

inline constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kTemplateHashLabel = "pod-template-hash";
inline constexpr std::string_view kRollbackTo = "deprecated.deployment.rollback.to";

/// Equal pods would result: the label pod-template-hash does not count.
bool same_template(const corev1::PodTemplateSpec& a, const corev1::PodTemplateSpec& b);
Map<Str> without_template_hash(const Map<Str>& labels);

/// The annotation's number, 0 if there is none; fails if it is no number.
Result<int64_t> revision(const api::Object& object);
int64_t max_revision(std::span<const api::Object> replica_sets);
/// The second highest.
int64_t last_revision(std::span<const api::Object> replica_sets);
/// True if it had another.
bool set_deployment_revision(api::Object& deployment, const Str& revision);

/// The size of the Deployment when it last scaled this ReplicaSet.
Opt<int32_t> desired_replicas_annotation(const api::Object& replica_set);
Opt<int32_t> max_replicas_annotation(const api::Object& replica_set);
bool replicas_annotations_differ(const api::Object& replica_set, int32_t desired, int32_t max);
/// True if something changed.
bool set_replicas_annotations(api::Object& replica_set, int32_t desired, int32_t max);

/// Gives the Deployment's annotations and the revision to its newest ReplicaSet; `exists`: not only
/// about to be made. True if the ReplicaSet has to be written.
bool set_new_replica_set_annotations(const api::Object& deployment, api::Object& replica_set,
                                     int64_t revision, bool exists);
/// Those of the Deployment become those of the ReplicaSet that it is rolled back to.
void take_annotations_back(api::Object& deployment, const api::Object& replica_set);

/// Orders; ties by creation and name.
void sort_by_creation(std::vector<api::Object>& replica_sets);
void sort_newest_first(std::vector<api::Object>& replica_sets);
void sort_largest_then_newest(std::vector<api::Object>& replica_sets);
void sort_largest_then_oldest(std::vector<api::Object>& replica_sets);
void sort_by_revision(std::vector<api::Object>& replica_sets);

/// Those with replicas wanted; null objects are dropped.
std::vector<api::Object> active_only(std::span<const api::Object> replica_sets);

}  // namespace orrery::control
