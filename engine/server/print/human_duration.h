#pragma once

#include <string>

#include "engine/api/scalars.h"
#include "engine/base/time.h"

namespace orrery::server {

/// A span of time as tables show it: "59s", "3m5s", "2d3h", "4y"; "<invalid>" if it is negative by two
/// seconds or more. Source: Kubernetes v1.32 apimachinery/pkg/util/duration.
std::string human_duration(Duration d);
/// With one unit only: "3m".
std::string short_human_duration(Duration d);

/// How long ago `t` was; "<unknown>" if it is not set.
std::string age_text(const api::Timestamp& t, Time now);

}  // namespace orrery::server
