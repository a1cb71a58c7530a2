#include "engine/server/admission/priority.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/schedulingv1.h"

namespace orrery::server {
namespace {

using Operation = AdmissionRequest::Operation;
using schedulingv1::PriorityClass;

const api::KindDesc& class_kind() { return *PriorityClass::descriptor().kind; }

// Of several classes that call themselves the default, the one of the lowest value.
api::Object default_class(const ObjectLister& objects) {
  api::Object best;
  for (const api::Object& object : objects.list(class_kind(), "")) {
    const auto& candidate = object.get<PriorityClass>();
    if (candidate.global_default && (!best || candidate.value < best.get<PriorityClass>().value)) best = object;
  }
  return best;
}

class Priority final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "Priority"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    if (!request.subresource.empty() || !request.object || !request.object.is<corev1::Pod>()) return {};
    if (request.operation == Operation::kUpdate) return keep_priority(request);
    if (request.operation != Operation::kCreate) return {};
    const auto& pod = request.object.get<corev1::Pod>();
    api::Object found;
    const Str wanted = pod.spec->priority_class_name;
    if (wanted.empty()) {
      found = default_class(context.objects);
    } else {
      found = context.objects.find(class_kind(), "", wanted);
      if (!found) return refuse(pod, str_cat("no PriorityClass with name ", wanted, " was found"));
    }
    return set_priority(request.object, found);
  }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    if (!request.object || !request.object.is<PriorityClass>() || !request.object.get<PriorityClass>().global_default) return {};
    const Str name = request.object.meta().name;
    const api::Object other = default_class(context.objects);
    if (!other || (request.operation == Operation::kUpdate && other.meta().name == name)) return {};
    return forbidden(class_kind().group, class_kind().plural, name,
                     str_cat("PriorityClass ", other.meta().name, " is already marked as default. Only one default can exist"));
  }

 private:
  static Refusal refuse(const corev1::Pod& pod, std::string_view why) {
    return forbidden("", "pods", pod.metadata->name, why);
  }

  static Refusal keep_priority(AdmissionRequest& request) {
    const auto& old = request.old.get<corev1::Pod>();
    const auto& fresh = request.object.get<corev1::Pod>();
    if (old.spec->priority && !fresh.spec->priority) request.object.mut<corev1::Pod>().spec.mut().priority = old.spec->priority;
    if (old.spec->preemption_policy && !fresh.spec->preemption_policy)
      request.object.mut<corev1::Pod>().spec.mut().preemption_policy = old.spec->preemption_policy;
    return {};
  }

  static Refusal set_priority(api::Object& object, const api::Object& found) {
    const auto& pod = object.get<corev1::Pod>();
    int32_t value = 0;
    Str policy = "PreemptLowerPriority";
    if (found) {
      value = found.get<PriorityClass>().value;
      policy = found.get<PriorityClass>().preemption_policy.value_or(policy);
    }
    if (pod.spec->priority && *pod.spec->priority != value)
      return refuse(pod, str_cat("the integer value of priority (", int64_t{*pod.spec->priority},
                                 ") must not be provided in pod spec; priority admission controller computed ", int64_t{value},
                                 " from the given PriorityClass name"));
    if (pod.spec->preemption_policy && *pod.spec->preemption_policy != policy)
      return refuse(pod, str_cat("the string value of PreemptionPolicy (", *pod.spec->preemption_policy,
                                 ") must not be provided in pod spec; priority admission controller computed ", policy,
                                 " from the given PriorityClass name"));
    auto& spec = object.mut<corev1::Pod>().spec.mut();
    if (found) spec.priority_class_name = found.meta().name;
    spec.priority = value;
    spec.preemption_policy = policy;
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> priority() { return std::make_unique<Priority>(); }

}  // namespace orrery::server
