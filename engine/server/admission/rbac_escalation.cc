#include "engine/server/admission/rbac_escalation.h"

#include "engine/server/auth/escalation.h"

namespace orrery::server {
namespace {

class RbacEscalation final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "RBACEscalation"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    if (!request.object || request.kind->group != "rbac.authorization.k8s.io") return {};
    if (is_own(request) || context.authorizer == nullptr) return {};
    api::Object object = request.object;
    if (object.meta().namespace_ != request.ns) object.mut_meta().namespace_ = request.ns;
    return check_escalation(object, request.old, request.user, *context.authorizer);
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> rbac_escalation() { return std::make_unique<RbacEscalation>(); }

}  // namespace orrery::server
