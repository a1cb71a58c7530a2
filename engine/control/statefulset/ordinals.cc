#include "engine/control/statefulset/ordinals.h"

#include <charconv>

namespace orrery::control {

PodOrdinal parse_pod_name(std::string_view name) {
  size_t first = name.size();  // of the digits
  while (first > 0 && name[first - 1] >= '0' && name[first - 1] <= '9') --first;
  if (first == name.size() || first == 0 || name[first - 1] != '-') return {};
  const std::string_view digits = name.substr(first);
  PodOrdinal parsed{name.substr(0, first - 1), -1, digits.size() == 1 || digits.front() != '0'};
  int32_t ordinal = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), ordinal).ec == std::errc())
    parsed.ordinal = ordinal;
  return parsed;
}

int64_t start_ordinal(const appsv1::StatefulSetSpec& spec) { return spec.ordinals->start; }

int64_t end_ordinal(const appsv1::StatefulSetSpec& spec) {
  return start_ordinal(spec) + spec.replicas.value_or(0) - 1;
}

bool in_ordinal_range(const appsv1::StatefulSetSpec& spec, int64_t ordinal) {
  return ordinal >= start_ordinal(spec) && ordinal <= end_ordinal(spec);
}

Str claim_name(std::string_view template_name, std::string_view set_name, int64_t ordinal) {
  return str_cat(template_name, '-', set_name, '-', ordinal);
}

}  // namespace orrery::control
