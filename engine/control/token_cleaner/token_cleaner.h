#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct TokenCleanerOptions : ControllerOptions {};

struct TokenCleanerInputs {
  Time now;
  api::Object secret;  // null: it is gone
};

/// Deletes bootstrap tokens that have expired. Kubernetes v1.32
/// pkg/controller/bootstrap/tokencleaner.go.
class TokenCleaner final : public Reconciler<TokenCleaner, TokenCleanerInputs> {
 public:
  TokenCleaner(const Env& env, const TokenCleanerOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  TokenCleanerInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const TokenCleanerInputs& in, WriteLog& log) override;
};

}  // namespace orrery::control
