#pragma once

#include <span>
#include <string_view>

namespace orrery::server {

/// The lines of resources.jsonl: the resources that a Kubernetes v1.32 API server serves by default,
/// in the order of its discovery documents.
std::span<const std::string_view> resource_table();

}  // namespace orrery::server
