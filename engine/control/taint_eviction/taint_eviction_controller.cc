#include "engine/control/taint_eviction/taint_eviction_controller.h"

#include <algorithm>
#include <vector>

#include "engine/api/node_affinity.h"
#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/control/common/write_fresh.h"

namespace orrery::control {
namespace {

List<corev1::Taint> no_execute_taints(const api::Object& node) {
  List<corev1::Taint> taints = node.get<corev1::Node>().spec->taints;
  taints.erase_if([](const corev1::Taint& taint) { return taint.effect != "NoExecute"; });
  return taints;
}

template <typename T>
bool same_list(const List<T>& a, const List<T>& b) {
  return a.same(b) || std::equal(a.begin(), a.end(), b.begin(), b.end(),
                                 [](const T& x, const T& y) { return api::semantic_equal(x, y); });
}

/// The toleration that each taint makes use of; false if a taint is not tolerated.
bool all_tolerated(const List<corev1::Taint>& taints, const List<corev1::Toleration>& tolerations,
                   List<corev1::Toleration>& used) {
  for (const auto& taint : taints) {
    const auto* found =
        std::find_if(tolerations.begin(), tolerations.end(),
                     [&](const auto& toleration) { return api::tolerates(toleration, taint); });
    if (found == tolerations.end()) return false;
    used.push_back(*found);
  }
  return true;
}

}  // namespace

Opt<Duration> toleration_time(const List<corev1::Toleration>& used) {
  if (used.empty()) return Duration{};
  Opt<Duration> shortest;
  for (const auto& toleration : used) {
    if (!toleration.toleration_seconds) continue;
    const Duration time = Duration::seconds(std::max<int64_t>(0, *toleration.toleration_seconds));
    if (!shortest || time < *shortest) shortest = time;
  }
  return shortest;
}

TaintEvictionController::TaintEvictionController(const Env& env,
                                                 const TaintEvictionOptions& options)
    : Reconciler(env, "taint-eviction-controller", options) {
  add_informer({&kind_of<corev1::Node>(), {}, {}, {}});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_node});
}

Opt<Time> TaintEvictionController::scheduled(const Str& key) const {
  const auto it = evictions_.find(key);
  if (it == evictions_.end() || it->second.done) return {};
  return it->second.due;
}

void TaintEvictionController::on_change(const Ctx& ctx, size_t informer, const Change& change) {
  if (informer == kNodes) return node_changed(ctx.now, change);
  pod_changed(ctx.now, change);
}

void TaintEvictionController::node_changed(Time now, const Change& change) {
  if (!change.after) return;
  const auto taints = no_execute_taints(change.after);
  if (change.before && same_list(no_execute_taints(change.before), taints)) return;
  if (!change.before && taints.empty()) return;
  need(kPods);
  std::vector<api::Object> pods;
  informer(kPods).for_each_in(kPodsByNode, change.after.meta().name,
                              [&](const api::Object& pod) { pods.push_back(pod); });
  std::sort(pods.begin(), pods.end(), [](const api::Object& a, const api::Object& b) {
    return api::object_key(a.meta()) < api::object_key(b.meta());
  });
  for (const api::Object& pod : pods) judge(now, pod, taints);
}

void TaintEvictionController::pod_changed(Time now, const Change& change) {
  if (!change.after) return cancel(now, change.last);
  const auto& spec = *change.after.get<corev1::Pod>().spec;
  if (change.before) {
    const auto& old = *change.before.get<corev1::Pod>().spec;
    if (old.node_name == spec.node_name && same_list(old.tolerations, spec.tolerations)) return;
  }
  if (spec.node_name.empty()) return;
  const api::Object* node = informer(kNodes).find({}, spec.node_name);
  if (!node) return;
  const auto taints = no_execute_taints(*node);
  if (!taints.empty()) judge(now, change.after, taints);
}

void TaintEvictionController::judge(Time now, const api::Object& pod,
                                    const List<corev1::Taint>& taints) {
  if (taints.empty()) return cancel(now, pod);
  const Str key = api::object_key(pod.meta());
  List<corev1::Toleration> used;
  if (!all_tolerated(taints, pod.get<corev1::Pod>().spec->tolerations, used)) {
    cancel(now, pod);
    return schedule(key, now, Duration{});
  }
  const Opt<Duration> time = toleration_time(used);
  if (!time) return cancel(now, pod);
  // What was asked for earlier stands.
  const auto it = evictions_.find(key);
  if (it != evictions_.end() && !it->second.done) {
    if (it->second.asked < now) return;
    cancel(now, pod);
  }
  schedule(key, now, *time);
}

void TaintEvictionController::schedule(const Str& key, Time now, Duration after) {
  if (evictions_.contains(key)) return;
  evictions_[key] = {now, now + after};
  enqueue_after(key, after);
}

void TaintEvictionController::cancel(Time now, const api::Object& pod) {
  const auto it = evictions_.find(api::object_key(pod.meta()));
  if (it == evictions_.end()) return;
  if (!it->second.done)
    report(now, {pod, "Normal", "TaintManagerEviction",
                 str_cat("Cancelling deletion of Pod ", it->first)});
  evictions_.erase(it);
}

EvictionInputs TaintEvictionController::gather(const Ctx& ctx, const Str& key) {
  EvictionInputs in{ctx.now, key, {}};
  const auto it = evictions_.find(key);
  if (it == evictions_.end() || it->second.done) return in;
  if (it->second.due > ctx.now) {
    // The wait for an eviction that was cancelled.
    enqueue_after(key, it->second.due - ctx.now);
    return in;
  }
  it->second.done = true;
  if (const api::Object* pod = informer(kPods).find(key)) in.pod = *pod;
  return in;
}

Status TaintEvictionController::sync(const EvictionInputs& in, WriteLog& log) {
  if (!in.pod) return Status();
  log.event(in.pod, "Normal", "TaintManagerEviction",
            [&] { return str_cat("Marking for deletion Pod ", in.key); });
  ORRERY_TRY(write_fresh(in.pod, "status", log, [&](api::Object& pod) {
    corev1::PodCondition condition;
    condition.type = "DisruptionTarget";
    condition.status = "True";
    condition.reason = "DeletionByTaintManager";
    condition.message = "Taint manager: deleting due to NoExecute taint";
    condition.last_transition_time = api::Timestamp::whole_seconds(in.now);
    return pod.meta().uid == in.pod.meta().uid &&
           api::set_condition(pod.mut<corev1::Pod>().status.mut(), std::move(condition));
  }));
  const auto& meta = in.pod.meta();
  const Status& deleted =
      log.call([&] { return delete_request(*in.pod.kind(), meta.namespace_, meta.name); }).status;
  return deleted.code() == Code::kNotFound ? Status() : deleted;
}

void TaintEvictionController::on_finished(const Ctx&, const Str& key, const Status& status) {
  if (status) return forget(key);
  const auto it = evictions_.find(key);
  if (it == evictions_.end()) return forget(key);
  if (failures(key) >= kRetriesMax) {
    evictions_.erase(it);
    return forget(key);
  }
  it->second.done = false;
  enqueue_rate_limited(key);
}

}  // namespace orrery::control
