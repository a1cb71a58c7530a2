#pragma once

#include <string>
#include <vector>

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/admission/chain.h"

namespace orrery::server {

/// What mutating and validating webhooks have in common, and where they come from.
struct Hook {
  std::string id;  // configuration/name
  Str name;
  admissionregistrationv1::WebhookClientConfig client;
  List<admissionregistrationv1::RuleWithOperations> rules;
  bool ignores_failure = false;
  bool equivalent = true;  // matchPolicy
  Ref<metav1::LabelSelector> namespace_selector, object_selector;
  bool has_side_effects = true;
  Duration timeout;
  List<admissionregistrationv1::MatchCondition> conditions;
  bool asked_again = false;  // reinvocationPolicy IfNeeded
};

/// The webhooks of all configurations, by the configurations' names.
std::vector<Hook> mutating_hooks(const ObjectLister& objects);
std::vector<Hook> validating_hooks(const ObjectLister& objects);

/// The kind as which a webhook sees the request: that of the request, or another version of the same
/// resource that its rules name; nullptr: the webhook is not asked.
/// Source: Kubernetes v1.32 webhook/generic.ShouldCallHook, webhook/predicates.
const api::KindDesc* matched_kind(const Hook& hook, const AdmissionRequest& request, const AdmissionContext& context);

}  // namespace orrery::server
