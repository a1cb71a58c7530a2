#pragma once

#include <functional>
#include <set>

#include "engine/control/endpoint_slices/slice_parts.h"
#include "engine/control/endpoint_slices/slice_plan.h"
#include "engine/control/endpoints/service_pods.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct EndpointSliceOptions : ControllerOptions {
  size_t endpoints_max = 100;  // --max-endpoints-per-slice
};

/// Writes what the plan says; `planned` is told the plan, `written` each slice as it was answered.
Status sync_slices(const SliceInputs& in, WriteLog& log, const std::function<void(const SlicePlan&)>& planned,
                   const std::function<void(const discoveryv1::EndpointSlice&)>& written);

/// Keeps the EndpointSlices of Services that have a selector. Kubernetes v1.32
/// pkg/controller/endpointslice.
class EndpointSliceController final : public Reconciler<EndpointSliceController, SliceInputs> {
 public:
  EndpointSliceController(const Env& env, const EndpointSliceOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  SliceInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const SliceInputs& in, WriteLog& log) override;

 private:
  size_t endpoints_max_;
  TriggerTimes triggers_;
  SliceTracker tracker_;
  std::set<Str> hinted_;  // Services with hints
};

}  // namespace orrery::control
