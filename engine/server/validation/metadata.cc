#include "engine/server/validation/metadata.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/server/validation/go_time.h"

namespace orrery::server {
namespace {

const Path kMetadata("metadata");

std::string gvk_text(const metav1::OwnerReference& owner) {
  const std::string_view api_version = owner.api_version.view();
  const size_t slash = api_version.find('/');
  const std::string_view group = slash == std::string_view::npos ? "" : api_version.substr(0, slash);
  const std::string_view version = slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
  return str_cat(group, "/", version, ", Kind=", owner.kind);
}

void check_owners(const List<metav1::OwnerReference>& owners, const Path& at, Findings& findings) {
  const metav1::OwnerReference* controller = nullptr;
  for (const auto& owner : owners) {
    const bool no_version = owner.api_version.empty() || owner.api_version.view().ends_with('/') ||
                            std::count(owner.api_version.view().begin(), owner.api_version.view().end(), '/') > 1;
    if (no_version) findings.invalid(at.child("apiVersion"), owner.api_version, "version must not be empty");
    if (owner.kind.empty()) findings.invalid(at.child("kind"), owner.kind, "kind must not be empty");
    if (owner.name.empty()) findings.invalid(at.child("name"), owner.name, "name must not be empty");
    if (owner.uid.empty()) findings.invalid(at.child("uid"), owner.uid, "uid must not be empty");
    if (owner.kind == "Event" && owner.api_version == "v1")
      findings.invalid(at, Shown::object(owner), str_cat(gvk_text(owner), " is disallowed from being an owner"));
    if (!owner.controller.value_or(false)) continue;
    if (controller)
      findings.invalid(at, Shown::object(owner),
                       str_cat("Only one reference can have Controller set to true. Found \"true\" in references for ",
                               controller->kind, "/", controller->name, " and ", owner.kind, "/", owner.name));
    else
      controller = &owner;
  }
}

void check_managed_fields(const List<metav1::ManagedFieldsEntry>& entries, const Path& at, Findings& findings) {
  constexpr size_t kManagerMax = 128, kSubresourceMax = 256;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    const Path here = at.index(i);
    if (entry.operation != "Apply" && entry.operation != "Update")
      findings.invalid(here.child("operation"), entry.operation, "must be `Apply` or `Update`");
    if (!entry.fields_type.empty() && entry.fields_type != "FieldsV1")
      findings.invalid(here.child("fieldsType"), entry.fields_type, "must be `FieldsV1`");
    if (entry.manager.size() > kManagerMax) findings.too_long(here.child("manager"), kManagerMax);
    if (entry.subresource.size() > kSubresourceMax) findings.too_long(here.child("subresource"), kSubresourceMax);
  }
}

void check_finalizers(const List<Str>& finalizers, const Path& at, Findings& findings) {
  bool orphan = false, foreground = false;
  for (const Str& finalizer : finalizers) {
    check_qualified(finalizer, at, findings);
    orphan = orphan || finalizer == "orphan";
    foreground = foreground || finalizer == "foregroundDeletion";
  }
  if (orphan && foreground)
    findings.invalid(at, Shown::list(finalizers), "finalizer orphan and foregroundDeletion cannot be both set");
}

void check_kube_finalizers(const metav1::ObjectMeta& meta, Findings& findings) {
  for (size_t i = 0; i < meta.finalizers.size(); ++i) check_kube_finalizer(meta.finalizers[i], kMetadata.child("finalizers", i), findings);
}

void check_no_new_finalizers(const List<Str>& finalizers, const List<Str>& old, Findings& findings) {
  std::vector<std::string> extra;
  for (const Str& f : finalizers)
    if (std::find(old.begin(), old.end(), f) == old.end()) extra.push_back(api::quoted(f));
  std::sort(extra.begin(), extra.end());
  extra.erase(std::unique(extra.begin(), extra.end()), extra.end());
  if (extra.empty()) return;
  findings.forbidden(kMetadata.child("finalizers"),
                     str_cat("no new finalizers can be added if the object is being deleted, found new finalizers []string{",
                             api::join(extra, ", "), "}"));
}

}  // namespace

void check_kube_finalizer(std::string_view finalizer, const Path& at, Findings& findings) {
  if (contains(finalizer, "/")) return;
  if (!is_one_of(finalizer, {"kubernetes", "orphan", "foregroundDeletion"}))
    findings.invalid(at, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
}

void check_labels(const Map<Str>& labels, const Path& at, Findings& findings) {
  for (const auto& [key, value] : labels) {
    check_qualified(key, at, findings);
    if (const Messages wrong = api::check_label_value(value); !wrong.empty()) findings.invalid(at, value, wrong);
  }
}

void check_annotations(const Map<Str>& annotations, const Path& at, Findings& findings) {
  constexpr size_t kBytesMax = 256 * 1024;
  size_t bytes = 0;
  for (const auto& [key, value] : annotations) {
    bytes += key.size() + value.size();
    Messages wrong = api::check_qualified_name(key);
    if (!wrong.empty()) wrong = api::check_qualified_name(lower(key));
    if (!wrong.empty()) findings.invalid(at, key, wrong);
  }
  if (bytes > kBytesMax) findings.too_long(at, kBytesMax);
}

void check_object_meta(const metav1::ObjectMeta& meta, bool namespaced, NameRule rule, Findings& findings, bool kube_finalizers) {
  if (!meta.generate_name.empty())
    if (const Messages wrong = rule(meta.generate_name, true); !wrong.empty())
      findings.invalid(kMetadata.child("generateName"), meta.generate_name, wrong);
  if (meta.name.empty())
    findings.required(kMetadata.child("name"), "name or generateName is required");
  else if (const Messages wrong = rule(meta.name, false); !wrong.empty())
    findings.invalid(kMetadata.child("name"), meta.name, wrong);
  if (!namespaced) {
    if (!meta.namespace_.empty()) findings.forbidden(kMetadata.child("namespace"), "not allowed on this type");
  } else if (meta.namespace_.empty()) {
    findings.required(kMetadata.child("namespace"));
  } else {
    check_label(meta.namespace_, kMetadata.child("namespace"), findings);
  }
  findings.non_negative(meta.generation, kMetadata.child("generation"));
  check_labels(meta.labels, kMetadata.child("labels"), findings);
  check_annotations(meta.annotations, kMetadata.child("annotations"), findings);
  check_owners(meta.owner_references, kMetadata.child("ownerReferences"), findings);
  check_finalizers(meta.finalizers, kMetadata.child("finalizers"), findings);
  check_managed_fields(meta.managed_fields, kMetadata.child("managedFields"), findings);
  if (kube_finalizers) check_kube_finalizers(meta, findings);
}

void check_object_meta_update(const metav1::ObjectMeta& meta, const metav1::ObjectMeta& old, Findings& findings, bool kube_finalizers) {
  if (old.deletion_timestamp) check_no_new_finalizers(meta.finalizers, old.finalizers, findings);
  if (meta.resource_version.empty())
    findings.invalid(kMetadata.child("resourceVersion"), meta.resource_version, "must be specified for an update");
  if (meta.generation < old.generation)
    findings.invalid(kMetadata.child("generation"), meta.generation, "must not be decremented");
  check_immutable(meta.name, old.name, kMetadata.child("name"), meta.name, findings);
  check_immutable(meta.namespace_, old.namespace_, kMetadata.child("namespace"), meta.namespace_, findings);
  check_immutable(meta.uid, old.uid, kMetadata.child("uid"), meta.uid, findings);
  const auto immutable = [&](bool same, std::string_view name, const Shown& now) {
    if (!same) findings.invalid(kMetadata.child(name), now, Findings::kImmutable);
  };
  const auto& deleted = meta.deletion_timestamp;
  const auto& seconds = meta.deletion_grace_period_seconds;
  immutable(meta.creation_timestamp == old.creation_timestamp, "creationTimestamp", Shown::raw(go_time(meta.creation_timestamp)));
  immutable(deleted == old.deletion_timestamp, "deletionTimestamp", deleted ? Shown::raw(go_time(*deleted)) : Shown("null"));
  immutable(seconds == old.deletion_grace_period_seconds, "deletionGracePeriodSeconds", seconds ? Shown(*seconds) : Shown("null"));
  check_labels(meta.labels, kMetadata.child("labels"), findings);
  check_annotations(meta.annotations, kMetadata.child("annotations"), findings);
  check_owners(meta.owner_references, kMetadata.child("ownerReferences"), findings);
  check_managed_fields(meta.managed_fields, kMetadata.child("managedFields"), findings);
  if (kube_finalizers) check_kube_finalizers(meta, findings);
}

void check_label_selector(const metav1::LabelSelector* selector, const Path& at, Findings& findings, SelectorRules rules) {
  if (!selector) return;
  check_labels(selector->match_labels, at.child("matchLabels"), findings);
  for (size_t i = 0; i < selector->match_expressions.size(); ++i) {
    const auto& expression = selector->match_expressions[i];
    const Path here = at.child("matchExpressions", i);
    if (is_one_of(expression.operator_, {"In", "NotIn"})) {
      if (expression.values.empty())
        findings.required(here.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (is_one_of(expression.operator_, {"Exists", "DoesNotExist"})) {
      if (!expression.values.empty())
        findings.forbidden(here.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
      findings.invalid(here.child("operator"), expression.operator_, "not a valid selector operator");
    }
    check_qualified(expression.key, here.child("key"), findings);
    for (size_t v = 0; v < expression.values.size() && !rules.any_values; ++v)
      if (const Messages wrong = api::check_label_value(expression.values[v]); !wrong.empty())
        findings.invalid(here.child("values", v), expression.values[v], wrong);
  }
}

bool has_invalid_label_value(const metav1::LabelSelector* selector) {
  if (!selector) return false;
  for (const auto& expression : selector->match_expressions)
    for (const Str& value : expression.values)
      if (!api::check_label_value(value).empty()) return true;
  return false;
}

namespace {

constexpr std::string_view kReasonText =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and "
    "must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or "
    "'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

bool is_condition_reason(std::string_view reason) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_word = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return is_letter(reason.front()) && is_word(reason.back()) &&
         std::all_of(reason.begin(), reason.end(), [&](char c) { return is_word(c) || c == ',' || c == ':'; });
}

}  // namespace

void check_conditions(const List<metav1::Condition>& conditions, const Path& at, Findings& findings) {
  constexpr size_t kReasonMax = 1024, kMessageMax = 32 * 1024;
  Seen types;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& c = conditions[i];
    const Path here = at.index(i);
    if (!types.insert(c.type)) findings.duplicate(here.child("type"), c.type);
    check_qualified(c.type, here.child("type"), findings);
    if (!is_one_of(c.status, {"True", "False", "Unknown"}))
      findings.not_supported(here.child("status"), c.status, {"False", "True", "Unknown"});
    if (c.observed_generation < 0)
      findings.invalid(here.child("observedGeneration"), c.observed_generation, "must be greater than or equal to zero");
    if (!c.last_transition_time) findings.required(here.child("lastTransitionTime"), "must be set");
    if (c.reason.empty()) findings.required(here.child("reason"), "must be set");
    else if (!is_condition_reason(c.reason)) findings.invalid(here.child("reason"), c.reason, kReasonText);
    if (c.reason.size() > kReasonMax) findings.too_long(here.child("reason"), kReasonMax);
    if (c.message.size() > kMessageMax) findings.too_long(here.child("message"), kMessageMax);
  }
}

}  // namespace orrery::server
