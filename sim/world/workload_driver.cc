#include "sim/world/workload_driver.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "engine/api/fields.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/names.h"
#include "engine/api/pod_resources.h"
#include "engine/kubelet/node_heartbeat.h"
#include "engine/runtime/api_requests.h"

namespace orrery::sim {
namespace {

// Ops: what an answer is about; above these bits, the place of an object in the plan.
constexpr uint64_t kNodeCreated = 1, kSubmitted = 2, kDeleted = 3, kObject = 4;
constexpr uint64_t kOpBits = 3, kOpMask = (1 << kOpBits) - 1;
// Timers: arg.
constexpr uint32_t kNext = 1, kLifetime = 2;

Result<std::vector<corev1::Node>> nodes_of(const NodeSource& source) {
  std::vector<corev1::Node> out;
  if (source.count > 0) {
    for (int64_t i = 0; i < source.count; ++i) {
      traces::NodeShape shape = source.shape;
      shape.name += "-" + std::to_string(i);
      corev1::Node node = traces::make_node(shape);
      auto& labels = node.metadata.mut().labels;
      for (const auto& [key, value] : source.labels) labels.set(Str(key), Str(value));
      if (!source.zones.empty()) labels.set("topology.kubernetes.io/zone", Str(source.zones[static_cast<size_t>(i) % source.zones.size()]));
      out.push_back(std::move(node));
    }
  } else if (source.format) {
    ORRERY_ASSIGN(const auto shapes, source.format->nodes(source.path));
    for (const auto& shape : shapes) out.push_back(traces::make_node(shape));
  } else if (!source.path.empty()) {
    ORRERY_ASSIGN(const std::string text, traces::read_file(source.path));
    ORRERY_ASSIGN(const auto objects, api::decode_manifests(text, source.path));
    for (const auto& o : objects) {
      if (!o.object.is<corev1::Node>())
        return bad_request(str_cat(o.file, ":", o.line, ": found a ", o.object.kind()->kind, ", only Nodes may stand here"));
      out.push_back(o.object.get<corev1::Node>());
    }
  }
  return out;
}

// What joins a running cluster gets this taint from the API server (admission plugin
// TaintNodesByCondition), and loses it when the node controller has found it ready.
void taint_as_new(corev1::Node& node) {
  corev1::Taint taint;
  taint.key = "node.kubernetes.io/not-ready";
  taint.effect = "NoSchedule";
  node.spec.mut().taints.push_back(std::move(taint));
}

// Names in order of a random rank: "0042-node".
void shuffle_nodes(std::vector<WorkloadDriver::Plan::Joining>& nodes, RngStream rng) {
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.node.metadata->name < b.node.metadata->name; });
  for (size_t i = nodes.size(); i > 1; --i) std::swap(nodes[i - 1], nodes[rng.below(i)]);
  for (size_t rank = 0; rank < nodes.size(); ++rank) {
    char prefix[24];
    std::snprintf(prefix, sizeof(prefix), "%04zu-", rank);
    auto& meta = nodes[rank].node.metadata.mut();
    meta.name = Str(str_cat(prefix, meta.name));
  }
}

Status add_trace(const WorkloadSource& w, int64_t gpu_milli, Rng rng, uint64_t index, WorkloadDriver::Plan& plan) {
  ORRERY_ASSIGN(auto pods, traces::read_workload(*w.format, w.path));
  std::stable_sort(pods.begin(), pods.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twin = std::adjacent_find(pods.begin(), pods.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twin != pods.end()) return bad_request(str_cat(w.path, ": two pods are named ", api::quoted(twin->name), ", names must be unique"));
  const auto pool = pods;
  if (plan.trace_pool.empty()) plan.trace_pool = pool;
  RngStream shuffling = rng.stream("workload/shuffle", index), drawing = rng.stream("workload/inflate", index);
  if (w.resample > 0) {
    RngStream sampling = rng.stream("workload/resample", index);
    pods = traces::resample(pool, static_cast<size_t>(w.resample), sampling);
  }
  if (w.shuffle) traces::shuffle(pods, shuffling);
  else std::stable_sort(pods.begin(), pods.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
  if (w.inflate_gpu_to > 0) traces::tune_to_gpu_ratio(pods, pool, w.inflate_gpu_to, gpu_milli, drawing);
  if (w.limit > 0 && pods.size() > static_cast<size_t>(w.limit)) pods.resize(static_cast<size_t>(w.limit));
  const auto scaled = [&w](Duration d) { return std::min(duration_from_seconds(d.to_seconds() * w.time_scale), api::kDurationMax); };
  int64_t position = 0;
  for (auto& pod : pods) {
    WorkloadDriver::Plan::TracePod p;
    p.at = w.at + (w.sequential ? Duration::seconds(position++) : (w.time_scale == 1 ? pod.arrival : scaled(pod.arrival)));
    if (pod.lifetime && w.time_scale != 1) pod.lifetime = scaled(*pod.lifetime);
    p.event = std::move(pod);
    p.stay = w.stay;
    p.delete_unschedulable = w.delete_unschedulable;
    plan.pods.push_back(std::move(p));
  }
  return Status::ok();
}

corev1::PodTemplateSpec template_of(const WorkloadSource& w, const Str& name, const std::string& image) {
  corev1::PodTemplateSpec t;
  t.metadata.mut().labels.set("app", name);
  corev1::Container c;
  c.name = "main";
  c.image = Str(image);
  if (w.cpu_milli > 0) c.resources.requests.set("cpu", api::Quantity::from_milli(w.cpu_milli));
  if (w.memory_bytes > 0) c.resources.requests.set("memory", api::Quantity::from_int(w.memory_bytes, api::QuantityFormat::kBinarySI));
  t.spec.mut().containers.push_back(std::move(c));
  return t;
}

void add_deployments(const WorkloadSource& w, WorkloadDriver::Plan& plan) {
  for (int64_t i = 0; i < w.count; ++i) {
    const Str name(str_cat(w.name, "-", i));
    appsv1::Deployment d;
    d.metadata.mut().name = name;
    d.metadata.mut().namespace_ = Str(w.ns);
    auto& spec = d.spec.mut();
    spec.replicas = static_cast<int32_t>(w.total_pods > 0 ? w.total_pods / w.count + (i < w.total_pods % w.count) : w.replicas);
    spec.selector.mut().match_labels.set("app", name);
    spec.template_.mut() = template_of(w, name, w.image);
    plan.objects.push_back({w.at, api::Object::of(std::move(d)), ""});
    if (w.then_image.empty()) continue;
    const std::string patch = str_cat(R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":)", api::Json(w.then_image).dump(), "}]}}}}");
    plan.changes.push_back({w.then_at, patch_request(kind_of<appsv1::Deployment>(), Str(w.ns), name, PatchKind::kStrategic, Str(patch))});
  }
}

void add_jobs(const WorkloadSource& w, WorkloadDriver::Plan& plan) {
  for (int64_t i = 0; i < w.count; ++i) {
    const Str name(str_cat(w.name, "-", i));
    batchv1::Job job;
    job.metadata.mut().name = name;
    job.metadata.mut().namespace_ = Str(w.ns);
    auto& spec = job.spec.mut();
    spec.completions = spec.parallelism = static_cast<int32_t>(w.replicas);
    spec.template_.mut() = template_of(w, name, w.image);
    spec.template_.mut().metadata.mut().annotations.set(Str(kRunSecondsKey), Str(w.run_seconds));
    spec.template_.mut().spec.mut().restart_policy = "Never";
    plan.objects.push_back({w.at, api::Object::of(std::move(job)), ""});
  }
}

template <typename List>
void sort_by_time(List& list) {
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
}

}  // namespace

Result<WorkloadDriver::Plan> WorkloadDriver::plan(const Scenario& scenario, Rng rng) {
  Plan plan;
  for (const NodeSource& source : scenario.nodes) {
    ORRERY_ASSIGN(auto nodes, nodes_of(source));
    // A kubelet registers its node as it is.
    const auto conditions = kubelet::healthy_conditions(scenario.start + source.at);
    for (auto& node : nodes) {
      if (scenario.kubelets) node.status.mut().conditions = conditions;
      if (source.at.ns > 0 && scenario.kubelets && scenario.controllers) taint_as_new(node);
      plan.nodes.push_back({source.at, std::move(node)});
    }
  }
  if (scenario.shuffle_nodes) shuffle_nodes(plan.nodes, rng.stream("cluster/shuffle"));
  sort_by_time(plan.nodes);
  int64_t gpu_milli = 0;
  for (const auto& [at, node] : plan.nodes)
    if (const auto* q = node.status->capacity.find("alibabacloud.com/gpu-milli")) gpu_milli += q->value();
  uint64_t index = 0;
  for (const WorkloadSource& w : scenario.workloads) {
    plan.ns = Str(w.ns);
    switch (w.kind) {
      case WorkloadSource::Kind::kTrace: ORRERY_TRY(add_trace(w, gpu_milli, rng, index, plan)); break;
      case WorkloadSource::Kind::kDeployments: add_deployments(w, plan); break;
      case WorkloadSource::Kind::kJobs: add_jobs(w, plan); break;
      case WorkloadSource::Kind::kManifests:
        for (const auto& o : w.objects) {
          api::Object object = o.object;
          if (object.kind()->namespaced && object.meta().namespace_.empty()) object.mut_meta().namespace_ = Str(w.ns);
          plan.objects.push_back({w.at, std::move(object), str_cat(o.file, ":", o.line)});
        }
    }
    ++index;
  }
  std::copy_if(scenario.actions.begin(), scenario.actions.end(), std::back_inserter(plan.changes),
               [](const Action& action) { return action.drain.empty(); });
  sort_by_time(plan.pods);
  sort_by_time(plan.objects);
  sort_by_time(plan.changes);
  return plan;
}

WorkloadDriver::WorkloadDriver(const Env& env, std::shared_ptr<const Plan> plan)
    : lanes_(env.lanes), timers_(env.timers), api_(env.api), lane_(env.lanes->open("workload", this)), plan_(std::move(plan)), factory_(plan_->ns) {
  lanes_->post(lane_, {EventKind::kStart, 0, 0, 0});
}

std::unique_ptr<Component> WorkloadDriver::clone(const Env& env) const {
  auto copy = std::make_unique<WorkloadDriver>(*this);
  copy->lanes_ = env.lanes;
  copy->timers_ = env.timers;
  copy->api_ = env.api;
  return copy;
}

void WorkloadDriver::handle(const Ctx& ctx, const Event& event) {
  switch (event.kind) {
    case EventKind::kStart:
      watching_ = std::any_of(plan_->pods.begin(), plan_->pods.end(), [](const auto& p) { return p.delete_unschedulable; });
      if (watching_) watch_ = api_->watch(lane_, {&kind_of<corev1::Pod>(), "", "", ""});
      for (; next_node_ < plan_->nodes.size() && plan_->nodes[next_node_].at.ns == 0; ++next_node_) create_node();
      first_nodes_ = next_node_;
      if (first_nodes_ == 0) begin(ctx.now);
      return;
    case EventKind::kTimer:
      if (event.arg == kNext) return submit_due(ctx.now);
      return delete_pod(plan_->ns, Str(traces::PodFactory::name_of(plan_->pods[event.a].event)));
    case EventKind::kDone: return on_done(event.a, api_->take(event.b), ctx.now);
    case EventKind::kWatch: return on_watch();
    default: return;
  }
}

void WorkloadDriver::on_done(uint64_t op, ApiResponse response, Time now) {
  if (op != kDeleted && !response.status.is_ok() && refused_++ == 0) {
    const bool object = (op & kOpMask) == kObject;
    const std::string origin = object ? plan_->objects[op >> kOpBits].origin : "";
    first_refusal_ = origin.empty() ? response.status : response.status.with_context(origin);
  }
  if (op == kNodeCreated && !started_ && ++nodes_answered_ == first_nodes_) begin(now);
}

void WorkloadDriver::create_node() {
  api_->call({lane_, kNodeCreated}, create_request(api::Object::of(plan_->nodes[next_node_].node)));
}

// The nodes that are there from the start are there.
void WorkloadDriver::begin(Time now) {
  started_ = true;
  begin_ = now;
  arm_next(now);
}

void WorkloadDriver::arm_next(Time) {
  Duration next = Duration::max();
  if (next_node_ < plan_->nodes.size()) next = std::min(next, plan_->nodes[next_node_].at);
  if (next_pod_ < plan_->pods.size()) next = std::min(next, plan_->pods[next_pod_].at);
  if (next_object_ < plan_->objects.size()) next = std::min(next, plan_->objects[next_object_].at);
  if (next_change_ < plan_->changes.size()) next = std::min(next, plan_->changes[next_change_].at);
  if (next < Duration::max()) timers_->arm(lane_, begin_ + next, {EventKind::kTimer, kNext, 0, 0});
}

void WorkloadDriver::submit_due(Time now) {
  const Duration due = now - begin_;
  for (; next_node_ < plan_->nodes.size() && plan_->nodes[next_node_].at <= due; ++next_node_) create_node();
  for (; next_object_ < plan_->objects.size() && plan_->objects[next_object_].at <= due; ++next_object_)
    api_->call({lane_, kObject | next_object_ << kOpBits}, create_request(plan_->objects[next_object_].object));
  for (; next_pod_ < plan_->pods.size() && plan_->pods[next_pod_].at <= due; ++next_pod_) {
    const auto& p = plan_->pods[next_pod_];
    api_->call({lane_, kSubmitted}, create_request(api::Object::of(factory_.pod(p.event))));
    if (p.event.lifetime && !p.stay) timers_->arm(lane_, now + *p.event.lifetime, {EventKind::kTimer, kLifetime, next_pod_, 0});
  }
  for (; next_change_ < plan_->changes.size() && plan_->changes[next_change_].at <= due; ++next_change_)
    api_->call({lane_, kSubmitted}, plan_->changes[next_change_].request);
  arm_next(now);
}

void WorkloadDriver::on_watch() {
  api_->drain(watch_, arrived_);
  for (const WatchEvent& event : arrived_) {
    if (event.type != WatchEventType::kModified) continue;
    const auto& pod = event.object.get<corev1::Pod>();
    const auto* scheduled = api::find_condition(*pod.status, "PodScheduled");
    if (scheduled && scheduled->status == "False" && scheduled->reason == "Unschedulable" && pod.spec->node_name.empty())
      delete_pod(pod.metadata->namespace_, pod.metadata->name);
  }
  forget(arrived_);
}

void WorkloadDriver::delete_pod(const Str& ns, const Str& name) {
  api_->call({lane_, kDeleted}, delete_request(kind_of<corev1::Pod>(), ns, name));
}

}  // namespace orrery::sim
