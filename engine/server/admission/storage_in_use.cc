#include "engine/server/admission/storage_in_use.h"

#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

class StorageObjectInUseProtection final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "StorageObjectInUseProtection"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext&) const override {
    if (request.operation != AdmissionRequest::Operation::kCreate || !request.subresource.empty()) return {};
    Str finalizer;
    if (request.object.is<corev1::PersistentVolumeClaim>()) finalizer = "kubernetes.io/pvc-protection";
    if (request.object.is<corev1::PersistentVolume>()) finalizer = "kubernetes.io/pv-protection";
    if (finalizer.empty()) return {};
    for (const Str& f : request.object.meta().finalizers)
      if (f == finalizer) return {};
    request.object.mut_meta().finalizers.push_back(finalizer);
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> storage_in_use() { return std::make_unique<StorageObjectInUseProtection>(); }

}  // namespace orrery::server
