#include "engine/control/ephemeral_volume/ephemeral_volume_controller.h"

#include <algorithm>

#include "engine/control/common/claim.h"
#include "engine/control/common/pod_claims.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using corev1::PersistentVolumeClaim;

bool has_ephemeral_volumes(const corev1::Pod& pod) {
  const auto& volumes = pod.spec->volumes;
  return std::any_of(volumes.begin(), volumes.end(),
                     [](const corev1::Volume& volume) { return bool(volume.ephemeral); });
}

PersistentVolumeClaim make_claim(const api::Object& pod, const corev1::Volume& volume) {
  const auto& claim_template = *volume.ephemeral->volume_claim_template;
  PersistentVolumeClaim claim;
  auto& meta = claim.metadata.mut();
  meta.namespace_ = pod.meta().namespace_;
  meta.name = claim_name(pod.get<corev1::Pod>(), volume);
  meta.annotations = claim_template.metadata->annotations;
  meta.labels = claim_template.metadata->labels;
  meta.owner_references.push_back(controller_reference(pod));
  claim.spec = claim_template.spec;
  return claim;
}

Status ensure_claim(const api::Object& pod, const corev1::Volume& volume, const api::Object& found,
                    WriteLog& log) {
  if (found) return check_claim_owner(pod.get<corev1::Pod>(), found.get<PersistentVolumeClaim>());
  const Status& made =
      log.call([&] { return create_request(api::Object::of(make_claim(pod, volume))); }).status;
  return made ? made
              : made.with_context(
                    str_cat("create PVC ", claim_name(pod.get<corev1::Pod>(), volume)));
}

}  // namespace

EphemeralVolumeController::EphemeralVolumeController(const Env& env,
                                                     const EphemeralVolumeOptions& options)
    : Reconciler(env, "ephemeral-volume-controller", options, "ephemeral_volume") {
  add_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_namespace_of_claims});
  add_informer({&kind_of<PersistentVolumeClaim>(), {}, {}, {}});
}

void EphemeralVolumeController::on_change(const Ctx&, size_t number, const Change& change) {
  if (number == kPods) {
    const bool lives = change.after && !change.after.meta().deletion_timestamp;
    if (lives && has_ephemeral_volumes(change.after.get<corev1::Pod>()))
      enqueue(api::object_key(change.after.meta()));
    return;
  }
  // A claim that has gone is made again.
  if (change.after) return;
  const Str key = api::object_key(change.last.meta());
  informer(kPods).for_each_in(kPodsWithClaims, change.last.meta().namespace_,
                              [&](const api::Object& pod) {
                                const auto keys = claim_keys(pod.get<corev1::Pod>());
                                if (std::find(keys.begin(), keys.end(), key) != keys.end())
                                  enqueue(api::object_key(pod.meta()));
                              });
}

EphemeralVolumeInputs EphemeralVolumeController::gather(const Ctx&, const Str& key) {
  EphemeralVolumeInputs in;
  const api::Object* found = informer(kPods).find(key.view());
  if (!found || found->meta().deletion_timestamp) return in;
  in.pod = *found;
  const auto& pod = in.pod.get<corev1::Pod>();
  for (const corev1::Volume& volume : pod.spec->volumes) {
    const api::Object* claim =
        volume.ephemeral ? informer(kClaims).find(pod.metadata->namespace_, claim_name(pod, volume))
                         : nullptr;
    in.claims.push_back(claim ? *claim : api::Object());
  }
  return in;
}

Status EphemeralVolumeController::sync(const EphemeralVolumeInputs& in, WriteLog& log) {
  if (!in.pod) return Status();
  const auto& volumes = in.pod.get<corev1::Pod>().spec->volumes;
  for (size_t i = 0; i < volumes.size(); ++i) {
    if (!volumes[i].ephemeral) continue;
    const Status made = ensure_claim(in.pod, volumes[i], in.claims[i], log);
    if (log.pending()) return made;
    if (made) continue;
    const std::string what = str_cat("ephemeral volume ", volumes[i].name);
    log.event(in.pod, "Warning", "FailedBinding", str_cat(what, ": ", made.message()));
    return made.with_context(str_cat("pod ", api::object_key(in.pod.meta()), ", ", what));
  }
  return Status();
}

}  // namespace orrery::control
