#pragma once

#include <cstdint>
#include <string_view>

#include "engine/api/gen/appsv1.h"

namespace orrery::control {

/// A pod's name is its set's name and its ordinal: "web-3".
struct PodOrdinal {
  std::string_view parent;  // empty: this is no name of a set's pod
  int64_t ordinal = -1;     // -1: too large, or none
  bool canonical = false;   // no leading zeros
};
PodOrdinal parse_pod_name(std::string_view name);
inline int64_t ordinal_of(std::string_view pod_name) { return parse_pod_name(pod_name).ordinal; }

/// The ordinals of a set are start_ordinal() ... end_ordinal(), both included.
int64_t start_ordinal(const appsv1::StatefulSetSpec& spec);
int64_t end_ordinal(const appsv1::StatefulSetSpec& spec);
bool in_ordinal_range(const appsv1::StatefulSetSpec& spec, int64_t ordinal);

/// The claim that the pod of that ordinal has for a volumeClaimTemplate.
Str claim_name(std::string_view template_name, std::string_view set_name, int64_t ordinal);

}  // namespace orrery::control
