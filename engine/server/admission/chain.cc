#include "engine/server/admission/chain.h"

namespace orrery::server {

Refusal AdmissionPlugin::mutate(AdmissionRequest&, AdmissionContext&) const { return {}; }

Refusal AdmissionPlugin::validate(const AdmissionRequest&, AdmissionContext&) const { return {}; }

const AdmissionSettings& AdmissionContext::configured() const {
  static const AdmissionSettings kNone;
  return settings ? *settings : kNone;
}

Refusal AdmissionChain::mutate(AdmissionRequest& request, AdmissionContext& context) const {
  context.settings = &settings_;
  Refusal refusal = mutate_once(request, context);
  if (!refusal.is_ok() || context.call || !context.webhooks.changed) return refusal;
  context.webhooks.again = true;
  return mutate_once(request, context);
}

Refusal AdmissionChain::mutate_once(AdmissionRequest& request, AdmissionContext& context) const {
  for (const auto& plugin : plugins_) {
    Refusal refusal = plugin->mutate(request, context);
    if (!refusal.is_ok() || context.call) return refusal;
  }
  return {};
}

Refusal AdmissionChain::validate(const AdmissionRequest& request, AdmissionContext& context) const {
  context.settings = &settings_;
  for (const auto& plugin : plugins_) {
    Refusal refusal = plugin->validate(request, context);
    if (!refusal.is_ok() || context.call) return refusal;
  }
  return {};
}

}  // namespace orrery::server
