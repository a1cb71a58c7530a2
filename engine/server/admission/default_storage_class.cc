#include "engine/server/admission/default_storage_class.h"

#include "engine/api/default_class.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/storagev1.h"

namespace orrery::server {
namespace {

class DefaultStorageClass final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "DefaultStorageClass"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    const bool fits = request.operation == AdmissionRequest::Operation::kCreate && request.subresource.empty() &&
                      request.object.is<corev1::PersistentVolumeClaim>();
    if (!fits) return {};
    const auto& claim = request.object.get<corev1::PersistentVolumeClaim>();
    if (claim.spec->storage_class_name || claim.metadata->annotations.contains("volume.beta.kubernetes.io/storage-class")) return {};
    const api::Object found =
        api::newest_default(context.objects.list(*storagev1::StorageClass::descriptor().kind, ""), api::kDefaultStorageClass);
    if (found) request.object.mut<corev1::PersistentVolumeClaim>().spec.mut().storage_class_name = Opt<Str>(found.meta().name);
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> default_storage_class() { return std::make_unique<DefaultStorageClass>(); }

}  // namespace orrery::server
