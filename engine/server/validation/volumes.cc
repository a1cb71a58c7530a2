// Persistent volumes and claims. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go,
// pkg/volume/validation.
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/server/validation/claims.h"
#include "engine/server/validation/immutable.h"
#include "engine/server/validation/placement.h"
#include "engine/server/validation/registry.h"
#include "engine/server/validation/resources.h"
#include "engine/server/validation/volume_sources.h"
#include "engine/server/validation/volumes.h"

namespace orrery::server {
namespace {

using corev1::PersistentVolume;
using corev1::PersistentVolumeClaim;
using corev1::PersistentVolumeSpec;

constexpr Path kSpec("spec");
constexpr Path kStatus("status");
constexpr Path kAnnotations("metadata.annotations");

void check_whole_amount(const api::Quantity& amount, const Path& at, Findings& findings) {
  if (amount.value() < 0) findings.invalid(at, amount.value(), "must be a valid resource quantity");
}

void check_capacity(const PersistentVolumeSpec& spec, const Path& at, Findings& findings) {
  if (spec.capacity.empty()) findings.required(at);
  if (spec.capacity.size() != 1 || !spec.capacity.contains("storage")) {
    std::string shown = "core.ResourceList{";
    for (const auto& entry : spec.capacity) shown += str_cat(shown.back() == '{' ? "" : ", ", "\"", entry.key, "\":", entry.value.to_string());
    findings.not_supported(at, Shown::raw(spec.capacity.is_nil() ? "core.ResourceList(nil)" : shown + "}"), {"storage"});
  }
  for (const auto& [name, amount] : spec.capacity) {
    check_whole_amount(amount, at.key(name), findings);
    check_quantity_positive(amount, at.key(name), findings);
  }
}

void check_node_affinity(const PersistentVolumeSpec& spec, const Path& at, Findings& findings) {
  if (spec.node_affinity->required) check_node_selector(*spec.node_affinity->required, at.child("required"), findings);
  else findings.required(at.child("required"), "must specify required node constraints");
}

// True if there is a source.
bool check_sources(const PersistentVolumeSpec& spec, const Path& at, Findings& findings) {
  OneSource one(at, findings);
  one(spec.host_path, "hostPath");
  one(spec.gce_persistent_disk, "gcePersistentDisk", "persistentDisk");
  one(spec.aws_elastic_block_store, "awsElasticBlockStore");
  one(spec.glusterfs, "glusterfs");
  one(spec.flocker, "flocker");
  one(spec.nfs, "nfs");
  one(spec.rbd, "rbd");
  one(spec.quobyte, "quobyte");
  one(spec.cephfs, "cephFS", "cephfs");
  one(spec.iscsi, "iscsi");
  one(spec.cinder, "cinder");
  one(spec.fc, "fc");
  if (spec.flex_volume) {
    one.count_unchecked();
    check_source(*spec.flex_volume, at.child("flexVolume"), findings);
  }
  one(spec.azure_file, "azureFile");
  one(spec.vsphere_volume, "vsphereVolume");
  one(spec.photon_persistent_disk, "photonPersistentDisk");
  one(spec.portworx_volume, "portworxVolume");
  one(spec.azure_disk, "azureDisk");
  one(spec.scale_io, "scaleIO");
  if (spec.local && one.first("local")) {
    check_source(*spec.local, at.child("local"), findings);
    if (!spec.node_affinity) findings.required(at.child("nodeAffinity"), "Local volume requires node affinity");
  }
  one(spec.storageos, "storageos");
  one(spec.csi, "csi");
  return !one.none();
}

bool is_root(std::string_view path) {
  while (path.size() > 1 && (path.ends_with('/') || path.ends_with("/."))) path.remove_suffix(path.ends_with('/') ? 1 : 2);
  return path == "/" || path.empty();
}

bool takes_mount_options(const PersistentVolumeSpec& s) {
  return s.gce_persistent_disk || s.aws_elastic_block_store || s.glusterfs || s.nfs || s.rbd || s.quobyte || s.iscsi || s.cinder ||
         s.cephfs || s.azure_file || s.vsphere_volume || s.azure_disk || s.photon_persistent_disk;
}

// What an inline volume of an attachment may not have.
void check_inline(const PersistentVolumeSpec& spec, const Path& at, Findings& findings) {
  constexpr std::string_view kText = "may not be specified in the context of inline volumes";
  if (spec.claim_ref) findings.forbidden(at.child("claimRef"), kText);
  if (!spec.capacity.empty()) findings.forbidden(at.child("capacity"), kText);
  if (!spec.csi) findings.required(at.child("csi"), "has to be specified in the context of inline volumes");
}

// The parts that an inline volume may not have, or only with one value.
void check_reclaim_and_affinity(const PersistentVolumeSpec& spec, bool is_inline, const Path& at, Findings& findings) {
  const Str& reclaim = spec.persistent_volume_reclaim_policy;
  const Path reclaim_at = at.child("persistentVolumeReclaimPolicy"), affinity = at.child("nodeAffinity");
  if (is_inline) {
    if (!reclaim.empty() && reclaim != "Retain") findings.forbidden(reclaim_at, "may only be Retain in the context of inline volumes");
    if (spec.node_affinity) findings.forbidden(affinity, "may not be specified in the context of inline volumes");
    return;
  }
  if (!reclaim.empty() && !is_one_of(reclaim, {"Delete", "Recycle", "Retain"}))
    findings.not_supported(reclaim_at, reclaim, {"Delete", "Recycle", "Retain"});
  if (spec.node_affinity) check_node_affinity(spec, affinity, findings);
}

void check_class_and_mode(const PersistentVolumeSpec& spec, bool is_inline, const Path& at, Findings& findings) {
  const Path class_at = at.child("storageClassName"), mode = at.child("volumeMode");
  if (is_inline) {
    if (!spec.storage_class_name.empty()) findings.forbidden(class_at, "may not be specified in the context of inline volumes");
    if (spec.volume_mode && *spec.volume_mode != "Filesystem")
      findings.forbidden(mode, "may not specify volumeMode other than Filesystem in the context of inline volumes");
    return;
  }
  if (!spec.storage_class_name.empty()) check_subdomain(spec.storage_class_name, class_at, findings);
  if (spec.volume_mode && !is_one_of(*spec.volume_mode, {"Block", "Filesystem"}))
    findings.not_supported(mode, *spec.volume_mode, {"Block", "Filesystem"});
}

void check_create(const PersistentVolume& volume, Findings& findings) {
  constexpr std::string_view kMountOptions = "volume.beta.kubernetes.io/mount-options";
  check_object_meta(*volume.metadata, false, name_is_subdomain, findings);
  check_volume_spec(*volume.spec, false, kSpec, findings);
  if (volume.metadata->annotations.contains(kMountOptions) && !takes_mount_options(*volume.spec))
    findings.forbidden(kAnnotations.child(kMountOptions), "may not specify mount options for this volume type");
}

std::string_view settled_label(std::string_view beta) {
  if (beta == "beta.kubernetes.io/os") return "kubernetes.io/os";
  if (beta == "beta.kubernetes.io/arch") return "kubernetes.io/arch";
  if (beta == "beta.kubernetes.io/instance-type") return "node.kubernetes.io/instance-type";
  if (beta == "failure-domain.beta.kubernetes.io/zone") return "topology.kubernetes.io/zone";
  if (beta == "failure-domain.beta.kubernetes.io/region") return "topology.kubernetes.io/region";
  return {};
}

// Node affinity may only go from the beta names of labels to their present ones.
void check_affinity_kept(const PersistentVolumeSpec& spec, const PersistentVolumeSpec& old, Findings& findings) {
  if (!old.node_affinity) return;
  constexpr Path kAffinity("nodeAffinity");
  constexpr std::string_view kText = "field is immutable, except for updating from beta label to GA";
  if (!spec.node_affinity) return findings.invalid(kAffinity, Shown("null"), kText);
  corev1::VolumeNodeAffinity before = *old.node_affinity;
  const corev1::NodeSelector* now = spec.node_affinity->required.get();
  if (now && before.required)
    for (size_t t = 0; t < before.required->node_selector_terms.size() && t < now->node_selector_terms.size(); ++t) {
      const auto& term = now->node_selector_terms[t].match_expressions;
      const auto& had = before.required->node_selector_terms[t].match_expressions;
      for (size_t e = 0; e < had.size() && e < term.size(); ++e)
        if (!term[e].key.empty() && settled_label(had[e].key) == term[e].key)
          before.required.mut().node_selector_terms.mut(t).match_expressions.mut(e).key = term[e].key;
    }
  if (!api::semantic_equal(*spec.node_affinity, before)) findings.invalid(kAffinity, Shown::object(*spec.node_affinity), kText);
}

void check_source_kept(const PersistentVolumeSpec& spec, const PersistentVolumeSpec& old, Findings& findings) {
  corev1::PersistentVolumeSource now = spec;
  if (old.csi && now.csi && !old.csi->controller_expand_secret_ref && now.csi->controller_expand_secret_ref)
    now.csi.mut().controller_expand_secret_ref.reset();
  const corev1::PersistentVolumeSource& before = old;
  if (!api::semantic_equal(now, before))
    findings.forbidden(kSpec.child("persistentvolumesource"),
                       str_cat("spec.persistentvolumesource is immutable after creation\n", difference_text(before, now)));
}

void check_mode_kept(const Opt<Str>& mode, const Opt<Str>& old, Findings& findings) {
  check_immutable(mode, old, Path("volumeMode"), mode ? Shown(*mode) : Shown("null"), findings);
}

void check_attributes_class_kept(const Opt<Str>& name, const Opt<Str>& old, Findings& findings) {
  if (!(name == old))
    findings.forbidden(kSpec.child("volumeAttributesClassName"), "update is forbidden when the VolumeAttributesClass feature gate is disabled");
}

void check_update(const PersistentVolume& volume, const PersistentVolume& old, Findings& findings) {
  const auto &spec = *volume.spec, &before = *old.spec;
  check_create(volume, findings);
  check_create(volume, findings);
  check_source_kept(spec, before, findings);
  check_mode_kept(spec.volume_mode, before.volume_mode, findings);
  check_affinity_kept(spec, before, findings);
  check_attributes_class_kept(spec.volume_attributes_class_name, before.volume_attributes_class_name, findings);
}

void check_status(const PersistentVolume& volume, const PersistentVolume& old, Findings& findings) {
  check_object_meta_update(*volume.metadata, *old.metadata, findings);
  if (volume.metadata->resource_version.empty()) findings.required(Path("resourceVersion"));
}

void check_create(const PersistentVolumeClaim& claim, Findings& findings) {
  check_object_meta(*claim.metadata, true, name_is_subdomain, findings);
  check_claim_spec(*claim.spec, {}, kSpec, findings);
}

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

// The old annotation becomes the field.
bool class_moves_from_annotation(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old) {
  const Str* before = old.metadata->annotations.find(kClassAnnotation);
  const Str* now = claim.metadata->annotations.find(kClassAnnotation);
  const auto& name = claim.spec->storage_class_name;
  return before && !old.spec->storage_class_name && name && *name == *before && (!now || *now == *before);
}

bool class_is_set_late(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old) {
  const Str* before = old.metadata->annotations.find(kClassAnnotation);
  const auto& name = claim.spec->storage_class_name;
  return name && !old.spec->storage_class_name && (!before || *name == *before);
}

void check_claim_kept(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old, Findings& findings) {
  corev1::PersistentVolumeClaimSpec spec = *claim.spec, before = *old.spec;
  if (before.volume_name.empty()) before.volume_name = spec.volume_name;
  if (class_moves_from_annotation(claim, old)) {
    spec.storage_class_name.reset();
  } else {
    const Str was = old.metadata->annotations.get(kClassAnnotation), is = claim.metadata->annotations.get(kClassAnnotation);
    if (was != is) findings.invalid(kAnnotations.child(kClassAnnotation), is, Findings::kImmutable);
    if (class_is_set_late(claim, old)) spec.storage_class_name = before.storage_class_name;
  }
  if (claim.status->phase == "Bound") {
    if (!spec.resources.requests.is_nil()) spec.resources.requests.set("storage", before.resources.requests.get("storage"));
    if (spec.volume_attributes_class_name) spec.volume_attributes_class_name = before.volume_attributes_class_name;
  }
  if (!api::semantic_equal(spec, before))
    findings.forbidden(kSpec, str_cat("spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n",
                                      difference_text(before, spec)));
}

bool is_group(const Opt<Str>& group) { return !group || group->empty() || name_is_subdomain(*group, false).empty(); }

void check_update(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old, Findings& findings) {
  ClaimRules rules;
  rules.any_label_values = has_invalid_label_value(old.spec->selector.get());
  rules.any_api_group = (old.spec->data_source && !is_group(old.spec->data_source->api_group)) ||
                        (old.spec->data_source_ref && !is_group(old.spec->data_source_ref->api_group));
  const auto check = [&] {
    check_object_meta(*claim.metadata, true, name_is_subdomain, findings);
    check_claim_spec(*claim.spec, rules, kSpec, findings);
  };
  check();
  check_object_meta_update(*claim.metadata, *old.metadata, findings);
  check();
  check_claim_kept(claim, old, findings);
  const auto size = [](const Map<api::Quantity>& amounts) { return amounts.get("storage"); };
  const api::Quantity now = size(claim.spec->resources.requests);
  if (now < size(old.spec->resources.requests) && now <= size(old.status->capacity))
    findings.forbidden(kSpec.child("resources.requests.storage"), "field can not be less than status.capacity");
  check_mode_kept(claim.spec->volume_mode, old.spec->volume_mode, findings);
  check_attributes_class_kept(claim.spec->volume_attributes_class_name, old.spec->volume_attributes_class_name, findings);
}

void check_claim_resource(std::string_view name, const Path& at, Findings& findings) {
  if (const Messages wrong = api::check_qualified_name(name); !wrong.empty()) return findings.invalid(at, name, wrong);
  if (is_native_resource(name) && name != "storage") findings.not_supported(at, name, {"storage"});
}

void check_resizing(const corev1::PersistentVolumeClaimStatus& status, Findings& findings) {
  constexpr std::string_view kStates[] = {"ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress",
                                          "NodeResizeInfeasible",       "NodeResizePending"};
  const Path states = kStatus.child("allocatedResourceStatus"), amounts = kStatus.child("allocatedResources");
  for (const auto& [name, state] : status.allocated_resource_statuses) {
    check_claim_resource(name, states, findings);
    if (std::find(std::begin(kStates), std::end(kStates), state.view()) == std::end(kStates)) findings.not_supported(states, Shown::raw(name.str()), kStates);
  }
  for (const auto& [name, amount] : status.allocated_resources) {
    const size_t before = findings.size();
    check_claim_resource(name, amounts, findings);
    if (findings.size() > before) continue;
    check_whole_amount(amount, amounts.key(name), findings);
    if (findings.size() == before) check_resource_quantity("storage", amount, amounts.key(name), findings);
  }
}

void check_status(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old, Findings& findings) {
  check_object_meta_update(*claim.metadata, *old.metadata, findings);
  if (claim.metadata->resource_version.empty()) findings.required(Path("resourceVersion"));
  if (claim.spec->access_modes.empty()) findings.required(Path("Spec.accessModes"));
  const Path capacity = kStatus.child("capacity");
  for (const auto& [name, amount] : claim.status->capacity) check_whole_amount(amount, capacity.key(name), findings);
  check_resizing(*claim.status, findings);
}

}  // namespace

void check_volume_spec(const PersistentVolumeSpec& spec, bool is_inline, const Path& at, Findings& findings) {
  if (is_inline) check_inline(spec, at, findings);
  if (spec.access_modes.empty()) findings.required(at.child("accessModes"));
  check_access_modes(spec.access_modes, at.child("accessModes"), findings);
  if (!is_inline) check_capacity(spec, at.child("capacity"), findings);
  check_reclaim_and_affinity(spec, is_inline, at, findings);
  if (!check_sources(spec, at, findings)) findings.required(at, "must specify a volume type");
  if (spec.host_path && spec.persistent_volume_reclaim_policy == "Recycle" && is_root(spec.host_path->path))
    findings.forbidden(at.child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'");
  check_class_and_mode(spec, is_inline, at, findings);
}

std::span<const CheckRow> volume_checks() {
  static const CheckRow kRows[] = {
      check_row<PersistentVolume, check_create, check_update, check_status>(),
      check_row<PersistentVolumeClaim, check_create, check_update, check_status>(),
  };
  return kRows;
}

}  // namespace orrery::server
