#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/pod_volumes.h"
#include "engine/server/validation/resources.h"

namespace orrery::server {

/// What the containers of one pod are checked against.
struct ContainerContext {
  const corev1::PodSpec& pod;
  const PodVolumes& volumes;
  const Seen& claim_names;
  ResourceRules resources;
  bool allow_privileged = true;
};

/// Containers, init containers and ephemeral containers of a pod. Source: Kubernetes v1.32
/// pkg/apis/core/validation/validation.go.
void check_containers(const ContainerContext& context, const Path& at, Findings& findings);
void check_init_containers(const ContainerContext& context, const Path& at, Findings& findings);
void check_ephemeral_containers(const ContainerContext& context, const Path& at, Findings& findings);

}  // namespace orrery::server
