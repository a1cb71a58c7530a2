#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// What one sync of a StatefulSet looks at.
struct StatefulSetInputs {
  Time now;
  Str key;
  api::Object set;                     // null: it is gone
  std::vector<api::Object> pods;       // that it may claim, sorted by name
  std::vector<api::Object> revisions;  // its own and orphans that its selector matches
  std::vector<api::Object> claims;     // of its pods, present and missing ones, sorted by name
};

/// What a sync does to single pods of a set and to their claims, with events about the set.
/// `set` is always the set at the revision in question.
/// Kubernetes v1.32 pkg/controller/statefulset, stateful_pod_control.go.
class SetPods {
 public:
  SetPods(const StatefulSetInputs& in, WriteLog& log) : in_(in), log_(log) {}

  /// First the claims, then the pod.
  Status create(const api::Object& set, const api::Object& pod);
  /// Brings identity, volumes and the owners of the claims in order; tried again on conflicts.
  Status update(const api::Object& set, api::Object pod);
  Status remove(const api::Object& pod);
  /// Sends what the next calls of create(), or of remove(), will send, all at once. For pods
  /// without claims only, and exactly these have to be created or removed next.
  void create_together(std::span<const api::Object> pods);
  void remove_together(std::span<const api::Object> pods);

  /// Makes the claims that are missing. Fails with all errors joined; one that is being deleted is
  /// an error.
  Status create_missing_claims(const api::Object& set, const api::Object& pod);
  /// The claims that exist have the owners that the retention policy wants.
  bool claims_fit(const api::Object& set, const api::Object& pod) const;
  Status fix_claims(const api::Object& set, const api::Object& pod);
  /// A claim still belongs to an earlier pod of that name, and will be deleted with it.
  bool claim_is_stale(const api::Object& set, const api::Object& pod) const;

 private:
  const api::Object* find_claim(const Str& name) const;
  Status create_claims(const api::Object& set, const api::Object& pod);
  Status try_update(const api::Object& set, api::Object& pod, bool& attempted);
  void report(std::string_view verb, const Str& pod, const Status& status);
  void report_claim(const Str& claim, const Str& pod, const Status& status);

  /// The outcome of a request that may have been sent with others already.
  template <typename Make>
  const Status& outcome(Make make) {
    return taken_ < sent_.size() ? sent_[taken_++].status : log_.call(make).status;
  }

  const StatefulSetInputs& in_;
  WriteLog& log_;
  std::span<const ApiResponse> sent_;
  size_t taken_ = 0;
};

}  // namespace orrery::control
