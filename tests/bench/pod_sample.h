#pragma once

#include <string>

namespace orrery::bench {

/// A running pod of a Deployment as the API server of a cluster holds it (about 3.5 kB of JSON):
/// two containers with probes and volumes, conditions and container states, managed fields. `index`
/// goes into its names, addresses and versions.
std::string pod_json(int index);

/// A PodList of `count` of them.
std::string pod_list_json(int count);

}  // namespace orrery::bench
