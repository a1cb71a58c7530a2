#include "engine/server/admission/taint_nodes_by_condition.h"

#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

class TaintNodesByCondition final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "TaintNodesByCondition"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext&) const override {
    const bool fits = request.operation == AdmissionRequest::Operation::kCreate && request.subresource.empty() &&
                      request.object.is<corev1::Node>();
    if (!fits) return {};
    corev1::Taint taint;
    taint.key = "node.kubernetes.io/not-ready";
    taint.effect = "NoSchedule";
    auto& spec = request.object.mut<corev1::Node>().spec.mut();
    for (const corev1::Taint& t : spec.taints)
      if (t.key == taint.key && t.effect == taint.effect) return {};
    spec.taints.push_back(std::move(taint));
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> taint_nodes_by_condition() { return std::make_unique<TaintNodesByCondition>(); }

}  // namespace orrery::server
