#pragma once

#include "engine/api/gen/batchv1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct TtlOptions : ControllerOptions {};

struct TtlInputs {
  Time now;
  api::Object job;  // null: it is gone
};

/// Deletes finished Jobs ttlSecondsAfterFinished seconds after their end.
/// Kubernetes v1.32 pkg/controller/ttlafterfinished.
class TtlController final : public Reconciler<TtlController, TtlInputs> {
 public:
  TtlController(const Env& env, const TtlOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  TtlInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const TtlInputs& in, WriteLog& log) override;

 private:
  /// Whether the Job's time is over; asks for another sync if it has some left.
  static Result<bool> expired(const batchv1::Job& job, Time now, WriteLog& log);
};

}  // namespace orrery::control
