// Horizontal pod autoscalers. Source: Kubernetes v1.32 pkg/apis/autoscaling/validation.
#include "engine/api/gen/autoscalingv2.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"
#include "engine/server/validation/resources.h"

namespace orrery::server {
namespace {

using namespace autoscalingv2;

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

void check_segment(const Str& value, std::string_view missing, const Path& at, Findings& findings) {
  if (value.empty()) return findings.required(at, missing);
  findings.invalid(at, value, check_path_segment(value));
}

void check_reference(const CrossVersionObjectReference& ref, const Path& at, Findings& findings) {
  check_segment(ref.kind, "", at.child("kind"), findings);
  check_segment(ref.name, "", at.child("name"), findings);
}

void check_target(const MetricTarget& target, const Path& at, Findings& findings) {
  if (target.type.empty()) findings.required(at.child("type"), "must specify a metric target type");
  if (!is_one_of(target.type, {"Utilization", "Value", "AverageValue"}))
    findings.invalid(at.child("type"), target.type, "must be either Utilization, Value, or AverageValue");
  if (target.value && target.value->sign() <= 0) findings.invalid(at.child("value"), target.value->to_string(), "must be positive");
  if (target.average_value && target.average_value->sign() <= 0)
    findings.invalid(at.child("averageValue"), target.average_value->to_string(), "must be positive");
  if (target.average_utilization && *target.average_utilization < 1)
    findings.invalid(at.child("averageUtilization"), *target.average_utilization, "must be greater than 0");
}

void check_object(const ObjectMetricSource& source, const Path& at, Findings& findings) {
  const Path metric = at.child("metric"), target = at.child("target");
  check_reference(source.described_object, at.child("describedObject"), findings);
  check_segment(source.metric.name, "must specify a metric name", metric.child("name"), findings);
  check_target(source.target, target, findings);
  if (!source.target.value && !source.target.average_value)
    findings.required(target.child("averageValue"), "must set either a target value or averageValue");
}

void check_external(const ExternalMetricSource& source, const Path& at, Findings& findings) {
  const Path metric = at.child("metric"), target = at.child("target");
  check_segment(source.metric.name, "must specify a metric name", metric.child("name"), findings);
  check_target(source.target, target, findings);
  if (!source.target.value && !source.target.average_value)
    findings.required(target.child("averageValue"), "must set either a target value for metric or a per-pod target");
  if (source.target.value && source.target.average_value)
    findings.forbidden(target.child("value"), "may not set both a target value for metric and a per-pod target");
}

void check_pods(const PodsMetricSource& source, const Path& at, Findings& findings) {
  const Path metric = at.child("metric"), target = at.child("target");
  check_segment(source.metric.name, "must specify a metric name", metric.child("name"), findings);
  check_target(source.target, target, findings);
  if (!source.target.average_value) findings.required(target.child("averageValue"), "must specify a positive target averageValue");
}

void check_resource_target(const MetricTarget& target, const Path& at, Findings& findings) {
  check_target(target, at, findings);
  if (!target.average_utilization && !target.average_value)
    findings.required(at.child("averageUtilization"), "must set either a target raw value or a target utilization");
  if (target.average_utilization && target.average_value)
    findings.forbidden(at.child("averageValue"), "may not set both a target raw value and a target utilization");
}

void check_resource(const ResourceMetricSource& source, const Path& at, Findings& findings) {
  if (source.name.empty()) findings.required(at.child("name"), "must specify a resource name");
  check_resource_target(source.target, at.child("target"), findings);
}

void check_container_resource(const ContainerResourceMetricSource& source, const Path& at, Findings& findings) {
  if (source.name.empty()) findings.required(at.child("name"), "must specify a resource name");
  else check_container_resource_name(source.name, at.child("name"), findings);
  if (source.container.empty()) findings.required(at.child("container"), "must specify a container");
  else check_label(source.container, at.child("container"), findings);
  check_resource_target(source.target, at.child("target"), findings);
}

constexpr std::string_view kTypes[] = {"ContainerResource", "External", "Object", "Pods", "Resource"};

// The sources that are there; only the first is looked into.
class Sources {
 public:
  Sources(const Path& at, Findings& findings) : at_(at), findings_(findings) {}

  template <typename S>
  void add(const Ref<S>& source, std::string_view field, void (*check)(const S&, const Path&, Findings&)) {
    if (!source) return;
    present_.push_back(field);
    if (present_.size() == 1) check(*source, at_.child(field), findings_);
  }
  void settle(std::string_view expected) {
    const bool there = std::find(present_.begin(), present_.end(), expected) != present_.end();
    if (!expected.empty() && !there) findings_.required(at_.child(expected), "must populate information for the given metric source");
    if (expected.empty()) return;
    if (present_.size() == 1) return;
    forbid_others(expected);
  }
  void forbid_others(std::string_view expected) {
    for (const std::string_view field : present_)
      if (field != expected) findings_.forbidden(at_.child(field), "must populate the given metric source only");
  }
  size_t size() const { return present_.size(); }

 private:
  const Path& at_;
  Findings& findings_;
  std::vector<std::string_view> present_;
};

std::string_view field_of(std::string_view type) {
  if (type == "Object") return "object";
  if (type == "Pods") return "pods";
  if (type == "Resource") return "resource";
  if (type == "External") return "external";
  if (type == "ContainerResource") return "containerResource";
  return {};
}

void check_metric(const MetricSpec& metric, const Path& at, Findings& findings) {
  const std::string_view expected = field_of(metric.type);
  if (metric.type.empty()) findings.required(at.child("type"), "must specify a metric source type");
  if (expected.empty()) findings.not_supported(at.child("type"), metric.type, kTypes);
  Sources sources(at, findings);
  sources.add(metric.object, "object", check_object);
  sources.add(metric.external, "external", check_external);
  sources.add(metric.pods, "pods", check_pods);
  sources.add(metric.resource, "resource", check_resource);
  sources.add(metric.container_resource, "containerResource", check_container_resource);
  if (!expected.empty()) return sources.settle(expected);
  findings.not_supported(at.child("type"), metric.type, kTypes);
  if (sources.size() != 1) sources.forbid_others(expected);
}

void check_rules(const HPAScalingRules& rules, const Path& at, Findings& findings) {
  constexpr int32_t kWindowMax = 3600, kPeriodMax = 1800;
  const auto& window = rules.stabilization_window_seconds;
  const Path window_at = at.child("stabilizationWindowSeconds");
  if (window && *window < 0) findings.invalid(window_at, *window, "must be greater than or equal to zero");
  if (window && *window > kWindowMax) findings.invalid(window_at, *window, "must be less than or equal to 3600");
  if (rules.select_policy && !is_one_of(*rules.select_policy, {"Disabled", "Max", "Min"}))
    findings.not_supported(at.child("selectPolicy"), *rules.select_policy, {"Disabled", "Max", "Min"});
  const Path policies = at.child("policies");
  if (rules.policies.empty()) findings.required(policies, "must specify at least one Policy");
  for (size_t i = 0; i < rules.policies.size(); ++i) {
    const auto& policy = rules.policies[i];
    const Path here = policies.index(i);
    if (!is_one_of(policy.type, {"Percent", "Pods"})) findings.not_supported(here.child("type"), policy.type, {"Percent", "Pods"});
    if (policy.value <= 0) findings.invalid(here.child("value"), policy.value, Findings::kNotPositive);
    if (policy.period_seconds <= 0) findings.invalid(here.child("periodSeconds"), policy.period_seconds, Findings::kNotPositive);
    if (policy.period_seconds > kPeriodMax)
      findings.invalid(here.child("periodSeconds"), policy.period_seconds, "must be less than or equal to 1800");
  }
}

void check_metrics(const HorizontalPodAutoscalerSpec& spec, Findings& findings) {
  bool scales_from_zero = false;
  for (size_t i = 0; i < spec.metrics.size(); ++i) {
    check_metric(spec.metrics[i], kSpec.child("metrics", i), findings);
    scales_from_zero = scales_from_zero || is_one_of(spec.metrics[i].type, {"Object", "External"});
  }
  if (spec.min_replicas && *spec.min_replicas == 0 && !scales_from_zero)
    findings.forbidden(kSpec.child("metrics"), "must specify at least one Object or External metric to support scaling to zero replicas");
}

void check_spec(const HorizontalPodAutoscalerSpec& spec, int32_t least, Findings& findings) {
  const Path max = kSpec.child("maxReplicas");
  const auto& low = spec.min_replicas;
  if (low && *low < least) findings.invalid(kSpec.child("minReplicas"), *low, str_cat("must be greater than or equal to ", int64_t{least}));
  if (spec.max_replicas < 1) findings.invalid(max, spec.max_replicas, "must be greater than 0");
  if (low && spec.max_replicas < *low) findings.invalid(max, spec.max_replicas, "must be greater than or equal to `minReplicas`");
  check_reference(spec.scale_target_ref, kSpec.child("scaleTargetRef"), findings);
  check_metrics(spec, findings);
  if (!spec.behavior) return;
  const Path behavior = kSpec.child("behavior");
  if (spec.behavior->scale_up) check_rules(*spec.behavior->scale_up, behavior.child("scaleUp"), findings);
  if (spec.behavior->scale_down) check_rules(*spec.behavior->scale_down, behavior.child("scaleDown"), findings);
}

void check_create(const HorizontalPodAutoscaler& hpa, Findings& findings) {
  check_object_meta(*hpa.metadata, true, name_is_subdomain, findings);
  check_spec(*hpa.spec, 1, findings);
}

void check_update(const HorizontalPodAutoscaler& hpa, const HorizontalPodAutoscaler& old, Findings& findings) {
  check_object_meta_update(*hpa.metadata, *old.metadata, findings);
  check_spec(*hpa.spec, old.spec->min_replicas && *old.spec->min_replicas == 0 ? 0 : 1, findings);
}

void check_status(const HorizontalPodAutoscaler& hpa, const HorizontalPodAutoscaler& old, Findings& findings) {
  check_object_meta_update(*hpa.metadata, *old.metadata, findings);
  findings.non_negative(hpa.status->current_replicas, kStatus.child("currentReplicas"));
  findings.non_negative(hpa.status->desired_replicas, kStatus.child("desiredReplicas"));
}

}  // namespace

std::span<const CheckRow> autoscaling_checks() {
  static const CheckRow kRows[] = {check_row<HorizontalPodAutoscaler, check_create, check_update, check_status>()};
  return kRows;
}

}  // namespace orrery::server
