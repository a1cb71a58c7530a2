#pragma once

#include <optional>
#include <vector>

#include "engine/api/gen/appsv1.h"
#include "engine/api/object.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// What one sync of a Deployment looks at.
struct DeploymentInputs {
  Time now;
  Str key;
  api::Object deployment;                 // null: it is gone
  std::vector<api::Object> replica_sets;  // that it may claim, sorted by name
  std::vector<api::Object> pods;          // of these, if it is of the strategy Recreate
};

/// One sync of a Deployment: a function of its inputs and of the answers in the log. The methods
/// follow the steps of Kubernetes v1.32 pkg/controller/deployment, on copies of the objects, which
/// stand for what the API holds: an object that was written twice from the same state fails with a
/// Conflict there, and the next sync goes on.
class Rollout {
 public:
  Rollout(const DeploymentInputs& in, WriteLog& log)
      : in_(in), log_(log), now_(in.now), deployment_(in.deployment) {}

  Status sync();
  /// The namespace is being deleted: trying again is of no use.
  bool hopeless() const { return hopeless_; }
  /// The deadline is so near that the key should be tried again at the rate of failures.
  bool retry_soon() const { return retry_soon_; }

 private:
  /// The ReplicaSet of the present template, null if there is none, and all others.
  struct Generations {
    api::Object newest;
    std::vector<api::Object> old;
    std::vector<api::Object> all() const;
  };

  const appsv1::Deployment& deployment() const { return deployment_.get<appsv1::Deployment>(); }
  const appsv1::DeploymentSpec& spec() const { return *deployment().spec; }
  int32_t wanted() const { return spec().replicas.value_or(0); }
  appsv1::DeploymentStatus& mut_status();

  Status selecting_all();
  Status claim();
  Status dispatch();
  Status check_paused();
  Result<bool> is_scaling();

  // newest.cc: the ReplicaSet of the present template
  const api::Object& existing();
  Status split(bool create, Generations& out);
  Result<api::Object> adopt_existing(const api::Object& existing, int64_t revision);
  Result<api::Object> create_newest(const std::vector<api::Object>& old, int64_t revision);
  Result<api::Object> make_newest(const std::vector<api::Object>& old, int64_t revision) const;
  Result<api::Object> resolve_collision(const api::Object& made, const Status& refused);
  Status refused_creation(const api::Object& made, const ApiResponse& response);

  // scaling.cc
  Status scale_only();
  Status scale_all(Generations& generations);
  Status scale_proportionally(const Generations& generations);
  /// The ReplicaSet as written; itself if it has that size already.
  Result<api::Object> scale_to(const api::Object& replica_set, int32_t size,
                               bool* scaled = nullptr);
  Result<api::Object> write_scale(const api::Object& replica_set, int32_t size, bool* scaled);
  Status clean_up(const std::vector<api::Object>& old);

  // rolling.cc
  Status roll();
  Result<bool> grow_newest(const Generations& generations);
  bool shrink_old(const Generations& generations);
  Result<int32_t> drop_unhealthy(std::vector<api::Object>& old, int32_t limit);
  Result<int32_t> drop_available(std::vector<api::Object>& old, const api::Object& newest);

  // recreate.cc
  Status recreate();
  Result<bool> stop_old(std::vector<api::Object> old);
  bool old_pods_running(const Generations& generations) const;

  // rollback.cc
  Opt<int64_t> rollback_target() const;
  Status roll_back();
  Status roll_back_to(const api::Object& replica_set, int64_t revision);
  Status clear_rollback();

  // status
  Status write_status_only(const Generations& generations);
  Status write_rollout_status(const Generations& generations);
  Status put_status();
  void requeue_for_deadline(const appsv1::DeploymentStatus& status);

  const DeploymentInputs& in_;
  WriteLog& log_;
  Time now_;
  api::Object deployment_;
  std::vector<api::Object> replica_sets_;
  std::optional<api::Object> existing_;  // null: none has the present template
  bool hopeless_ = false;
  bool retry_soon_ = false;
};

}  // namespace orrery::control
