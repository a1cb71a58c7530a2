#include "engine/api/gen/storagev1.h"
#include "engine/api/semantic.h"
#include "engine/server/strategy/strategies.h"

namespace orrery::server {
namespace {

bool has_data_source(const corev1::PersistentVolumeClaimSpec& spec) { return spec.data_source || spec.data_source_ref; }

bool is_claim_or_snapshot(const corev1::TypedLocalObjectReference& source) {
  const std::string_view group = source.api_group ? source.api_group->view() : std::string_view();
  return (source.kind == "PersistentVolumeClaim" && group.empty()) ||
         (source.kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io");
}

// dataSource and dataSourceRef say the same as long as only one of them is set.
void agree_data_sources(corev1::PersistentVolumeClaimSpec& spec) {
  if (spec.data_source && !spec.data_source_ref) {
    auto& ref = spec.data_source_ref.mut();
    ref.api_group = spec.data_source->api_group;
    ref.kind = spec.data_source->kind;
    ref.name = spec.data_source->name;
  } else if (spec.data_source_ref && !spec.data_source && (!spec.data_source_ref->namespace_ || spec.data_source_ref->namespace_->empty())) {
    auto& source = spec.data_source.mut();
    source.api_group = spec.data_source_ref->api_group;
    source.kind = spec.data_source_ref->kind;
    source.name = spec.data_source_ref->name;
  }
}

void prepare_claim_spec(corev1::PersistentVolumeClaimSpec& spec, const corev1::PersistentVolumeClaimSpec* old) {
  if (!old || !old->volume_attributes_class_name) spec.volume_attributes_class_name.reset();
  const bool elsewhere = spec.data_source_ref && spec.data_source_ref->namespace_ && !spec.data_source_ref->namespace_->empty();
  if (elsewhere && (!old || !old->data_source_ref)) spec.data_source_ref.reset();
  const bool had_source = old && has_data_source(*old);
  if (!had_source && spec.data_source && !spec.data_source_ref && !is_claim_or_snapshot(*spec.data_source)) spec.data_source.reset();
  agree_data_sources(spec);
}

void create_claim(corev1::PersistentVolumeClaim& claim) {
  claim.status.mut().phase = "Pending";
  prepare_claim_spec(claim.spec.mut(), nullptr);
}

void update_claim(corev1::PersistentVolumeClaim& claim, const corev1::PersistentVolumeClaim& old, const Update& update) {
  if (update.subresource.empty()) return prepare_claim_spec(claim.spec.mut(), old.spec.get());
  if (!old.status->current_volume_attributes_class_name) claim.status.mut().current_volume_attributes_class_name.reset();
  if (!old.status->modify_volume_status) claim.status.mut().modify_volume_status.reset();
}

void create_volume(corev1::PersistentVolume& volume) {
  volume.status.mut().phase = "Pending";
  volume.status.mut().last_phase_transition_time = volume.metadata->creation_timestamp;
  volume.spec.mut().volume_attributes_class_name.reset();
}

void update_volume(corev1::PersistentVolume& volume, const corev1::PersistentVolume& old, const Update& update) {
  if (update.subresource.empty()) {
    if (!old.spec->volume_attributes_class_name) volume.spec.mut().volume_attributes_class_name.reset();
    return;
  }
  const auto &time = volume.status->last_phase_transition_time, &before = old.status->last_phase_transition_time;
  if (volume.status->phase == old.status->phase) {
    if (!time) volume.status.mut().last_phase_transition_time = before;
  } else if (!time || time == before) {
    volume.status.mut().last_phase_transition_time = api::Timestamp::whole_seconds(update.now);
  }
}

void update_driver(storagev1::CSIDriver& driver, const storagev1::CSIDriver& old, const Update&) {
  if (!api::semantic_equal(*driver.spec, *old.spec)) driver.metadata.mut().generation = old.metadata->generation + 1;
}

}  // namespace

std::span<const StrategyRow> storage_strategies() {
  static constexpr StrategyRow kRows[] = {
      {&corev1::PersistentVolumeClaim::descriptor,
       {create_as<corev1::PersistentVolumeClaim, create_claim>, update_as<corev1::PersistentVolumeClaim, update_claim>}},
      {&corev1::PersistentVolume::descriptor,
       {create_as<corev1::PersistentVolume, create_volume>, update_as<corev1::PersistentVolume, update_volume>}},
      {&storagev1::CSIDriver::descriptor, {nullptr, update_as<storagev1::CSIDriver, update_driver>}},
  };
  return kRows;
}

}  // namespace orrery::server
