#include "engine/server/admission/default_ingress_class.h"

#include "engine/api/default_class.h"
#include "engine/api/gen/networkingv1.h"

namespace orrery::server {
namespace {

class DefaultIngressClass final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "DefaultIngressClass"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    const bool fits = request.operation == AdmissionRequest::Operation::kCreate && request.subresource.empty() &&
                      request.object.is<networkingv1::Ingress>();
    if (!fits) return {};
    const auto& ingress = request.object.get<networkingv1::Ingress>();
    if (ingress.spec->ingress_class_name || ingress.metadata->annotations.contains("kubernetes.io/ingress.class")) return {};
    const api::Object found = api::newest_default(context.objects.list(*networkingv1::IngressClass::descriptor().kind, ""), api::kDefaultIngressClass);
    if (found) request.object.mut<networkingv1::Ingress>().spec.mut().ingress_class_name = Opt<Str>(found.meta().name);
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> default_ingress_class() { return std::make_unique<DefaultIngressClass>(); }

}  // namespace orrery::server
