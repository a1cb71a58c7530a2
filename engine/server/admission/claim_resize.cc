#include "engine/server/admission/claim_resize.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/storagev1.h"

namespace orrery::server {
namespace {

class PersistentVolumeClaimResize final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "PersistentVolumeClaimResize"; }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    const bool fits = request.operation == AdmissionRequest::Operation::kUpdate && request.subresource.empty() &&
                      request.object.is<corev1::PersistentVolumeClaim>();
    if (!fits) return {};
    const auto& fresh = request.object.get<corev1::PersistentVolumeClaim>();
    const auto& old = request.old.get<corev1::PersistentVolumeClaim>();
    const api::Quantity* wanted = fresh.spec->resources.requests.find("storage");
    const api::Quantity* had = old.spec->resources.requests.find("storage");
    if (!wanted || !had || *wanted <= *had) return {};
    const auto refuse = [&](std::string_view why) { return forbidden("", "persistentvolumeclaims", old.metadata->name, why); };
    if (old.status->phase != "Bound") return refuse("Only bound persistent volume claims can be expanded");
    const api::Object found = context.objects.find(*storagev1::StorageClass::descriptor().kind, "", fresh.spec->storage_class_name.value_or(Str()));
    if (found && found.get<storagev1::StorageClass>().allow_volume_expansion.value_or(false)) return {};
    return refuse("only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> claim_resize() { return std::make_unique<PersistentVolumeClaimResize>(); }

}  // namespace orrery::server
