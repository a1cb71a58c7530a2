#include "engine/control/daemonset/daemonset_controller.h"

#include <utility>

#include "engine/api/pod_util.h"
#include "engine/control/common/claim.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

const appsv1::DaemonSetSpec& spec_of(const api::Object& ds) {
  return *ds.get<appsv1::DaemonSet>().spec;
}

}  // namespace

DaemonSetController::DaemonSetController(const Env& env, const DaemonSetOptions& options)
    : Reconciler(env, "daemon-set-controller", options, "daemonset-controller") {
  add_informer({&kind_of<appsv1::DaemonSet>(), {}, {}, {}}, {index_by_namespace});
  add_lazy_informer({&kind_of<corev1::Node>(), {}, {}, {}});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}},
                    {index_by_controller, index_orphans_by_namespace});
  add_lazy_informer({&kind_of<appsv1::ControllerRevision>(), {}, {}, {}},
                    {index_by_controller, index_orphans_by_namespace});
}

void DaemonSetController::on_change(const Ctx&, size_t informer, const Change& change) {
  if (informer == kSets) return set_changed(change);
  if (informer == kNodes) return node_changed(change);
  if (informer == kPods) return pod_changed(change);
  revision_changed(change);
}

void DaemonSetController::set_changed(const Change& change) {
  for (const size_t number : {kNodes, kPods, kRevisions}) need(number);
  const Str key = api::object_key(change.newest().meta());
  const bool replaced =
      change.before && change.after && change.before.meta().uid != change.after.meta().uid;
  if (!change.after || replaced) {
    memory_.expectations.forget(key);
    memory_.backoffs.erase(key);
  }
  enqueue(key);
}

void DaemonSetController::node_changed(const Change& change) {
  if (!change.after) {
    nodes_.reset();
    return;  // its pods will go, and be seen going
  }
  const auto& after = change.after.get<corev1::Node>();
  const auto* before = change.before ? &change.before.get<corev1::Node>() : nullptr;
  if (before && same_for_placement(*before, after)) return;
  nodes_.reset();
  informer(kSets).for_each([&](const api::Object& ds) {
    const DaemonPlacement placement(*spec_of(ds).template_);
    const DaemonPlacement::Fit fit = placement.fit(after);
    if (before ? !(placement.fit(*before) == fit) : fit.should_run)
      enqueue(api::object_key(ds.meta()));
  });
}

const api::Object* DaemonSetController::resolve(const api::Object& object) const {
  const auto* controller = api::controller_of(object.meta());
  if (!controller || controller->kind != "DaemonSet") return nullptr;
  const api::Object* owner = informer(kSets).find(object.meta().namespace_, controller->name);
  return owner && owner->meta().uid == controller->uid ? owner : nullptr;
}

void DaemonSetController::pod_changed(const Change& change) {
  if (!change.after) return pod_removed(change.last);
  if (change.before) return pod_updated(change.before, change.after);
  if (change.after.meta().deletion_timestamp) return pod_removed(change.after);
  if (!api::controller_of(change.after.meta())) return orphan_changed(change.after);
  const api::Object* owner = resolve(change.after);
  if (!owner) return;
  const Str key = api::object_key(owner->meta());
  memory_.expectations.creation_observed(key);
  enqueue(key);
}

void DaemonSetController::pod_updated(const api::Object& before, const api::Object& after) {
  if (after.meta().deletion_timestamp) return pod_removed(after);
  const bool owner_changed = !same_controller(before, after);
  if (owner_changed)
    if (const api::Object* owner = resolve(before)) enqueue(api::object_key(owner->meta()));
  if (!api::controller_of(after.meta())) {
    if (owner_changed || !(before.meta().labels == after.meta().labels)) orphan_changed(after);
    return;
  }
  const api::Object* owner = resolve(after);
  if (!owner) return;
  const Str key = api::object_key(owner->meta());
  enqueue(key);
  const int32_t min_ready = spec_of(*owner).min_ready_seconds;
  // A second more: the pod's own clock may be late by up to one.
  if (min_ready > 0 && !api::is_pod_ready(before.get<corev1::Pod>()) &&
      api::is_pod_ready(after.get<corev1::Pod>()))
    enqueue_after(key, Duration::seconds(min_ready + 1));
}

void DaemonSetController::pod_removed(const api::Object& pod) {
  const api::Object* owner = resolve(pod);
  if (!owner) return;
  const Str key = api::object_key(owner->meta());
  memory_.expectations.deletion_observed(key, api::object_key(pod.meta()));
  enqueue(key);
}

void DaemonSetController::revision_changed(const Change& change) {
  if (change.before && change.after && !same_controller(change.before, change.after))
    if (const api::Object* owner = resolve(change.before)) enqueue(api::object_key(owner->meta()));
  const api::Object& newest = change.newest();
  if (const api::Object* owner = resolve(newest)) {
    // A revision that comes with its owner is one that a sync has made; nothing follows from it.
    const bool comes = !change.before && change.after && !newest.meta().deletion_timestamp;
    return comes ? void() : enqueue(api::object_key(owner->meta()));
  }
  if (change.after && !api::controller_of(newest.meta()) && !newest.meta().deletion_timestamp)
    orphan_changed(newest);
}

void DaemonSetController::orphan_changed(const api::Object& orphan) {
  const auto& meta = orphan.meta();
  informer(kSets).for_each_in(kSetsByNamespace, meta.namespace_, [&](const api::Object& ds) {
    const auto selector = api::Selector::of(spec_of(ds).selector.get());
    if (selector && !selector->empty() && selector->matches(meta.labels))
      enqueue(api::object_key(ds.meta()));
  });
}

std::vector<api::Object> DaemonSetController::dependents(size_t number,
                                                         const api::Object& ds) const {
  std::vector<api::Object> out;
  const auto selector = api::Selector::of(spec_of(ds).selector.get());
  informer(number).for_each_in(kByController, ds.meta().uid,
                               [&](const api::Object& object) { out.push_back(object); });
  informer(number).for_each_in(kOrphansByNamespace, ds.meta().namespace_,
                               [&](const api::Object& object) {
                                 if (selector && selector->matches(object.meta().labels))
                                   out.push_back(object);
                               });
  sort_by_name(out);
  return out;
}

DaemonSetInputs DaemonSetController::gather(const Ctx& ctx, const Str& key) {
  DaemonSetInputs in;
  in.now = ctx.now;
  in.key = key;
  const api::Object* found = informer(kSets).find(key);
  if (!found) return in;
  in.ds = *found;
  in.cache_caught_up = memory_.expectations.satisfied(key, ctx.now);
  if (!nodes_) {
    std::vector<api::Object> nodes;
    informer(kNodes).for_each([&](const api::Object& node) { nodes.push_back(node); });
    sort_by_name(nodes);
    nodes_ = std::make_shared<const std::vector<api::Object>>(std::move(nodes));
  }
  in.nodes = nodes_;
  in.pods = dependents(kPods, *found);
  in.revisions = dependents(kRevisions, *found);
  const auto backoff = memory_.backoffs.find(key);
  if (backoff != memory_.backoffs.end()) in.backoff = backoff->second;
  return in;
}

Status DaemonSetController::sync(const DaemonSetInputs& in, WriteLog& log) {
  if (!in.ds) {
    log.once([&] { memory_.expectations.forget(in.key); });
    return Status();
  }
  return DaemonSetSync(in, memory_, log).run();
}

}  // namespace orrery::control
