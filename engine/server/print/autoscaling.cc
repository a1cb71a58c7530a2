#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/autoscalingv2.h"
#include "engine/api/names.h"
#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

constexpr size_t kShownMax = 2;
using autoscalingv2::MetricSpec;
using autoscalingv2::MetricStatus;
using autoscalingv2::MetricTarget;
using autoscalingv2::MetricValueStatus;

// An absent amount prints as Go prints a nil quantity.
std::string amount(const Opt<api::Quantity>& value) { return value ? value->to_string() : "<nil>"; }

// "current/target", of an average over pods with "(avg)".
std::string value_or_average(const MetricTarget& target, const MetricValueStatus* current) {
  if (target.average_value)
    return str_cat(current && current->average_value ? amount(current->average_value) : "<unknown>", "/",
                   amount(target.average_value), " (avg)");
  return str_cat(current ? amount(current->value) : "<unknown>", "/", amount(target.value));
}

std::string of_resource(const Str& name, const MetricTarget& target, const MetricValueStatus* current) {
  if (target.average_value)
    return str_cat(name, ": ", current ? amount(current->average_value) : "<unknown>", "/", amount(target.average_value));
  const auto percent = [](const Opt<int32_t>& value, std::string_view absent) {
    return value ? str_cat(*value, "%") : std::string(absent);
  };
  return str_cat(name, ": ", percent(current ? current->average_utilization : Opt<int32_t>(), "<unknown>"), "/",
                 percent(target.average_utilization, "<auto>"));
}

std::string metric(const MetricSpec& spec, const MetricStatus* status) {
  const auto current = [&](const auto& part) { return part ? &part->current : nullptr; };
  const MetricStatus none;
  const MetricStatus& seen = status ? *status : none;
  if (spec.type == "External") return value_or_average(spec.external->target, current(seen.external));
  if (spec.type == "Object") return value_or_average(spec.object->target, current(seen.object));
  if (spec.type == "Resource") return of_resource(spec.resource->name, spec.resource->target, current(seen.resource));
  if (spec.type == "ContainerResource")
    return of_resource(spec.container_resource->name, spec.container_resource->target, current(seen.container_resource));
  if (spec.type != "Pods") return "<unknown type>";
  return str_cat(seen.pods ? amount(seen.pods->current.average_value) : "<unknown>", "/",
                 amount(spec.pods->target.average_value));
}

std::string metrics(const List<MetricSpec>& specs, const List<MetricStatus>& statuses) {
  if (specs.empty()) return "<none>";
  std::vector<std::string> shown;
  for (size_t i = 0; i < specs.size() && i < kShownMax; ++i)
    shown.push_back(metric(specs[i], i < statuses.size() ? &statuses[i] : nullptr));
  std::string out = api::join(shown, ", ");
  if (specs.size() > kShownMax) out += str_cat(" + ", uint64_t{specs.size() - kShownMax}, " more...");
  return out;
}

template <typename Autoscaler>
void print(const Autoscaler& hpa, const std::string& targets, Row& row) {
  const auto& spec = *hpa.spec;
  row.add(hpa.metadata->name, str_cat(spec.scale_target_ref.kind, "/", spec.scale_target_ref.name), targets,
          spec.min_replicas ? str_cat(*spec.min_replicas) : "<unset>", spec.max_replicas, hpa.status->current_replicas,
          row.age(hpa.metadata->creation_timestamp));
}

void print_v2(const autoscalingv2::HorizontalPodAutoscaler& hpa, Row& row) {
  print(hpa, metrics(hpa.spec->metrics, hpa.status->current_metrics), row);
}

void print_v1(const autoscalingv1::HorizontalPodAutoscaler& hpa, Row& row) {
  const auto percent = [](const Opt<int32_t>& value) { return value ? str_cat(*value, "%") : "<unknown>"; };
  const auto& target = hpa.spec->target_cpu_utilization_percentage;
  print(hpa, target ? str_cat("cpu: ", percent(hpa.status->current_cpu_utilization_percentage), "/", percent(target)) : "<none>",
        row);
}

}  // namespace

std::vector<Printer> autoscaling_printers() {
  return {printer_of<autoscalingv2::HorizontalPodAutoscaler, print_v2>(),
          printer_of<autoscalingv1::HorizontalPodAutoscaler, print_v1>()};
}

}  // namespace orrery::server
