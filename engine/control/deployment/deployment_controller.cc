#include "engine/control/deployment/deployment_controller.h"

#include <algorithm>

#include "engine/api/label_selector.h"
#include "engine/api/semantic.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {

DeploymentController::DeploymentController(const Env& env, const DeploymentOptions& options)
    : Reconciler(env, "deployment-controller", options) {
  add_informer({&kind_of<appsv1::Deployment>(), {}, {}, {}}, {index_by_namespace});
  add_informer({&kind_of<appsv1::ReplicaSet>(), {}, {}, {}},
               {index_by_controller, index_orphans_by_namespace});
  add_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_controller});
}

void DeploymentController::on_change(const Ctx&, size_t informer, const Change& change) {
  if (informer == kDeployments) return enqueue(api::object_key(change.newest().meta()));
  if (informer == kReplicaSets) return replica_set_changed(change);
  if (!change.after) pod_gone(change.last);
}

const api::Object* DeploymentController::resolve(const api::Object& object) const {
  const auto* controller = api::controller_of(object.meta());
  if (!controller || controller->kind != "Deployment") return nullptr;
  const api::Object* found =
      informer(kDeployments).find(object.meta().namespace_, controller->name);
  return found && found->meta().uid == controller->uid ? found : nullptr;
}

void DeploymentController::replica_set_changed(const Change& change) {
  const api::Object& newest = change.newest();
  if (change.before && change.after) {
    const api::Object* before = resolve(change.before);
    if (before && before != resolve(newest)) enqueue(api::object_key(before->meta()));
  }
  if (const api::Object* owner = resolve(newest)) return enqueue(api::object_key(owner->meta()));
  if (!change.after || api::controller_of(newest.meta())) return;
  const bool matters = !change.before || api::controller_of(change.before.meta()) ||
                       !(change.before.meta().labels == newest.meta().labels);
  if (matters && !newest.meta().deletion_timestamp) orphan_changed(newest);
}

void DeploymentController::orphan_changed(const api::Object& replica_set) {
  const auto& meta = replica_set.meta();
  informer(kDeployments)
      .for_each_in(kDeploymentsByNamespace, meta.namespace_, [&](const api::Object& object) {
        const auto& deployment = object.get<appsv1::Deployment>();
        const auto selector = api::Selector::of(deployment.spec->selector.get());
        if (selector && !selector->empty() && selector->matches(meta.labels))
          enqueue(api::object_key(object.meta()));
      });
}

/// The last pod of a Deployment that waits for its pods to be gone.
void DeploymentController::pod_gone(const api::Object& pod) {
  const auto* controller = api::controller_of(pod.meta());
  if (!controller || controller->kind != "ReplicaSet") return;
  const api::Object* rs = informer(kReplicaSets).find(pod.meta().namespace_, controller->name);
  if (!rs || rs->meta().uid != controller->uid) return;
  const api::Object* owner = resolve(*rs);
  if (!owner || owner->get<appsv1::Deployment>().spec->strategy.type != "Recreate") return;
  size_t left = 0;
  informer(kReplicaSets).for_each_in(kByController, owner->meta().uid, [&](const api::Object& own) {
    left += informer(kPods).count_in(kPodsByController, own.meta().uid);
  });
  if (left == 0) enqueue(api::object_key(owner->meta()));
}

DeploymentInputs DeploymentController::gather(const Ctx& ctx, const Str& key) {
  DeploymentInputs in;
  in.now = ctx.now;
  in.key = key;
  const api::Object* found = informer(kDeployments).find(key);
  if (!found) return in;
  in.deployment = *found;
  const auto take = [&](const api::Object& object) { in.replica_sets.push_back(object); };
  informer(kReplicaSets).for_each_in(kByController, found->meta().uid, take);
  informer(kReplicaSets).for_each_in(kOrphansByNamespace, found->meta().namespace_, take);
  std::sort(
      in.replica_sets.begin(), in.replica_sets.end(),
      [](const api::Object& a, const api::Object& b) { return a.meta().name < b.meta().name; });
  if (found->get<appsv1::Deployment>().spec->strategy.type != "Recreate") return in;
  for (const api::Object& rs : in.replica_sets)
    informer(kPods).for_each_in(kPodsByController, rs.meta().uid,
                                [&](const api::Object& pod) { in.pods.push_back(pod); });
  return in;
}

Status DeploymentController::sync(const DeploymentInputs& in, WriteLog& log) {
  if (!in.deployment) return Status();
  Rollout rollout(in, log);
  Status status = rollout.sync();
  log.once([&] {
    if (rollout.hopeless()) hopeless_.push_back(in.key);
    if (rollout.retry_soon()) enqueue_rate_limited(in.key);
  });
  return status;
}

void DeploymentController::on_finished(const Ctx&, const Str& key, const Status& status) {
  const bool hopeless = std::erase(hopeless_, key) > 0;
  if (status || hopeless || failures(key) >= kRetriesMax) return forget(key);
  enqueue_rate_limited(key);
}

}  // namespace orrery::control
