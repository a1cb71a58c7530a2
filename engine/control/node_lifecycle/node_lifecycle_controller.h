#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/control/node_lifecycle/node_health.h"
#include "engine/control/node_lifecycle/node_taints.h"
#include "engine/control/node_lifecycle/taint_queue.h"
#include "engine/control/node_lifecycle/zone_state.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct NodeLifecycleOptions : ControllerOptions {
  NodeLifecycleOptions() { workers = 8; }
  Duration monitor_period = Duration::seconds(5);  // --node-monitor-period
  Duration taint_period = Duration::millis(100);
  Duration taint_phase;  // of passes over the taint queues, after the first pass over the nodes
  HealthLimits limits;
  EvictionRates rates;
};

/// A write that a pass has decided on, for one node.
struct NodeAction {
  enum class Kind { kMarkUnknown, kTaint, kMarkPodsNotReady };
  Kind kind = Kind::kTaint;
  TaintChange taints;
};

/// What a sync works on: a node ("name"), or a pod ("namespace/name") that has come to a node.
struct NodeWork {
  Time now;
  Str key;
  api::Object node;  // null: it is gone
  std::vector<NodeAction> actions;
  std::vector<api::Object> pods;  // those whose Ready is to become False
};

/// Watches over nodes: those that give no sign of life become Unknown, conditions become taints,
/// NoExecute taints come at a rate that depends on how many nodes of the zone are down.
/// Kubernetes v1.32 pkg/controller/nodelifecycle.
///
/// Passes that would change nothing are left out, at no difference in outcome: after a pass without
/// effect the next one is that at which a silent node is due, or the first after a change.
class NodeLifecycleController final : public Reconciler<NodeLifecycleController, NodeWork> {
 public:
  NodeLifecycleController(const Env& env, const NodeLifecycleOptions& options);

  struct Zone {
    std::string key;
    ZoneState state;
    double rate;  // nodes per second that may be tainted
  };
  /// Zones that have nodes, sorted by key.
  std::vector<Zone> zones() const;

 protected:
  void on_start(const Ctx& ctx) override;
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  void on_event(const Ctx& ctx, const Event& event) override;
  NodeWork gather(const Ctx& ctx, const Str& key) override;
  Status sync(const NodeWork& work, WriteLog& log) override;

 private:
  enum Informers : size_t { kNodes, kPods, kLeases };
  enum PodIndex : size_t { kPodsByNode };
  struct PassResult {
    bool effect = false;
    Time due = Time::max();
    std::map<std::string, ZoneCount> zones;
  };

  // monitor.cc: passes over all nodes
  void monitor(Time now);
  std::vector<const api::Object*> sorted_nodes() const;
  bool meet_nodes(const std::vector<const api::Object*>& nodes, Time now);
  void forget_gone_nodes(const std::vector<const api::Object*>& nodes, Time now);
  void add_zone(const std::string& zone);
  void look_at_node(const api::Object& object, Time now, PassResult& pass);
  bool taint_by_health(const corev1::Node& node, const Str& observed, Time now);
  bool mark_reachable(const corev1::Node& node);
  bool handle_disruption(const PassResult& pass, const std::vector<const api::Object*>& nodes,
                         Time now);
  bool was_fully_disrupted(const PassResult& pass);
  void enter_full_disruption(const std::vector<const api::Object*>& nodes, Time now);
  void set_zone(const std::string& zone, ZoneState state, int64_t size, Time now);
  void run_taint_queues(Time now);
  bool taint_from_queue(const Str& name);

  // node_sync.cc: the writes
  Status run_action(const NodeWork& work, const NodeAction& action, WriteLog& log);
  Status write_unknown(const NodeWork& work, WriteLog& log);
  Status write_taints(const NodeWork& work, const TaintChange& change, WriteLog& log);
  Status write_pods(const NodeWork& work, WriteLog& log);
  Status reconcile(const NodeWork& work, WriteLog& log);
  Status write_labels(const NodeWork& work, WriteLog& log);

  void act(const Str& node, NodeAction action);
  void wake(Time at);
  void arm_taint_pass(Time now);
  void on_pod_change(const Change& change);
  bool is_not_ready(const Str& node) const;

  NodeLifecycleOptions options_;
  PassGrid grid_;
  bool started_ = false;  // the first pass has been
  Time last_pass_, next_pass_ = Time::max(), next_taint_pass_;
  TimerId pass_timer_, taint_timer_;
  std::map<Str, Opt<NodeHealth>> health_;  // of nodes that were there once
  std::map<Str, api::Object> known_nodes_;
  std::map<std::string, ZoneState> zone_states_;
  std::map<std::string, TaintQueue> taint_queues_;
  std::map<Str, std::vector<NodeAction>> actions_;
};

}  // namespace orrery::control
