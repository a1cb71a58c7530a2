#include "engine/sched/profile.h"

#include <algorithm>

#include "engine/api/names.h"

namespace orrery::sched {
namespace {

Status at(const api::Json& node, const std::string& path, const std::string& what) {
  return bad_request(str_cat(node.line() ? str_cat("line ", node.line(), ": ") : std::string(), path, ": ", what));
}

std::string known_plugins() {
  std::vector<std::string> names;
  for (const PluginEntry& entry : plugin_registry()) names.push_back(std::string(entry.name));
  return api::join(names, ", ");
}

/// Plugins of the reference's default profile that do not exist here: known by name, so that the
/// error can tell a missing plugin from a misspelt one.
constexpr std::string_view kMissing[] = {
    "DefaultPreemption", "DynamicResources", "InterPodAffinity", "NodeVolumeLimits", "PodTopologySpread",
    "VolumeBinding", "VolumeRestrictions", "VolumeZone"};

struct Named {
  std::string name;
  int64_t weight = 0;
};

/// plugins.<point>: what a file enables and disables.
struct PluginSet {
  std::vector<Named> enabled;
  std::vector<std::string> disabled;
  bool disables(const std::string& name) const {
    return std::find(disabled.begin(), disabled.end(), "*") != disabled.end() ||
           std::find(disabled.begin(), disabled.end(), name) != disabled.end();
  }
  const Named* find(const std::string& name) const {
    for (const Named& n : enabled)
      if (n.name == name) return &n;
    return nullptr;
  }
};

Result<PluginSet> read_set(const api::Json& json, const std::string& path) {
  PluginSet set;
  if (json.is_null()) return set;
  if (!json.is_object()) return at(json, path, str_cat("found ", json.type_name(), ", must be an object with enabled and disabled"));
  for (const auto& member : json.members()) {
    const std::string list_path = path + "." + member.key.str();
    if (member.key != "enabled" && member.key != "disabled") return at(member.value, list_path, "unknown field; allowed are enabled, disabled");
    if (member.value.is_null()) continue;
    if (!member.value.is_array()) return at(member.value, list_path, str_cat("found ", member.value.type_name(), ", must be a list"));
    size_t i = 0;
    for (const api::Json& item : member.value.items()) {
      const std::string item_path = str_cat(list_path, "[", uint64_t{i++}, "]");
      if (!item["name"].is_string()) return at(item, item_path + ".name", "must be the name of a plugin");
      const std::string name = item["name"].as_string().str();
      if (member.key == "disabled") {
        set.disabled.push_back(name);
        continue;
      }
      if (!find_plugin(name)) {
        const bool known = std::find(std::begin(kMissing), std::end(kMissing), name) != std::end(kMissing);
        return at(item, item_path + ".name",
                  str_cat(known ? "plugin " : "unknown plugin ", api::quoted(name), known ? " is not available yet" : "",
                          "; available are ", known_plugins()));
      }
      set.enabled.push_back({name, item["weight"].is_int() ? item["weight"].as_int() : 0});
    }
  }
  return set;
}

std::vector<const PluginEntry*> default_entries() {
  std::vector<const PluginEntry*> entries;
  for (const PluginEntry& entry : plugin_registry())
    if (entry.default_rank > 0) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](auto* a, auto* b) { return a->default_rank < b->default_rank; });
  return entries;
}

// The default plugins, as multiPoint of the file changes them: a plugin that the file enables again
// keeps its place and takes the file's weight; further ones follow.
std::vector<Named> merged_multi_point(const PluginSet& file) {
  std::vector<Named> out;
  std::vector<std::string> replaced;
  for (const PluginEntry* entry : default_entries()) {
    const std::string name(entry->name);
    if (const Named* again = file.find(name)) {
      out.push_back(*again);
      if (out.back().weight == 0) out.back().weight = entry->default_weight;
      replaced.push_back(name);
    } else if (!file.disables(name)) {
      out.push_back({name, entry->default_weight});
    }
  }
  for (const Named& n : file.enabled)
    if (std::find(replaced.begin(), replaced.end(), n.name) == replaced.end()) out.push_back(n);
  return out;
}

Result<uint32_t> points_of(const std::string& name, const api::Json& args) {
  auto made = find_plugin(name)->make(args);
  if (!made.is_ok()) return made.status().with_context("pluginConfig of " + name);
  return (*made)->points();
}

// What runs at one point: specific enables first in the order of the file where they override,
// then multiPoint. Source: Kubernetes v1.32 framework/runtime (expandMultiPointPlugins).
std::vector<Profile::Enabled> expand(Point point, const PluginSet& specific, const std::vector<Named>& multi,
                                     const std::map<std::string, uint32_t>& points) {
  std::vector<Profile::Enabled> overridden, from_multi, rest;
  std::vector<std::string> seen;
  const auto add = [&](std::vector<Profile::Enabled>& list, const Named& n) {
    list.push_back({n.name, n.weight == 0 ? 1 : n.weight});
    seen.push_back(n.name);
  };
  for (const Named& n : multi) {
    if (!(points.at(n.name) & point)) continue;
    if (const Named* own = specific.find(n.name)) {
      add(overridden, *own);
      continue;
    }
    if (specific.disables(n.name)) continue;
    add(from_multi, n);
  }
  for (const Named& n : specific.enabled)
    if (std::find(seen.begin(), seen.end(), n.name) == seen.end()) add(rest, n);
  overridden.insert(overridden.end(), from_multi.begin(), from_multi.end());
  overridden.insert(overridden.end(), rest.begin(), rest.end());
  return overridden;
}

Status read_plugin_config(const api::Json& json, const std::string& path, Profile& profile) {
  if (json.is_null()) return Status::ok();
  if (!json.is_array()) return at(json, path, str_cat("found ", json.type_name(), ", must be a list"));
  size_t i = 0;
  for (const api::Json& item : json.items()) {
    const std::string item_path = str_cat(path, "[", uint64_t{i++}, "]");
    if (!item["name"].is_string()) return at(item, item_path + ".name", "must be the name of a plugin");
    const std::string name = item["name"].as_string().str();
    if (profile.args.contains(name)) return at(item, item_path + ".name", "repeated config for plugin " + name);
    profile.args[name] = item["args"];
  }
  return Status::ok();
}

Status read_profile(const api::Json& json, const std::string& path, Profile& profile) {
  for (const auto& member : json.members()) {
    const Str& key = member.key;
    if (key != "schedulerName" && key != "plugins" && key != "pluginConfig" && key != "percentageOfNodesToScore")
      return at(member.value, path + "." + key.str(), "unknown field; allowed are percentageOfNodesToScore, pluginConfig, plugins, schedulerName");
  }
  if (json["schedulerName"].is_string()) profile.scheduler_name = json["schedulerName"].as_string().str();
  if (json["percentageOfNodesToScore"].is_int())
    profile.percentage_of_nodes_to_score = static_cast<int32_t>(json["percentageOfNodesToScore"].as_int());
  ORRERY_TRY(read_plugin_config(json["pluginConfig"], path + ".pluginConfig", profile));
  std::map<std::string, PluginSet> sets;
  for (const auto& member : json["plugins"].members()) {
    const std::string name = member.key.str();
    const bool known = name == "multiPoint" || std::any_of(std::begin(kAllPoints), std::end(kAllPoints), [&](Point p) { return point_name(p) == name; });
    if (!known) return at(member.value, path + ".plugins." + name, "unknown extension point");
    ORRERY_ASSIGN(sets[name], read_set(member.value, path + ".plugins." + name));
  }
  const std::vector<Named> multi = merged_multi_point(sets["multiPoint"]);
  std::map<std::string, uint32_t> points;
  for (const Named& n : multi) {
    ORRERY_ASSIGN(points[n.name], points_of(n.name, profile.args[n.name]));
  }
  for (Point point : kAllPoints) profile.enabled[point] = expand(point, sets[std::string(point_name(point))], multi, points);
  if (profile.enabled[kQueueSort].size() != 1) return at(json, path + ".plugins.queueSort", "exactly one queue sort plugin is needed");
  if (profile.enabled[kBind].empty()) return at(json, path + ".plugins.bind", "at least one bind plugin is needed");
  return Status::ok();
}

}  // namespace

std::string_view point_name(Point point) {
  switch (point) {
    case kPreEnqueue: return "preEnqueue";
    case kQueueSort: return "queueSort";
    case kPreFilter: return "preFilter";
    case kFilter: return "filter";
    case kPostFilter: return "postFilter";
    case kPreScore: return "preScore";
    case kScore: return "score";
    case kReserve: return "reserve";
    case kPermit: return "permit";
    case kPreBind: return "preBind";
    case kBind: return "bind";
    case kPostBind: return "postBind";
  }
  return "";
}

SchedulerConfig default_scheduler_config() {
  auto config = parse_scheduler_config(api::Json::object());
  CHECK(config.is_ok()) << config.status().message();
  return std::move(*config);
}

Result<SchedulerConfig> parse_scheduler_config(const api::Json& json) {
  SchedulerConfig config;
  if (!json.is_object()) return at(json, "scheduler configuration", str_cat("found ", json.type_name(), ", must be an object"));
  const auto& version = json["apiVersion"];
  if (version.is_string() && version.as_string() != "kubescheduler.config.k8s.io/v1")
    return at(version, "apiVersion", str_cat("found ", version.as_string(), ", must be kubescheduler.config.k8s.io/v1"));
  static constexpr std::string_view kFields[] = {
      "apiVersion", "kind", "parallelism", "leaderElection", "clientConnection", "healthzBindAddress", "metricsBindAddress",
      "enableProfiling", "enableContentionProfiling", "percentageOfNodesToScore", "podInitialBackoffSeconds",
      "podMaxBackoffSeconds", "profiles", "extenders", "delayCacheUntilActive"};
  for (const auto& member : json.members())
    if (std::find(std::begin(kFields), std::end(kFields), member.key.view()) == std::end(kFields))
      return at(member.value, member.key.str(), "unknown field");
  if (json["extenders"].is_array() && json["extenders"].size() > 0) return at(json["extenders"], "extenders", "extenders are not available yet");
  const auto seconds = [&](const char* name, int64_t* out) {
    if (json[name].is_int()) *out = json[name].as_int();
  };
  seconds("podInitialBackoffSeconds", &config.pod_initial_backoff_seconds);
  seconds("podMaxBackoffSeconds", &config.pod_max_backoff_seconds);
  if (config.pod_initial_backoff_seconds <= 0) return at(json["podInitialBackoffSeconds"], "podInitialBackoffSeconds", "must be greater than 0");
  if (config.pod_max_backoff_seconds < config.pod_initial_backoff_seconds)
    return at(json["podMaxBackoffSeconds"], "podMaxBackoffSeconds", "must be greater than or equal to podInitialBackoffSeconds");
  const api::Json& percentage = json["percentageOfNodesToScore"];
  if (percentage.is_int() && (percentage.as_int() < 0 || percentage.as_int() > 100))
    return at(percentage, "percentageOfNodesToScore", str_cat("found ", percentage.as_int(), ", must be in 0..100"));
  api::Json profiles = json["profiles"];
  if (profiles.is_null()) profiles.push_back(api::Json::object());
  if (!profiles.is_array()) return at(profiles, "profiles", "must be a list");
  size_t i = 0;
  for (const api::Json& item : profiles.items()) {
    Profile profile;
    if (percentage.is_int()) profile.percentage_of_nodes_to_score = static_cast<int32_t>(percentage.as_int());
    const std::string path = str_cat("profiles[", uint64_t{i++}, "]");
    ORRERY_TRY(read_profile(item, path, profile));
    for (const Profile& other : config.profiles)
      if (other.scheduler_name == profile.scheduler_name) return at(item, path + ".schedulerName", "duplicate name " + profile.scheduler_name);
    config.profiles.push_back(std::move(profile));
  }
  return config;
}

}  // namespace orrery::sched
