#pragma once

#include <functional>

#include "engine/control/endpoint_slice_mirroring/mirror_plan.h"
#include "engine/control/endpoint_slices/slice_parts.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct EndpointSliceMirroringOptions : ControllerOptions {
  EndpointSliceMirroringOptions() {
    retries.per_key = {Duration::seconds(1), Duration::seconds(100)};
  }
  size_t addresses_max = 1000;  // --mirroring-max-endpoints-per-subset
};

/// Writes what the plan says, with events about the Endpoints; `written` is told each slice as it
/// was answered, `removed` each that is gone.
Status sync_mirror(const MirrorInputs& in, WriteLog& log,
                   const std::function<void(const discoveryv1::EndpointSlice&)>& written,
                   const std::function<void(const Str&)>& removed);

/// Mirrors Endpoints that somebody writes by hand, for Services without a selector, to
/// EndpointSlices. Kubernetes v1.32 pkg/controller/endpointslicemirroring.
class EndpointSliceMirroringController final
    : public Reconciler<EndpointSliceMirroringController, MirrorInputs> {
 public:
  EndpointSliceMirroringController(const Env& env, const EndpointSliceMirroringOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  MirrorInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const MirrorInputs& in, WriteLog& log) override;
  void on_finished(const Ctx& ctx, const Str& key, const Status& status) override;

 private:
  enum Informers : size_t { kEndpoints, kServices, kSlices };
  enum SliceIndex : size_t { kSlicesByService };
  static constexpr uint32_t kRetriesMax = 15;

  size_t addresses_max_;
  SliceTracker tracker_;
};

}  // namespace orrery::control
