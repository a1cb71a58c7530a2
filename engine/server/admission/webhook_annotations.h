#pragma once

#include "engine/api/json_value.h"
#include "engine/server/admission/chain.h"
#include "engine/server/admission/webhook_hook.h"

namespace orrery::server {

/// What audit events tell of webhooks. `round` is 1 when they are asked again; `index` is the place
/// among all mutating webhooks, or among the validating ones that are asked.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go.
class WebhookAnnotator {
 public:
  WebhookAnnotator(AdmissionContext& context, const Hook& hook, int round, size_t index);
  void mutated(bool changed);
  void patched(const api::Json& patch);
  /// It could not be asked, and nobody minds.
  void failed_open(bool mutating);

 private:
  api::Json names() const;

  AdmissionContext& context_;
  const Hook& hook_;
  std::string place_;
};

/// Annotations of these keys are only for audit events that tell the request.
constexpr std::string_view kPatchAnnotation = "patch.webhook.admission.k8s.io/";

}  // namespace orrery::server
