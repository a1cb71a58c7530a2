#include "engine/server/admission/matching.h"

#include <algorithm>

#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

using admissionregistrationv1::RuleWithOperations;

bool has(const List<Str>& texts, std::string_view wanted) {
  return std::any_of(texts.begin(), texts.end(), [&](const Str& text) { return text == "*" || text == wanted; });
}

// "pods", "pods/status", "pods/*", "*/*", ...
bool resource_matches(std::string_view pattern, std::string_view plural, std::string_view subresource) {
  const size_t slash = pattern.find('/');
  const std::string_view resource = pattern.substr(0, slash);
  const std::string_view sub = slash == std::string_view::npos ? std::string_view() : pattern.substr(slash + 1);
  return (resource == "*" || resource == plural) && (sub == "*" || sub == subresource);
}

bool scope_matches(const Opt<Str>& scope, const AdmissionRequest& request) {
  if (!scope || *scope == "*") return true;
  const bool cluster = request.ns.empty() || request.kind->plural == "namespaces";
  return (*scope == "Cluster") == cluster;
}

bool selects(const Ref<metav1::LabelSelector>& selector, const api::Labels& labels) {
  const auto parsed = api::Selector::of(selector.get());
  return parsed.is_ok() && parsed->matches(labels);
}

bool is_empty(const Ref<metav1::LabelSelector>& selector) {
  return !selector || (selector->match_labels.empty() && selector->match_expressions.empty());
}

}  // namespace

std::string_view operation_name(AdmissionRequest::Operation operation) {
  if (operation == AdmissionRequest::Operation::kCreate) return "CREATE";
  return operation == AdmissionRequest::Operation::kUpdate ? "UPDATE" : "DELETE";
}

bool rule_matches(const RuleWithOperations& rule, const AdmissionRequest& request, const api::KindDesc& kind) {
  const bool resource = std::any_of(rule.resources.begin(), rule.resources.end(), [&](const Str& pattern) {
    return resource_matches(pattern, kind.plural, request.subresource);
  });
  return resource && has(rule.operations, operation_name(request.operation)) && has(rule.api_groups, kind.group) &&
         has(rule.api_versions, kind.version) && scope_matches(rule.scope, request);
}

std::vector<const api::KindDesc*> other_versions(const api::KindDesc& kind) {
  std::vector<const api::KindDesc*> others;
  if (api::is_custom(kind)) {
    for (const auto& other : custom_version(kind).resource->versions)
      if (other->served && other.get() != &kind) others.push_back(other.get());
    return others;
  }
  const api::KindDesc& stored = storage_kind(kind);
  for (const api::KindDesc* other : api::all_kinds()) {
    const bool same = other != &kind && other->plural == kind.plural && other->kind == kind.kind;
    if (same && &storage_kind(*other) == &stored) others.push_back(other);
  }
  return others;
}

bool namespace_selected(const Ref<metav1::LabelSelector>& selector, const AdmissionRequest& request, const AdmissionContext& context) {
  if (is_empty(selector)) return true;
  const bool is_namespace = request.kind->plural == "namespaces" && request.kind->group.empty();
  if (is_namespace && request.object && request.object.is<corev1::Namespace>()) return selects(selector, request.object.meta().labels);
  if (is_namespace && request.old) return selects(selector, request.old.meta().labels);
  if (request.ns.empty()) return true;
  const api::Object ns = context.objects.find(*corev1::Namespace::descriptor().kind, "", request.ns);
  return ns && selects(selector, ns.meta().labels);
}

bool object_selected(const Ref<metav1::LabelSelector>& selector, const AdmissionRequest& request) {
  if (is_empty(selector)) return true;
  const auto one = [&](const api::Object& object) { return object && object.has_meta() && selects(selector, object.meta().labels); };
  return one(request.object) || one(request.old);
}

bool is_admission_configuration(const api::KindDesc& kind) { return kind.group == "admissionregistration.k8s.io"; }

}  // namespace orrery::server
