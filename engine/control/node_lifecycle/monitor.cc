#include <algorithm>
#include <set>

#include "engine/api/pod_resources.h"
#include "engine/control/node_lifecycle/node_lifecycle_controller.h"

namespace orrery::control {
namespace {

bool counts_for_disruption(const corev1::Node& node) {
  return !node.metadata->labels.contains("node.kubernetes.io/exclude-disruption");
}

NodeAction taint_swap(std::string_view add, std::string_view remove) {
  NodeAction action;
  action.taints.add.push_back(make_taint(add, "NoExecute"));
  action.taints.remove.push_back(make_taint(remove, "NoExecute"));
  return action;
}

}  // namespace

void NodeLifecycleController::monitor(Time now) {
  const auto nodes = sorted_nodes();
  PassResult pass;
  pass.effect = meet_nodes(nodes, now);
  for (const api::Object* node : nodes) look_at_node(*node, now, pass);
  if (handle_disruption(pass, nodes, now)) pass.effect = true;
  arm_taint_pass(now);
  if (pass.effect) pass.due = now;
  // Silent nodes are due after that time, not at it.
  if (pass.due != Time::max()) wake(pass.due + Duration::nanos(1));
}

std::vector<const api::Object*> NodeLifecycleController::sorted_nodes() const {
  std::vector<const api::Object*> nodes;
  informer(kNodes).for_each([&](const api::Object& node) { nodes.push_back(&node); });
  std::sort(nodes.begin(), nodes.end(), [](const api::Object* a, const api::Object* b) {
    return a->meta().name < b->meta().name;
  });
  return nodes;
}

/// New nodes, new zones, nodes that are gone. True if there were any.
bool NodeLifecycleController::meet_nodes(const std::vector<const api::Object*>& nodes, Time now) {
  std::vector<const api::Object*> added;
  bool effect = false;
  for (const api::Object* node : nodes) {
    if (!known_nodes_.contains(node->meta().name)) {
      added.push_back(node);
    } else if (!zone_states_.contains(zone_key(node->get<corev1::Node>()))) {
      add_zone(zone_key(node->get<corev1::Node>()));
    }
  }
  if (known_nodes_.size() + added.size() != nodes.size()) {
    forget_gone_nodes(nodes, now);
    effect = true;
  }
  for (const api::Object* node : added) {
    const Str& name = node->meta().name;
    known_nodes_[name] = *node;
    report(now, {*node, "Normal", "RegisteredNode",
                 str_cat("Node ", name, " event: Registered Node ", name, " in Controller")});
    add_zone(zone_key(node->get<corev1::Node>()));
    mark_reachable(node->get<corev1::Node>());
  }
  return effect || !added.empty();
}

void NodeLifecycleController::forget_gone_nodes(const std::vector<const api::Object*>& nodes,
                                                Time now) {
  std::set<Str> present;
  for (const api::Object* node : nodes) present.insert(node->meta().name);
  std::erase_if(known_nodes_, [&](const auto& entry) {
    const auto& [name, node] = entry;
    if (present.contains(name)) return false;
    report(now, {node, "Normal", "RemovingNode",
                 str_cat("Node ", name, " event: Removing Node ", name, " from Controller")});
    return true;
  });
}

void NodeLifecycleController::add_zone(const std::string& zone) {
  if (!zone_states_.emplace(zone, ZoneState::kUnknown).second) return;
  taint_queues_.insert_or_assign(zone, TaintQueue(options_.rates.normal));
}

void NodeLifecycleController::look_at_node(const api::Object& object, Time now, PassResult& pass) {
  const auto& node = object.get<corev1::Node>();
  const Str& name = node.metadata->name;
  const api::Object* lease = informer(kLeases).find("kube-node-lease", name);
  const HealthVerdict verdict =
      judge_health(node, lease ? &lease->get<coordinationv1::Lease>() : nullptr, options_.limits,
                   grid_, now, health_[name]);
  const bool ready = verdict.current && *verdict.current == "True";
  if (counts_for_disruption(node)) {
    ZoneCount& zone = pass.zones[zone_key(node)];
    ++(ready ? zone.ready : zone.unhealthy);
  }
  if (!ready) need(kPods);
  if (verdict.newly_unknown) {
    act(name, {NodeAction::Kind::kMarkUnknown, {}});
    pass.effect = true;
  } else if (!verdict.renews && now <= verdict.silent_until) {
    pass.due = std::min(pass.due, verdict.silent_until);
  }
  if (verdict.lease_counts_next) pass.effect = true;
  if (!verdict.current) return;
  if (taint_by_health(node, *verdict.observed, now)) pass.effect = true;
  if (ready || *verdict.observed != "True") return;
  report(now, {object, "Normal", "NodeNotReady",
               str_cat("Node ", name, " status is now: NodeNotReady")});
  act(name, {NodeAction::Kind::kMarkPodsNotReady, {}});
}

/// By the condition as it was before this pass. True if anything was to be done.
bool NodeLifecycleController::taint_by_health(const corev1::Node& node, const Str& observed,
                                              Time now) {
  if (observed == "True") return mark_reachable(node);
  if (observed != "False" && observed != "Unknown") return false;
  const bool unknown = observed == "Unknown";
  const std::string_view wanted = unknown ? kUnreachableTaint : kNotReadyTaint;
  const std::string_view other = unknown ? kNotReadyTaint : kUnreachableTaint;
  if (has_taint(node, other, "NoExecute")) {
    // No new eviction: at once.
    act(node.metadata->name, taint_swap(wanted, other));
    return true;
  }
  TaintQueue& queue = taint_queues_.at(zone_key(node));
  if (!has_taint(node, wanted, "NoExecute")) queue.remove(node.metadata->name);
  queue.add(node.metadata->name, now);
  return false;
}

bool NodeLifecycleController::mark_reachable(const corev1::Node& node) {
  taint_queues_.at(zone_key(node)).remove(node.metadata->name);
  NodeAction action;
  for (const std::string_view key : {kUnreachableTaint, kNotReadyTaint})
    if (has_taint(node, key, "NoExecute"))
      action.taints.remove.push_back(make_taint(key, "NoExecute"));
  if (action.taints.empty()) return false;
  act(node.metadata->name, std::move(action));
  return true;
}

/// Zones change their state, and with it the rate of their queues. True if one has.
bool NodeLifecycleController::handle_disruption(const PassResult& pass,
                                                const std::vector<const api::Object*>& nodes,
                                                Time now) {
  std::map<std::string, ZoneState> fresh;
  bool all_are_full = true;
  for (const auto& [zone, count] : pass.zones) {
    fresh[zone] = options_.rates.state_of(count);
    all_are_full = all_are_full && fresh[zone] == ZoneState::kFullDisruption;
    add_zone(zone);
  }
  const bool all_were_full = was_fully_disrupted(pass);
  if (all_are_full && all_were_full) return false;
  if (all_are_full) {
    enter_full_disruption(nodes, now);
    return true;
  }
  if (all_were_full)
    for (const api::Object* node : nodes)
      if (Opt<NodeHealth>& health = health_[node->meta().name]) health.value.probed = now;
  bool changed = all_were_full;
  for (const auto& [zone, state] : std::map(zone_states_)) {
    const auto next = fresh.contains(zone) ? fresh[zone] : ZoneState::kUnknown;
    if (state == next && !all_were_full) continue;
    const auto count = pass.zones.find(zone);
    set_zone(zone, next, count == pass.zones.end() ? 0 : count->second.size(), now);
    changed = true;
  }
  return changed;
}

/// Drops zones without nodes, as far as it looks: up to the first that was not disrupted.
bool NodeLifecycleController::was_fully_disrupted(const PassResult& pass) {
  for (auto it = zone_states_.begin(); it != zone_states_.end();) {
    if (!pass.zones.contains(it->first)) {
      it = zone_states_.erase(it);
    } else if (it->second != ZoneState::kFullDisruption) {
      return false;
    } else {
      ++it;
    }
  }
  return true;
}

/// No node is left to go to: nobody is evicted until one comes back.
void NodeLifecycleController::enter_full_disruption(const std::vector<const api::Object*>& nodes,
                                                    Time now) {
  for (const api::Object* node : nodes) mark_reachable(node->get<corev1::Node>());
  for (auto& [zone, state] : zone_states_) {
    taint_queues_.at(zone).set_rate(0, now);
    state = ZoneState::kFullDisruption;
  }
}

void NodeLifecycleController::set_zone(const std::string& zone, ZoneState state, int64_t size,
                                       Time now) {
  if (state != ZoneState::kUnknown)
    taint_queues_.at(zone).set_rate(options_.rates.rate_of(state, size), now);
  zone_states_[zone] = state;
}

void NodeLifecycleController::run_taint_queues(Time now) {
  constexpr Duration kRetry = Duration::millis(50);
  taint_timer_ = {};
  for (auto& [zone, queue] : taint_queues_)
    queue.run(now, kRetry, [&](const Str& node) { return taint_from_queue(node); });
  arm_taint_pass(now + Duration::nanos(1));
}

bool NodeLifecycleController::taint_from_queue(const Str& name) {
  const api::Object* object = informer(kNodes).find({}, name);
  if (!object) return true;
  const auto* ready = api::find_condition(*object->get<corev1::Node>().status, "Ready");
  if (!ready) return false;
  if (ready->status == "False") act(name, taint_swap(kNotReadyTaint, kUnreachableTaint));
  if (ready->status == "Unknown") act(name, taint_swap(kUnreachableTaint, kNotReadyTaint));
  return true;
}

}  // namespace orrery::control
