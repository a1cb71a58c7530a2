#pragma once

#include <vector>

#include "engine/api/gen/policyv1.h"
#include "engine/control/disruption/budget_scale.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// A pod that a budget expects to be deleted is given up after this long.
constexpr Duration kDisruptionTimeout = Duration::minutes(2);

/// A budget and what it speaks of, at one moment.
struct BudgetInputs {
  struct Controller {
    metav1::OwnerReference reference;
    std::optional<ControllerScale> scale;  // nullopt: the API has to be asked
    const api::KindDesc* kind = nullptr;   // nullptr: unknown
    bool is(const metav1::OwnerReference& other) const {
      return reference.uid == other.uid && reference.name == other.name &&
             reference.kind == other.kind && reference.api_version == other.api_version;
    }
  };
  api::Object budget;                   // null: it is gone
  Status selector;                      // of the budget: a failure if it cannot be read
  std::vector<api::Object> pods;        // that it selects
  std::vector<Controller> controllers;  // of these pods
  Time now;
};

/// Writes how many of the pods may be disrupted. A failure to find that out is written too: nothing
/// may be disrupted then. Kubernetes v1.32 pkg/controller/disruption, trySync and failSafe.
Status sync_budget(const BudgetInputs& in, WriteLog& log);

}  // namespace orrery::control
