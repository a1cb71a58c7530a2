#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/resources.h"

namespace orrery::server {

/// How strict the rules for pod specs are: old objects may keep what was allowed when they were made.
struct PodRules {
  bool is_pod = false;  // a pod, not a template
  bool any_label_values = false;
  bool any_spread_selectors = false;
  bool any_deletion_cost = false;
  bool any_sysctl_namespaces = false;
  bool allow_privileged = true;
  ResourceRules resources;

  /// The rules for an object that replaces one with this spec.
  static PodRules replacing(const corev1::PodSpec& old);
};

/// Pod specs and templates. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.
/// `meta`: of a pod, nullptr for templates.
void check_pod_spec(const corev1::PodSpec& spec, const metav1::ObjectMeta* meta, const PodRules& rules, const Path& at,
                    Findings& findings);
void check_pod_template(const corev1::PodTemplateSpec& tmpl, const PodRules& rules, const Path& at, Findings& findings);
void check_pod_annotations(const Map<Str>& annotations, const corev1::PodSpec& spec, const PodRules& rules, const Path& at,
                           Findings& findings);

}  // namespace orrery::server
