#pragma once

#include <string>

#include "engine/api/json_value.h"
#include "engine/server/admission/webhook_hook.h"

namespace orrery::server {

/// The document that asks a webhook: admission.k8s.io/v1 AdmissionReview.
std::string review_request(const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind,
                           std::string_view uid);

/// The request without the objects that it is about, as reviews and expressions see it: kind, resource, name,
/// operation, userInfo, ...
api::Json review_attributes(const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind);
/// What the client asked for besides: dryRun and options.
void set_review_options(const AdmissionRequest& request, const AdmissionContext& context, api::Json& body);
/// The name that the request is about; "" where there is none (objects of a deleted collection).
Str request_name(const AdmissionRequest& request);

/// An object in another version of its resource; null: context.convert has no answer yet.
api::Object converted_to(const api::Object& object, const api::KindDesc& kind, const AdmissionContext& context);
/// An object in the version that was asked for; null: none. Bodies of subresources are what they are.
api::Json object_seen_as(const api::Object& object, const api::KindDesc& kind, const AdmissionContext& context);
/// The new object; a patched one is of the version that it was patched in.
api::Object seen_object(const AdmissionRequest& request, const ApiRequest& source);

/// What a webhook has answered.
struct ReviewAnswer {
  std::string failure;  // why there is no usable answer; "": there is one
  bool allowed = false;
  Ref<metav1::Status> status;  // with a refusal
  std::vector<Str> warnings;
  std::vector<std::pair<Str, Str>> annotations;  // of the audit event
  api::Json patch;             // null: none
};

/// Reads the outcome of a call. `url` is what was called, for messages.
/// Source of the checks and their texts: Kubernetes v1.32 webhook/request.VerifyAdmissionResponse.
ReviewAnswer read_review(const HttpCallOutcome& outcome, std::string_view url, std::string_view uid, bool mutating);

/// A refusal in a webhook's name.
Refusal webhook_refusal(std::string_view name, const Ref<metav1::Status>& status);

}  // namespace orrery::server
