#include "engine/server/object_rules.h"

#include <algorithm>
#include <array>

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/api/names.h"
#include "engine/api/pod_resources.h"
#include "engine/api/reflect.h"
#include "engine/api/semantic.h"

namespace orrery::server {
namespace {

struct Row {
  std::string_view group, kind;
  ObjectRules rules;
};
constexpr Row kRows[] = {
    {"", "Node", {false, true, false}},
    {"", "ReplicationController", {true, false, false}},
    {"apps", "DaemonSet", {true, false, false}},
    {"apps", "Deployment", {true, false, true}},
    {"apps", "ReplicaSet", {true, false, false}},
    {"apps", "StatefulSet", {true, false, false}},
    {"batch", "Job", {true, false, false}},
    {"networking.k8s.io", "Ingress", {true, false, false}},
    {"networking.k8s.io", "NetworkPolicy", {true, false, false}},
    {"policy", "PodDisruptionBudget", {true, false, false}},
    {"apiextensions.k8s.io", "CustomResourceDefinition", {true, false, false}},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", {true, false, false}},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", {true, false, false}},
    {"resource.k8s.io", "ResourceSlice", {true, false, false}},
};

void take_field(api::Object& to, const api::Object& from, std::string_view name) {
  if (const api::FieldDesc* field = api::find_field(*to.type(), name)) api::assign_field(*field, to.mut_data(), from.data());
}

bool field_equal(const api::Object& a, const api::Object& b, std::string_view name) {
  const api::FieldDesc* field = api::find_field(*a.type(), name);
  if (!field || !field->type) return true;
  const void* x = api::struct_at(*field, a.data());
  const void* y = api::struct_at(*field, b.data());
  return x && y ? api::semantic_equal(*field->type, x, y) : x == y;
}

}  // namespace

const ObjectRules& rules_of(const api::KindDesc& kind) {
  static constexpr ObjectRules kCommon;
  for (const Row& row : kRows)
    if (row.kind == kind.kind && row.group == kind.group) return row.rules;
  return kCommon;
}

bool has_status(const api::KindDesc& kind) {
  const std::string padded = str_cat(" ", kind.subresources, " ");
  return padded.find(" status ") != std::string::npos;
}

void prepare_for_create(api::Object& object) {
  const ObjectRules& rules = rules_of(*object.kind());
  if (has_status(*object.kind()) && !rules.keeps_status_on_create)
    take_field(object, api::Object::make(*object.type()), "status");
  if (rules.has_generation) object.mut_meta().generation = 1;
  if (object.is<corev1::Pod>()) {
    auto& pod = object.mut<corev1::Pod>();
    auto& status = pod.status.mut();
    static const Str kPending = Str::literal("Pending");
    status.phase = kPending;
    status.qos_class = api::qos_class(*pod.spec);
  } else if (object.is<corev1::Namespace>()) {
    object.mut<corev1::Namespace>().status.mut().phase = "Active";
  }
}

void prepare_for_update(api::Object& fresh, const api::Object& old, std::string_view subresource) {
  const api::KindDesc& kind = *fresh.kind();
  const ObjectRules& rules = rules_of(kind);
  const auto& before = old.meta();
  auto& meta = fresh.mut_meta();
  meta.uid = before.uid;
  meta.creation_timestamp = before.creation_timestamp;
  meta.deletion_timestamp = before.deletion_timestamp;
  meta.deletion_grace_period_seconds = before.deletion_grace_period_seconds;
  meta.generation = before.generation;
  meta.generate_name = before.generate_name;
  if (subresource == "status") {
    take_field(fresh, old, "spec");
    if (rules.status_keeps_labels) fresh.mut_meta().labels = before.labels;
  } else if (has_status(kind)) {
    take_field(fresh, old, "status");
  }
  if (rules.has_generation && subresource != "status" && !field_equal(fresh, old, "spec")) ++fresh.mut_meta().generation;
}

namespace {

void check_meta(const api::Object& object, FieldErrors& errors) {
  const auto& meta = object.meta();
  const bool namespaced = object.kind()->namespaced;
  if (meta.name.empty()) {
    errors.push_back(FieldError::required("metadata.name", "name or generateName is required"));
  } else {
    const bool rbac = object.kind()->group == "rbac.authorization.k8s.io" || object.kind()->group == "apiregistration.k8s.io";
    const bool label_name = object.is<corev1::Service>() || object.is<corev1::Namespace>();
    const auto wrong = rbac ? std::vector<std::string>() : label_name ? api::check_dns1123_label(meta.name) : api::check_dns1123_subdomain(meta.name);
    for (const std::string& w : wrong) errors.push_back(FieldError::invalid("metadata.name", api::quoted(meta.name), w));
  }
  if (namespaced && meta.namespace_.empty()) errors.push_back(FieldError::required("metadata.namespace"));
  if (!namespaced && !meta.namespace_.empty()) errors.push_back(FieldError::forbidden("metadata.namespace", "not allowed on this type"));
  for (const auto& [key, value] : meta.labels) {
    for (const std::string& w : api::check_qualified_name(key)) errors.push_back(FieldError::invalid("metadata.labels", api::quoted(key), w));
    for (const std::string& w : api::check_label_value(value)) errors.push_back(FieldError::invalid("metadata.labels", api::quoted(value), w));
  }
}

void check_resources(const corev1::ResourceRequirements& resources, const std::string& path, FieldErrors& errors) {
  const auto negative = [&](const Map<api::Quantity>& list, const char* which) {
    for (const auto& [name, quantity] : list)
      if (quantity.sign() < 0)
        errors.push_back(FieldError::invalid(str_cat(path, ".", which, "[", name, "]"), api::quoted(quantity.to_string()),
                                             "must be greater than or equal to 0"));
  };
  negative(resources.limits, "limits");
  negative(resources.requests, "requests");
  for (const auto& [name, request] : resources.requests) {
    const api::Quantity* limit = resources.limits.find(name);
    if (limit && request > *limit)
      errors.push_back(FieldError::invalid(str_cat(path, ".requests"), api::quoted(request.to_string()),
                                           str_cat("must be less than or equal to ", name, " limit of ", limit->to_string())));
  }
}

void check_containers(const List<corev1::Container>& containers, const std::string& path, FieldErrors& errors) {
  for (size_t i = 0; i < containers.size(); ++i) {
    const auto& c = containers[i];
    const std::string at = str_cat(path, "[", uint64_t{i}, "]");
    if (c.name.empty()) errors.push_back(FieldError::required(at + ".name"));
    else
      for (const std::string& w : api::check_dns1123_label(c.name)) errors.push_back(FieldError::invalid(at + ".name", api::quoted(c.name), w));
    for (size_t k = 0; k < i; ++k)
      if (!c.name.empty() && containers[k].name == c.name) {
        errors.push_back({at + ".name", "FieldValueDuplicate", "Duplicate value: " + api::quoted(c.name)});
        break;
      }
    if (c.image.empty()) errors.push_back(FieldError::required(at + ".image"));
    check_resources(c.resources, at + ".resources", errors);
  }
}

void check_pod_spec(const corev1::PodSpec& spec, const std::string& path, FieldErrors& errors) {
  if (spec.containers.empty()) errors.push_back(FieldError::required(path + ".containers"));
  check_containers(spec.containers, path + ".containers", errors);
  check_containers(spec.init_containers, path + ".initContainers", errors);
  const auto& policy = spec.restart_policy;
  if (policy != "Always" && policy != "OnFailure" && policy != "Never")
    errors.push_back(FieldError::not_supported(path + ".restartPolicy", policy, {"Always", "OnFailure", "Never"}));
  if (spec.termination_grace_period_seconds && *spec.termination_grace_period_seconds < 0)
    errors.push_back(FieldError::invalid(path + ".terminationGracePeriodSeconds", str_cat(*spec.termination_grace_period_seconds),
                                         "must be greater than or equal to 0"));
}

void check_selector(const Ref<metav1::LabelSelector>& selector, const corev1::PodTemplateSpec& tmpl, FieldErrors& errors) {
  if (!selector || (selector->match_labels.empty() && selector->match_expressions.empty())) {
    errors.push_back(selector ? FieldError::invalid("spec.selector", "{}", "empty selector is invalid for deployment")
                              : FieldError::required("spec.selector"));
    return;
  }
  const auto compiled = api::Selector::of(selector.get());
  if (!compiled.is_ok()) {
    errors.push_back(FieldError::invalid("spec.selector", "{}", compiled.status().message()));
  } else if (!compiled->matches(tmpl.metadata->labels)) {
    errors.push_back(FieldError::invalid("spec.template.metadata.labels", compiled->to_string(), "`selector` does not match template `labels`"));
  }
}

void check_negative(const Opt<int32_t>& value, const char* path, FieldErrors& errors) {
  if (value && *value < 0) errors.push_back(FieldError::invalid(path, str_cat(*value), "must be greater than or equal to 0"));
}

void check_quantities(const Map<api::Quantity>& list, const std::string& path, FieldErrors& errors) {
  for (const auto& [name, quantity] : list)
    if (quantity.sign() < 0)
      errors.push_back(FieldError::invalid(str_cat(path, "[", name, "]"), api::quoted(quantity.to_string()), "must be greater than or equal to 0"));
}

}  // namespace

FieldErrors validate_create(const api::Object& object) {
  FieldErrors errors;
  check_meta(object, errors);
  if (const auto* pod = object.as<corev1::Pod>()) {
    check_pod_spec(*pod->spec, "spec", errors);
  } else if (const auto* rs = object.as<appsv1::ReplicaSet>()) {
    check_negative(rs->spec->replicas, "spec.replicas", errors);
    check_selector(rs->spec->selector, *rs->spec->template_, errors);
    check_pod_spec(*rs->spec->template_->spec, "spec.template.spec", errors);
  } else if (const auto* d = object.as<appsv1::Deployment>()) {
    check_negative(d->spec->replicas, "spec.replicas", errors);
    check_selector(d->spec->selector, *d->spec->template_, errors);
    check_pod_spec(*d->spec->template_->spec, "spec.template.spec", errors);
  } else if (const auto* job = object.as<batchv1::Job>()) {
    check_negative(job->spec->parallelism, "spec.parallelism", errors);
    check_negative(job->spec->completions, "spec.completions", errors);
    check_negative(job->spec->backoff_limit, "spec.backoffLimit", errors);
    check_pod_spec(*job->spec->template_->spec, "spec.template.spec", errors);
    const auto& policy = job->spec->template_->spec->restart_policy;
    if (policy == "Always")
      errors.push_back(FieldError::not_supported("spec.template.spec.restartPolicy", policy, {"OnFailure", "Never"}));
  } else if (const auto* node = object.as<corev1::Node>()) {
    check_quantities(node->status->capacity, "status.capacity", errors);
    check_quantities(node->status->allocatable, "status.allocatable", errors);
  }
  return errors;
}

FieldErrors validate_update(const api::Object& object, const api::Object& old) {
  FieldErrors errors = validate_create(object);
  const auto immutable = [&](bool same, const char* path) {
    if (!same) errors.push_back(FieldError::invalid(path, "{}", "field is immutable"));
  };
  if (const auto* d = object.as<appsv1::Deployment>()) {
    immutable(api::semantic_equal(*d->spec->selector, *old.get<appsv1::Deployment>().spec->selector), "spec.selector");
  } else if (const auto* rs = object.as<appsv1::ReplicaSet>()) {
    immutable(api::semantic_equal(*rs->spec->selector, *old.get<appsv1::ReplicaSet>().spec->selector), "spec.selector");
  } else if (const auto* job = object.as<batchv1::Job>()) {
    immutable(api::semantic_equal(*job->spec->selector, *old.get<batchv1::Job>().spec->selector), "spec.selector");
  } else if (const auto* pod = object.as<corev1::Pod>()) {
    const auto& before = old.get<corev1::Pod>();
    if (pod->spec->node_name != before.spec->node_name)
      errors.push_back(FieldError::forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,"
                                             "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
                                             "`spec.tolerations` (only additions to existing tolerations),"
                                             "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
  }
  return errors;
}

}  // namespace orrery::server
