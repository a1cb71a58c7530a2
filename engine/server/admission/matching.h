#pragma once

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/admission/chain.h"

namespace orrery::server {

/// What webhooks and admission policies may ask of a request.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/webhook/{predicates,generic}, policy/matching.

/// Operation, resource and scope fit, if the request's resource is that of `kind`.
bool rule_matches(const admissionregistrationv1::RuleWithOperations& rule, const AdmissionRequest& request, const api::KindDesc& kind);

/// The kind as which `fits` sees the request: that of the request, or, if `equivalent`, another version of
/// the same resource; nullptr: none.
template <typename Fits>
const api::KindDesc* kind_that(const AdmissionRequest& request, bool equivalent, Fits fits);

/// The labels of the request's namespace, or of the namespace that it is about.
bool namespace_selected(const Ref<metav1::LabelSelector>& selector, const AdmissionRequest& request, const AdmissionContext& context);
/// The labels of the object, or of what it replaces.
bool object_selected(const Ref<metav1::LabelSelector>& selector, const AdmissionRequest& request);

/// Nothing may keep the configuration of admission from being mended.
bool is_admission_configuration(const api::KindDesc& kind);

/// "CREATE", "UPDATE" or "DELETE".
std::string_view operation_name(AdmissionRequest::Operation operation);

/// Other kinds by which the same resource is served, with custom ones.
std::vector<const api::KindDesc*> other_versions(const api::KindDesc& kind);

template <typename Fits>
const api::KindDesc* kind_that(const AdmissionRequest& request, bool equivalent, Fits fits) {
  if (fits(*request.kind)) return request.kind;
  if (!equivalent) return nullptr;
  for (const api::KindDesc* other : other_versions(*request.kind))
    if (fits(*other)) return other;
  return nullptr;
}

}  // namespace orrery::server
