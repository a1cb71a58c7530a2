#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/api/label_selector.h"
#include "engine/control/daemonset/daemon_pods.h"
#include "engine/control/daemonset/failed_pods.h"
#include "engine/runtime/expectations.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// What one sync of a DaemonSet looks at. All lists are sorted by name.
struct DaemonSetInputs {
  Time now;
  Str key;
  api::Object ds;  // null: it is gone
  bool cache_caught_up = false;
  std::shared_ptr<const std::vector<api::Object>> nodes;
  std::vector<api::Object> pods;       // that it may claim
  std::vector<api::Object> revisions;  // that it may claim
  FailedPodsBackoff backoff;
};

/// What a DaemonSet controller remembers between syncs.
struct DaemonSetMemory {
  Expectations expectations;
  std::map<Str, FailedPodsBackoff> backoffs;  // by key of the DaemonSet
};

/// One sync. Kubernetes v1.32 pkg/controller/daemon.
class DaemonSetSync {
 public:
  static constexpr int64_t kBurst = 250;  // pods created or deleted at a time

  DaemonSetSync(const DaemonSetInputs& in, DaemonSetMemory& memory, WriteLog& log);
  Status run();

 private:
  const std::vector<api::Object>& nodes() const { return *in_.nodes; }
  const appsv1::DaemonSet& ds() const { return in_.ds.get<appsv1::DaemonSet>(); }
  Status claim_pods(std::vector<api::Object>& pods);
  /// Brings pods_ up to date.
  Status place_pods();
  /// All pods are its own already: claiming them changes nothing.
  bool owns_all_pods() const;
  bool should_run(size_t node) const { return fits_[node].should_run; }
  bool is_available(const api::Object& pod) const;

  // History (daemonset_history.cc)
  Status construct_history();
  Status claim_revisions(std::vector<api::Object>& revisions);
  Result<api::Object> snapshot(int64_t revision);
  Result<api::Object> resolve_collision(const api::Object& made, const Status& refused);
  Result<api::Object> merge_duplicates(const std::vector<api::Object>& current);
  Status clean_up_history();

  // Pods (daemonset_manage.cc)
  Status update();
  Status manage();
  void plan_node(size_t node);
  std::vector<api::Object> remove_ended(const std::vector<api::Object>& pods, const Str& node);
  void remove_surplus(std::vector<api::Object> running);
  void remove_surplus_of_surge(std::vector<api::Object> running);
  Status sync_nodes();
  Status create_pods(int64_t count);
  Status delete_pods(std::span<const Str> names);

  // Rolling update (daemonset_rolling.cc)
  struct NodePods {
    const api::Object* updated = nullptr;
    const api::Object* old = nullptr;
    bool surplus = false;  // more than one of a kind
  };
  struct Limits {
    int64_t surge = 0, unavailable = 0, desired = 0;
  };
  NodePods live_pods(const std::vector<api::Object>& pods) const;
  Result<Limits> limits();
  Status roll();
  void roll_in_place(const Limits& limits);
  Status roll_with_surge(const Limits& limits);
  Result<bool> should_run_on(const Str& node_name) const;

  // Status (daemonset_status.cc)
  /// `last`: nothing follows a success.
  Status update_status(bool observed, bool last);
  Result<appsv1::DaemonSetStatus> counted_status();
  Status store_status(const appsv1::DaemonSetStatus& counts, bool observed, bool last);

  const DaemonSetInputs& in_;
  DaemonSetMemory& memory_;
  WriteLog& log_;
  DaemonPlacement placement_;
  std::vector<DaemonPlacement::Fit> fits_;  // by node
  api::Selector selector_;
  PodsByNode pods_;
  bool placed_ = false;  // once and for all
  FailedPodsBackoff backoff_;
  Str hash_;                         // of the present revision
  std::vector<api::Object> old_;     // former revisions
  std::vector<Str> nodes_needing_;   // to be given a pod
  std::vector<Str> pods_to_delete_;  // names
  bool outstanding_ = false;         // the caches will have to catch up
};

}  // namespace orrery::control
