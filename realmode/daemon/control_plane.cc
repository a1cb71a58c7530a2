#include "realmode/daemon/control_plane.h"

#include "engine/control/attach_detach/attach_detach_controller.h"
#include "engine/control/cluster_role_aggregation/cluster_role_aggregation_controller.h"
#include "engine/control/cronjob/cronjob_controller.h"
#include "engine/control/daemonset/daemonset_controller.h"
#include "engine/control/deployment/deployment_controller.h"
#include "engine/control/disruption/disruption_controller.h"
#include "engine/control/endpoint_slice_mirroring/endpoint_slice_mirroring_controller.h"
#include "engine/control/endpoint_slices/endpoint_slice_controller.h"
#include "engine/control/endpoints/endpoints_controller.h"
#include "engine/control/ephemeral_volume/ephemeral_volume_controller.h"
#include "engine/control/garbage_collector/garbage_collector.h"
#include "engine/control/job/job_controller.h"
#include "engine/control/namespace/namespace_controller.h"
#include "engine/control/node_lifecycle/node_lifecycle_controller.h"
#include "engine/control/persistent_volume_binder/persistent_volume_binder.h"
#include "engine/control/pod_gc/pod_gc_controller.h"
#include "engine/control/pv_protection/pv_protection_controller.h"
#include "engine/control/pvc_protection/pvc_protection_controller.h"
#include "engine/control/replicaset/replicaset_controller.h"
#include "engine/control/resource_quota/resource_quota_controller.h"
#include "engine/control/root_ca/root_ca_publisher.h"
#include "engine/control/service_account/service_account_controller.h"
#include "engine/control/service_account_token/service_account_token_controller.h"
#include "engine/control/statefulset/statefulset_controller.h"
#include "engine/control/taint_eviction/taint_eviction_controller.h"
#include "engine/control/token_cleaner/token_cleaner.h"
#include "engine/control/ttl_after_finished/ttl_controller.h"
#include "engine/control/volume_expand/volume_expand_controller.h"
#include "realmode/crypto/digest.h"
#include "realmode/daemon/random_seed.h"

namespace orrery::realmode {

ControlPlane::ControlPlane(Loop* loop, Api* api, const TokenSigner* signer, std::string_view root_ca_pem)
    : loop_(loop), env_{loop, loop, api, Rng(random_seed())} {
  sched::Scheduler::Options options;
  options.config = sched::default_scheduler_config();
  options.events = true;
  auto scheduler = sched::Scheduler::make(env_, std::move(options));
  CHECK(scheduler.is_ok()) << scheduler.status().message();
  scheduler_ = std::move(*scheduler);
  add<control::ServiceAccountController>(control::ServiceAccountOptions());
  add<control::ReplicaSetController>(control::ReplicaSetOptions());
  control::ReplicaSetOptions replication;
  replication.replication_controllers = true;
  add<control::ReplicaSetController>(replication);
  add<control::DeploymentController>(control::DeploymentOptions());
  add<control::StatefulSetController>(control::StatefulSetOptions());
  add<control::DaemonSetController>(control::DaemonSetOptions());
  add<control::JobController>(control::JobOptions());
  add<control::CronJobController>(control::CronJobOptions());
  add<control::TtlController>(control::TtlOptions());
  add<control::NodeLifecycleController>(control::NodeLifecycleOptions());
  add<control::TaintEvictionController>(control::TaintEvictionOptions());
  add<control::PodGcController>(control::PodGcOptions());
  add<control::DisruptionController>(control::DisruptionOptions());
  add<control::TokenCleaner>(control::TokenCleanerOptions());
  add<control::EndpointsController>(control::EndpointsOptions());
  add<control::EndpointSliceController>(control::EndpointSliceOptions());
  add<control::EndpointSliceMirroringController>(control::EndpointSliceMirroringOptions());
  add<control::PersistentVolumeBinder>(control::PersistentVolumeBinderOptions());
  add<control::VolumeExpandController>(control::VolumeExpandOptions());
  add<control::EphemeralVolumeController>(control::EphemeralVolumeOptions());
  add<control::PvcProtectionController>(control::PvcProtectionOptions());
  add<control::PvProtectionController>(control::PvProtectionOptions());
  control::AttachDetachOptions attaching;
  attaching.sha256 = sha256_hex;
  add<control::AttachDetachController>(attaching);
  add<control::ClusterRoleAggregationController>(control::ClusterRoleAggregationOptions());
  control::RootCaOptions authority;
  authority.root_ca_pem = root_ca_pem;
  add<control::RootCaPublisher>(authority);
  control::ServiceAccountTokenOptions tokens;
  tokens.signer = signer;
  tokens.root_ca_pem = root_ca_pem;
  add<control::ServiceAccountTokenController>(tokens);
  // Those that make many requests have more of them, as in kube-controller-manager; there quotas are
  // counted in caches, here in lists.
  add<control::GarbageCollector>(control::GarbageCollectorOptions(), 2);
  add<control::ResourceQuotaController>(control::ResourceQuotaOptions(), 5, 5);
  add<control::NamespaceController>(control::NamespaceOptions(), 20, 100);
}

template <typename T, typename Options>
void ControlPlane::add(Options options, int qps_factor, int burst_factor) {
  // kube-controller-manager's limits of its clients.
  options.client_qps = 20 * qps_factor;
  options.client_burst = 30 * burst_factor;
  controllers_.push_back(std::make_unique<T>(env_, options));
  loop_->post(controllers_.back()->lane(), {EventKind::kStart, 0, 0, 0});
}

}  // namespace orrery::realmode
