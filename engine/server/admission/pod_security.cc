#include "engine/server/admission/pod_security.h"

#include <map>

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/names.h"
#include "engine/server/admission/pod_security_policy.h"

namespace orrery::server {
namespace {

using Operation = AdmissionRequest::Operation;

const corev1::PodTemplateSpec* template_of(const api::Object& object) {
  if (const auto* o = object.as<corev1::PodTemplate>()) return &*o->template_;
  if (const auto* o = object.as<corev1::ReplicationController>()) return o->spec->template_.get();
  if (const auto* o = object.as<appsv1::ReplicaSet>()) return &*o->spec->template_;
  if (const auto* o = object.as<appsv1::Deployment>()) return &*o->spec->template_;
  if (const auto* o = object.as<appsv1::DaemonSet>()) return &*o->spec->template_;
  if (const auto* o = object.as<appsv1::StatefulSet>()) return &*o->spec->template_;
  if (const auto* o = object.as<batchv1::Job>()) return &*o->spec->template_;
  if (const auto* o = object.as<batchv1::CronJob>()) return &*o->spec->job_template.spec->template_;
  return nullptr;
}

bool is_ignored_subresource(std::string_view name) {
  constexpr std::string_view kIgnored[] = {"exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"};
  return std::find(std::begin(kIgnored), std::end(kIgnored), name) != std::end(kIgnored);
}

template <typename Containers>
bool same_images(const Containers& a, const Containers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return x.image == y.image; });
}

// Of what an update can change, images and new ephemeral containers are looked at.
bool is_significant(const corev1::PodSpec& fresh, const corev1::PodSpec& old) {
  if (!same_images(fresh.containers, old.containers) || !same_images(fresh.init_containers, old.init_containers)) return true;
  for (const auto& container : fresh.ephemeral_containers) {
    const auto& before = old.ephemeral_containers;
    const bool same = std::any_of(before.begin(), before.end(),
                                  [&](const auto& c) { return c.name == container.name && c.image == container.image; });
    if (!same) return true;
  }
  return false;
}

void warn(const PodSecurityRule& rule, const metav1::ObjectMeta& meta, const corev1::PodSpec& spec, AdmissionContext& context) {
  const auto violations = pod_security_violations(rule, meta, spec);
  if (violations.empty()) return;
  context.warnings.push_back(str_cat("would violate PodSecurity ", api::quoted(rule.to_string()), ": ", violation_details(violations)));
}

// Source of the keys: Kubernetes v1.32 pod-security-admission/api/constants.go.
void audit(const PodSecurityRule& rule, const metav1::ObjectMeta& meta, const corev1::PodSpec& spec, AdmissionContext& context) {
  const auto violations = pod_security_violations(rule, meta, spec);
  if (violations.empty()) return;
  context.annotate("pod-security.kubernetes.io/audit-violations",
                   str_cat("would violate PodSecurity ", api::quoted(rule.to_string()), ": ", violation_details(violations)));
}

// Pods that break the same rules are told of in one warning.
void warn_of_existing(const Str& ns, const PodSecurityRule& rule, AdmissionContext& context) {
  struct Group {
    Str first;
    size_t pods = 0;
    std::string reasons;
  };
  std::map<std::string, Group> groups;
  for (const api::Object& object : context.objects.list(*corev1::Pod::descriptor().kind, ns)) {
    const auto& pod = object.get<corev1::Pod>();
    const auto violations = pod_security_violations(rule, *pod.metadata, *pod.spec);
    if (violations.empty()) continue;
    Group& group = groups[violation_reasons(violations)];
    if (group.pods++ == 0) group.first = pod.metadata->name;
    group.reasons = violation_reasons(violations);
  }
  if (groups.empty()) return;
  context.warnings.push_back(str_cat("existing pods in namespace ", api::quoted(ns), " violate the new PodSecurity enforce level ",
                                     api::quoted(rule.to_string())));
  std::map<Str, Group> by_name;
  for (auto& [reasons, group] : groups) by_name[group.first] = group;
  for (const auto& [name, group] : by_name) {
    const std::string others = group.pods == 1   ? std::string()
                               : group.pods == 2 ? std::string(" (and 1 other pod)")
                                                 : str_cat(" (and ", group.pods - 1, " other pods)");
    context.warnings.push_back(str_cat(name, others, ": ", group.reasons));
  }
}

class PodSecurity final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "PodSecurity"; }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    if (!request.object || request.operation == Operation::kDelete) return {};
    if (request.object.is<corev1::Namespace>()) return validate_namespace(request, context);
    if (request.object.is<corev1::Pod>()) return validate_pod(request, context);
    if (request.subresource.empty()) validate_workload(request, context);
    return {};
  }

 private:
  static Refusal validate_namespace(const AdmissionRequest& request, AdmissionContext& context) {
    if (!request.subresource.empty()) return {};
    const Str& name = request.object.meta().name;
    const PodSecurityPolicy& defaults = context.configured().pod_security.defaults;
    const PodSecurityPolicy fresh = pod_security_policy(request.object.meta().labels, defaults);
    if (request.operation == Operation::kCreate) return invalid_refusal("", "Namespace", name, fresh.errors);
    const PodSecurityPolicy old = pod_security_policy(request.old.meta().labels, defaults);
    if (!same(fresh.errors, old.errors)) {
      const Refusal refusal = invalid_refusal("", "Namespace", name, fresh.errors);
      if (!refusal.is_ok()) return refusal;
    }
    if (lists(context.configured().pod_security.namespaces, name)) return {};
    const bool relaxed = fresh.enforce.minor == old.enforce.minor && fresh.enforce.level <= old.enforce.level;
    if (!relaxed && fresh.enforce.level != PodSecurityLevel::kPrivileged) warn_of_existing(name, fresh.enforce, context);
    return {};
  }
  static bool same(const FieldErrors& a, const FieldErrors& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const FieldError& x, const FieldError& y) { return x.field == y.field && x.detail == y.detail; });
  }

  static PodSecurityPolicy policy_of(const AdmissionRequest& request, AdmissionContext& context) {
    const api::Object ns = context.objects.find(*corev1::Namespace::descriptor().kind, "", request.ns);
    const PodSecurityPolicy& defaults = context.configured().pod_security.defaults;
    return ns ? pod_security_policy(ns.meta().labels, defaults) : defaults;
  }

  static bool lists(const std::vector<std::string>& all, std::string_view one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  }
  static bool is_exempt(const AdmissionRequest& request, const corev1::PodSpec& spec, AdmissionContext& context) {
    const PodSecuritySettings& settings = context.configured().pod_security;
    std::string_view reason;
    if (lists(settings.namespaces, request.ns)) reason = "namespace";
    else if (lists(settings.usernames, request.user.name)) reason = "user";
    else if (spec.runtime_class_name && lists(settings.runtime_classes, *spec.runtime_class_name)) reason = "runtimeClass";
    if (!reason.empty()) context.annotate("pod-security.kubernetes.io/exempt", reason);
    return !reason.empty();
  }

  static Refusal validate_pod(const AdmissionRequest& request, AdmissionContext& context) {
    if (is_ignored_subresource(request.subresource)) return {};
    const auto& pod = request.object.get<corev1::Pod>();
    if (request.operation == Operation::kUpdate && !is_significant(*pod.spec, *request.old.get<corev1::Pod>().spec)) return {};
    if (is_exempt(request, *pod.spec, context)) return {};
    const PodSecurityPolicy policy = policy_of(request, context);
    context.annotate("pod-security.kubernetes.io/enforce-policy", policy.enforce.to_string());
    audit(policy.audit, *pod.metadata, *pod.spec, context);
    const auto violations = pod_security_violations(policy.enforce, *pod.metadata, *pod.spec);
    if (!violations.empty())
      return forbidden("", "pods", pod.metadata->name,
                       str_cat("violates PodSecurity ", api::quoted(policy.enforce.to_string()), ": ", violation_details(violations)));
    warn(policy.warn, *pod.metadata, *pod.spec, context);
    return {};
  }

  static void validate_workload(const AdmissionRequest& request, AdmissionContext& context) {
    const corev1::PodTemplateSpec* pod = template_of(request.object);
    if (!pod || is_exempt(request, *pod->spec, context)) return;
    const PodSecurityPolicy policy = policy_of(request, context);
    audit(policy.audit, *pod->metadata, *pod->spec, context);
    warn(policy.warn, *pod->metadata, *pod->spec, context);
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> pod_security() { return std::make_unique<PodSecurity>(); }

}  // namespace orrery::server
