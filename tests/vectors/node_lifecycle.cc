#include <algorithm>
#include <charconv>
#include <cstdio>

#include "engine/api/codec_json.h"
#include "engine/api/pod_resources.h"
#include "engine/control/node_lifecycle/node_lifecycle_controller.h"
#include "engine/control/pod_gc/pod_gc_controller.h"
#include "engine/control/taint_eviction/taint_eviction_controller.h"
#include "engine/runtime/api_requests.h"
#include "tests/support/memory_world.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;

namespace {

const Time kStart = api::parse_time("2025-03-03T10:00:00Z")->time();

Duration seconds_of(const Json& json) { return duration_from_seconds(json.as_double()); }

template <typename T>
T decoded(Json json) {
  auto value = api::struct_from_json<T>(json);
  CHECK(value.is_ok()) << value.status().message();
  return std::move(*value);
}

template <typename T>
Json json_of(const T& value) {
  return api::to_json(T::descriptor(), &value);
}

std::string rate_text(double rate) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(rate)).ptr;
  return std::string(buffer, end);
}

std::string check_zone_state(const Json& recorded) {
  const Json& in = recorded["input"];
  control::EvictionRates rates;
  rates.normal = in["nodeEvictionRate"].as_double();
  rates.reduced = in["secondaryNodeEvictionRate"].as_double();
  rates.large_zone = in["largeClusterSizeThreshold"].as_int();
  rates.unhealthy_threshold = in["unhealthyZoneThreshold"].as_double();
  const control::ZoneCount zone{in["ready"].as_int(),
                                in["notReady"].as_int() + in["unknown"].as_int()};
  Json actual = Json::object();
  actual.set("unhealthy", zone.unhealthy);
  actual.set("state", control::zone_state_name(rates.state_of(zone)));
  actual.set("reducedQPS", rate_text(rates.reduced_rate(zone.size())));
  actual.set("healthyQPS",
             rate_text(rates.rate_of(control::ZoneState::kFullDisruption, zone.size())));
  return test::expect_equal("zone", recorded["expect"], actual);
}

/// The recorded kubelets and users, around the real controller.
class MonitorPlay {
 public:
  explicit MonitorPlay(const Json& input) {
    const Json& params = input["params"];
    control::NodeLifecycleOptions options;
    options.monitor_period = seconds_of(params["nodeMonitorPeriod"]);
    options.limits.grace = seconds_of(params["nodeMonitorGracePeriod"]);
    options.limits.startup_grace = seconds_of(params["nodeStartupGracePeriod"]);
    options.rates.normal = params["nodeEvictionRate"].as_double();
    options.rates.reduced = params["secondaryNodeEvictionRate"].as_double();
    options.rates.large_zone = params["largeClusterSizeThreshold"].as_int();
    options.rates.unhealthy_threshold = params["unhealthyZoneThreshold"].as_double();
    options.taint_phase = Duration::millis(350);
    options.taint_period = Duration::millis(700);
    world_.set_now(kStart);
    for (const Json& node : input["nodes"].items())
      world_.put(api::Object::of(decoded<corev1::Node>(node)));
    for (const Json& pod : input["pods"].items())
      world_.put(api::Object::of(decoded<corev1::Pod>(pod)));
    controller_ = std::make_unique<control::NodeLifecycleController>(world_.env(), options);
    world_.attach(*controller_);
  }

  void run(const Json& op) {
    const std::string name = op["op"].as_string().str();
    if (name == "advance") {
      world_.release();
      return advance(op["seconds"].as_int());
    }
    world_.hold();
    if (name == "addNode") return world_.put(api::Object::of(decoded<corev1::Node>(op["node"])));
    for (const Json& item : op["nodes"].items()) run_on(name, item.as_string(), op);
  }

  Json state() {
    Json out = Json::object();
    out.set("t", (world_.now() - kStart).ns / 1'000'000'000);
    Json& nodes = out.set("nodes", Json::object());
    world_.for_each(kind_of<corev1::Node>(), [&](const api::Object& node) {
      nodes.set(node.meta().name, node_state(node.get<corev1::Node>()));
    });
    Json& zones = out.set("zones", Json::object());
    for (const auto& zone : controller_->zones()) zones.set(readable(zone.key), zone_state(zone));
    Json& pods = out.set("pods", Json::object());
    world_.for_each(kind_of<corev1::Pod>(), [&](const api::Object& object) {
      const auto* ready = api::find_condition(*object.get<corev1::Pod>().status, "Ready");
      if (!ready) return;
      Json& pod = pods.set(object.meta().name, Json::object());
      pod.set("ready", ready->status);
      pod.set("lastTransitionTime", api::format_time(ready->last_transition_time));
    });
    std::vector<std::string> events = world_.take_events();
    std::sort(events.begin(), events.end());
    Json& list = out.set("events", Json::array());
    for (const auto& event : events) list.push_back(event);
    return out;
  }

 private:
  void run_on(const std::string& op, const Str& name, const Json& json) {
    const api::Object* stored = world_.find(kind_of<corev1::Node>(), {}, name);
    if (!stored) return;
    if (op == "down") {
      up_.erase(name);
    } else if (op == "deleteNode") {
      up_.erase(name);
      world_.remove(kind_of<corev1::Node>(), {}, name);
      if (world_.find(kind_of<coordinationv1::Lease>(), "kube-node-lease", name))
        world_.remove(kind_of<coordinationv1::Lease>(), "kube-node-lease", name);
    } else {
      api::Object node = *stored;
      change(op, json, node.mut<corev1::Node>());
      world_.put(std::move(node));
      if (op == "up") {
        up_.insert(name);
        renew(name);
      }
    }
  }

  void change(const std::string& op, const Json& json, corev1::Node& node) {
    if (op == "cordon") {
      node.spec.mut().unschedulable = json["unschedulable"].as_bool();
    } else if (op == "condition") {
      post(node, json["type"].as_string(), json["status"].as_string(), json["reason"].as_string(),
           json["message"].as_string());
    } else if (op == "heartbeat") {
      for (auto& condition : node.status.mut().conditions.mut())
        condition.last_heartbeat_time = world_.now();
    } else {
      post(node, "MemoryPressure", "False", "KubeletHasSufficientMemory",
           "kubelet has sufficient memory available");
      post(node, "DiskPressure", "False", "KubeletHasNoDiskPressure",
           "kubelet has no disk pressure");
      post(node, "PIDPressure", "False", "KubeletHasSufficientPID",
           "kubelet has sufficient PID available");
      post(node, "Ready", "True", "KubeletReady", "kubelet is posting ready status");
    }
  }

  void post(corev1::Node& node, const Str& type, const Str& status, const Str& reason,
            const Str& message) {
    auto& conditions = node.status.mut().conditions;
    const auto* old = api::find_condition(*node.status, type.view());
    corev1::NodeCondition condition;
    condition.type = type;
    condition.status = status;
    condition.reason = reason;
    condition.message = message;
    condition.last_heartbeat_time = world_.now();
    condition.last_transition_time =
        old && old->status == status ? old->last_transition_time : api::Timestamp(world_.now());
    for (auto& present : conditions.mut())
      if (present.type == type) {
        present = condition;
        return;
      }
    conditions.push_back(condition);
  }

  void renew(const Str& name) {
    coordinationv1::Lease lease;
    lease.metadata.mut().namespace_ = "kube-node-lease";
    lease.metadata.mut().name = name;
    lease.spec.mut().renew_time = api::Timestamp(world_.now());
    world_.put(api::Object::of(lease));
  }

  void advance(int64_t seconds) {
    const Time end = world_.now() + Duration::seconds(seconds);
    while (world_.now() < end) {
      const int64_t t = (world_.now() - kStart).ns / 1'000'000'000;
      if (t % 10 == 0)
        for (const Str& name : up_) renew(name);
      world_.run_until(world_.now(), true);
      world_.run_until(std::min(end, kStart + Duration::seconds(t + 1)), false);
    }
  }

  static Json node_state(const corev1::Node& node) {
    Json out = Json::object();
    Json& conditions = out.set("conditions", Json::array());
    for (const auto& condition : node.status->conditions) {
      Json json = json_of(condition);
      json.erase("lastHeartbeatTime");
      conditions.push_back(std::move(json));
    }
    std::vector<std::string> taints;
    for (const auto& taint : node.spec->taints) taints.push_back(json_of(taint).dump_sorted());
    std::sort(taints.begin(), taints.end());
    Json& list = out.set("taints", Json::array());
    for (const auto& taint : taints) list.push_back(*Json::parse(taint));
    const bool os_labels = std::any_of(
        node.metadata->labels.begin(), node.metadata->labels.end(), [](const auto& label) {
          return label.key.view().find("kubernetes.io/os") != std::string_view::npos ||
                 label.key.view().find("kubernetes.io/arch") != std::string_view::npos;
        });
    if (!os_labels) return out;
    Json& labels = out.set("labels", Json::object());
    for (const auto& label : node.metadata->labels) labels.set(label.key, label.value);
    return out;
  }

  static Json zone_state(const control::NodeLifecycleController::Zone& zone) {
    Json out = Json::object();
    out.set("state", control::zone_state_name(zone.state));
    out.set("qps", rate_text(zone.rate));
    return out;
  }

  static std::string readable(std::string zone) {
    std::replace(zone.begin(), zone.end(), '\0', '|');
    return zone;
  }

  test::MemoryWorld world_;
  std::unique_ptr<control::NodeLifecycleController> controller_;
  std::set<Str> up_;
};

/// In the form of state(): taints as a sorted list.
Json normal_step(Json step) {
  Json& nodes = *step.find("nodes");
  const Json before = nodes;
  for (const auto& member : before.members()) {
    std::vector<std::string> taints;
    for (const Json& taint : member.value["taints"].items()) taints.push_back(taint.dump_sorted());
    std::sort(taints.begin(), taints.end());
    Json list = Json::array();
    for (const auto& taint : taints) list.push_back(*Json::parse(taint));
    nodes.find(member.key.view())->set("taints", list);
  }
  return step;
}

std::string check_monitor(const Json& recorded) {
  MonitorPlay play(recorded["input"]);
  size_t step = 0;
  for (const Json& op : recorded["input"]["ops"].items()) {
    play.run(op);
    if (op["op"].as_string() != "advance") continue;
    const Json expected = normal_step(recorded["expect"]["steps"][step]);
    const Json actual = play.state();
    for (const auto& member : expected.members()) {
      const std::string difference = test::expect_equal(str_cat("step ", step, " ", member.key),
                                                        member.value, actual[member.key]);
      if (!difference.empty()) return difference;
    }
    ++step;
  }
  return "";
}

/// One node and its pods.
class EvictionPlay {
 public:
  explicit EvictionPlay(const Json& input) {
    world_.set_now(kStart);
    corev1::Node node;
    node.metadata.mut().name = "n1";
    world_.put(api::Object::of(node));
    for (const Json& json : input["pods"].items()) {
      corev1::Pod pod;
      pod.metadata.mut().namespace_ = "ns1";
      pod.metadata.mut().name = json["name"].as_string();
      pod.spec.mut().node_name = "n1";
      set_tolerations(pod, json["tolerations"]);
      world_.put(api::Object::of(pod));
    }
    controller_ = std::make_unique<control::TaintEvictionController>(
        world_.env(), control::TaintEvictionOptions());
    world_.attach(*controller_);
  }

  Json run(const Json& op) {
    const Str& name = op["op"].as_string();
    if (name == "advance") {
      world_.run_until(world_.now() + seconds_of(op["seconds"]), true);
    } else if (name == "taints") {
      auto node = world_.get<corev1::Node>({}, "n1");
      node.spec.mut().taints.reset();
      for (const Json& taint : op["taints"].items())
        node.spec.mut().taints.push_back(decoded<corev1::Taint>(taint));
      world_.put(api::Object::of(node));
    } else if (world_.find(kind_of<corev1::Pod>(), "ns1", op["pod"].as_string())) {
      auto pod = world_.get<corev1::Pod>("ns1", op["pod"].as_string());
      set_tolerations(pod, op["tolerations"]);
      world_.put(api::Object::of(pod));
    }
    return state();
  }

 private:
  static void set_tolerations(corev1::Pod& pod, const Json& json) {
    pod.spec.mut().tolerations.reset();
    for (const Json& toleration : json.items())
      pod.spec.mut().tolerations.push_back(decoded<corev1::Toleration>(toleration));
  }

  Json state() {
    Json out = Json::object();
    const auto seconds = [](Time t) { return (t - kStart).ns / 1'000'000'000; };
    Json& scheduled = out.set("scheduled", Json::object());
    world_.for_each(kind_of<corev1::Pod>(), [&](const api::Object& pod) {
      const auto due = controller_->scheduled(api::object_key(pod.meta()));
      if (due) scheduled.set(pod.meta().name, seconds(*due));
    });
    Json& deleted = out.set("deletedAt", Json::object());
    for (const auto& [key, at] : world_.deleted())
      deleted.set(key.view().substr(key.view().find('/') + 1), seconds(at));
    // What the deletions themselves report is not in the recordings.
    std::vector<std::string> events = world_.take_events();
    std::erase_if(events, [](const std::string& event) {
      return event.find("Marking for deletion") != std::string::npos;
    });
    std::sort(events.begin(), events.end());
    Json& list = out.set("events", Json::array());
    for (const auto& event : events) list.push_back(event);
    return out;
  }

  test::MemoryWorld world_;
  std::unique_ptr<control::TaintEvictionController> controller_;
};

std::string check_toleration_time(const Json& recorded) {
  List<corev1::Toleration> used;
  for (const Json& toleration : recorded["input"]["tolerations"].items())
    used.push_back(decoded<corev1::Toleration>(toleration));
  const auto time = control::toleration_time(used);
  Json actual = Json::object();
  actual.set("infinite", !time.has_value());
  actual.set("seconds", time ? time->ns / 1'000'000'000 : 0);
  return test::expect_equal("time", recorded["expect"], actual);
}

std::string check_taint_eviction(const Json& recorded) {
  if (recorded["input"].find("tolerations")) return check_toleration_time(recorded);
  EvictionPlay play(recorded["input"]);
  const auto& ops = recorded["input"]["ops"].items();
  for (size_t i = 0; i < ops.size(); ++i) {
    const std::string difference =
        test::expect_equal(str_cat("step ", i), recorded["expect"]["steps"][i], play.run(ops[i]));
    if (!difference.empty()) return difference;
  }
  return "";
}

/// Without the probe times that nobody sets.
Json status_of(const corev1::Pod& pod) {
  Json status = json_of(*pod.status);
  if (Json* conditions = status.find("conditions"))
    for (Json& condition : conditions->items()) condition.erase("lastProbeTime");
  return status;
}

Json names_of(const std::vector<Str>& keys) {
  Json names = Json::array();
  for (const Str& key : keys) names.push_back(key.view().substr(key.view().find('/') + 1));
  return names;
}

/// One pass of the pod garbage collector at kStart. Nodes that have been missing for long were
/// found to be so two passes earlier.
std::string check_pod_gc(const Json& recorded) {
  using control::PodGcController;
  const Json& input = recorded["input"];
  test::MemoryWorld world;
  control::PodGcOptions options;
  options.terminated_threshold = input["terminatedPodGCThreshold"].as_int();
  const int passes = input["quarantineElapsed"].as_bool() ? 3 : 1;
  world.set_now(kStart - PodGcController::kPeriod * passes);
  PodGcController controller(world.env(), options);
  world.attach(controller);
  for (const Json& json : input["nodes"].items()) {
    const auto node = api::Object::of(decoded<corev1::Node>(json));
    node.meta().name == "late" ? world.put_unseen(node) : world.put(node);
  }
  for (const Json& json : input["pods"].items())
    world.put(api::Object::of(decoded<corev1::Pod>(json)));
  std::vector<Str> terminated;
  for (const api::Object& pod : controller.terminated())
    terminated.push_back(api::object_key(pod.meta()));
  Json statuses = Json::object();
  world.watch_status_writes([&](const api::Object& pod) {
    statuses.set(pod.meta().name, status_of(pod.get<corev1::Pod>()));
  });
  world.run_until(kStart, true);
  auto deleted = world.take_deletions();
  std::sort(deleted.begin(), deleted.end());
  Json actual = Json::object();
  actual.set("deleted", names_of(deleted));
  actual.set("statusAfter", statuses);
  actual.set("terminatedOrder", names_of(terminated));
  return test::expect_equal("pass", recorded["expect"], actual);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::function<int()>> families;
  const auto add = [&](const std::string& name, std::string (*check)(const Json&)) {
    families[name] = [=] {
      return test::run_family(
          name, test::read_vectors("controllers/12-node-lifecycle/" + name + ".jsonl.gz"), check);
    };
  };
  add("monitor", check_monitor);
  add("zonestate", check_zone_state);
  add("tainteviction", check_taint_eviction);
  add("podgc", check_pod_gc);
  return test::run_program(argc, argv, families);
}
