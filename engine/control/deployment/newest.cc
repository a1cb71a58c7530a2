#include <utility>

#include "engine/api/template_hash.h"
#include "engine/control/common/claim.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/deployment/conditions.h"
#include "engine/control/deployment/fenceposts.h"
#include "engine/control/deployment/revisions.h"
#include "engine/control/deployment/rollout.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr std::string_view kCreateError = "ReplicaSetCreateError";

std::string failed_to_create(const api::Object& made, const Status& refused) {
  return str_cat("Failed to create new replica set \"", made.meta().name,
                 "\": ", refused.message());
}

}  // namespace

/// The oldest of those with the present template (several may have it, of other days).
const api::Object& Rollout::existing() {
  if (existing_) return *existing_;
  existing_ = api::Object();
  sort_by_creation(replica_sets_);
  for (const api::Object& object : replica_sets_) {
    if (!same_template(*object.get<appsv1::ReplicaSet>().spec->template_, *spec().template_))
      continue;
    existing_ = object;
    break;
  }
  return *existing_;
}

/// Sorts the ReplicaSets into generations and brings revisions up to date; with `create`, there is
/// a newest one afterwards.
Status Rollout::split(bool create, Generations& out) {
  out = Generations();
  const api::Object& found = existing();
  for (const api::Object& object : replica_sets_)
    if (!object.same(found)) out.old.push_back(object);
  const int64_t revision = max_revision(out.old) + 1;
  if (found) {
    ORRERY_ASSIGN(out.newest, adopt_existing(found, revision));
  } else if (create) {
    ORRERY_ASSIGN(out.newest, create_newest(out.old, revision));
  }
  return Status();
}

Result<api::Object> Rollout::adopt_existing(const api::Object& existing, int64_t new_revision) {
  api::Object copy = existing;
  const bool annotated =
      set_new_replica_set_annotations(deployment_, copy, new_revision, /*exists=*/true);
  const int32_t min_ready = spec().min_ready_seconds;
  if (annotated || copy.get<appsv1::ReplicaSet>().spec->min_ready_seconds != min_ready) {
    copy.mut<appsv1::ReplicaSet>().spec.mut().min_ready_seconds = min_ready;
    const ApiResponse& written = log_.call([&] { return update_request(copy); });
    if (!written.status) return written.status;
    return written.object;
  }
  bool changed = set_deployment_revision(deployment_, copy.meta().annotations.get(kRevision));
  if (has_progress_deadline(spec()) && !find_condition(*deployment().status, kProgressing)) {
    set_condition(mut_status(),
                  make_condition(kProgressing, "True", "FoundNewReplicaSet",
                                 str_cat("Found new replica set \"", copy.meta().name, '"'), now_));
    changed = true;
  }
  if (changed) ORRERY_TRY(put_status());
  return copy;
}

Result<api::Object> Rollout::make_newest(const std::vector<api::Object>& old,
                                         int64_t new_revision) const {
  const Str hash = api::template_hash(*spec().template_, deployment().status->collision_count);
  appsv1::ReplicaSet rs;
  auto& meta = rs.metadata.mut();
  meta.name = str_cat(deployment().metadata->name, '-', hash);
  meta.namespace_ = deployment().metadata->namespace_;
  meta.owner_references.push_back(controller_reference(deployment_));
  meta.labels = spec().template_->metadata->labels;
  meta.labels.set(kTemplateHashLabel, hash);
  auto& rs_spec = rs.spec.mut();
  rs_spec.min_ready_seconds = spec().min_ready_seconds;
  rs_spec.selector = spec().selector;
  rs_spec.selector.mut().match_labels.set(kTemplateHashLabel, hash);
  rs_spec.template_ = spec().template_;
  rs_spec.template_.mut().metadata.mut().labels = meta.labels;
  ORRERY_ASSIGN(rs_spec.replicas, new_replicas(spec(), spec_replicas(old), 0));
  api::Object object = api::Object::of(std::move(rs));
  set_new_replica_set_annotations(deployment_, object, new_revision, /*exists=*/false);
  return object;
}

Result<api::Object> Rollout::create_newest(const std::vector<api::Object>& old,
                                           int64_t new_revision) {
  ORRERY_ASSIGN(const api::Object made, make_newest(old, new_revision));
  const ApiResponse& response = log_.call([&] { return create_request(made); });
  api::Object created = response.object;
  const bool exists = response.status.code() == Code::kAlreadyExists;
  if (exists) {
    ORRERY_ASSIGN(created, resolve_collision(made, response.status));
  } else if (!response.status) {
    return refused_creation(made, response);
  }
  if (!exists && replicas_of(made) > 0)
    log_.event(
        in_.deployment, "Normal", "ScalingReplicaSet",
        str_cat("Scaled up replica set ", made.meta().name, " from 0 to ", replicas_of(made)));
  bool changed = set_deployment_revision(deployment_, str_cat(new_revision));
  if (!exists && has_progress_deadline(spec())) {
    set_condition(
        mut_status(),
        make_condition(kProgressing, "True", "NewReplicaSetCreated",
                       str_cat("Created new replica set \"", made.meta().name, '"'), now_));
    changed = true;
  }
  if (changed) ORRERY_TRY(put_status());
  return created;
}

/// The name is taken: by our own ReplicaSet that the cache has not seen yet, or by another template
/// of the same hash; then the next sync tries with another hash.
Result<api::Object> Rollout::resolve_collision(const api::Object& made, const Status& refused) {
  const auto& meta = made.meta();
  const ApiResponse& present = log_.call(
      [&] { return get_request(kind_of<appsv1::ReplicaSet>(), meta.namespace_, meta.name); });
  if (!present.status) return present.status;
  const auto* controller = api::controller_of(present.object.meta());
  if (controller && controller->uid == deployment().metadata->uid &&
      same_template(*spec().template_, *present.object.get<appsv1::ReplicaSet>().spec->template_))
    return present.object;
  auto& status = mut_status();
  status.collision_count = status.collision_count.value_or(0) + 1;
  (void)put_status();
  return refused;
}

Status Rollout::refused_creation(const api::Object& made, const ApiResponse& response) {
  if (log_.pending()) return response.status;
  if (namespace_terminating(response)) {
    hopeless_ = true;
    return response.status;
  }
  const std::string message = failed_to_create(made, response.status);
  if (has_progress_deadline(spec())) {
    set_condition(mut_status(), make_condition(kProgressing, "False", kCreateError, message, now_));
    (void)put_status();  // the creation's failure is what counts
  }
  log_.event(in_.deployment, "Warning", kCreateError, message);
  return response.status;
}

}  // namespace orrery::control
