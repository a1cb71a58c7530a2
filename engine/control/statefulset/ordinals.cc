#include "engine/control/statefulset/ordinals.h"

#include <charconv>

namespace orrery::control {

PodOrdinal parse_pod_name(std::string_view name) {
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view digits = name.substr(dash + 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return {};
  PodOrdinal parsed{name.substr(0, dash), -1};
  int32_t ordinal = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), ordinal).ec == std::errc())
    parsed.ordinal = ordinal;
  return parsed;
}

int64_t start_ordinal(const appsv1::StatefulSetSpec& spec) { return spec.ordinals->start; }

int64_t end_ordinal(const appsv1::StatefulSetSpec& spec) {
  return start_ordinal(spec) + spec.replicas.value_or(0) - 1;
}

bool in_ordinal_range(const appsv1::StatefulSetSpec& spec, std::string_view pod_name) {
  const int64_t ordinal = ordinal_of(pod_name);
  return ordinal >= start_ordinal(spec) && ordinal <= end_ordinal(spec);
}

Str claim_name(std::string_view template_name, std::string_view set_name, int64_t ordinal) {
  return str_cat(template_name, '-', set_name, '-', ordinal);
}

}  // namespace orrery::control
