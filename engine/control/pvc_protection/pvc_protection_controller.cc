#include "engine/control/pvc_protection/pvc_protection_controller.h"

#include <algorithm>

#include "engine/control/common/pod_claims.h"
#include "engine/control/common/protection.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr std::string_view kFinalizer = "kubernetes.io/pvc-protection";

/// The kubelet is done with it, and only its deletion from the API is left.
bool is_shut_down(const corev1::Pod& pod) {
  return pod.metadata->deletion_timestamp && pod.metadata->deletion_grace_period_seconds == 0;
}

Result<bool> is_used_live(const PvcProtectionInputs& in, WriteLog& log) {
  const ApiResponse& pods =
      log.call([&] { return list_request(kind_of<corev1::Pod>(), in.claim.meta().namespace_); });
  if (!pods.status) return pods.status;
  const auto& claim = in.claim.get<corev1::PersistentVolumeClaim>();
  return std::any_of(pods.items.begin(), pods.items.end(), [&](const api::Object& pod) {
    return uses_claim(pod.get<corev1::Pod>(), claim);
  });
}

}  // namespace

// Pods without a node do not count: kubelets do not start one whose claim is being deleted.
bool uses_claim(const corev1::Pod& pod, const corev1::PersistentVolumeClaim& claim) {
  if (pod.spec->node_name.empty()) return false;
  const bool is_own = check_claim_owner(pod, claim).is_ok();
  const auto& volumes = pod.spec->volumes;
  return std::any_of(volumes.begin(), volumes.end(), [&](const corev1::Volume& volume) {
    if (claim_name(pod, volume) != claim.metadata->name) return false;
    return volume.persistent_volume_claim || (is_own && !is_shut_down(pod));
  });
}

Status sync_pvc_protection(const PvcProtectionInputs& in, WriteLog& log) {
  if (!in.claim) return Status();
  const auto is_used = [&]() -> Result<bool> {
    if (in.used) return true;
    return is_used_live(in, log);
  };
  return protect(in.claim, kFinalizer, is_used, log);
}

PvcProtectionController::PvcProtectionController(const Env& env,
                                                 const PvcProtectionOptions& options)
    : Reconciler(env, "pvc-protection-controller", options) {
  add_informer({&kind_of<corev1::PersistentVolumeClaim>(), {}, {}, {}});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_namespace_of_claims});
}

void PvcProtectionController::on_change(const Ctx&, size_t number, const Change& change) {
  if (number == kPods) return pod_changed(change);
  if (change.after) claim_changed(change.after);
}

void PvcProtectionController::claim_changed(const api::Object& claim) {
  const bool goes = is_deletion_candidate(claim.meta(), kFinalizer);
  if (goes) need(kPods);
  if (goes || lacks_finalizer(claim.meta(), kFinalizer)) enqueue(api::object_key(claim.meta()));
}

// What a pod that goes, or one that has taken the name of another, has held.
void PvcProtectionController::pod_changed(const Change& change) {
  const auto look_at_claims_of = [&](const api::Object& pod) {
    for (const Str& key : claim_keys(pod.get<corev1::Pod>())) enqueue(key);
  };
  const auto& pod = change.newest().get<corev1::Pod>();
  if (!change.after || has_left_its_volumes(pod) || pod.spec->node_name.empty())
    look_at_claims_of(change.newest());
  if (change.before && change.before.meta().uid != change.newest().meta().uid)
    look_at_claims_of(change.before);
}

PvcProtectionInputs PvcProtectionController::gather(const Ctx&, const Str& key) {
  PvcProtectionInputs in;
  const api::Object* found = informer(kClaims).find(key.view());
  if (!found) return in;
  in.claim = *found;
  const auto& claim = in.claim.get<corev1::PersistentVolumeClaim>();
  informer(kPods).for_each_in(kPodsWithClaims, claim.metadata->namespace_,
                              [&](const api::Object& pod) {
                                in.used = in.used || uses_claim(pod.get<corev1::Pod>(), claim);
                              });
  return in;
}

}  // namespace orrery::control
