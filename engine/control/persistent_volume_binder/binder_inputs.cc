#include "engine/control/persistent_volume_binder/binder_inputs.h"

#include <algorithm>

#include "engine/api/default_class.h"
#include "engine/api/gen/storagev1.h"
#include "engine/api/names.h"
#include "engine/control/common/pod_claims.h"
#include "engine/control/persistent_volume_binder/binder_sync.h"
#include "engine/control/persistent_volume_binder/volume_match.h"

namespace orrery::control {
namespace {

using corev1::PersistentVolumeClaim;

std::vector<api::Object> pods_of(const BinderView& view, const Str& ns, const Str& claim) {
  const Str key = api::object_key(ns, claim);
  std::vector<api::Object> pods = view.pods_with_claims(ns);
  std::erase_if(pods, [&](const api::Object& object) {
    const auto& pod = object.get<corev1::Pod>();
    const auto keys = claim_keys(pod);
    return has_left_its_volumes(pod) || std::find(keys.begin(), keys.end(), key) == keys.end();
  });
  std::sort(pods.begin(), pods.end(), [](const api::Object& a, const api::Object& b) {
    return a.meta().name < b.meta().name;
  });
  return pods;
}

void find_class(const std::vector<api::Object>& classes, BinderInputs& in) {
  const Str name = class_of(in.claim.get<PersistentVolumeClaim>());
  const auto found = std::find_if(classes.begin(), classes.end(),
                                  [&](const api::Object& one) { return one.meta().name == name; });
  if (found == classes.end()) return;
  in.storage_class = *found;
  const auto& mode = found->get<storagev1::StorageClass>().volume_binding_mode;
  in.delay_binding = mode && *mode == "WaitForFirstConsumer";
  if (!mode)
    in.search_failure =
        internal_error(str_cat("VolumeBindingMode not set for StorageClass ", api::quoted(name)));
}

void search_volume(const BinderView& view, BinderInputs& in) {
  const auto& claim = in.claim.get<PersistentVolumeClaim>();
  VolumeMatch match(claim, in.delay_binding);
  view.for_each_volume([&](const api::Object& volume) { match.consider(volume); });
  in.best_volume = match.best();
  if (!match.failure())
    in.search_failure = match.failure().with_context(
        str_cat("error finding PV for claim ", api::quoted(api::object_key(*claim.metadata))));
}

}  // namespace

BinderInputs claim_inputs(const BinderView& view, std::string_view key) {
  BinderInputs in;
  in.claim = view.find_claim(key);
  if (!in.claim) return in;
  const auto& claim = in.claim.get<PersistentVolumeClaim>();
  if (!claim.spec->volume_name.empty()) {
    in.volume = view.find_volume(claim.spec->volume_name);
    return in;
  }
  if (claim.metadata->annotations.contains(kBindCompleted)) return in;
  const std::vector<api::Object> classes = view.classes();
  find_class(classes, in);
  if (in.search_failure) search_volume(view, in);
  if (in.best_volume || !in.search_failure) return in;
  const api::Object found = api::newest_default(classes, api::kDefaultStorageClass);
  if (found) in.default_class = found.meta().name;
  if (!in.delay_binding) return in;
  for (const api::Object& pod : pods_of(view, claim.metadata->namespace_, claim.metadata->name))
    if (pod.get<corev1::Pod>().spec->node_name.empty()) in.pods.push_back(pod.meta().name);
  return in;
}

BinderInputs volume_inputs(const BinderView& view, std::string_view name) {
  BinderInputs in;
  in.about_volume = true;
  in.volume = view.find_volume(name);
  if (!in.volume) return in;
  const auto& spec = *in.volume.get<corev1::PersistentVolume>().spec;
  const auto* ref = spec.claim_ref.get();
  if (!ref) return in;
  in.claim = view.find_claim(api::object_key(ref->namespace_, ref->name));
  if (spec.persistent_volume_reclaim_policy != "Recycle") return in;
  for (const api::Object& pod : pods_of(view, ref->namespace_, ref->name))
    in.pods.push_back(api::object_key(pod.meta()));
  return in;
}

}  // namespace orrery::control
