#pragma once

#include "engine/server/validation/containers.h"

namespace orrery::server {

/// The parts of a container.
void check_container_ports(const List<corev1::ContainerPort>& ports, const Path& at, Findings& findings);
void check_environment(const List<corev1::EnvVar>& vars, const Path& at, Findings& findings);
void check_environment_sources(const List<corev1::EnvFromSource>& sources, const Path& at, Findings& findings);
void check_mounts(const List<corev1::VolumeMount>& mounts, const List<corev1::VolumeDevice>& devices, const PodVolumes& volumes,
                  bool privileged, const Path& at, Findings& findings);
void check_devices(const List<corev1::VolumeDevice>& devices, const List<corev1::VolumeMount>& mounts, const PodVolumes& volumes,
                   const Path& at, Findings& findings);
/// `grace_seconds`: the pod's, absent if it has none.
void check_lifecycle(const corev1::Lifecycle& lifecycle, const Opt<int64_t>& grace_seconds, const Path& at, Findings& findings);
void check_probes(const Ref<corev1::Probe>& liveness, const Ref<corev1::Probe>& readiness, const Ref<corev1::Probe>& startup,
                  const Path& at, Findings& findings);

}  // namespace orrery::server
