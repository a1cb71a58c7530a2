#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

/// Cluster IPs and IP families as they are asked for; checked before anything is allocated.
void check_cluster_ips(const corev1::ServiceSpec& spec, Findings& findings);

}  // namespace orrery::server
