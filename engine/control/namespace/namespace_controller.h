#pragma once

#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

/// Retries and workers are those of Kubernetes v1.32 cmd/kube-controller-manager.
struct NamespaceOptions : ControllerOptions {
  NamespaceOptions() {
    workers = 10;
    retries.per_key.max = Duration::seconds(60);
  }
};

struct NamespaceInputs {
  Str name;  // "": it is gone
  std::vector<const api::KindDesc*> kinds;
  Time now;
};

/// Empties namespaces that are being deleted, says in their conditions what is in the way, and
/// takes the finalizer "kubernetes" off those that are empty.
/// Kubernetes v1.32 pkg/controller/namespace.
class NamespaceController final : public Reconciler<NamespaceController, NamespaceInputs> {
 public:
  NamespaceController(const Env& env, const NamespaceOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  NamespaceInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const NamespaceInputs& in, WriteLog& log) override;
};

}  // namespace orrery::control
