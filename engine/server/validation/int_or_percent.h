#pragma once

#include "engine/server/validation/text_rules.h"

namespace orrery::server {

/// Numbers that may be percentages. Source: Kubernetes v1.32 pkg/apis/apps/validation.
void check_int_or_percent(const api::IntOrString& value, const Path& at, Findings& findings);
void check_percent_max(const api::IntOrString& value, const Path& at, Findings& findings);
/// The number, or that of the percentage; 0 for other texts.
int64_t int_or_percent(const api::IntOrString& value);

inline Shown shown(const api::IntOrString& value) {
  return value.is_text ? Shown(value.text) : Shown(value.number);
}

}  // namespace orrery::server
