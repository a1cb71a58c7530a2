#include "engine/server/admission/namespace_lifecycle.h"

#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

using Operation = AdmissionRequest::Operation;

const api::KindDesc& namespace_kind() { return *corev1::Namespace::descriptor().kind; }

bool is_immortal(std::string_view name) {
  return name == "default" || name == "kube-system" || name == "kube-public";
}

// Reviews ask about a namespace without storing anything in it.
bool is_access_review(const AdmissionRequest& request) {
  return request.kind->group == "authorization.k8s.io" && request.kind->kind == "LocalSubjectAccessReview";
}

Refusal terminating(const AdmissionRequest& request) {
  Refusal refusal = forbidden(request.kind->group, request.kind->plural, request.object.meta().name,
                              str_cat("unable to create new content in namespace ", request.ns,
                                      " because it is being terminated"));
  refusal.causes.push_back({"NamespaceTerminating", Str(str_cat("namespace ", request.ns, " is being terminated")),
                            "metadata.namespace"});
  return refusal;
}

class NamespaceLifecycle final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "NamespaceLifecycle"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    if (request.operation == Operation::kDelete && request.kind == &namespace_kind()) {
      if (!is_immortal(request.name)) return {};
      return forbidden("", "namespaces", request.name, "this namespace may not be deleted");
    }
    if (request.ns.empty() || request.kind == &namespace_kind() || is_access_review(request)) return {};
    if (request.operation != Operation::kCreate) return {};
    const api::Object found = context.objects.find(namespace_kind(), "", request.ns);
    if (!found) return server::not_found("", "namespaces", request.ns);
    const bool ending = found.get<corev1::Namespace>().status->phase == "Terminating";
    return ending ? terminating(request) : Refusal{};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> namespace_lifecycle() { return std::make_unique<NamespaceLifecycle>(); }

}  // namespace orrery::server
