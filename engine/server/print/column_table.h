#pragma once

#include <span>
#include <string_view>

namespace orrery::server {

/// The lines of columns.jsonl: the columns that Kubernetes v1.32 prints for each kind that has a
/// printer of its own, as [name, type, format, priority]. `served` is false where the API server
/// shows Name and Created At instead.
std::span<const std::string_view> column_table();

}  // namespace orrery::server
