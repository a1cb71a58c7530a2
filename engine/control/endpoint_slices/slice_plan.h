#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/control/endpoint_slices/slice_hints.h"

namespace orrery::control {

inline constexpr std::string_view kSliceController = "endpointslice-controller.k8s.io";

/// What one Service's slices follow from.
struct SliceInputs {
  api::Object service;             // null: it is gone
  std::vector<api::Object> pods;   // that it selects
  std::vector<api::Object> nodes;  // of those pods
  Slices slices;                   // there are, of this controller
  ZoneShares shares;
  size_t endpoints_max = 100;  // of one slice
  std::optional<Time> trigger;
  bool had_hints = false;
  bool stale = false;  // the cache has not seen what was written last
};

/// What is to be written, deleted and told.
struct SlicePlan {
  Slices create, update;
  std::vector<Str> remove;
  std::vector<HintEvent> events;
  std::vector<std::string> errors;  // pods left out, because their nodes are not known
  std::optional<ZoneHints> hints;   // nullopt: the Service has none
};

/// Slices that have the endpoints wanted, with as few changes as possible.
/// Source: Kubernetes v1.32 endpointslice/reconciler.go and utils.go.
SlicePlan plan_slices(const SliceInputs& in);

}  // namespace orrery::control
