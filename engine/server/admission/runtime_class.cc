#include "engine/server/admission/runtime_class.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/nodev1.h"
#include "engine/api/semantic.h"

namespace orrery::server {
namespace {

bool same_resources(const Map<api::Quantity>& a, const Map<api::Quantity>& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, value] : a) {
    const api::Quantity* other = b.find(name);
    if (!other || *other != value) return false;
  }
  return true;
}

class RuntimeClass final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "RuntimeClass"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    if (!is_new_pod(request)) return {};
    const auto& pod = request.object.get<corev1::Pod>();
    if (!pod.spec->runtime_class_name) return {};
    const api::Object found = find_class(pod, context);
    if (!found) return missing(pod);
    const auto& wanted = found.get<nodev1::RuntimeClass>();
    if (wanted.overhead) {
      const auto& fixed = wanted.overhead->pod_fixed;
      if (!pod.spec->overhead.empty() && !same_resources(pod.spec->overhead, fixed))
        return refuse(pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
      request.object.mut<corev1::Pod>().spec.mut().overhead = fixed;
    }
    return wanted.scheduling ? add_scheduling(request.object, *wanted.scheduling) : Refusal{};
  }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    if (!is_new_pod(request)) return {};
    const auto& pod = request.object.get<corev1::Pod>();
    const api::Object found = pod.spec->runtime_class_name ? find_class(pod, context) : api::Object();
    if (pod.spec->overhead.empty()) return {};
    if (!found || !found.get<nodev1::RuntimeClass>().overhead)
      return refuse(pod, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    return {};
  }

 private:
  static bool is_new_pod(const AdmissionRequest& request) {
    return request.operation == AdmissionRequest::Operation::kCreate && request.subresource.empty() &&
           request.object.is<corev1::Pod>();
  }
  static api::Object find_class(const corev1::Pod& pod, AdmissionContext& context) {
    return context.objects.find(*nodev1::RuntimeClass::descriptor().kind, "", *pod.spec->runtime_class_name);
  }
  static Refusal refuse(const corev1::Pod& pod, std::string_view why) { return forbidden("", "pods", pod.metadata->name, why); }
  static Refusal missing(const corev1::Pod& pod) {
    return refuse(pod, str_cat("pod rejected: RuntimeClass \"", *pod.spec->runtime_class_name, "\" not found"));
  }

  static Refusal add_scheduling(api::Object& object, const nodev1::Scheduling& scheduling) {
    auto& pod = object.mut<corev1::Pod>();
    auto& spec = pod.spec.mut();
    for (const auto& [key, value] : scheduling.node_selector) {
      const Str* asked = spec.node_selector.find(key);
      if (asked && *asked != value)
        return refuse(pod, str_cat("conflict: runtimeClass.scheduling.nodeSelector[", key, "] = ", value,
                                   "; pod.spec.nodeSelector[", key, "] = ", *asked));
      spec.node_selector.set(key, value);
    }
    for (const corev1::Toleration& toleration : scheduling.tolerations) {
      bool there = false;
      for (const corev1::Toleration& t : spec.tolerations) there = there || api::semantic_equal(t, toleration);
      if (!there) spec.tolerations.push_back(toleration);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> runtime_class() { return std::make_unique<RuntimeClass>(); }

}  // namespace orrery::server
