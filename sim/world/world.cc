#include "sim/world/world.h"

#include <algorithm>
#include <unordered_map>

#include "engine/api/gen/policyv1.h"
#include "engine/api/names.h"
#include "engine/api/semantic.h"
#include "engine/control/cluster_role_aggregation/cluster_role_aggregation_controller.h"
#include "engine/control/cronjob/cronjob_controller.h"
#include "engine/control/daemonset/daemonset_controller.h"
#include "engine/control/deployment/deployment_controller.h"
#include "engine/control/disruption/disruption_controller.h"
#include "engine/control/endpoint_slice_mirroring/endpoint_slice_mirroring_controller.h"
#include "engine/control/endpoint_slices/endpoint_slice_controller.h"
#include "engine/control/endpoints/endpoints_controller.h"
#include "engine/control/garbage_collector/garbage_collector.h"
#include "engine/control/ephemeral_volume/ephemeral_volume_controller.h"
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
#include "engine/control/statefulset/statefulset_controller.h"
#include "engine/control/taint_eviction/taint_eviction_controller.h"
#include "engine/control/ttl_after_finished/ttl_controller.h"
#include "engine/control/volume_expand/volume_expand_controller.h"
#include "engine/sched/plugins/gpu/fragmentation.h"
#include "sim/world/node_drain.h"

namespace orrery::sim {
namespace {

uint64_t hash_value(const StoreValue& value) {
  return value.object ? api::semantic_hash(value.object) : value.bytes.hash();
}

std::vector<sched::TypicalPod> typical_of(const std::vector<traces::WorkloadEvent>& pool) {
  std::vector<sched::TypicalPod> pods;
  bool any_gpu = false;
  for (const auto& e : pool) {
    sched::TypicalPod pod;
    Map<Str> annotations;
    if (!e.gpu_models.empty()) annotations.set(Str(sched::kGpuModelKey), Str(e.gpu_models));
    pod.gpu = sched::GpuShape::of(annotations);
    pod.gpu.count = e.gpu_count;
    pod.gpu.milli = e.gpu_milli;
    pod.cpu_milli = e.cpu_milli;
    any_gpu = any_gpu || e.gpu_count > 0;
    pods.push_back(std::move(pod));
  }
  return any_gpu ? sched::typical_pods(pods) : std::vector<sched::TypicalPod>();
}

/// Some manifest asks for a volume, or offers one.
bool has_volumes(const Scenario& scenario) {
  const auto asks = [](const api::LocatedObject& located) {
    const auto* set = located.object.as<appsv1::StatefulSet>();
    return set && !set->spec->volume_claim_templates.empty();
  };
  return scenario.has<corev1::PersistentVolumeClaim>() || scenario.has<corev1::PersistentVolume>() ||
         std::any_of(scenario.workloads.begin(), scenario.workloads.end(), [&](const WorkloadSource& work) {
           return std::any_of(work.objects.begin(), work.objects.end(), asks);
         });
}

/// The profile that a GPU policy stands for: fit and devices filter, the policy alone scores, and
/// every node is scored.
sched::SchedulerConfig policy_config(const std::string& policy, const std::vector<sched::TypicalPod>& typical) {
  const std::string plugin = policy == "Random" ? "GpuRandom" : policy;
  const auto named = [](std::initializer_list<std::string> names) {
    api::Json list = api::Json::array();
    for (const std::string& name : names) list.push_back(api::Json::object()).set("name", name);
    return list;
  };
  api::Json multi = api::Json::object(), score = api::Json::object(), plugins = api::Json::object(), profile = api::Json::object();
  multi.set("disabled", named({"*"}));
  multi.set("enabled", named({"SchedulingGates", "PrioritySort", "NodeUnschedulable", "NodeResourcesFit", "GpuShare", plugin, "DefaultBinder"}));
  score.set("disabled", named({"*"}));
  score.set("enabled", named({plugin}));
  plugins.set("multiPoint", std::move(multi));
  plugins.set("score", std::move(score));
  profile.set("plugins", std::move(plugins));
  if (plugin == "FGD") {
    api::Json config = api::Json::object();
    config.set("name", plugin);
    config.set("args", api::Json::object()).set("typicalPods", sched::typical_pods_to_json(typical));
    profile.set("pluginConfig", api::Json::array()).push_back(std::move(config));
  }
  api::Json root = api::Json::object();
  root.set("percentageOfNodesToScore", 100);
  root.set("profiles", api::Json::array()).push_back(std::move(profile));
  auto parsed = sched::parse_scheduler_config(root);
  CHECK(parsed.is_ok()) << parsed.status().message();
  return std::move(*parsed);
}

}  // namespace

World::World(std::shared_ptr<const Scenario> scenario, uint64_t seed, Kernel kernel)
    : scenario_(std::move(scenario)), seed_(seed), kernel_(std::move(kernel)) {
  end_ = scenario_->horizon == Duration::max() ? Time::max() : scenario_->start + scenario_->horizon;
}

Env World::env() { return {&kernel_, &kernel_, server_.get(), Rng(seed_)}; }

Result<std::unique_ptr<World>> World::create(std::shared_ptr<const Scenario> scenario, uint64_t seed) {
  if (scenario->horizon == Duration::max() && scenario->has<batchv1::CronJob>())
    return bad_request(str_cat(scenario->file, ": horizon: is required: a CronJob never ends"));
  const Time start = scenario->start;
  std::unique_ptr<World> world(new World(std::move(scenario), seed, Kernel(start)));
  ORRERY_TRY(world->build(nullptr, {}));
  return world;
}

Result<std::unique_ptr<World>> World::create_served(std::shared_ptr<const Scenario> scenario, uint64_t seed,
                                                    HttpTransport* transport, server::ServerOptions options) {
  const Time start = scenario->start;
  std::unique_ptr<World> world(new World(std::move(scenario), seed, Kernel(start)));
  ORRERY_TRY(world->build(transport, std::move(options)));
  return world;
}

// What an API server makes at its start must be there before the scenario's own objects come.
Status World::add_front(HttpTransport* transport, server::ServerOptions options) {
  constexpr Duration kPatience = Duration::hours(1);
  bool ready = false;
  struct Listener : LaneHandler {
    bool* ready;
    void handle(const Ctx&, const Event&) override { *ready = true; }
  } listener;
  listener.ready = &ready;
  const LaneId lane = kernel_.open("front", &listener);
  const server::Rest::Parts parts{server_.get(), transport, nullptr, nullptr, nullptr, &containers_, &containers_, nullptr, true};
  rest_ = std::make_unique<server::Rest>(env(), parts, std::move(options), Ticket{lane, 0});
  while (!ready && kernel_.step(kernel_.now() + kPatience)) {
  }
  kernel_.close(lane);
  return ready ? Status::ok() : internal_error("the API server did not come up");
}

bool World::advance(Time until, size_t events_max) {
  for (size_t i = 0; i < events_max; ++i) {
    if (kernel_.step(until)) continue;
    kernel_.run_until(until);
    return false;
  }
  return true;
}

Status World::build(HttpTransport* transport, server::ServerOptions front) {
  const Scenario& s = *scenario_;
  ORRERY_ASSIGN(auto plan, WorkloadDriver::plan(s, Rng(seed_)));
  const auto shared_plan = std::make_shared<const WorkloadDriver::Plan>(std::move(plan));
  const auto typical = typical_of(shared_plan->trace_pool);
  SimStore::Options store_options;
  if (!transport) store_options.history_max = 64;  // the API server reads the newest state only
  store_ = std::make_unique<SimStore>(&kernel_, &kernel_, store_options);
  server::Server::Options server_options;
  server_options.latency = s.api_latency;
  server_options.serves_clients = transport != nullptr;
  server_options.services = {front.service_cidr, front.node_port_min, front.node_port_max};
  server_ = std::make_unique<server::Server>(env(), store_.get(), server_options);
  if (transport) ORRERY_TRY(add_front(transport, std::move(front)));
  runtime_ = std::make_unique<SimRuntime>(&kernel_, &kernel_, Rng(seed_), s.runtime);
  metrics_ = std::make_unique<Metrics>(env(), s.sample_interval, sched::Fragmentation(typical));
  if (s.timeline) timeline_ = std::make_unique<Timeline>(env());
  sched::Scheduler::Options options;
  options.config = s.policy.empty() ? s.scheduler : policy_config(s.policy, typical);
  options.tie_break = s.tie_break;
  options.events = s.events;
  options.cost_per_cycle = s.scheduling_cost;
  ORRERY_ASSIGN(scheduler_, sched::Scheduler::make(env(), std::move(options)));
  if (s.controllers) add_controllers();
  if (s.kubelets) ORRERY_TRY(add_kubelets(shared_plan->nodes));
  driver_ = std::make_unique<WorkloadDriver>(env(), shared_plan);
  ORRERY_TRY(add_drains(shared_plan->nodes));
  if (s.controllers) add_upkeep();
  last_write_time_ = kernel_.now();
  return Status::ok();
}

Status World::add_kubelets(const std::vector<WorkloadDriver::Plan::Joining>& nodes) {
  constexpr uint64_t kPhases = 10'000;  // milliseconds between two renewals of a lease
  std::unordered_map<Str, LaneId> lanes;
  size_t i = 0;
  for (const auto& [at, node] : nodes) {
    kubelet::KubeletOptions options;
    options.begins = kernel_.now() + at;
    options.node = node.metadata->name;
    options.host_ip = Str(str_cat("192.168.", uint64_t{i / 250 % 256}, ".", uint64_t{i % 250 + 1}));
    options.heartbeat.write_every_lease = scenario_->write_every_lease;
    options.heartbeat.lease_phase = Duration::millis(static_cast<int64_t>(Rng(seed_).stream("kubelet/lease", options.node.hash()).below(kPhases)));
    kubelets_.push_back(std::make_unique<kubelet::Kubelet>(env(), runtime_.get(), options));
    lanes[options.node] = kubelets_.back()->lane();
    ++i;
  }
  for (const Outage& outage : scenario_->outages) {
    const auto lane = lanes.find(Str(outage.node));
    if (lane == lanes.end()) return bad_request(str_cat(scenario_->file, ": kubelet.outages: there is no node ", api::quoted(outage.node)));
    const Time begin = kernel_.now() + outage.at;
    kernel_.arm(lane->second, begin, {EventKind::kUser, 0, kubelet::kConnectionLost, 0});
    if (outage.length < Duration::max()) kernel_.arm(lane->second, begin + outage.length, {EventKind::kUser, 0, kubelet::kConnectionBack, 0});
  }
  return Status::ok();
}

Status World::add_drains(const std::vector<WorkloadDriver::Plan::Joining>& nodes) {
  for (const Action& action : scenario_->actions) {
    if (action.drain.empty()) continue;
    const bool known = std::any_of(nodes.begin(), nodes.end(), [&](const auto& joining) { return joining.node.metadata->name.view() == action.drain; });
    if (!known) return bad_request(str_cat(scenario_->file, ": actions: drain: there is no node ", api::quoted(action.drain)));
    controllers_.push_back(std::make_unique<NodeDrain>(env(), Str(action.drain), kernel_.now() + action.at));
  }
  return Status::ok();
}

template <typename T, typename Options>
void World::add_controller(Options options) {
  options.events = scenario_->events;
  options.lazy_watches = true;
  controllers_.push_back(std::make_unique<T>(env(), options));
  kernel_.post(controllers_.back()->lane(), {EventKind::kStart, 0, 0, 0});
}

void World::add_controllers() {
  add_controller<control::ReplicaSetController>(control::ReplicaSetOptions());
  add_controller<control::DeploymentController>(control::DeploymentOptions());
  add_controller<control::JobController>(control::JobOptions());
  add_controller<control::TtlController>(control::TtlOptions());
  if (!scenario_->kubelets) return;
  add_controller<control::NodeLifecycleController>(control::NodeLifecycleOptions());
  add_controller<control::TaintEvictionController>(control::TaintEvictionOptions());
  add_controller<control::PodGcController>(control::PodGcOptions());
}

// Controllers that have nothing to do as long as nothing is deleted, evicted or asked from outside;
// a world in which that is so runs as if they were not there.
void World::add_upkeep() {
  control::GarbageCollectorOptions options;
  options.events = scenario_->events;
  options.lazy_watches = !rest_;
  controllers_.push_back(std::make_unique<control::GarbageCollector>(env(), options));
  if (rest_) kernel_.post(controllers_.back()->lane(), {EventKind::kStart, 0, 0, 0});
  if (rest_ || scenario_->has<policyv1::PodDisruptionBudget>())
    add_controller<control::DisruptionController>(control::DisruptionOptions());
  if (rest_ || scenario_->has<corev1::Service>()) {
    add_controller<control::EndpointsController>(control::EndpointsOptions());
    add_controller<control::EndpointSliceController>(control::EndpointSliceOptions());
  }
  if (rest_ || scenario_->has<corev1::Endpoints>()) add_controller<control::EndpointSliceMirroringController>(control::EndpointSliceMirroringOptions());
  if (rest_ || scenario_->has<appsv1::StatefulSet>()) add_controller<control::StatefulSetController>(control::StatefulSetOptions());
  if (rest_ || scenario_->has<appsv1::DaemonSet>()) add_controller<control::DaemonSetController>(control::DaemonSetOptions());
  if (rest_ || scenario_->has<batchv1::CronJob>()) add_controller<control::CronJobController>(control::CronJobOptions());
  if (rest_ || scenario_->has<corev1::ReplicationController>()) {
    control::ReplicaSetOptions replication;
    replication.replication_controllers = true;
    add_controller<control::ReplicaSetController>(replication);
  }
  if (rest_ || scenario_->has<corev1::Namespace>()) add_controller<control::NamespaceController>(control::NamespaceOptions());
  if (rest_ || has_volumes(*scenario_)) {
    control::PersistentVolumeBinderOptions binder;
    binder.idle_resyncs = false;
    add_controller<control::PersistentVolumeBinder>(binder);
    add_controller<control::PvcProtectionController>(control::PvcProtectionOptions());
    add_controller<control::PvProtectionController>(control::PvProtectionOptions());
  }
  if (!rest_) return;
  // Clients look for its ConfigMap in every namespace; the front has no certificate.
  add_controller<control::RootCaPublisher>(control::RootCaOptions());
  add_controller<control::ResourceQuotaController>(control::ResourceQuotaOptions());
  add_controller<control::ClusterRoleAggregationController>(control::ClusterRoleAggregationOptions());
  add_controller<control::VolumeExpandController>(control::VolumeExpandOptions());
  add_controller<control::EphemeralVolumeController>(control::EphemeralVolumeOptions());
  add_controller<control::ServiceAccountController>(control::ServiceAccountOptions());
}

std::unique_ptr<World> World::fork() const {
  std::unique_ptr<World> copy(new World(scenario_, seed_, kernel_.fork()));
  Kernel& kernel = copy->kernel_;
  copy->store_ = store_->fork(&kernel, &kernel);
  copy->server_ = server_->fork(copy->env(), copy->store_.get());
  const Env env = copy->env();
  copy->runtime_ = runtime_->fork(&kernel, &kernel);
  kernel.rebind(store_->lane(), copy->store_.get());
  kernel.rebind(server_->lane(), copy->server_.get());
  kernel.rebind(runtime_->lane(), copy->runtime_.get());
  const auto adopt = [&]<typename T>(const T& original) {
    std::unique_ptr<T> twin(static_cast<T*>(original.clone(env).release()));
    kernel.rebind(original.lane(), twin.get());
    return twin;
  };
  copy->metrics_ = adopt(*metrics_);
  if (timeline_) copy->timeline_ = adopt(*timeline_);
  copy->scheduler_ = adopt(*scheduler_);
  copy->driver_ = adopt(*driver_);
  for (const auto& controller : controllers_) {
    copy->controllers_.push_back(controller->clone(env));
    kernel.rebind(controller->lane(), copy->controllers_.back().get());
  }
  for (const auto& kubelet : kubelets_) {
    copy->kubelets_.push_back(kubelet->fork(env, copy->runtime_.get()));
    kernel.rebind(kubelet->lane(), copy->kubelets_.back().get());
  }
  copy->last_writes_ = last_writes_;
  copy->last_write_time_ = last_write_time_;
  return copy;
}

// Without a horizon a run ends when all that is left is the scheduler's looking again at pods that
// do not fit.
bool World::settled() const {
  return end_ == Time::max() && driver_->done() && kernel_.pending() <= (scheduler_->waits_only() ? 1 : 0);
}

bool World::step() {
  if (settled() || !kernel_.step(end_)) return false;
  if (store_->writes() != last_writes_) {
    last_writes_ = store_->writes();
    last_write_time_ = kernel_.now();
  }
  return true;
}

uint64_t World::digest() const { return hash_combine(kernel_.digest(), store_->digest(hash_value)); }

Result<RunResult> World::run(const Progress& progress) {
  constexpr uint64_t kProgressEvery = 1 << 14;
  uint64_t count = 0;
  while (step()) {
    if (progress && ++count % kProgressEvery == 0)
      progress(kernel_.now() - scenario_->start, driver_->total() == 0 ? 1.0 : static_cast<double>(driver_->submitted()) / static_cast<double>(driver_->total()));
  }
  if (end_ != Time::max()) kernel_.run_until(end_);
  if (driver_->refused() > 0)
    return driver_->first_refusal().with_context(str_cat(scenario_->file, ": the API refused ", driver_->refused(), " objects, the first"));
  return result();
}

RunResult World::result() const {
  RunResult r;
  r.scenario = scenario_->name;
  r.seed = seed_;
  r.parameters = scenario_->parameters;
  const Time until = end_ == Time::max() ? last_write_time_ : kernel_.now();
  r.virtual_seconds = (until - scenario_->start).to_seconds();
  r.scheduling_attempts = scheduler_->counters().attempts;
  r.events = kernel_.events_executed();
  r.object_writes = static_cast<uint64_t>(store_->writes());
  r.digest = digest();
  metrics_->fill(r, until);
  if (timeline_) r.timeline = timeline_->text();
  std::vector<double> waits;
  for (Duration wait : scheduler_->counters().queue_waits) waits.push_back(wait.to_seconds());
  r.queue_wait = percentiles(std::move(waits));
  return r;
}

}  // namespace orrery::sim
