#include "engine/server/validation/claims.h"

#include "engine/api/reflect.h"
#include "engine/server/validation/resources.h"

namespace orrery::server {
namespace {

template <typename R>
void check_data_source(const R& source, bool any_group, const Path& at, Findings& findings) {
  if (source.name.empty()) findings.required(at.child("name"));
  if (source.kind.empty()) findings.required(at.child("kind"));
  const Str group = source.api_group.value_or(Str());
  if (group.empty() && source.kind != "PersistentVolumeClaim")
    findings.invalid(at, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  if (!group.empty() && !any_group) check_subdomain(group, at.child("apiGroup"), findings);
}

void check_storage_request(const corev1::PersistentVolumeClaimSpec& spec, const Path& at, Findings& findings) {
  const api::Quantity* storage = spec.resources.requests.find("storage");
  if (!storage) findings.required(at);
  else check_quantity_positive(*storage, at, findings);
}

void check_sources(const corev1::PersistentVolumeClaimSpec& spec, ClaimRules rules, const Path& at, Findings& findings) {
  const auto& source = spec.data_source;
  const auto& ref = spec.data_source_ref;
  if (source) check_data_source(*source, rules.any_api_group, at.child("dataSource"), findings);
  if (!ref) return;
  check_data_source(*ref, rules.any_api_group, at.child("dataSourceRef"), findings);
  const bool elsewhere = ref->namespace_ && !ref->namespace_->empty();
  if (elsewhere) check_label(*ref->namespace_, at.child("dataSourceRef.namespace"), findings);
  if (!source) return;
  const Path shown = at.child("dataSource");
  if (elsewhere)
    findings.invalid(at, Shown::raw(shown.text()), "may not be specified when dataSourceRef.namespace is specified");
  else if (source->api_group != ref->api_group || source->kind != ref->kind || source->name != ref->name)
    findings.invalid(at, Shown::raw(shown.text()), "must match dataSourceRef");
}

}  // namespace

void check_access_modes(const List<Str>& modes, const Path& at, Findings& findings) {
  bool once_pod = false, other = false;
  for (const Str& mode : modes) {
    const bool known = is_one_of(mode, {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
    if (!known) findings.not_supported(at, mode, {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
    once_pod = once_pod || mode == "ReadWriteOncePod";
    other = other || (known && mode != "ReadWriteOncePod");
  }
  if (once_pod && other) findings.forbidden(at, "may not use ReadWriteOncePod with other access modes");
}

void check_claim_spec(const corev1::PersistentVolumeClaimSpec& spec, ClaimRules rules, const Path& at, Findings& findings) {
  if (spec.access_modes.empty()) findings.required(at.child("accessModes"), "at least 1 access mode is required");
  check_label_selector(spec.selector.get(), at.child("selector"), findings, {rules.any_label_values});
  check_access_modes(spec.access_modes, at.child("accessModes"), findings);
  check_storage_request(spec, at.child_key("resources", "storage"), findings);
  if (spec.storage_class_name && !spec.storage_class_name->empty())
    check_subdomain(*spec.storage_class_name, at.child("storageClassName"), findings);
  if (spec.volume_mode && !is_one_of(*spec.volume_mode, {"Block", "Filesystem"}))
    findings.not_supported(at.child("volumeMode"), *spec.volume_mode, {"Block", "Filesystem"});
  check_sources(spec, rules, at, findings);
}

void check_claim_template(const corev1::PersistentVolumeClaimTemplate& tmpl, const Path& at, Findings& findings) {
  const auto& meta = *tmpl.metadata;
  const Path metadata = at.child("metadata");
  check_annotations(meta.annotations, metadata.child("annotations"), findings);
  check_labels(meta.labels, metadata.child("labels"), findings);
  for (const api::FieldDesc& field : metav1::ObjectMeta::descriptor().fields) {
    if (field.json == "labels" || field.json == "annotations") continue;
    const bool empty = field.json == "creationTimestamp" ? meta.creation_timestamp == api::Timestamp() : api::is_empty_value(field, &meta);
    if (!empty) findings.forbidden(metadata.child(field.json), "cannot be set");
  }
  check_claim_spec(*tmpl.spec, {}, at.child("spec"), findings);
}

}  // namespace orrery::server
