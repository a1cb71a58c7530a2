#include "engine/api/gen/storagev1.h"
#include "engine/api/reflect.h"
#include "engine/server/defaulting/defaults.h"

namespace orrery::server {
namespace {

constexpr int32_t kFileMode = 0644;
constexpr int64_t kTokenSeconds = 3600;

template <typename S>
void default_mode(Ref<S>& source) {
  if (source && !source->default_mode) source.mut().default_mode = kFileMode;
}

void default_field_refs(List<corev1::DownwardAPIVolumeFile>& items) {
  for (size_t i = 0; i < items.size(); ++i)
    if (items[i].field_ref && items[i].field_ref->api_version.empty()) items.mut(i).field_ref.mut().api_version = "v1";
}

void default_projected(Ref<corev1::ProjectedVolumeSource>& projected) {
  if (!projected) return;
  default_mode(projected);
  for (size_t i = 0; i < projected->sources.size(); ++i) {
    const auto& source = projected->sources[i];
    if (source.service_account_token && !source.service_account_token->expiration_seconds)
      projected.mut().sources.mut(i).service_account_token.mut().expiration_seconds = kTokenSeconds;
    if (source.downward_api) default_field_refs(projected.mut().sources.mut(i).downward_api.mut().items);
  }
}

void default_host_path(Ref<corev1::HostPathVolumeSource>& source) {
  if (source && !source->type) source.mut().type = Str();
}

void default_azure_disk(Ref<corev1::AzureDiskVolumeSource>& source) {
  if (!source) return;
  apply_schema_defaults(source);
  if (!source->read_only) source.mut().read_only = false;
}

void default_claim_spec(corev1::PersistentVolumeClaimSpec& spec) { set_if_absent(spec.volume_mode, Str("Filesystem")); }

bool has_source(const corev1::VolumeSource& v) {
  for (const api::FieldDesc& field : corev1::VolumeSource::descriptor().fields)
    if (!api::is_empty_value(field, &v)) return true;
  return false;
}

void default_volume_spec(corev1::PersistentVolumeSpec& spec) {
  set_if_empty(spec.persistent_volume_reclaim_policy, "Retain");
  set_if_absent(spec.volume_mode, Str("Filesystem"));
  default_host_path(spec.host_path);
  default_azure_disk(spec.azure_disk);
  apply_schema_defaults(spec.iscsi);
  apply_schema_defaults(spec.rbd);
  apply_schema_defaults(spec.scale_io);
}

void default_persistent_volume(corev1::PersistentVolume& pv) {
  if (pv.status->phase.empty()) pv.status.mut().phase = "Pending";
  default_volume_spec(pv.spec.mut());
}

void default_storage_class(storagev1::StorageClass& sc) {
  set_if_absent(sc.reclaim_policy, Str("Delete"));
  set_if_absent(sc.volume_binding_mode, Str("Immediate"));
}

void default_csi_driver(storagev1::CSIDriver& driver) {
  auto& spec = driver.spec.mut();
  set_if_absent(spec.attach_required, true);
  set_if_absent(spec.pod_info_on_mount, false);
  set_if_absent(spec.storage_capacity, false);
  set_if_absent(spec.fs_group_policy, Str("ReadWriteOnceWithFSType"));
  if (spec.volume_lifecycle_modes.empty()) spec.volume_lifecycle_modes.push_back("Persistent");
  set_if_absent(spec.requires_republish, false);
  set_if_absent(spec.se_linux_mount, false);
}

void default_volume_attachment(storagev1::VolumeAttachment& attachment) {
  if (!attachment.spec->source.inline_volume_spec) return;
  auto& spec = attachment.spec.mut().source.inline_volume_spec.mut();
  default_host_path(spec.host_path);
  default_azure_disk(spec.azure_disk);
  apply_schema_defaults(spec.iscsi);
  apply_schema_defaults(spec.rbd);
  apply_schema_defaults(spec.scale_io);
}

}  // namespace

void default_volume(corev1::Volume& v) {
  if (!has_source(v)) v.empty_dir.mut();
  default_mode(v.secret);
  default_mode(v.config_map);
  default_mode(v.downward_api);
  if (v.downward_api) default_field_refs(v.downward_api.mut().items);
  default_projected(v.projected);
  default_host_path(v.host_path);
  default_azure_disk(v.azure_disk);
  apply_schema_defaults(v.iscsi);
  apply_schema_defaults(v.rbd);
  apply_schema_defaults(v.scale_io);
  if (v.ephemeral && v.ephemeral->volume_claim_template)
    default_claim_spec(v.ephemeral.mut().volume_claim_template.mut().spec.mut());
}

void default_claim(corev1::PersistentVolumeClaim& claim) {
  if (claim.status->phase.empty()) claim.status.mut().phase = "Pending";
  default_claim_spec(claim.spec.mut());
}

void apply_schema_defaults(const api::TypeDesc& type, void* object) {
  for (const api::FieldDesc& field : type.fields) {
    if (field.default_json.size() < 2 || field.kind != api::FieldKind::kString || !api::is_empty_value(field, object)) continue;
    const std::string_view text = field.default_json.substr(1, field.default_json.size() - 2);
    if (field.form == api::Form::kValue) *static_cast<Str*>(api::field_at(field, object)) = Str(text);
    if (field.form == api::Form::kPointer) *static_cast<Opt<Str>*>(api::field_at(field, object)) = Str(text);
  }
}

std::span<const DefaultRow> storage_defaults() {
  static constexpr DefaultRow kRows[] = {
      default_row<corev1::PersistentVolume, default_persistent_volume>(),
      default_row<corev1::PersistentVolumeClaim, default_claim>(),
      default_row<storagev1::StorageClass, default_storage_class>(),
      default_row<storagev1::CSIDriver, default_csi_driver>(),
      default_row<storagev1::VolumeAttachment, default_volume_attachment>(),
  };
  return kRows;
}

}  // namespace orrery::server
