#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {

/// Security contexts, and what an operating system allows in them. Source: Kubernetes v1.32
/// pkg/apis/core/validation/validation.go.

void check_security_context(const corev1::SecurityContext& context, bool host_users, bool allow_privileged, const Path& at,
                            Findings& findings);
/// `at`: of the pod's spec.
void check_pod_security_context(const corev1::PodSpec& spec, bool check_sysctl_namespaces, const Path& at, Findings& findings);
void check_host_process(const corev1::PodSpec& spec, bool allow_privileged, const Path& at, Findings& findings);
void check_pod_os(const corev1::PodSpec& spec, const Path& at, Findings& findings);

/// Annotations that say the same as seccomp and AppArmor fields must agree with them.
void check_profile_annotations(const Map<Str>& annotations, const corev1::PodSpec& spec, const Path& at, Findings& findings);
/// The annotations by themselves, at `at`.
void check_seccomp_annotations(const Map<Str>& annotations, const Path& at, Findings& findings);
void check_app_armor_annotations(const Map<Str>& annotations, const corev1::PodSpec& spec, const Path& at, Findings& findings);

/// Calls visit(name, security context, path) for init containers, containers and ephemeral ones.
template <typename F>
void for_each_container(const corev1::PodSpec& spec, const Path& at, F visit) {
  for (size_t i = 0; i < spec.init_containers.size(); ++i) visit(spec.init_containers[i], at.child("initContainers", i));
  for (size_t i = 0; i < spec.containers.size(); ++i) visit(spec.containers[i], at.child("containers", i));
  for (size_t i = 0; i < spec.ephemeral_containers.size(); ++i)
    visit(spec.ephemeral_containers[i], at.child("ephemeralContainers", i));
}

}  // namespace orrery::server
