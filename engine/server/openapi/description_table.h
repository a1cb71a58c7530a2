#pragma once

#include <span>
#include <string_view>

namespace orrery::server {

/// The lines of descriptions.jsonl: what types and fields are for, as `kubectl explain` shows it. The
/// type "*" stands for all that have an apiVersion and a kind.
std::span<const std::string_view> description_table();

}  // namespace orrery::server
