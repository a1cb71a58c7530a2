#include "engine/control/replicaset/replicaset_controller.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/api/pod_util.h"
#include "engine/control/common/claim.h"
#include "engine/control/replicaset/replica_view.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
ReplicaSetController::ReplicaSetController(const Env& env, const ReplicaSetOptions& options)
    : Reconciler(
          env, options.replication_controllers ? "replication-controller" : "replicaset-controller",
          options),
      kind_(options.replication_controllers ? &kind_of<corev1::ReplicationController>()
                                            : &kind_of<appsv1::ReplicaSet>()),
      burst_replicas_(options.burst_replicas) {
  add_informer({kind_, {}, {}, {}}, {index_by_namespace, index_by_controller});
  add_informer({&kind_of<corev1::Pod>(), {}, {}, {}},
               {index_by_controller, index_orphans_by_namespace, index_by_namespace});
}

void ReplicaSetController::on_change(const Ctx&, size_t informer, const Change& change) {
  if (informer == kOwners) return owner_changed(change);
  tally_.pod_changed(change);
  if (!change.after) return pod_removed(change.last);
  if (change.before) return pod_updated(change.before, change.after);
  pod_added(change.after);
}

void ReplicaSetController::owner_changed(const Change& change) {
  const Str key = api::object_key(change.newest().meta());
  const bool replaced =
      change.before && change.after && change.before.meta().uid != change.after.meta().uid;
  if (!change.after || replaced) {
    expectations_.forget(key);
    tally_.owner_gone(change.before.meta().uid);
  }
  if (change.after) tally_.owner_changed(as_replica_set(change.after));
  enqueue(key);
}

const api::Object* ReplicaSetController::resolve(const api::Object& pod) const {
  const auto* controller = api::controller_of(pod.meta());
  if (!controller || controller->kind != kind_->kind) return nullptr;
  const api::Object* owner = informer(kOwners).find(pod.meta().namespace_, controller->name);
  return owner && owner->meta().uid == controller->uid ? owner : nullptr;
}

void ReplicaSetController::pod_added(const api::Object& pod) {
  if (pod.meta().deletion_timestamp) return pod_removed(pod);
  if (!api::controller_of(pod.meta())) return orphan_changed(pod);
  const api::Object* owner = resolve(pod);
  if (!owner) return;
  const Str key = api::object_key(owner->meta());
  expectations_.creation_observed(key);
  enqueue(key);
}

void ReplicaSetController::pod_updated(const api::Object& before, const api::Object& after) {
  const bool labels_changed = !(before.meta().labels == after.meta().labels);
  if (after.meta().deletion_timestamp) {
    pod_removed(after);
    if (labels_changed) pod_removed(before);
    return;
  }
  const bool owner_changed = !same_controller(before, after);
  if (owner_changed)
    if (const api::Object* owner = resolve(before)) enqueue(api::object_key(owner->meta()));
  if (!api::controller_of(after.meta())) {
    if (labels_changed || owner_changed) orphan_changed(after);
    return;
  }
  const api::Object* owner = resolve(after);
  if (!owner) return;
  const Str key = api::object_key(owner->meta());
  enqueue(key);
  const int32_t min_ready =
      as_replica_set(*owner).get<appsv1::ReplicaSet>().spec->min_ready_seconds;
  // A second more: the pod's own clock may be late by up to one.
  if (min_ready > 0 && !api::is_pod_ready(before.get<corev1::Pod>()) &&
      api::is_pod_ready(after.get<corev1::Pod>()))
    enqueue_after(key, Duration::seconds(min_ready + 1));
}

void ReplicaSetController::pod_removed(const api::Object& pod) {
  const api::Object* owner = resolve(pod);
  if (!owner) return;
  const Str key = api::object_key(owner->meta());
  expectations_.deletion_observed(key, api::object_key(pod.meta()));
  enqueue(key);
}

void ReplicaSetController::orphan_changed(const api::Object& pod) {
  const auto& meta = pod.meta();
  informer(kOwners).for_each_in(kOwnersByNamespace, meta.namespace_, [&](const api::Object& owner) {
    const Str& uid = owner.meta().uid;
    const api::Selector* selector = tally_.selector(uid);
    if (!selector || selector->empty() || !selector->matches(meta.labels)) return;
    tally_.entry(uid, informer(kPods), kPodsByController).orphans = true;
    enqueue(api::object_key(owner.meta()));
  });
}

ReplicaSetInputs ReplicaSetController::gather(const Ctx& ctx, const Str& key) {
  ReplicaSetInputs in;
  in.now = ctx.now;
  in.key = key;
  const api::Object* owner = informer(kOwners).find(key);
  if (!owner) return in;
  in.owner = *owner;
  in.rs = as_replica_set(*owner);
  in.selector_valid = tally_.selector(owner->meta().uid) != nullptr;
  in.cache_caught_up = expectations_.satisfied(key, ctx.now);
  PodTally::Entry& entry = tally_.entry(owner->meta().uid, informer(kPods), kPodsByController);
  in.counts = entry.counts;
  const auto& spec = *in.rs.get<appsv1::ReplicaSet>().spec;
  const bool shrinks = entry.counts.replicas > spec.replicas.value_or(0);
  const bool times_matter = spec.min_ready_seconds > 0 && entry.counts.ready > 0;
  if (entry.strays > 0 || entry.orphans || shrinks || times_matter) list_pods(in, entry);
  if (in.pods.size() > static_cast<size_t>(std::max(0, spec.replicas.value_or(0))))
    list_related(in);
  return in;
}

void ReplicaSetController::list_pods(ReplicaSetInputs& in, PodTally::Entry& entry) const {
  const auto& meta = in.owner.meta();
  const auto take = [&](const api::Object& pod) {
    if (api::is_pod_active(pod.get<corev1::Pod>())) in.pods.push_back(pod);
  };
  if (entry.orphans) {
    const api::Selector* selector = tally_.selector(meta.uid);
    informer(kPods).for_each_in(kOrphansByNamespace, meta.namespace_, [&](const api::Object& pod) {
      if (selector && selector->matches(pod.meta().labels)) take(pod);
    });
    entry.orphans = !in.pods.empty();
  }
  informer(kPods).for_each_in(kPodsByController, meta.uid, take);
  sort_by_name(in.pods);
  in.listed = true;
}

void ReplicaSetController::list_related(ReplicaSetInputs& in) const {
  const auto* controller = api::controller_of(in.owner.meta());
  if (!controller) return;
  std::vector<const api::Selector*> selectors;
  informer(kOwners).for_each_in(
      kOwnersByController, controller->uid, [&](const api::Object& other) {
        if (const api::Selector* selector = tally_.selector(other.meta().uid))
          selectors.push_back(selector);
      });
  const auto selected = [&](const api::Object& pod) {
    return std::any_of(selectors.begin(), selectors.end(), [&](const api::Selector* selector) {
      return selector->matches(pod.meta().labels);
    });
  };
  informer(kPods).for_each_in(kPodsByNamespace, in.owner.meta().namespace_,
                              [&](const api::Object& pod) {
                                if (selected(pod)) in.related.push_back(pod);
                              });
}

}  // namespace orrery::control
