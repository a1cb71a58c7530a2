#include "engine/control/node_lifecycle/node_lifecycle_controller.h"

#include <algorithm>
#include <utility>

#include "engine/api/pod_resources.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {

NodeLifecycleController::NodeLifecycleController(const Env& env,
                                                 const NodeLifecycleOptions& options)
    : Reconciler(env, "node-controller", options), options_(options) {
  add_informer({&kind_of<corev1::Node>(), {}, {}, {}});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_node});
  add_informer({&kind_of<coordinationv1::Lease>(), "kube-node-lease", {}, {}});
}

namespace {

constexpr uint32_t kPassTimer = 16;
constexpr uint32_t kTaintTimer = 17;
// Client-go looks for synced caches so often.
constexpr Duration kSyncedPoll = Duration::millis(100);

}  // namespace

void NodeLifecycleController::on_start(const Ctx& ctx) {
  static_assert(kPassTimer >= kFirstTimerArg);
  pass_timer_ = env().timers->arm(lane(), ctx.now, {EventKind::kTimer, kPassTimer, 0, 0});
  next_pass_ = ctx.now;
}

void NodeLifecycleController::on_event(const Ctx& ctx, const Event& event) {
  // A timer that was cancelled too late still comes.
  if (event.arg == kTaintTimer && taint_timer_ && ctx.now >= next_taint_pass_)
    return run_taint_queues(ctx.now);
  if (event.arg != kPassTimer || ctx.now < next_pass_) return;
  pass_timer_ = {};
  next_pass_ = Time::max();
  if (!started_ && !all_synced()) {
    next_pass_ = ctx.now + kSyncedPoll;
    pass_timer_ = env().timers->arm(lane(), next_pass_, {EventKind::kTimer, kPassTimer, 0, 0});
    return;
  }
  if (!started_) grid_ = {ctx.now, options_.monitor_period};
  started_ = true;
  last_pass_ = ctx.now;
  monitor(ctx.now);
}

/// A pass at the first time of the grid from `at` on at which none has been.
void NodeLifecycleController::wake(Time at) {
  if (!started_) return;
  const Time pass = grid_.at_or_after(std::max(at, last_pass_ + Duration::nanos(1)));
  if (pass >= next_pass_) return;
  if (pass_timer_) env().timers->cancel(pass_timer_);
  next_pass_ = pass;
  pass_timer_ = env().timers->arm(lane(), pass, {EventKind::kTimer, kPassTimer, 0, 0});
}

void NodeLifecycleController::arm_taint_pass(Time now) {
  Time due = Time::max();
  for (const auto& [zone, queue] : taint_queues_) due = std::min(due, queue.due(now));
  if (taint_timer_) env().timers->cancel(taint_timer_);
  taint_timer_ = {};
  if (due == Time::max()) return;
  const PassGrid passes{grid_.origin + options_.taint_phase, options_.taint_period};
  next_taint_pass_ = passes.at_or_after(std::max(due, now));
  taint_timer_ =
      env().timers->arm(lane(), next_taint_pass_, {EventKind::kTimer, kTaintTimer, 0, 0});
}

void NodeLifecycleController::on_change(const Ctx& ctx, size_t informer, const Change& change) {
  if (informer == kPods) return on_pod_change(change);
  wake(ctx.now);
  if (informer == kNodes && change.after) enqueue(change.after.meta().name);
}

/// A pod that comes to a node which is not ready is not ready either.
void NodeLifecycleController::on_pod_change(const Change& change) {
  if (!change.after) return;
  const Str& node = change.after.get<corev1::Pod>().spec->node_name;
  if (node.empty()) return;
  if (change.before && change.before.get<corev1::Pod>().spec->node_name == node) return;
  if (is_not_ready(node)) enqueue(api::object_key(change.after.meta()));
}

bool NodeLifecycleController::is_not_ready(const Str& node) const {
  const auto it = health_.find(node);
  return it != health_.end() && it->second && it->second->ready &&
         it->second->ready->status != "True" && informer(kNodes).find({}, node);
}

void NodeLifecycleController::act(const Str& node, NodeAction action) {
  actions_[node].push_back(std::move(action));
  enqueue(node);
}

NodeWork NodeLifecycleController::gather(const Ctx& ctx, const Str& key) {
  NodeWork work;
  work.now = ctx.now;
  work.key = key;
  if (key.view().find('/') != std::string_view::npos) {
    const api::Object* pod = informer(kPods).find(key);
    if (pod && is_not_ready(pod->get<corev1::Pod>().spec->node_name)) work.pods.push_back(*pod);
    return work;
  }
  const api::Object* node = informer(kNodes).find({}, key);
  if (node) work.node = *node;
  const auto it = actions_.find(key);
  if (it == actions_.end()) return work;
  work.actions = it->second;
  const bool pods = std::any_of(work.actions.begin(), work.actions.end(), [](const NodeAction& a) {
    return a.kind == NodeAction::Kind::kMarkPodsNotReady;
  });
  if (!pods) return work;
  informer(kPods).for_each_in(kPodsByNode, key,
                              [&](const api::Object& pod) { work.pods.push_back(pod); });
  std::sort(work.pods.begin(), work.pods.end(), [](const api::Object& a, const api::Object& b) {
    return api::object_key(a.meta()) < api::object_key(b.meta());
  });
  return work;
}

std::vector<NodeLifecycleController::Zone> NodeLifecycleController::zones() const {
  std::vector<Zone> zones;
  for (const auto& [key, state] : zone_states_)
    zones.push_back({key, state, taint_queues_.at(key).rate()});
  return zones;
}

}  // namespace orrery::control
