#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "engine/server/admission/pod_security_policy.h"

namespace orrery::server {

/// A pod, or what a workload makes pods of, and the minor version whose rules count.
struct CheckedPod {
  const metav1::ObjectMeta& meta;
  const corev1::PodSpec& spec;
  int minor;
  bool is_windows() const { return spec.os->name == "windows"; }
};

/// The rules of baseline; `restricted`: without those that restricted replaces by stricter ones.
void check_baseline(const CheckedPod& pod, bool restricted, PodSecurityViolations& out);
/// What restricted adds.
void check_restricted(const CheckedPod& pod, PodSecurityViolations& out);

/// Names in order of discovery, or values sorted and once each.
using Texts = std::vector<std::string>;
void insert_sorted(Texts& texts, std::string_view text);
/// `"a", "b"`.
std::string in_quotes(const Texts& texts);
/// `container "a"`, `containers "a", "b"`.
std::string containers_named(const Texts& names);
inline std::string_view plural(std::string_view one, std::string_view many, size_t count) { return count == 1 ? one : many; }

bool is_allowed_profile(std::string_view type);  // of seccomp and AppArmor

/// Init containers, containers, ephemeral containers.
template <typename Visit>
void for_each_container(const corev1::PodSpec& spec, Visit visit) {
  for (const auto& container : spec.init_containers) visit(container);
  for (const auto& container : spec.containers) visit(container);
  for (const auto& container : spec.ephemeral_containers) visit(container);
}

/// The names of the containers that `is_bad`.
template <typename Predicate>
Texts bad_containers(const corev1::PodSpec& spec, Predicate is_bad) {
  Texts names;
  for_each_container(spec, [&](const auto& container) {
    if (is_bad(*container.security_context)) names.push_back(container.name.str());
  });
  return names;
}

/// "pod", `container "a"`, or both.
std::string setters(bool pod, const Texts& containers);

}  // namespace orrery::server
