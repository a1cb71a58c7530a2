#include "engine/control/common/pod_control.h"

#include <algorithm>
#include <utility>

#include "engine/control/common/claim.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr size_t kNameMax = 253;  // of a DNS subdomain

}  // namespace

corev1::Pod pod_from_template(const corev1::PodTemplateSpec& pod_template,
                              const api::Object& owner) {
  corev1::Pod pod;
  const metav1::ObjectMeta& from = *pod_template.metadata;
  metav1::ObjectMeta& meta = pod.metadata.mut();
  meta.labels = from.labels;
  meta.annotations = from.annotations;
  meta.finalizers = from.finalizers;
  const Str& name = owner.meta().name;
  meta.generate_name = name.size() < kNameMax ? Str(str_cat(name, '-')) : name;
  meta.owner_references.push_back(controller_reference(owner));
  pod.spec = pod_template.spec;
  return pod;
}

ApiRequest create_pod_request(const api::Object& owner, corev1::Pod pod) {
  ApiRequest request = create_request(api::Object::of(std::move(pod)));
  request.ns = owner.meta().namespace_;
  return request;
}

ApiRequest delete_pod_request(const api::Object& pod) {
  return delete_request(*pod.kind(), pod.meta().namespace_, pod.meta().name);
}

Status judge_pod_creation(const api::Object& owner, const ApiResponse& response, WriteLog& log) {
  if (response.status) {
    log.event(owner, "Normal", "SuccessfulCreate",
              [&] { return str_cat("Created pod: ", response.object.meta().name); });
  } else if (!namespace_terminating(response)) {
    log.event(owner, "Warning", "FailedCreate",
              [&] { return str_cat("Error creating: ", response.status.message()); });
  }
  return response.status;
}

Status judge_pod_deletion(const api::Object& owner, const Str& name, const ApiResponse& response,
                          WriteLog& log) {
  if (response.status) {
    log.event(owner, "Normal", "SuccessfulDelete", [&] { return str_cat("Deleted pod: ", name); });
    return Status();
  }
  if (response.status.code() == Code::kNotFound) return response.status;
  log.event(owner, "Warning", "FailedDelete",
            [&] { return str_cat("Error deleting: ", response.status.message()); });
  return response.status.with_context("unable to delete pods");
}

bool namespace_terminating(const ApiResponse& response) {
  return std::any_of(response.causes.begin(), response.causes.end(),
                     [](const auto& cause) { return cause.reason == "NamespaceTerminating"; });
}

}  // namespace orrery::control
