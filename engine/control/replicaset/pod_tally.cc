#include "engine/control/replicaset/pod_tally.h"

#include "engine/api/pod_util.h"
#include "engine/api/semantic.h"
#include "engine/base/check.h"

namespace orrery::control {
namespace {

bool same_matching(const appsv1::ReplicaSetSpec& a, const appsv1::ReplicaSetSpec& b) {
  return api::semantic_equal(*a.selector, *b.selector) &&
         a.template_->metadata->labels == b.template_->metadata->labels;
}

}  // namespace

void PodTally::owner_changed(const api::Object& object) {
  const auto& rs = object.get<appsv1::ReplicaSet>();
  const auto [slot, fresh] = by_uid_.insert(rs.metadata->uid);
  if (slot >= owners_.size()) owners_.resize(slot + 1);
  Owner& owner = owners_[slot];
  if (!fresh && (owner.spec.same(rs.spec) || same_matching(*owner.spec, *rs.spec))) {
    owner.spec = rs.spec;
    return;
  }
  owner = Owner{};
  owner.spec = rs.spec;
  Result<api::Selector> selector = api::Selector::of(rs.spec->selector.get());
  owner.selector_valid = selector.is_ok();
  if (selector) owner.selector = std::move(*selector);
  owner.template_labels = api::Selector::of_labels(rs.spec->template_->metadata->labels);
}

void PodTally::owner_gone(const Str& uid) {
  const uint32_t slot = by_uid_.find(uid);
  if (slot == KeyTable<Str>::kNone) return;
  owners_[slot] = Owner{};
  by_uid_.erase(slot);
}

void PodTally::pod_changed(const Change& change) {
  if (change.before) pod_state(change.before, -1);
  if (change.after) pod_state(change.after, 1);
}

void PodTally::pod_state(const api::Object& pod, int32_t sign) {
  const auto* controller = api::controller_of(pod.meta());
  if (!controller) return;
  const uint32_t slot = by_uid_.find(controller->uid);
  if (slot != KeyTable<Str>::kNone && owners_[slot].counted)
    add(owners_[slot], pod.get<corev1::Pod>(), sign);
}

void PodTally::add(Owner& owner, const corev1::Pod& pod, int32_t sign) {
  if (!api::is_pod_active(pod)) return;
  const auto& labels = pod.metadata->labels;
  if (!owner.selector.matches(labels)) {
    owner.entry.strays += sign;
    return;
  }
  PodCounts& counts = owner.entry.counts;
  counts.replicas += sign;
  if (owner.template_labels.matches(labels)) counts.fully_labeled += sign;
  if (!api::is_pod_ready(pod)) return;
  counts.ready += sign;
  counts.available += sign;
}

PodTally::Entry& PodTally::entry(const Str& uid, const Informer& pods, size_t controller_index) {
  const uint32_t slot = by_uid_.find(uid);
  CHECK(slot != KeyTable<Str>::kNone) << "no owner " << uid.view();
  Owner& owner = owners_[slot];
  if (!owner.counted) {
    owner.entry.counts = PodCounts();
    owner.entry.strays = 0;
    pods.for_each_in(controller_index, uid,
                     [&](const api::Object& object) { add(owner, object.get<corev1::Pod>(), 1); });
    owner.counted = true;
  }
  return owner.entry;
}

const api::Selector* PodTally::selector(const Str& uid) const {
  const uint32_t slot = by_uid_.find(uid);
  if (slot == KeyTable<Str>::kNone || !owners_[slot].selector_valid) return nullptr;
  return &owners_[slot].selector;
}

}  // namespace orrery::control
