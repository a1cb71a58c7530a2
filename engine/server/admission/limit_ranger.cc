#include "engine/server/admission/limit_ranger.h"

#include "engine/api/names.h"
#include "engine/server/admission/limits.h"

namespace orrery::server {
namespace {

using Operation = AdmissionRequest::Operation;

std::vector<api::Object> ranges(const AdmissionRequest& request, AdmissionContext& context) {
  return context.objects.list(*corev1::LimitRange::descriptor().kind, request.ns);
}

class LimitRanger final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "LimitRanger"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    if (!is_limited(request) || !request.object.is<corev1::Pod>()) return {};
    for (const api::Object& range : ranges(request, context))
      apply_limit_defaults(range.get<corev1::LimitRange>(), request.object.mut<corev1::Pod>());
    return {};
  }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    if (!is_limited(request)) return {};
    const auto* pod = request.object.as<corev1::Pod>();
    for (const api::Object& object : ranges(request, context)) {
      const auto& range = object.get<corev1::LimitRange>();
      const std::vector<std::string> errors =
          pod ? check_limits(range, *pod) : check_limits(range, request.object.get<corev1::PersistentVolumeClaim>());
      if (errors.empty()) continue;
      return forbidden(request.kind->group, request.kind->plural, request.object.meta().name, api::aggregate(errors));
    }
    return {};
  }

 private:
  static bool is_limited(const AdmissionRequest& request) {
    if (!request.subresource.empty() || !request.object) return false;
    if (request.old && request.old.meta().deletion_timestamp) return false;
    if (request.object.is<corev1::Pod>()) return request.operation == Operation::kCreate;
    return request.object.is<corev1::PersistentVolumeClaim>();
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> limit_ranger() { return std::make_unique<LimitRanger>(); }

}  // namespace orrery::server
