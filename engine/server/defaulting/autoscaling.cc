#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/autoscalingv2.h"
#include "engine/server/defaulting/defaults.h"

namespace orrery::server {
namespace {

constexpr int32_t kCpuPercent = 80;

void default_v1(autoscalingv1::HorizontalPodAutoscaler& hpa) {
  auto& spec = hpa.spec.mut();
  set_if_absent(spec.min_replicas, 1);
  if (!hpa.metadata->annotations.contains("autoscaling.alpha.kubernetes.io/metrics"))
    set_if_absent(spec.target_cpu_utilization_percentage, kCpuPercent);
}

autoscalingv2::HPAScalingPolicy policy(std::string_view type, int32_t value) {
  autoscalingv2::HPAScalingPolicy policy;
  policy.type = Str(type);
  policy.value = value;
  policy.period_seconds = 15;
  return policy;
}

void default_rules(autoscalingv2::HPAScalingRules& rules, bool up) {
  set_if_absent(rules.select_policy, Str("Max"));
  if (up) set_if_absent(rules.stabilization_window_seconds, 0);
  if (!rules.policies.is_nil()) return;
  if (up) rules.policies.push_back(policy("Pods", 4));
  rules.policies.push_back(policy("Percent", 100));
}

void default_v2(autoscalingv2::HorizontalPodAutoscaler& hpa) {
  auto& spec = hpa.spec.mut();
  set_if_absent(spec.min_replicas, 1);
  if (spec.metrics.empty()) {
    autoscalingv2::MetricSpec cpu;
    cpu.type = "Resource";
    cpu.resource.mut().name = "cpu";
    cpu.resource.mut().target.type = "Utilization";
    cpu.resource.mut().target.average_utilization = kCpuPercent;
    spec.metrics.push_back(std::move(cpu));
  }
  if (!spec.behavior) return;
  default_rules(spec.behavior.mut().scale_up.mut(), true);
  default_rules(spec.behavior.mut().scale_down.mut(), false);
}

}  // namespace

std::span<const DefaultRow> autoscaling_defaults() {
  static constexpr DefaultRow kRows[] = {
      default_row<autoscalingv1::HorizontalPodAutoscaler, default_v1>(),
      default_row<autoscalingv2::HorizontalPodAutoscaler, default_v2>(),
  };
  return kRows;
}

}  // namespace orrery::server
