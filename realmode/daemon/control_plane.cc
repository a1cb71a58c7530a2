#include "realmode/daemon/control_plane.h"

#include "engine/control/deployment/deployment_controller.h"
#include "engine/control/job/job_controller.h"
#include "engine/control/node_lifecycle/node_lifecycle_controller.h"
#include "engine/control/pod_gc/pod_gc_controller.h"
#include "engine/control/replicaset/replicaset_controller.h"
#include "engine/control/service_account/service_account_controller.h"
#include "engine/control/taint_eviction/taint_eviction_controller.h"
#include "engine/control/ttl_after_finished/ttl_controller.h"
#include "realmode/daemon/random_seed.h"

namespace orrery::realmode {

ControlPlane::ControlPlane(Loop* loop, Api* api) : loop_(loop), env_{loop, loop, api, Rng(random_seed())} {
  sched::Scheduler::Options options;
  options.config = sched::default_scheduler_config();
  options.events = true;
  auto scheduler = sched::Scheduler::make(env_, std::move(options));
  CHECK(scheduler.is_ok()) << scheduler.status().message();
  scheduler_ = std::move(*scheduler);
  add<control::ServiceAccountController>(control::ServiceAccountOptions());
  add<control::ReplicaSetController>(control::ReplicaSetOptions());
  add<control::DeploymentController>(control::DeploymentOptions());
  add<control::JobController>(control::JobOptions());
  add<control::TtlController>(control::TtlOptions());
  add<control::NodeLifecycleController>(control::NodeLifecycleOptions());
  add<control::TaintEvictionController>(control::TaintEvictionOptions());
  add<control::PodGcController>(control::PodGcOptions());
}

template <typename T, typename Options>
void ControlPlane::add(Options options) {
  // kube-controller-manager's limits of its clients.
  options.client_qps = 20;
  options.client_burst = 30;
  controllers_.push_back(std::make_unique<T>(env_, options));
  loop_->post(controllers_.back()->lane(), {EventKind::kStart, 0, 0, 0});
}

}  // namespace orrery::realmode
