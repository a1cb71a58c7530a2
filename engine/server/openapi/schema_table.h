#pragma once

#include <span>
#include <string_view>

namespace orrery::server {

/// The lines of facts.jsonl: what Kubernetes v1.32 publishes of types beyond their descriptors:
/// whole schemas of types with a JSON form of their own, extensions of types and fields, kinds of
/// types that are registered in every group, values of enumerations by Go type.
std::span<const std::string_view> schema_table();

}  // namespace orrery::server
