#include "engine/control/statefulset/statefulset_controller.h"

#include <utility>

#include "engine/api/gen/appsv1.h"
#include "engine/api/label_selector.h"
#include "engine/api/pod_util.h"
#include "engine/control/common/claim.h"
#include "engine/control/statefulset/ordinals.h"
#include "engine/control/statefulset/set_sync.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

const appsv1::StatefulSetSpec& spec_of(const api::Object& set) {
  return *set.get<appsv1::StatefulSet>().spec;
}

}  // namespace

StatefulSetController::StatefulSetController(const Env& env, const StatefulSetOptions& options)
    : Reconciler(env, "statefulset-controller", options) {
  add_informer({&kind_of<appsv1::StatefulSet>(), {}, {}, {}}, {index_by_namespace});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}},
                    {index_by_controller, index_orphans_by_namespace});
  add_lazy_informer({&kind_of<appsv1::ControllerRevision>(), {}, {}, {}},
                    {index_by_controller, index_orphans_by_namespace});
  add_lazy_informer({&kind_of<corev1::PersistentVolumeClaim>(), {}, {}, {}});
}

void StatefulSetController::on_change(const Ctx&, size_t informer, const Change& change) {
  if (informer == kPods) return pod_changed(change);
  if (informer != kSets) return;  // looked at only when a set is
  for (const size_t lazy : {kPods, kRevisions, kClaims}) need(lazy);
  enqueue(api::object_key(change.newest().meta()));
}

void StatefulSetController::pod_changed(const Change& change) {
  if (!change.after) return enqueue_owner(change.last);
  if (change.before) return pod_updated(change.before, change.after);
  if (change.after.meta().deletion_timestamp || api::controller_of(change.after.meta()))
    return enqueue_owner(change.after);
  orphan_changed(change.after);
}

void StatefulSetController::pod_updated(const api::Object& before, const api::Object& after) {
  const auto* owner = api::controller_of(after.meta());
  const bool owner_changed = !same_controller(before, after);
  if (owner_changed) enqueue_owner(before);
  if (!owner) {
    if (owner_changed || !(before.meta().labels == after.meta().labels)) orphan_changed(after);
    return;
  }
  const api::Object* set = resolve(after);
  if (!set) return;
  const Str key = api::object_key(set->meta());
  enqueue(key);
  const int32_t min_ready = spec_of(*set).min_ready_seconds;
  // A second more: the pod's own clock may be late by up to one.
  if (min_ready > 0 && !api::is_pod_ready(before.get<corev1::Pod>()) &&
      api::is_pod_ready(after.get<corev1::Pod>()))
    enqueue_after(key, Duration::seconds(min_ready + 1));
}

void StatefulSetController::orphan_changed(const api::Object& pod) {
  const auto& meta = pod.meta();
  informer(kSets).for_each_in(kSetsByNamespace, meta.namespace_, [&](const api::Object& set) {
    const auto selector = api::Selector::of(spec_of(set).selector.get());
    if (selector && !selector->empty() && selector->matches(meta.labels))
      enqueue(api::object_key(set.meta()));
  });
}

const api::Object* StatefulSetController::resolve(const api::Object& pod) const {
  const auto* controller = api::controller_of(pod.meta());
  if (!controller || controller->kind != "StatefulSet") return nullptr;
  const api::Object* set = informer(kSets).find(pod.meta().namespace_, controller->name);
  return set && set->meta().uid == controller->uid ? set : nullptr;
}

void StatefulSetController::enqueue_owner(const api::Object& pod) {
  if (const api::Object* set = resolve(pod)) enqueue(api::object_key(set->meta()));
}

StatefulSetInputs StatefulSetController::gather(const Ctx& ctx, const Str& key) {
  StatefulSetInputs in;
  in.now = ctx.now;
  in.key = key;
  const api::Object* found = informer(kSets).find(key);
  if (!found) return in;
  in.set = *found;
  list_pods(in);
  list_revisions(in);
  list_claims(in);
  return in;
}

void StatefulSetController::list_pods(StatefulSetInputs& in) const {
  const auto& meta = in.set.meta();
  informer(kPods).for_each_in(kPodsByController, meta.uid,
                              [&](const api::Object& pod) { in.pods.push_back(pod); });
  informer(kPods).for_each_in(kOrphanPods, meta.namespace_, [&](const api::Object& pod) {
    if (parse_pod_name(pod.meta().name).parent == meta.name.view()) in.pods.push_back(pod);
  });
  sort_by_name(in.pods);
}

void StatefulSetController::list_revisions(StatefulSetInputs& in) const {
  const auto selector = api::Selector::of(spec_of(in.set).selector.get());
  if (!selector) return;
  const auto take = [&](const api::Object& revision) {
    if (selector->matches(revision.meta().labels)) in.revisions.push_back(revision);
  };
  informer(kRevisions).for_each_in(kRevisionsByController, in.set.meta().uid, take);
  informer(kRevisions).for_each_in(kOrphanRevisions, in.set.meta().namespace_, take);
  sort_by_name(in.revisions);
}

void StatefulSetController::list_claims(StatefulSetInputs& in) const {
  const auto& spec = spec_of(in.set);
  const auto& meta = in.set.meta();
  if (spec.volume_claim_templates.empty()) return;
  std::vector<int64_t> ordinals;
  for (int64_t i = start_ordinal(spec); i <= end_ordinal(spec); ++i) ordinals.push_back(i);
  for (const api::Object& pod : in.pods)
    if (const int64_t own = ordinal_of(pod.meta().name); !in_ordinal_range(spec, own))
      ordinals.push_back(own);
  for (const int64_t ordinal : ordinals)
    for (const auto& claim : spec.volume_claim_templates)
      if (const api::Object* found = informer(kClaims).find(
              meta.namespace_, claim_name(claim.metadata->name, meta.name, ordinal)))
        in.claims.push_back(*found);
  sort_by_name(in.claims);
}

Status StatefulSetController::sync(const StatefulSetInputs& in, WriteLog& log) {
  if (!in.set) return Status();
  return SetSync(in, log).run();
}

}  // namespace orrery::control
