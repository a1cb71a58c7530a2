#include "engine/server/admission/chain.h"

namespace orrery::server {

Refusal AdmissionPlugin::mutate(AdmissionRequest&, AdmissionContext&) const { return {}; }

Refusal AdmissionPlugin::validate(const AdmissionRequest&, AdmissionContext&) const { return {}; }

const AdmissionSettings& AdmissionContext::configured() const {
  static const AdmissionSettings kNone;
  return settings ? *settings : kNone;
}

void AdmissionContext::annotate(std::string_view key, std::string_view value) {
  if (annotations && !annotations->contains(key)) annotations->set(Str(key), Str(value));
}

Refusal AdmissionChain::mutate(AdmissionRequest& request, AdmissionContext& context) const {
  context.settings = &settings_;
  context.programs = &programs_;
  Refusal refusal = mutate_once(request, context);
  if (!refusal.is_ok() || context.call || context.waits || !context.webhooks.changed) return refusal;
  context.webhooks.again = true;
  return mutate_once(request, context);
}

Refusal AdmissionChain::mutate_once(AdmissionRequest& request, AdmissionContext& context) const {
  for (const auto& plugin : plugins_) {
    Refusal refusal = plugin->mutate(request, context);
    if (!refusal.is_ok() || context.call || context.waits) return refusal;
  }
  return {};
}

Refusal AdmissionChain::validate(const AdmissionRequest& request, AdmissionContext& context) const {
  context.settings = &settings_;
  context.programs = &programs_;
  for (const auto& plugin : plugins_) {
    Refusal refusal = plugin->validate(request, context);
    if (!refusal.is_ok() || context.call || context.waits) return refusal;
  }
  return {};
}

}  // namespace orrery::server
