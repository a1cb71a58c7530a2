// Scheduling cycles against vectors/scheduler: what the plugins that exist decide.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "engine/api/codec_json.h"
#include "engine/sched/framework.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;
using namespace orrery::sched;

void drop_unknown(Json& profile) {
  const auto unknown = [](const Json& item) { return item["name"].is_string() && item["name"].as_string() != "*" && !find_plugin(item["name"].as_string()); };
  if (Json* config = profile.find("pluginConfig")) std::erase_if(config->items(), unknown);
  if (Json* plugins = profile.find("plugins"))
    for (auto& set : plugins->members())
      if (Json* enabled = set.value.find("enabled")) std::erase_if(enabled->items(), unknown);
}

Profile profile_named(const std::string& name) {
  std::ifstream file(vectors_folder() + "/scheduler/profiles/" + name + ".json");
  std::stringstream text;
  text << file.rdbuf();
  const auto json = Json::parse(text.str());
  if (!json.is_ok()) return default_scheduler_config().profiles[0];
  auto config = parse_scheduler_config(*json);
  if (config.is_ok()) return config->profiles[0];
  // Profiles that name plugins that do not exist yet run without them.
  Json known = *json;
  for (Json& profile : known.find("profiles")->items()) drop_unknown(profile);
  config = parse_scheduler_config(known);
  if (!config.is_ok()) std::printf("profile %s: %s\n", name.c_str(), config.status().message().c_str());
  return config.is_ok() ? config->profiles[0] : default_scheduler_config().profiles[0];
}

api::Object object_of(const Json& json) {
  Json copy = json;
  if (!copy.find("apiVersion")) copy.set("apiVersion", "v1");
  if (!copy.find("kind")) copy.set("kind", "Pod");
  auto object = api::object_from_json(copy);
  if (!object.is_ok()) std::printf("cannot decode: %s\n", object.status().message().c_str());
  return object.is_ok() ? std::move(*object) : api::Object();
}

void fill(ClusterState& state, const Json& objects) {
  for (const Json& json : objects.items())
    if (json["kind"].as_string() == "Node") state.set_node(object_of(json).get<corev1::Node>());
  for (const Json& json : objects.items()) {
    if (json["kind"].as_string() != "Pod") continue;
    const api::Object pod = object_of(json);
    const Str& phase = pod.get<corev1::Pod>().status->phase;
    if (phase != "Succeeded" && phase != "Failed") state.set_pod(pod);
  }
}

std::string compare_node(const Explanation::Node& node, const Json& expect) {
  const Json* rejected = expect["rejected"].find(node.name);
  if (node.feasible != (rejected == nullptr)) return node.name.str() + (rejected ? ": should be rejected by " + (*rejected)["plugin"].as_string().str() : ": should be feasible, " + node.plugin + " rejects it");
  if (rejected) {
    Json reasons = Json::array();
    auto sorted = node.reasons;
    std::sort(sorted.begin(), sorted.end());
    for (const auto& r : sorted) reasons.push_back(r);
    std::string d = expect_equal(node.name.str() + ".plugin", (*rejected)["plugin"].as_string().str(), node.plugin);
    if (d.empty()) d = expect_equal(node.name.str() + ".code", (*rejected)["code"].as_string().str(), std::string(plugin_code_name(node.code)));
    if (d.empty() && (*rejected)["reasons"].size() > 0) d = expect_equal(node.name.str() + ".reasons", (*rejected)["reasons"], reasons);
    return d;
  }
  const Json& scores = expect["scores"][node.name];
  for (const auto& [plugin, score] : node.scores)
    if (const auto d = expect_equal(node.name.str() + "." + plugin, scores[plugin], Json(score)); !d.empty()) return d;
  return "";
}

std::string cycle_case(const Json& one) {
  ClusterState state;
  auto framework = Framework::make(profile_named(one["profile"].as_string().str()), state);
  if (!framework.is_ok()) return framework.status().message();
  fill(state, one["objects"]);
  RngStream rng(1, "test");
  const PodInfo pod = framework->pod_info(object_of(one["pod"]), state);
  const Explanation out = framework->explain(pod, state, rng);
  const Json& expect = one["expect"];
  if (const Json* pre = expect.find("preFilter")) {
    if (out.pre_filter.ok()) return "PreFilter should reject";
    return expect_equal("preFilter", (*pre)["plugin"].as_string().str(), out.plugin);
  }
  if (!out.pre_filter.ok()) return "PreFilter must not reject";
  for (const auto& node : out.nodes)
    if (const auto d = compare_node(node, expect); !d.empty()) return d;
  if (expect["message"].is_string()) return expect_equal("message", expect["message"].as_string().str(), out.message);
  // The whole choice, where every score is ours.
  bool all_ours = true;
  for (const auto& node : out.nodes)
    if (node.feasible) all_ours = all_ours && expect["scores"][node.name].size() == node.scores.size();
  if (!all_ours) return "";
  for (const auto& node : out.nodes)
    if (node.feasible)
      if (const auto d = expect_equal(node.name.str() + ".total", expect["total"][node.name], Json(node.total)); !d.empty()) return d;
  return "";
}

// Pods one after another; each lands where the recording says.
std::string steps_case(const Json& one) {
  ClusterState state;
  auto framework = Framework::make(profile_named(one["profile"].as_string().str()), state);
  if (!framework.is_ok()) return framework.status().message();
  fill(state, one["objects"]);
  RngStream rng(1, "test");
  const auto& steps = one["expect"]["steps"].items();
  for (size_t i = 0; i < steps.size(); ++i) {
    const Json& op = one["input"].is_object() ? one["input"]["ops"].items()[i] : one["ops"].items()[i];
    const std::string_view kind = op["op"].as_string();
    if (kind == "schedule") {
      const PodInfo pod = framework->pod_info(object_of(op["pod"]), state);
      const Decision decision = framework->schedule(pod, state, rng);
      const std::string at = "step " + std::to_string(i) + " ";
      std::string d = expect_equal(at + "feasible", steps[i]["feasible"], Json(int64_t{decision.feasible}));
      if (d.empty() && decision.scheduled) d = expect_equal(at + "bestCount", steps[i]["bestCount"], Json(int64_t{decision.best_count}));
      if (d.empty() && !decision.scheduled) d = expect_equal(at + "message", steps[i]["message"].as_string().str(), decision.message);
      if (d.empty() && steps[i].find("evaluated")) d = expect_equal(at + "evaluated", steps[i]["evaluated"], Json(int64_t{decision.evaluated}));
      if (d.empty() && steps[i].find("nextStartNodeIndex"))
        d = expect_equal(at + "next", steps[i]["nextStartNodeIndex"], Json(int64_t{framework->next_start_node_index()}));
      if (!d.empty()) return d;
      if (!decision.scheduled) continue;
      api::Object placed = pod.object;
      placed.mut<corev1::Pod>().spec.mut().node_name = steps[i]["chosen"].as_string();
      state.set_pod(placed);
    } else if (kind == "deletePod") {
      state.remove_pod(op["name"].as_string());
    } else if (kind == "deleteNode") {
      const uint32_t slot = state.find(op["name"].as_string());
      if (slot == UINT32_MAX) continue;
      const auto pods = state.node(slot).pods;
      for (const api::Object& pod : pods) state.remove_pod(api::object_key(pod.meta()));
      state.remove_node(op["name"].as_string());
    } else {
      Json node = op["node"];
      node.set("kind", "Node");
      state.set_node(object_of(node).get<corev1::Node>());
    }
  }
  return "";
}

std::function<int()> family(const std::string& name, std::string (*check)(const Json&), double required) {
  return [=] { return run_family(name, read_vectors("scheduler/" + name + ".jsonl.gz"), check, required); };
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using namespace orrery::test;
  std::map<std::string, std::function<int()>> families;
  for (const char* name : {"noderesourcesfit", "fitscoring", "balancedallocation", "tainttoleration", "nodeaffinity",
                           "nodename", "nodeunschedulable", "nodeports", "imagelocality"})
    families[name] = family(name, cycle_case, 1.0);
  // These use plugins that are not there yet as well: the rate must not fall.
  families["cycle-edge"] = family("cycle-edge", cycle_case, 0.0);
  families["mixed"] = family("mixed", cycle_case, 0.0);
  for (const char* name : {"sequence", "churn", "sampling"}) families[name] = family(name, steps_case, 0.0);
  return run_program(argc, argv, families);
}
