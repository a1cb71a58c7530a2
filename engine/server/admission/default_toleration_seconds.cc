#include "engine/server/admission/default_toleration_seconds.h"

#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

constexpr int64_t kSeconds = 300;

bool tolerates(const corev1::PodSpec& spec, std::string_view taint) {
  for (const corev1::Toleration& t : spec.tolerations)
    if ((t.key == taint || t.key.empty()) && (t.effect == "NoExecute" || t.effect.empty())) return true;
  return false;
}

class DefaultTolerationSeconds final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "DefaultTolerationSeconds"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext&) const override {
    const bool fits = request.subresource.empty() && request.object && request.object.is<corev1::Pod>();
    if (!fits || request.operation == AdmissionRequest::Operation::kDelete) return {};
    for (const char* taint : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
      if (tolerates(*request.object.get<corev1::Pod>().spec, taint)) continue;
      corev1::Toleration toleration;
      toleration.key = taint;
      toleration.operator_ = "Exists";
      toleration.effect = "NoExecute";
      toleration.toleration_seconds = kSeconds;
      request.object.mut<corev1::Pod>().spec.mut().tolerations.push_back(std::move(toleration));
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> default_toleration_seconds() { return std::make_unique<DefaultTolerationSeconds>(); }

}  // namespace orrery::server
