#include "engine/server/autoscaler_conversion.h"

#include <algorithm>

namespace orrery::server {
namespace {

using api::Json;

constexpr std::string_view kMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kCurrentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr std::string_view kConditions = "autoscaling.alpha.kubernetes.io/conditions";
constexpr std::string_view kBehavior = "autoscaling.alpha.kubernetes.io/behavior";

/// A member of v1's metric sources, and where v2 has it.
struct Field {
  std::string_view source, v1, outer, inner;  // v2: outer.inner, or inner alone
  bool always = false;                        // v1 writes it, also if v2 has none
};
constexpr Field kOfSpecs[] = {
    {"object", "target", "", "describedObject"},
    {"object", "metricName", "metric", "name"},
    {"object", "targetValue", "target", "value", true},
    {"object", "selector", "metric", "selector"},
    {"object", "averageValue", "target", "averageValue"},
    {"pods", "metricName", "metric", "name"},
    {"pods", "targetAverageValue", "target", "averageValue"},
    {"pods", "selector", "metric", "selector"},
    {"resource", "name", "", "name"},
    {"resource", "targetAverageUtilization", "target", "averageUtilization"},
    {"resource", "targetAverageValue", "target", "averageValue"},
    {"containerResource", "name", "", "name"},
    {"containerResource", "targetAverageUtilization", "target", "averageUtilization"},
    {"containerResource", "targetAverageValue", "target", "averageValue"},
    {"containerResource", "container", "", "container"},
    {"external", "metricName", "metric", "name"},
    {"external", "metricSelector", "metric", "selector"},
    {"external", "targetValue", "target", "value"},
    {"external", "targetAverageValue", "target", "averageValue"},
};
constexpr Field kOfStatuses[] = {
    {"object", "target", "", "describedObject"},
    {"object", "metricName", "metric", "name"},
    {"object", "currentValue", "current", "value", true},
    {"object", "selector", "metric", "selector"},
    {"object", "averageValue", "current", "averageValue"},
    {"pods", "metricName", "metric", "name"},
    {"pods", "currentAverageValue", "current", "averageValue", true},
    {"pods", "selector", "metric", "selector"},
    {"resource", "name", "", "name"},
    {"resource", "currentAverageUtilization", "current", "averageUtilization"},
    {"resource", "currentAverageValue", "current", "averageValue", true},
    {"containerResource", "name", "", "name"},
    {"containerResource", "currentAverageUtilization", "current", "averageUtilization"},
    {"containerResource", "currentAverageValue", "current", "averageValue", true},
    {"containerResource", "container", "", "container"},
    {"external", "metricName", "metric", "name"},
    {"external", "metricSelector", "metric", "selector"},
    {"external", "currentValue", "current", "value", true},
    {"external", "currentAverageValue", "current", "averageValue"},
};
constexpr std::string_view kSources[] = {"object", "pods", "resource", "containerResource", "external"};

template <typename Fields>
Json metric_to_v1(const Json& metric, const Fields& fields) {
  Json out = Json::object();
  out.set("type", metric["type"]);
  for (const std::string_view source : kSources) {
    const Json* from = metric.find(source);
    if (!from) continue;
    Json& to = out.set(source, Json::object());
    for (const Field& field : fields) {
      if (field.source != source) continue;
      const Json& holder = field.outer.empty() ? *from : (*from)[field.outer];
      if (const Json* value = holder.find(field.inner)) to.set(field.v1, *value);
      else if (field.always) to.set(field.v1, "0");
    }
  }
  return out;
}

template <typename Fields>
Json metric_to_v2(const Json& metric, const Fields& fields) {
  Json out = Json::object();
  out.set("type", metric["type"]);
  for (const std::string_view source : kSources) {
    const Json* from = metric.find(source);
    if (!from) continue;
    Json& to = out.set(source, Json::object());
    for (const Field& field : fields) {
      const Json* value = field.source == source ? from->find(field.v1) : nullptr;
      const bool absent = value && field.always && from->find("averageValue") && value->is_string() && value->as_string() == "0";
      if (!value || absent) continue;
      if (field.outer.empty()) to.set(field.inner, *value);
      else if (Json* holder = to.find(field.outer)) holder->set(field.inner, *value);
      else to.set(field.outer, Json::object()).set(field.inner, *value);
    }
    if (Json* target = to.find("target"))
      target->set("type", target->find("averageUtilization") ? "Utilization" : target->find("averageValue") ? "AverageValue" : "Value");
  }
  return out;
}

bool is_cpu_utilization(const Json& metric, std::string_view holder) {
  const Json& resource = metric["resource"];
  return resource["name"].is_string() && resource["name"].as_string() == "cpu" && resource[holder].find("averageUtilization");
}

// Go's names of the fields, as the annotation of the behavior has them.
struct BehaviorName {
  std::string_view json, go;
};
constexpr BehaviorName kBehaviorNames[] = {
    {"scaleUp", "ScaleUp"},   {"scaleDown", "ScaleDown"}, {"stabilizationWindowSeconds", "StabilizationWindowSeconds"},
    {"selectPolicy", "SelectPolicy"}, {"policies", "Policies"},   {"type", "Type"},
    {"value", "Value"},       {"periodSeconds", "PeriodSeconds"},
};

Json renamed(const Json& value, bool to_go) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value.items()) out.push_back(renamed(item, to_go));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const Json::Member& member : value.members()) {
    const auto found = std::find_if(std::begin(kBehaviorNames), std::end(kBehaviorNames),
                                    [&](const BehaviorName& n) { return member.key == (to_go ? n.json : n.go); });
    const bool known = found != std::end(kBehaviorNames);
    if (!to_go && member.value.is_null()) continue;
    out.set(!known ? member.key.view() : to_go ? found->go : found->json, renamed(member.value, to_go));
  }
  return out;
}

// Go writes what is not there as null.
std::string behavior_text(const Json& behavior) {
  Json out = Json::object();
  for (const char* direction : {"ScaleUp", "ScaleDown"}) {
    const Json rules = renamed(behavior[direction[5] == 'U' ? "scaleUp" : "scaleDown"], true);
    Json& to = out.set(direction, Json());
    if (!rules.is_object()) continue;
    to = Json::object();
    for (const char* name : {"StabilizationWindowSeconds", "SelectPolicy", "Policies"}) to.set(name, rules[name]);
  }
  return out.dump();
}

Json parsed(const Json& annotations, std::string_view name) {
  const Json* text = annotations.find(name);
  if (!text || !text->is_string()) return {};
  auto value = Json::parse(text->as_string());
  return value.is_ok() ? std::move(*value) : Json();
}

void status_to_v1(Json& status, Json& annotations) {
  Json others = Json::array();
  for (const Json& metric : status["currentMetrics"].items()) {
    if (is_cpu_utilization(metric, "current"))
      status.set("currentCPUUtilizationPercentage", Json(metric["resource"]["current"]["averageUtilization"]));
    others.push_back(metric_to_v1(metric, kOfStatuses));
  }
  if (others.size() > 0) annotations.set(kCurrentMetrics, others.dump());
  if (status["conditions"].size() > 0) annotations.set(kConditions, status["conditions"].dump());
  status.erase("currentMetrics");
  status.erase("conditions");
}

void status_to_v2(Json& status, const Json& annotations) {
  Json metrics = Json::array();
  const Json current_metrics = parsed(annotations, kCurrentMetrics);
  for (const Json& metric : current_metrics.items()) metrics.push_back(metric_to_v2(metric, kOfStatuses));
  if (const Json* percent = status.find("currentCPUUtilizationPercentage"); percent && metrics.size() == 0) {
    Json& current = metrics.push_back(Json::object());
    current.set("type", "Resource");
    Json& resource = current.set("resource", Json::object());
    resource.set("name", "cpu");
    resource.set("current", Json::object()).set("averageUtilization", *percent);
  }
  status.erase("currentCPUUtilizationPercentage");
  if (metrics.size() > 0) status.set("currentMetrics", std::move(metrics));
  Json conditions = parsed(annotations, kConditions);
  if (conditions.size() > 0) status.set("conditions", std::move(conditions));
}

}  // namespace

Json autoscaler_to_v1(Json hpa) {
  Json spec = hpa["spec"], others = Json::array();
  for (const Json& metric : spec["metrics"].items()) {
    if (is_cpu_utilization(metric, "target")) spec.set("targetCPUUtilizationPercentage", Json(metric["resource"]["target"]["averageUtilization"]));
    else others.push_back(metric_to_v1(metric, kOfSpecs));
  }
  Json metadata = hpa["metadata"], annotations = metadata["annotations"];
  if (others.size() > 0) annotations.set(kMetrics, others.dump());
  if (Json* status = hpa.find("status")) status_to_v1(*status, annotations);
  if (const Json* behavior = spec.find("behavior")) annotations.set(kBehavior, behavior_text(*behavior));
  if (annotations.is_object()) metadata.set("annotations", std::move(annotations));
  spec.erase("metrics");
  spec.erase("behavior");
  hpa.set("spec", std::move(spec));
  hpa.set("metadata", std::move(metadata));
  return hpa;
}

Json autoscaler_to_v2(Json hpa) {
  Json metadata = hpa["metadata"], spec = hpa["spec"], metrics = Json::array();
  const Json annotations = metadata["annotations"];
  const Json other_metrics = parsed(annotations, kMetrics);
  for (const Json& metric : other_metrics.items()) metrics.push_back(metric_to_v2(metric, kOfSpecs));
  if (const Json* percent = spec.find("targetCPUUtilizationPercentage")) {
    Json& metric = metrics.push_back(Json::object());
    metric.set("type", "Resource");
    Json& resource = metric.set("resource", Json::object());
    resource.set("name", "cpu");
    Json& target = resource.set("target", Json::object());
    target.set("type", "Utilization");
    target.set("averageUtilization", *percent);
  }
  spec.erase("targetCPUUtilizationPercentage");
  if (metrics.size() > 0) spec.set("metrics", std::move(metrics));
  if (const Json behavior = parsed(annotations, kBehavior); behavior.is_object()) spec.set("behavior", renamed(behavior, false));
  if (Json* status = hpa.find("status")) status_to_v2(*status, annotations);
  if (Json* kept = metadata.find("annotations")) {
    for (const std::string_view name : {kMetrics, kCurrentMetrics, kConditions, kBehavior}) kept->erase(name);
    if (kept->size() == 0) metadata.erase("annotations");
  }
  hpa.set("spec", std::move(spec));
  hpa.set("metadata", std::move(metadata));
  return hpa;
}

}  // namespace orrery::server
