#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/metadata.h"

namespace orrery::server {

/// Claims on volumes. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.

struct ClaimRules {
  bool any_label_values = false;  // where an old object has invalid ones
  bool any_api_group = false;
};
void check_claim_spec(const corev1::PersistentVolumeClaimSpec& spec, ClaimRules rules, const Path& at, Findings& findings);
/// Of a pod's ephemeral volume.
void check_claim_template(const corev1::PersistentVolumeClaimTemplate& tmpl, const Path& at, Findings& findings);
/// Access modes of claims and volumes.
void check_access_modes(const List<Str>& modes, const Path& at, Findings& findings);

}  // namespace orrery::server
