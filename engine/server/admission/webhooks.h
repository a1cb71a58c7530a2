#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// MutatingAdmissionWebhook and ValidatingAdmissionWebhook: ask the services that are registered for
/// a request, one after the other, and do as they say.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/webhook.
std::unique_ptr<AdmissionPlugin> mutating_webhook();
std::unique_ptr<AdmissionPlugin> validating_webhook();

}  // namespace orrery::server
