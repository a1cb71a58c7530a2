#pragma once

#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/base/status.h"

namespace orrery::server {

/// Where a node's kubelet listens.
struct KubeletAddress {
  std::string host;
  int port = 0;
};

/// By the first of `preferred_types` of which the node has an address (a node without a Hostname has
/// the one of its label), at the port of its status or 10250. Internal if it has none.
/// Source: Kubernetes v1.32 pkg/kubelet/client/kubelet_client.go, pkg/util/node.
Result<KubeletAddress> kubelet_address(const corev1::Node& node,
                                       const std::vector<std::string>& preferred_types);

}  // namespace orrery::server
