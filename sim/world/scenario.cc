#include "sim/world/scenario.h"

#include <algorithm>
#include <filesystem>

#include "engine/api/fields.h"
#include "engine/api/names.h"
#include "sim/world/seeds.h"

namespace orrery::sim {
namespace {

using api::Fields;
namespace fs = std::filesystem;

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const traces::Format& format : traces::formats()) names.push_back(std::string(format.name));
  return names;
}

constexpr Time kStartMax = Time::from_unix_seconds(4102444799);  // the end of 2099

/// What the readers below share.
struct Context {
  std::string folder;
  std::string file;
  Fields::Reference* reference = nullptr;

  std::string resolve(const std::string& path) const {
    if (path.empty() || fs::path(path).is_absolute()) return path;
    return (fs::path(folder) / path).lexically_normal().string();
  }
  Fields fields(const api::Json& json, std::string path) const { return Fields(json, std::move(path), file, reference); }
};

void read_pairs(Fields& parent, std::string_view name, std::string_view about, std::vector<std::pair<std::string, std::string>>& out) {
  const api::Json& map = parent.any(name, about);
  if (map.is_null()) return;
  if (!map.is_object()) return parent.fail(name, "must be a mapping of text to text");
  for (const auto& member : map.members()) {
    const api::Json& v = member.value;
    out.emplace_back(member.key.str(), v.is_string() ? v.as_string().str() : v.dump());
  }
}

void check_file(Fields& fields, std::string_view name, const std::string& path) {
  if (fields.referencing()) return;
  if (path.empty()) return fields.fail(name, "is required");
  std::error_code error;
  if (!fs::exists(path, error)) fields.fail(name, str_cat("no such file: ", path));
}

void read_group(const api::Json& json, const std::string& path, const Context& context, Fields& parent, NodeSource& source) {
  Fields f = context.fields(json, path);
  source.shape.name = f.object_name("name", "node", "prefix of the node names; a number follows");
  source.count = f.integer("count", 1, 0, 1'000'000, "how many nodes");
  source.shape.cpu_milli = f.quantity("cpu", "8", true, "CPU capacity of each");
  source.shape.memory_bytes = f.quantity("memory", "32Gi", false, "memory capacity of each");
  source.shape.pods = f.integer("pods", 110, 0, 100'000, "how many pods each may run");
  source.shape.gpu_count = static_cast<int32_t>(f.integer("gpus", 0, 0, 8, "GPUs of each"));
  source.shape.gpu_model = f.text("gpuModel", "", "their model");
  if (source.count > 0 && source.shape.memory_bytes > INT64_MAX / 2 / source.count) f.fail("memory", "that many nodes of that size are more than can be counted");
  read_pairs(f, "labels", "further labels", source.labels);
  f.each("zones", "zone labels, given to the nodes in turn", [&](const api::Json& item, const std::string&) {
    if (item.is_string()) source.zones.push_back(item.as_string().str());
  });
  parent.absorb(f.done());
}

NodeSource read_node_source(const api::Json& json, const std::string& path, const Context& context, Fields& parent) {
  NodeSource source;
  Fields f = context.fields(json, path);
  source.at = Duration{f.duration_ns("at", "0s", "when they join, after the start")};
  const api::Json& trace = f.any("trace", "nodes of a trace");
  const api::Json& group = f.any("group", "equal nodes");
  const std::string manifests = f.text("manifests", "", "nodes of a manifest file");
  const int given = !trace.is_null() + !group.is_null() + !manifests.empty();
  if (given != 1 && !f.referencing()) f.fail("", "must have exactly one of trace, group, manifests");
  if (!trace.is_null() || f.referencing()) {
    Fields t = context.fields(trace, path + ".trace");
    source.format = traces::find_format(t.text("format", "alibaba-openb", "the trace's format", format_names()));
    source.path = context.resolve(t.text("path", "", "the node list"));
    check_file(t, "path", source.path);
    if (source.format && !source.format->nodes) t.fail("format", "this format has no node list");
    f.absorb(t.done());
  }
  if (!group.is_null() || f.referencing()) read_group(group, path + ".group", context, f, source);
  if (!manifests.empty()) {
    source.path = context.resolve(manifests);
    check_file(f, "manifests", source.path);
  }
  parent.absorb(f.done());
  return source;
}

void read_trace_workload(const api::Json& json, const std::string& path, const Context& context, Fields& parent, WorkloadSource& w) {
  Fields t = context.fields(json, path);
  w.format = traces::find_format(t.text("format", "alibaba-openb", "the trace's format", format_names()));
  w.path = context.resolve(t.text("path", "", "the file"));
  check_file(t, "path", w.path);
  w.shuffle = t.boolean("shuffle", false, "submit in a random order (seeded)");
  w.inflate_gpu_to = t.number("inflateGpuTo", 0, 0, 100, "resample until the requested GPUs are this multiple of the cluster's; 0: as it is");
  w.resample = t.integer("resample", 0, 0, 100'000'000, "draw so many pods at random, with replacement, each at its time; 0: all as they are");
  w.sequential = t.text("submission", "timed", "timed: at the trace's times; sequential: one pod a second, in order", {"timed", "sequential"}) == "sequential";
  w.stay = t.boolean("stay", false, "pods are never deleted, whatever the trace says");
  w.time_scale = t.number("timeScale", 1, 1e-6, 1e6, "multiplies the trace's times");
  w.limit = t.integer("limit", 0, 0, 1'000'000'000, "only the first so many pods; 0: all");
  w.delete_unschedulable = t.text("onUnschedulable", "retry", "what becomes of a pod that does not fit", {"retry", "delete"}) == "delete";
  parent.absorb(t.done());
}

models::Delay read_delay(Fields& f, std::string_view name, std::string_view otherwise, std::string_view about) {
  const auto parsed = models::Delay::parse(f.text(name, std::string(otherwise), about));
  if (parsed.is_ok()) return *parsed;
  f.fail(name, parsed.status().message());
  return {};
}

void read_run_seconds(Fields& g, WorkloadSource& w) {
  w.run_seconds = g.text("runSeconds", w.run_seconds, "Jobs: how long each pod runs; seconds or a distribution");
  const auto parsed = models::Delay::parse(w.run_seconds);
  if (!parsed && !g.referencing()) g.fail("runSeconds", parsed.status().message());
}

void read_generator(const api::Json& json, const std::string& path, const Context& context, Fields& parent, WorkloadSource& w) {
  Fields g = context.fields(json, path);
  const bool jobs = w.kind == WorkloadSource::Kind::kJobs;
  w.name = g.object_name("name", jobs ? "job" : "app", "prefix of their names; a number follows");
  w.count = g.integer("count", 1, 0, 1'000'000, "how many");
  w.replicas = g.integer("replicas", 1, 0, 10'000'000, jobs ? "completions of each, all in parallel" : "replicas of each");
  if (!jobs || g.referencing()) w.total_pods = g.integer("totalPods", 0, 0, 100'000'000, "Deployments: replicas of all together, shared out evenly; 0: replicas of each");
  w.image = g.text("image", "app:v1", "the image");
  w.cpu_milli = g.quantity("cpu", "100m", true, "CPU request of each pod");
  w.memory_bytes = g.quantity("memory", "128Mi", false, "memory request of each pod");
  if (jobs || g.referencing()) read_run_seconds(g, w);
  if (!jobs || g.referencing()) {
    const api::Json& then = g.any("then", "Deployments: a later change");
    if (!then.is_null() || g.referencing()) {
      Fields t = context.fields(then, path + ".then");
      w.then_at = Duration{t.duration_ns("at", "60s", "when, after the start")};
      w.then_image = t.text("image", "", "the new image: a roll-out");
      g.absorb(t.done());
    }
  }
  parent.absorb(g.done());
}

WorkloadSource read_workload_source(const api::Json& json, const std::string& path, const Context& context, Fields& parent) {
  WorkloadSource w;
  Fields f = context.fields(json, path);
  w.ns = f.object_name("namespace", "default", "of the objects that name none");
  w.at = Duration{f.duration_ns("at", "0s", "when it begins, after the start")};
  const api::Json& trace = f.any("trace", "pods of a trace");
  const api::Json& deployments = f.any("deployments", "generated Deployments");
  const api::Json& jobs = f.any("jobs", "generated Jobs");
  const std::string manifests = f.text("manifests", "", "a manifest file, or a folder of them");
  const int given = !trace.is_null() + !deployments.is_null() + !jobs.is_null() + !manifests.empty();
  if (given != 1 && !f.referencing()) f.fail("", "must have exactly one of trace, deployments, jobs, manifests");
  if (!trace.is_null() || f.referencing()) read_trace_workload(trace, path + ".trace", context, f, w);
  if (!deployments.is_null()) {
    w.kind = WorkloadSource::Kind::kDeployments;
    read_generator(deployments, path + ".deployments", context, f, w);
  } else if (!jobs.is_null() || f.referencing()) {
    w.kind = WorkloadSource::Kind::kJobs;
    read_generator(jobs, path + (f.referencing() ? ".deployments|jobs" : ".jobs"), context, f, w);
  }
  if (!manifests.empty()) {
    w.kind = WorkloadSource::Kind::kManifests;
    w.path = context.resolve(manifests);
    check_file(f, "manifests", w.path);
  }
  parent.absorb(f.done());
  return w;
}

/// The object that an action is about.
const api::KindDesc* read_target(Fields& f, ApiRequest& request) {
  const std::string version = f.text("apiVersion", "v1", "of the object, e.g. apps/v1");
  const std::string kind = f.text("kind", "", "of the object, e.g. Deployment");
  request.ns = Str(f.object_name("namespace", "default", "of the object"));
  request.name = Str(f.text("name", "", "of the object"));
  if (f.referencing()) return nullptr;
  request.kind = api::find_kind(version, kind);
  if (kind.empty() || request.name.empty()) f.fail(kind.empty() ? "kind" : "name", "is required");
  else if (!request.kind) f.fail("kind", str_cat("found ", version, " ", kind, ", must be a kind of Kubernetes v1.32"));
  else if (!request.kind->namespaced) request.ns = Str();
  return request.kind;
}

void read_patch(const api::Json& json, const std::string& path, const Context& context, Fields& parent, ApiRequest& request) {
  Fields f = context.fields(json, path);
  request.verb = ApiVerb::kPatch;
  read_target(f, request);
  const std::string type = f.text("type", "strategic", "of the patch, as kubectl patch names it", {"strategic", "merge", "json"});
  request.patch_kind = type == "json" ? PatchKind::kJson : (type == "merge" ? PatchKind::kMerge : PatchKind::kStrategic);
  const api::Json& patch = f.any("patch", "what changes");
  if (!f.referencing() && patch.is_null()) f.fail("patch", "is required");
  request.patch = Str(patch.dump());
  parent.absorb(f.done());
}

void read_delete(const api::Json& json, const std::string& path, const Context& context, Fields& parent, ApiRequest& request) {
  Fields f = context.fields(json, path);
  request.verb = ApiVerb::kDelete;
  read_target(f, request);
  request.delete_options.propagation_policy =
      Str(f.text("propagationPolicy", "Background", "what becomes of what it owns", {"Background", "Foreground", "Orphan"}));
  const api::Json& grace = f.any("gracePeriodSeconds", "the grace of a pod, in place of its own");
  if (!grace.is_null()) request.delete_options.grace_seconds = f.integer("gracePeriodSeconds", 0, 0, 1'000'000'000, "");
  parent.absorb(f.done());
}

Action read_action(const api::Json& json, const std::string& path, const Context& context, Fields& parent) {
  Fields f = context.fields(json, path);
  Action action;
  action.at = Duration{f.duration_ns("at", "0s", "when, after the start")};
  const api::Json& patch = f.any("patch", "an object is patched");
  const api::Json& removal = f.any("delete", "an object is deleted");
  action.drain = f.text("drain", "", "a node is cordoned and its pods evicted, as kubectl drain does");
  const int given = !patch.is_null() + !removal.is_null() + !action.drain.empty();
  if (given != 1 && !f.referencing()) f.fail("", "must have exactly one of patch, delete, drain");
  if (!patch.is_null() || f.referencing()) read_patch(patch, path + ".patch", context, f, action.request);
  if (!removal.is_null() || f.referencing()) read_delete(removal, path + ".delete", context, f, action.request);
  parent.absorb(f.done());
  return action;
}

void read_scheduler(const api::Json& json, const Context& context, Fields& parent, Scenario& s) {
  Fields f = context.fields(json, "scheduler");
  s.policy = f.text("policy", "", "a GPU placement policy in place of a configuration", {"", "FGD", "BestFit", "DotProd", "GpuPacking", "GpuClustering", "Random"});
  const std::string ties = f.text("tieBreak", "random", "among nodes of equal score", {"random", "first", "name"});
  s.tie_break = ties == "first" ? sched::TieBreak::kFirst : (ties == "name" ? sched::TieBreak::kName : sched::TieBreak::kRandom);
  s.scheduling_cost = Duration{f.duration_ns("cycleTime", "0s", "modelled time of one scheduling cycle")};
  const api::Json& inline_config = f.any("config", "a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1)");
  const std::string file = f.text("configFile", "", "the same, in a file");
  if (!file.empty() && !inline_config.is_null()) f.fail("configFile", "must not be given together with config");
  if (!s.policy.empty() && (!file.empty() || !inline_config.is_null())) f.fail("policy", "must not be given together with a configuration");
  api::Json config = inline_config.is_null() ? api::Json::object() : inline_config;
  std::string where = context.file;
  if (!file.empty()) {
    where = context.resolve(file);
    auto text = traces::read_file(where);
    auto parsed = text.is_ok() ? api::parse_yaml_document(*text, where) : Result<api::Json>(text.status());
    if (parsed.is_ok()) config = std::move(*parsed);
    else f.fail("configFile", parsed.status().message());
  }
  auto parsed = sched::parse_scheduler_config(config);
  if (parsed.is_ok()) s.scheduler = std::move(*parsed);
  else f.absorb(api::located(where, parsed.status()));
  parent.absorb(f.done());
}

Outage read_outage(const api::Json& json, const std::string& path, const Context& context, Fields& parent) {
  Fields f = context.fields(json, path);
  Outage outage;
  outage.node = f.text("node", "", "its name");
  outage.at = Duration{f.duration_ns("at", "0s", "when it begins")};
  outage.length = Duration{f.duration_ns("for", "0s", "how long it lasts; 0: to the end")};
  if (outage.length.ns == 0) outage.length = Duration::max();
  if (outage.node.empty() && !f.referencing()) f.fail("node", "is required");
  parent.absorb(f.done());
  return outage;
}

void read_kubelet(Fields& root, const Context& context, Scenario& s) {
  Fields k = context.fields(root.any("kubelet", "the node agents"), "kubelet");
  s.kubelets = k.boolean("enabled", true, "false: pods stay bound and never start");
  s.runtime.sandbox = read_delay(k, "sandbox", "0", "delay of the pod sandbox; seconds or a distribution");
  s.runtime.pull = read_delay(k, "pull", "0", "delay of pulling an image that the node lacks");
  s.runtime.start = read_delay(k, "start", "1", "delay of starting a container");
  if (!k.any("restart", "delay of starting a container again; default: as start").is_null())
    s.runtime.restart = read_delay(k, "restart", "0", "");
  s.runtime.ready = read_delay(k, "ready", "0", "delay from a container's running to passing its readiness probe, if it has one");
  s.runtime.stop = read_delay(k, "stop", "0", "delay from asking a container to end to its end");
  s.runtime.stop_exit_code = static_cast<int32_t>(k.integer("stopExitCode", 0, 0, 255, "exit code of a stopped container"));
  s.write_every_lease = k.text("leases", "lazy", "lazy: node leases are written only when they begin or end to be renewed; written: every renewal", {"lazy", "written"}) == "written";
  k.each("outages", "nodes that are cut off for a while: their containers go on, the control plane takes them for dead",
       [&](const api::Json& item, const std::string& path) { s.outages.push_back(read_outage(item, path, context, k)); });
  if (!s.kubelets && !s.outages.empty()) k.fail("outages", "must not be given without kubelets");
  if (s.write_every_lease && s.horizon == Duration::max()) k.fail("leases", "written leases never end: a horizon is required");
  root.absorb(k.done());
}

void read_models(Fields& root, const Context& context, Scenario& s) {
  read_kubelet(root, context, s);
  Fields c = context.fields(root.any("controllers", "the controllers"), "controllers");
  s.controllers = c.boolean("enabled", true, "run them");
  s.events = c.boolean("events", false, "record Event objects");
  root.absorb(c.done());
  Fields p = context.fields(root.any("controlPlane", "the API server"), "controlPlane");
  s.api_latency = Duration{p.duration_ns("latency", "0s", "from a request to its handling")};
  root.absorb(p.done());
  Fields m = context.fields(root.any("metrics", "what is measured"), "metrics");
  s.sample_interval = Duration{m.duration_ns("interval", "60s", "between two samples of the time series")};
  s.timeline = m.boolean("timeline", false, "timeline.jsonl: every change of every object, with its time");
  if (s.sample_interval < Duration::millis(1)) m.fail("interval", "must be at least 1ms");
  root.absorb(m.done());
}

void read_root(const Context& context, Fields& root, Scenario& s) {
  s.name = root.text("name", "", "a short name");
  s.description = root.text("description", "", "what the scenario is about");
  read_pairs(root, "parameters", "names with defaults; --set NAME=VALUE changes one, $NAME stands for it elsewhere", s.parameters);
  const std::string start = root.text("start", "2025-01-01T00:00:00Z", "virtual time at the start (RFC 3339)");
  const auto parsed = api::parse_time(start);
  if (!parsed.is_ok()) root.fail("start", parsed.status().message());
  else if (parsed->seconds < 0 || parsed->time() > kStartMax) root.fail("start", str_cat("found ", start, ", must be from 1970 to 2099"));
  else s.start = parsed->time();
  s.horizon = Duration{root.duration_ns("horizon", "0s", "how much virtual time runs; 0: until nothing is left to do")};
  if (s.horizon.ns == 0) s.horizon = Duration::max();
  Fields cluster = context.fields(root.any("cluster", "the nodes"), "cluster");
  s.shuffle_nodes = cluster.boolean("shuffle", false, "nodes in a random order: names get a seeded rank as prefix");
  cluster.each("nodes", "sources of nodes", [&](const api::Json& item, const std::string& path) { s.nodes.push_back(read_node_source(item, path, context, cluster)); });
  if (s.nodes.empty() && !root.referencing()) cluster.fail("nodes", "is required: at least one source of nodes");
  root.absorb(cluster.done());
  root.each("workloads", "sources of work", [&](const api::Json& item, const std::string& path) { s.workloads.push_back(read_workload_source(item, path, context, root)); });
  root.each("actions", "what a user does later", [&](const api::Json& item, const std::string& path) { s.actions.push_back(read_action(item, path, context, root)); });
  read_scheduler(root.any("scheduler", "the scheduler"), context, root, s);
  read_models(root, context, s);
  const auto seeds = parse_seeds(root.text("seeds", "1", "the seed, or seeds A..B, unless --seeds says otherwise"));
  if (seeds.is_ok()) s.seeds = *seeds;
  else root.fail("seeds", seeds.status().message());
  s.out = context.resolve(root.text("out", "", "folder for the report, unless --out says otherwise"));
  root.each("results", "measures that a sweep writes for each run", [&](const api::Json& item, const std::string& path) {
    const auto known = result_measures();
    if (root.referencing()) return;
    const std::string name = item.is_string() ? item.as_string().str() : item.dump();
    if (std::find(known.begin(), known.end(), name) == known.end())
      root.fail("results", str_cat(path, ": found ", api::quoted(name), ", must be one of ", api::join(known, ", ")));
    s.results.push_back(name);
  });
}

// Manifests are read now, so that a scenario that loads is complete.
Status load_manifests(WorkloadSource& w) {
  std::vector<std::string> files;
  std::error_code error;
  if (fs::is_directory(w.path, error)) {
    for (const auto& entry : fs::recursive_directory_iterator(w.path, error)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".yaml" || extension == ".yml" || extension == ".json") files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(w.path);
  }
  for (const std::string& file : files) {
    ORRERY_ASSIGN(const std::string text, traces::read_file(file));
    ORRERY_ASSIGN(auto objects, api::decode_manifests(text, file));
    for (auto& object : objects) w.objects.push_back(std::move(object));
  }
  return Status::ok();
}

}  // namespace

std::vector<std::string> result_measures() {
  return {"unallocated_gpu_pct_at_100", "fragmentation_gpu_pct_at_100", "pods_submitted", "pods_running", "pods_pending", "pods_dropped",
          "cpu_allocated_pct", "memory_allocated_pct", "gpu_allocated_pct", "cpu_used_pct", "memory_used_pct", "gpu_used_pct", "queue_wait_p50_s", "queue_wait_p99_s", "scheduling_p50_s", "scheduling_p99_s", "startup_p50_s",
          "startup_p99_s", "virtual_s", "events", "object_writes", "digest"};
}

std::string Scenario::parameter(std::string_view wanted) const {
  for (const auto& [key, value] : parameters)
    if (key == wanted) return value;
  return "";
}

Result<Scenario> load_scenario(const std::string& path, const std::vector<Override>& overrides) {
  ORRERY_ASSIGN(std::string text, traces::read_file(path));
  return parse_scenario(std::move(text), path, overrides);
}

Result<Scenario> parse_scenario(std::string text, const std::string& path, const std::vector<Override>& overrides) {
  ORRERY_ASSIGN(api::Json json, api::parse_yaml_document(text, path));
  for (const Override& o : overrides) ORRERY_TRY(apply_override(json, o));
  ORRERY_TRY(substitute_parameters(json, path));
  Scenario s;
  s.file = path;
  s.text = std::move(text);
  Context context{fs::path(path).parent_path().string(), path, nullptr};
  Fields root = context.fields(json, "");
  read_root(context, root, s);
  ORRERY_TRY(root.done());
  if (s.name.empty()) s.name = fs::path(path).stem().string();
  for (WorkloadSource& w : s.workloads)
    if (w.kind == WorkloadSource::Kind::kManifests) ORRERY_TRY(load_manifests(w));
  return s;
}

std::string scenario_reference() {
  Fields::Reference lines;
  Context context{"", "", &lines};
  Scenario ignored;
  const api::Json nothing;
  Fields root = context.fields(nothing, "");
  read_root(context, root, ignored);
  return api::join(lines, "\n") + "\n";
}

}  // namespace orrery::sim
