// Storage classes, CSI drivers, nodes and capacities, volume attachments. Source: Kubernetes v1.32
// pkg/apis/storage/validation.
#include "engine/api/gen/storagev1.h"
#include "engine/api/semantic.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/placement.h"
#include "engine/server/validation/registry.h"
#include "engine/server/validation/resources.h"
#include "engine/server/validation/volume_sources.h"
#include "engine/server/validation/volumes.h"

namespace orrery::server {
namespace {

using namespace storagev1;

constexpr Path kSpec("spec");
constexpr size_t kMapBytesMax = 256 << 10;

size_t bytes_of(const Map<Str>& map) {
  size_t bytes = 0;
  for (const auto& [key, value] : map) bytes += key.size() + value.size();
  return bytes;
}

void check_parameters(const Map<Str>& parameters, Findings& findings) {
  constexpr Path kParameters("parameters");
  constexpr size_t kCountMax = 512;
  if (parameters.size() > kCountMax) return findings.too_long(kParameters, kCountMax);
  if (parameters.contains("")) findings.invalid(kParameters, "", "field can not be empty.");
  if (bytes_of(parameters) > kMapBytesMax) findings.too_long(kParameters, kMapBytesMax);
}

void check_create(const StorageClass& sc, Findings& findings) {
  constexpr Path kProvisioner("provisioner"), kReclaim("reclaimPolicy"), kBinding("volumeBindingMode");
  check_object_meta(*sc.metadata, false, name_is_subdomain, findings);
  if (sc.provisioner.empty()) findings.required(kProvisioner);
  else check_qualified(lower(sc.provisioner), kProvisioner, findings);
  check_parameters(sc.parameters, findings);
  if (sc.reclaim_policy && !sc.reclaim_policy->empty()) findings.one_of(*sc.reclaim_policy, kReclaim, {"Delete", "Retain"});
  if (!sc.volume_binding_mode) findings.required(kBinding);
  else if (!is_one_of(*sc.volume_binding_mode, {"Immediate", "WaitForFirstConsumer"}))
    findings.not_supported(kBinding, *sc.volume_binding_mode, {"Immediate", "WaitForFirstConsumer"});
  check_topology_terms(sc.allowed_topologies, Path("allowedTopologies"), findings);
}

void check_update(const StorageClass& sc, const StorageClass& old, Findings& findings) {
  check_create(sc, findings);
  check_object_meta_update(*sc.metadata, *old.metadata, findings);
  StorageClass other_parameters = old;
  other_parameters.parameters = sc.parameters;
  if (!api::equals_stored(other_parameters, old)) findings.forbidden(Path("parameters"), "updates to parameters are forbidden.");
  if (sc.provisioner != old.provisioner) findings.forbidden(Path("provisioner"), "updates to provisioner are forbidden.");
  if (!(sc.reclaim_policy == old.reclaim_policy)) findings.forbidden(Path("reclaimPolicy"), "updates to reclaimPolicy are forbidden.");
  const auto& mode = sc.volume_binding_mode;
  check_immutable(mode, old.volume_binding_mode, Path("volumeBindingMode"), mode ? Shown(*mode) : Shown("null"), findings);
}

void check_volume_error(const Ref<VolumeError>& error, std::string_view field, Findings& findings) {
  constexpr Path kStatus("status");
  constexpr size_t kMessageMax = 1024;
  const Path at = kStatus.child(field);
  if (error && error->message.size() > kMessageMax) findings.too_long(at.child("message"), kMapBytesMax);
}

void check_attachment(const VolumeAttachment& attachment, Findings& findings) {
  check_object_meta(*attachment.metadata, false, name_is_subdomain, findings);
  const auto& spec = *attachment.spec;
  const Path at = kSpec.child("source");
  constexpr std::string_view kOne = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (spec.attacher.empty()) findings.required(kSpec.child("attacher"));
  const auto& source = spec.source;
  if (!source.inline_volume_spec && !source.persistent_volume_name) findings.required(at, kOne);
  else if (source.inline_volume_spec && source.persistent_volume_name) findings.forbidden(at, kOne);
  else if (source.inline_volume_spec) check_volume_spec(*source.inline_volume_spec, true, at.child("inlineVolumeSpec"), findings);
  else if (source.persistent_volume_name->empty()) findings.required(at.child("persistentVolumeName"), "must specify non empty persistentVolumeName");
  check_subdomain(spec.node_name, kSpec.child("nodeName"), findings);
  if (bytes_of(attachment.status->attachment_metadata) > kMapBytesMax) findings.too_long(Path("status.attachmentMetadata"), kMapBytesMax);
  check_volume_error(attachment.status->attach_error, "attachError", findings);
  check_volume_error(attachment.status->detach_error, "detachError", findings);
}

void check_create(const VolumeAttachment& attachment, Findings& findings) {
  check_attachment(attachment, findings);
  const auto& spec = *attachment.spec;
  check_csi_driver_name(spec.attacher, kSpec.child("attacher"), findings);
  const auto& name = spec.source.persistent_volume_name;
  if (name) check_subdomain(*name, kSpec.child("source.persistentVolumeName"), findings);
}

void check_update(const VolumeAttachment& attachment, const VolumeAttachment& old, Findings& findings) {
  check_attachment(attachment, findings);
  check_attachment(attachment, findings);
  check_immutable_struct(*attachment.spec, *old.spec, kSpec, findings);
}

void check_status(const VolumeAttachment& attachment, const VolumeAttachment& old, Findings& findings) {
  check_update(attachment, old, findings);
}

void check_node_driver(const CSINodeDriver& driver, Seen& names, const Path& at, Findings& findings) {
  constexpr size_t kIdMax = 256;
  check_csi_driver_name(driver.name, at.child("name"), findings);
  if (driver.node_id.empty()) findings.required(at.child("nodeID"));
  if (driver.node_id.size() > kIdMax) findings.invalid(at.child("nodeID"), driver.node_id, "must be 256 characters or less");
  if (driver.allocatable && driver.allocatable->count) findings.non_negative(*driver.allocatable->count, at.child("allocatable.count"));
  if (!names.insert(driver.name)) findings.duplicate(at.child("name"), driver.name);
  Seen keys;
  for (const Str& key : driver.topology_keys) {
    if (key.empty()) findings.required(at);
    if (!keys.insert(key)) findings.duplicate(at, key);
    check_qualified(key, at, findings);
  }
}

void check_create(const CSINode& node, Findings& findings) {
  check_object_meta(*node.metadata, false, name_is_subdomain, findings);
  Seen names;
  for (size_t i = 0; i < node.spec->drivers.size(); ++i) check_node_driver(node.spec->drivers[i], names, kSpec.child("drivers", i), findings);
}

void check_update(const CSINode& node, const CSINode& old, Findings& findings) {
  check_create(node, findings);
  check_create(node, findings);
  for (const auto& before : old.spec->drivers)
    for (const auto& now : node.spec->drivers)
      if (now.name == before.name) check_immutable_struct(now, before, Path("CSINodeDriver"), findings);
}

void check_tokens(const List<TokenRequest>& requests, Findings& findings) {
  constexpr int64_t kSecondsMin = 600, kSecondsMax = int64_t{1} << 32;
  Seen audiences;
  for (size_t i = 0; i < requests.size(); ++i) {
    const Path at = kSpec.child("tokenRequests", i);
    const Path seconds_at = at.child("expirationSeconds");
    if (!audiences.insert(requests[i].audience)) {
      findings.duplicate(at.child("audience"), requests[i].audience);
      continue;
    }
    const auto& seconds = requests[i].expiration_seconds;
    if (seconds && *seconds < kSecondsMin) findings.invalid(seconds_at, *seconds, "may not specify a duration less than 10 minutes");
    if (seconds && *seconds > kSecondsMax) findings.invalid(seconds_at, *seconds, "may not specify a duration larger than 2^32 seconds");
  }
}

void check_driver_spec(const CSIDriverSpec& spec, Findings& findings) {
  if (!spec.attach_required) findings.required(kSpec.child("attachedRequired"));
  if (!spec.pod_info_on_mount) findings.required(kSpec.child("podInfoOnMount"));
  if (!spec.storage_capacity) findings.required(kSpec.child("storageCapacity"));
  if (spec.fs_group_policy && !is_one_of(*spec.fs_group_policy, {"File", "None", "ReadWriteOnceWithFSType"}))
    findings.not_supported(kSpec.child("fsGroupPolicy"), *spec.fs_group_policy, {"File", "None", "ReadWriteOnceWithFSType"});
  check_tokens(spec.token_requests, findings);
  for (const Str& mode : spec.volume_lifecycle_modes)
    if (!is_one_of(mode, {"Persistent", "Ephemeral"})) findings.not_supported(kSpec.child("volumeLifecycleModes"), mode, {"Persistent", "Ephemeral"});
  if (!spec.se_linux_mount) findings.required(kSpec.child("seLinuxMount"));
}

void check_create(const CSIDriver& driver, Findings& findings) {
  check_object_meta(*driver.metadata, false, name_is_subdomain, findings);
  check_driver_spec(*driver.spec, findings);
}

void check_update(const CSIDriver& driver, const CSIDriver& old, Findings& findings) {
  check_object_meta_update(*driver.metadata, *old.metadata, findings);
  check_driver_spec(*driver.spec, findings);
  const auto& attach = driver.spec->attach_required;
  check_immutable(attach, old.spec->attach_required, kSpec.child("attachedRequired"), attach ? Shown(*attach) : Shown("null"), findings);
  const auto& modes = driver.spec->volume_lifecycle_modes;
  if (!(modes == old.spec->volume_lifecycle_modes))
    findings.invalid(kSpec.child("volumeLifecycleModes"), Shown::list(modes, "[]storage.VolumeLifecycleMode"), Findings::kImmutable);
}

void check_capacity(const CSIStorageCapacity& capacity, SelectorRules rules, Findings& findings) {
  check_object_meta(*capacity.metadata, true, name_is_subdomain, findings);
  check_label_selector(capacity.node_topology.get(), Path("nodeTopology"), findings, rules);
  check_subdomain(capacity.storage_class_name, Path("storageClassName"), findings);
  if (capacity.capacity) check_quantity_non_negative(*capacity.capacity, Path("capacity"), findings);
}

void check_create(const CSIStorageCapacity& capacity, Findings& findings) { check_capacity(capacity, {}, findings); }

void check_update(const CSIStorageCapacity& capacity, const CSIStorageCapacity& old, Findings& findings) {
  check_capacity(capacity, {has_invalid_label_value(old.node_topology.get())}, findings);
  check_object_meta_update(*capacity.metadata, *old.metadata, findings);
  check_immutable_struct(capacity.node_topology, old.node_topology, Path("nodeTopology"), findings);
  check_immutable(capacity.storage_class_name, old.storage_class_name, Path("storageClassName"), capacity.storage_class_name, findings);
}

}  // namespace

std::span<const CheckRow> storage_checks() {
  static const CheckRow kRows[] = {
      check_row<StorageClass, check_create, check_update>(),
      check_row<VolumeAttachment, check_create, check_update, check_status>(),
      check_row<CSINode, check_create, check_update>(),
      check_row<CSIDriver, check_create, check_update>(),
      check_row<CSIStorageCapacity, check_create, check_update>(),
  };
  return kRows;
}

}  // namespace orrery::server
