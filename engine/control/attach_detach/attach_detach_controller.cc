#include "engine/control/attach_detach/attach_detach_controller.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/api/pod_resources.h"
#include "engine/control/common/pod_claims.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

Str pass_key() { return "pass"; }

/// In all that matters here.
bool same_node(const corev1::Node& a, const corev1::Node& b) {
  return is_managed(a) == is_managed(b) && health_of(a) == health_of(b) &&
         a.status->volumes_in_use == b.status->volumes_in_use;
}

std::set<Str> volumes_in_use(const corev1::Node& node) {
  const auto& names = node.status->volumes_in_use;
  return {names.begin(), names.end()};
}

}  // namespace

AttachDetachController::AttachDetachController(const Env& env, const AttachDetachOptions& options)
    : Reconciler(env, "attachdetach-controller", options),
      sha256_(options.sha256),
      state_(options.limits) {
  CHECK(sha256_) << "no digest";
  add_informer({&kind_of<corev1::Pod>(), {}, {}, {}},
               {index_by_namespace_of_claims, index_by_node});
  add_informer({&kind_of<corev1::Node>(), {}, {}, {}});
  add_informer({&kind_of<corev1::PersistentVolumeClaim>(), {}, {}, {}});
  add_informer({&kind_of<corev1::PersistentVolume>(), {}, {}, {}});
  add_informer({&kind_of<storagev1::CSIDriver>(), {}, {}, {}});
  add_informer({&kind_of<storagev1::VolumeAttachment>(), {}, {}, {}});
}

void AttachDetachController::on_change(const Ctx&, size_t number, const Change& change) {
  switch (number) {
    case kPods:
      return pod_changed(change);
    case kNodes:
      return node_changed(change);
    case kClaims:
      return claim_changed(change.newest());
    case kVolumes:
      return volume_changed(change.newest().get<corev1::PersistentVolume>());
    case kDrivers:
      informer(kPods).for_each([&](const api::Object& pod) { look_at_pod(pod); });
      return enqueue(pass_key());
    default:
      return attachment_changed(change);
  }
}

void AttachDetachController::pod_changed(const Change& change) {
  const api::Object& pod = change.newest();
  if (index_by_namespace_of_claims(pod).empty()) return;
  if (change.after) {
    look_at_pod(pod);
  } else {
    state_.set_pod(api::object_key(pod.meta()), {});
  }
  enqueue(pass_key());
}

void AttachDetachController::volume_changed(const corev1::PersistentVolume& volume) {
  const auto* ref = volume.spec->claim_ref.get();
  const auto* claim = ref ? informer(kClaims).find(ref->namespace_, ref->name) : nullptr;
  if (claim) claim_changed(*claim);
}

void AttachDetachController::node_changed(const Change& change) {
  const auto& node = change.newest().get<corev1::Node>();
  if (change.before && change.after && same_node(change.before.get<corev1::Node>(), node)) return;
  if (change.after) {
    informer(kPods).for_each_in(kPodsByNode, node.metadata->name,
                                [&](const api::Object& pod) { look_at_pod(pod); });
    state_.report_in_use(node.metadata->name, volumes_in_use(node));
  }
  enqueue(pass_key());
}

void AttachDetachController::claim_changed(const api::Object& claim) {
  const Str key = api::object_key(claim.meta());
  informer(kPods).for_each_in(kPodsWithClaims, claim.meta().namespace_,
                              [&](const api::Object& pod) {
                                const auto keys = claim_keys(pod.get<corev1::Pod>());
                                if (std::find(keys.begin(), keys.end(), key) != keys.end())
                                  look_at_pod(pod);
                              });
  enqueue(pass_key());
}

void AttachDetachController::look_at_pod(const api::Object& pod) {
  state_.set_pod(api::object_key(pod.meta()), wanted_volumes(*this, pod.get<corev1::Pod>()));
}

const corev1::Node* AttachDetachController::find_node(const Str& name) const {
  return informer(kNodes).get<corev1::Node>({}, name);
}
const corev1::PersistentVolumeClaim* AttachDetachController::find_claim(const Str& ns,
                                                                        const Str& name) const {
  return informer(kClaims).get<corev1::PersistentVolumeClaim>(ns, name);
}
const corev1::PersistentVolume* AttachDetachController::find_volume(const Str& name) const {
  return informer(kVolumes).get<corev1::PersistentVolume>({}, name);
}
const storagev1::CSIDriver* AttachDetachController::find_driver(const Str& name) const {
  return informer(kDrivers).get<storagev1::CSIDriver>({}, name);
}

void AttachDetachController::begin_with_what_there_is() {
  begun_ = true;
  informer(kNodes).for_each([&](const api::Object& object) {
    const auto& node = object.get<corev1::Node>();
    for (const auto& volume : node.status->volumes_attached)
      if (parse_csi_volume_name(volume.name)) state_.attached({volume.name, node.metadata->name});
  });
  informer(kAttachments).for_each([&](const api::Object& object) {
    const auto& spec = *object.get<storagev1::VolumeAttachment>().spec;
    const auto* volume = find_volume(spec.source.persistent_volume_name.value_or(Str()));
    if (!volume || !volume->spec->csi) return;
    const VolumeOnNode where{csi_volume_name(*volume->spec->csi), spec.node_name};
    if (!state_.is_attached(where)) state_.uncertain(where);
  });
  informer(kNodes).for_each([&](const api::Object& node) {
    state_.report_in_use(node.meta().name, volumes_in_use(node.get<corev1::Node>()));
  });
  informer(kPods).for_each([&](const api::Object& pod) { look_at_pod(pod); });
}

AttachInputs AttachDetachController::gather(const Ctx& ctx, const Str&) {
  if (!begun_) begin_with_what_there_is();
  for (const VolumeOnNode& where : operations_.overdue(ctx.now)) {
    const auto volume = *parse_csi_volume_name(where.volume);
    fail(where, str_cat("timed out waiting for external-attacher of ", volume.driver,
                        " CSI driver to attach volume ", volume.handle));
  }
  AttachInputs in;
  AttachActions actions;
  actions.node = [&](const Str& name) {
    const auto* node = find_node(name);
    return node ? health_of(*node) : AttachActions::Node();
  };
  actions.is_busy = [&](const VolumeOnNode& where, bool shared) {
    const Kind kind = state_.is_wanted(where) ? Kind::kAttach : Kind::kDetach;
    return operations_.is_busy(where, shared, kind, ctx.now);
  };
  actions.detach = [&](const VolumeOnNode& where, bool checked) {
    in.detaches.push_back({where, attachment_name(where, sha256_), checked});
    begin(where, in.detaches.back().attachment, Kind::kDetach);
    return true;
  };
  actions.attach = [&](const VolumeOnNode& where) {
    const Str name = attachment_name(where, sha256_);
    in.attaches.push_back(
        {where, api::Object::of(make_attachment(where, name, *state_.name_of(where)))});
    begin(where, name, Kind::kAttach);
  };
  actions.warn = [&](const Str& pod, const std::string& text) { tell_pod(pod, false, text); };
  state_.reconcile(ctx.now, actions);
  for (auto& [node, volumes] : state_.take_reports()) in.reports.push_back({node, volumes});
  return in;
}

void AttachDetachController::begin(const VolumeOnNode& where, const Str& attachment, Kind kind) {
  operations_.begin(where, kind, now());
  by_attachment_[attachment] = where;
}

void AttachDetachController::on_finished(const Ctx& ctx, const Str& key, const Status&) {
  const Time next = std::min(operations_.next(ctx.now), state_.next_timeout(ctx.now));
  if (next != Time::max()) enqueue_after(key, next - ctx.now);
}

}  // namespace orrery::control
