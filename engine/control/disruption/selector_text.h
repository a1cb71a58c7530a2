#pragma once

#include <string>

#include "engine/api/gen/metav1.h"

namespace orrery::control {

/// A label selector as Kubernetes' generated String() shows it in messages:
/// "&LabelSelector{MatchLabels:map[string]string{app: a,},MatchExpressions:[]...{},}"; nullptr:
/// "nil".
std::string selector_text(const metav1::LabelSelector* selector);

}  // namespace orrery::control
