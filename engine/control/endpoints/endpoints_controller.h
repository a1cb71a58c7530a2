#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/control/endpoints/service_pods.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct EndpointsOptions : ControllerOptions {};

struct EndpointsInputs {
  Str ns, name;
  api::Object service;    // null: it is gone
  api::Object endpoints;  // null: there are none
  std::vector<api::Object> pods;  // that the Service selects
  std::optional<Time> trigger;
  bool stale = false;     // the cache has not seen what was written last
};

/// `replaced` is called when the Endpoints that there were have been written over.
Status sync_endpoints(const EndpointsInputs& in, WriteLog& log, const std::function<void()>& replaced);

/// Keeps the Endpoints of Services that have a selector. Kubernetes v1.32 pkg/controller/endpoint.
class EndpointsController final : public Reconciler<EndpointsController, EndpointsInputs> {
 public:
  EndpointsController(const Env& env, const EndpointsOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  EndpointsInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const EndpointsInputs& in, WriteLog& log) override;

 private:
  TriggerTimes triggers_;
  std::map<Str, Str> replaced_;  // by key: the version that has been written over
};

}  // namespace orrery::control
