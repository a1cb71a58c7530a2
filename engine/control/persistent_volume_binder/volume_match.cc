#include "engine/control/persistent_volume_binder/volume_match.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "engine/api/names.h"

namespace orrery::control {
namespace {

const Str kDefaultMode = Str::literal("Filesystem");

constexpr std::string_view kBetaClass = "volume.beta.kubernetes.io/storage-class";
constexpr std::string_view kStorage = "storage";

api::Quantity size_of(const corev1::PersistentVolume& volume) {
  return volume.spec->capacity.get(kStorage);
}

/// Bit i: the i-th of the modes that volumes are grouped by.
unsigned mode_bits(const List<Str>& modes) {
  constexpr std::array<std::string_view, 4> kModes = {"ReadWriteOnce", "ReadOnlyMany",
                                                      "ReadWriteMany", "ReadWriteOncePod"};
  unsigned bits = 0;
  for (size_t i = 0; i < kModes.size(); ++i)
    if (std::find(modes.begin(), modes.end(), kModes[i]) != modes.end()) bits |= 1u << i;
  return bits;
}

/// The feature is off in v1.32.
bool wants_attributes_class(const corev1::PersistentVolumeClaim& claim) {
  const auto& name = claim.spec->volume_attributes_class_name;
  return name && !name->empty();
}

bool has_modes(const corev1::PersistentVolume& volume, const corev1::PersistentVolumeClaim& claim) {
  const auto& modes = volume.spec->access_modes;
  const auto& wanted = claim.spec->access_modes;
  return std::all_of(wanted.begin(), wanted.end(), [&](const Str& mode) {
    return std::find(modes.begin(), modes.end(), mode) != modes.end();
  });
}

}  // namespace

Str class_of(const corev1::PersistentVolumeClaim& claim) {
  if (const Str* name = claim.metadata->annotations.find(kBetaClass)) return *name;
  return claim.spec->storage_class_name.value_or(Str());
}

Str class_of(const corev1::PersistentVolume& volume) {
  const Str* name = volume.metadata->annotations.find(kBetaClass);
  return name ? *name : volume.spec->storage_class_name;
}

bool names_a_class(const corev1::PersistentVolumeClaim& claim) {
  return claim.metadata->annotations.contains(kBetaClass) || claim.spec->storage_class_name;
}

bool is_bound_to(const corev1::PersistentVolume& volume,
                 const corev1::PersistentVolumeClaim& claim) {
  const auto* ref = volume.spec->claim_ref.get();
  return ref && ref->name == claim.metadata->name &&
         ref->namespace_ == claim.metadata->namespace_ &&
         (ref->uid.empty() || ref->uid == claim.metadata->uid);
}

bool modes_differ(const corev1::PersistentVolumeClaim& claim,
                  const corev1::PersistentVolume& volume) {
  return claim.spec->volume_mode.value_or(kDefaultMode) != volume.spec->volume_mode.value_or(kDefaultMode);
}

Status check_fit(const corev1::PersistentVolume& volume,
                 const corev1::PersistentVolumeClaim& claim) {
  const auto& meta = *volume.metadata;
  if (meta.deletion_timestamp)
    return invalid(str_cat("the volume is marked for deletion ", api::quoted(meta.name)));
  if (size_of(volume).value() < claim.spec->resources.requests.get(kStorage).value())
    return invalid("requested PV is too small");
  if (class_of(volume) != class_of(claim)) return invalid("storageClassName does not match");
  if (wants_attributes_class(claim))
    return invalid(
        "volumeAttributesClassName is not supported when the feature-gate VolumeAttributesClass is "
        "disabled");
  if (modes_differ(claim, volume)) return invalid("incompatible volumeMode");
  if (!has_modes(volume, claim)) return invalid("incompatible accessMode");
  return Status();
}

VolumeMatch::VolumeMatch(const corev1::PersistentVolumeClaim& claim, bool delay_binding)
    : claim_(claim),
      delay_binding_(delay_binding),
      class_(class_of(claim)),
      requested_(claim.spec->resources.requests.get(kStorage)),
      selector_(claim.spec->selector ? api::Selector::of(claim.spec->selector.get())
                                     : api::Selector()) {}

bool VolumeMatch::fits(const corev1::PersistentVolume& volume) const {
  const bool bound = is_bound_to(volume, claim_);
  if (volume.spec->claim_ref && !bound) return false;
  if (size_of(volume) < requested_ || modes_differ(claim_, volume) ||
      volume.metadata->deletion_timestamp)
    return false;
  if (bound) return true;
  return !delay_binding_ && volume.status->phase == "Available" &&
         selector_->matches(volume.metadata->labels) && class_of(volume) == class_;
}

bool VolumeMatch::is_better(const corev1::PersistentVolume& volume) const {
  const auto& best = best_.get<corev1::PersistentVolume>();
  const unsigned modes = mode_bits(volume.spec->access_modes);
  const unsigned best_modes = mode_bits(best.spec->access_modes);
  const int count = std::popcount(modes), best_count = std::popcount(best_modes);
  if (count != best_count) return count < best_count;
  if (modes != best_modes) return modes < best_modes;
  const bool bound = is_bound_to(volume, claim_), best_bound = is_bound_to(best, claim_);
  if (bound != best_bound) return bound;
  const int order = bound ? 0 : size_of(volume).compare(size_of(best));
  return order != 0 ? order < 0 : volume.metadata->name < best.metadata->name;
}

void VolumeMatch::consider(const api::Object& object) {
  const auto& volume = object.get<corev1::PersistentVolume>();
  if (!has_modes(volume, claim_) || !failure_) return;
  if (wants_attributes_class(claim_)) {
    failure_ = invalid(str_cat("unsupported volumeAttributesClassName is set on claim ",
                               api::object_key(*claim_.metadata),
                               " when the feature-gate VolumeAttributesClass is disabled"));
  } else if (!selector_.is_ok()) {
    failure_ = selector_.status().with_context(str_cat(
        "error creating internal label selector for claim: ", api::object_key(*claim_.metadata)));
  } else if (fits(volume) && (!best_ || is_better(volume))) {
    best_ = object;
  }
}

}  // namespace orrery::control
