#pragma once

#include <optional>
#include <vector>

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/control/statefulset/set_pods.h"

namespace orrery::control {

/// One sync of a StatefulSet: a function of its inputs and of the answers in the log. The methods
/// follow the steps of Kubernetes v1.32 pkg/controller/statefulset, stateful_set_control.go.
class SetSync {
 public:
  SetSync(const StatefulSetInputs& in, WriteLog& log) : in_(in), log_(log), pods_(in, log) {}

  Status run();

 private:
  const appsv1::StatefulSet& set() const { return in_.set.get<appsv1::StatefulSet>(); }
  const appsv1::StatefulSetSpec& spec() const { return *set().spec; }
  int64_t history_limit() const { return spec().revision_history_limit.value_or(0); }
  bool in_order() const { return spec().pod_management_policy != "Parallel"; }

  Status claim_pods(const api::Selector& selector);

  // set_history.cc: which revisions there are
  Status find_revisions();
  Status drop_history();

  // set_rollout.cc: pods as they should be
  Status roll_out();
  void place_pods();
  void find_first_unhealthy();
  Result<bool> bring_up();
  Result<bool> process_replica(size_t index);
  /// The wait for a pod that is not as far as its successors need it, if pods go in order.
  bool blocks_successors(const corev1::Pod& pod) const;
  Status keep_invariants(const api::Object& pod);
  Result<bool> take_down();
  Result<bool> process_condemned(size_t index);
  Status replace_outdated();
  api::Object missing_pod(int64_t ordinal) const;
  /// Runs `step` (index -> Result<bool>: stop here) for all of them: one after the other, or in
  /// batches of 1, 2, 4, ... of which each has to succeed as a whole. True: the sync ends here.
  /// `announce`(first, count) comes before a batch.
  template <typename Step, typename Announce>
  Result<bool> for_all(size_t count, Step step, Announce announce);
  void announce_creations(size_t first, size_t count);
  void announce_removals(size_t first, size_t count);

  // set_status.cc
  void count_replicas();
  void count(const std::vector<api::Object>& pods);
  /// `last`: nothing follows a success.
  Status write_status(bool last);

  const StatefulSetInputs& in_;
  WriteLog& log_;
  SetPods pods_;
  std::vector<api::Object> claimed_;
  std::vector<api::Object> revisions_;  // sorted
  api::Object current_revision_, update_revision_;
  api::Object current_set_, update_set_;  // the set at these
  int32_t collisions_ = 0;
  std::vector<api::Object> replicas_;   // by ordinal from the start; null: missing, not made yet
  std::vector<api::Object> condemned_;  // of other ordinals, the highest first
  const api::Object* first_unhealthy_ = nullptr;  // one of these
  std::optional<appsv1::StatefulSetStatus> status_;
};

}  // namespace orrery::control
