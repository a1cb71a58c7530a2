#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/ports/component.h"
#include "engine/ports/token_signer.h"
#include "engine/sched/scheduler.h"
#include "realmode/loop/loop.h"

namespace orrery::realmode {

/// The scheduler and the controllers of a cluster beside its API server: the same components that a
/// simulated world has, on the loop of this process. To be made before the loop has a worker.
class ControlPlane {
 public:
  /// `api`, the signer of service account tokens and the loop outlive it; the loop's worker has been
  /// stopped when it ends. The authority is what kube-root-ca.crt has in every namespace.
  ControlPlane(Loop* loop, Api* api, const TokenSigner* signer, std::string_view root_ca_pem);

 private:
  /// `qps_factor` and `burst_factor` raise the usual limits of a controller's client.
  template <typename T, typename Options>
  void add(Options options, int qps_factor = 1, int burst_factor = 1);

  Loop* loop_;
  Env env_;
  std::unique_ptr<sched::Scheduler> scheduler_;
  std::vector<std::unique_ptr<Component>> controllers_;
};

}  // namespace orrery::realmode
