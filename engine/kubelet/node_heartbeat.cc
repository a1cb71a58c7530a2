#include "engine/kubelet/node_heartbeat.h"

#include <utility>

#include "engine/api/gen/coordinationv1.h"
#include "engine/api/pod_resources.h"
#include "engine/runtime/api_requests.h"
#include "engine/runtime/lazy_lease.h"

namespace orrery::kubelet {
namespace {

constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr int32_t kLeaseSeconds = 40;

}  // namespace

List<corev1::NodeCondition> healthy_conditions(Time now) {
  List<corev1::NodeCondition> conditions;
  const auto add = [&](std::string_view type, std::string_view status, std::string_view reason,
                       std::string_view message) {
    corev1::NodeCondition condition;
    condition.type = type;
    condition.status = status;
    condition.reason = reason;
    condition.message = message;
    condition.last_heartbeat_time = api::Timestamp::whole_seconds(now);
    condition.last_transition_time = condition.last_heartbeat_time;
    conditions.push_back(std::move(condition));
  };
  add("MemoryPressure", "False", "KubeletHasSufficientMemory",
      "kubelet has sufficient memory available");
  add("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure");
  add("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available");
  add("Ready", "True", "KubeletReady", "kubelet is posting ready status");
  return conditions;
}

void NodeHeartbeat::start(Api& api, Time now) {
  connected_ = true;
  origin_ = now - kLeasePeriod + options_.lease_phase;
  coordinationv1::Lease lease;
  auto& meta = lease.metadata.mut();
  meta.namespace_ = kLeaseNamespace;
  meta.name = node_;
  auto& spec = lease.spec.mut();
  spec.holder_identity = node_;
  spec.lease_duration_seconds = kLeaseSeconds;
  spec.renew_time = api::Timestamp(last_renewal(now));
  if (!options_.write_every_lease) meta.annotations.set(kLazyLease, lazy_lease_text(kLeasePeriod));
  api.call({}, create_request(api::Object::of(std::move(lease))));
}

void NodeHeartbeat::stop(Api& api, Time now) {
  if (!options_.write_every_lease) patch_lease(api, false, last_renewal(now));
  stopped_ = now;
  connected_ = false;
}

void NodeHeartbeat::resume(Api& api, Ticket node_read, Time now) {
  connected_ = true;
  patch_lease(api, !options_.write_every_lease, last_renewal(now));
  api.call(node_read, get_request(kind_of<corev1::Node>(), {}, node_));
}

void NodeHeartbeat::post_conditions(Api& api, Ticket posted, const api::Object& node,
                                    Time now) const {
  api::Object changed = node;
  auto& conditions = changed.mut<corev1::Node>().status.mut().conditions;
  for (corev1::NodeCondition fresh : healthy_conditions(now)) {
    size_t at = 0;
    while (at < conditions.size() && conditions[at].type != fresh.type) ++at;
    if (at == conditions.size()) {
      conditions.push_back(std::move(fresh));
      continue;
    }
    if (conditions[at].status == fresh.status)
      fresh.last_transition_time = conditions[at].last_transition_time;
    conditions.mut(at) = std::move(fresh);
  }
  api.call(posted, update_request(std::move(changed), "status"));
}

Time NodeHeartbeat::next_renewal(Time now) const {
  if (!connected_ || !options_.write_every_lease) return Time::max();
  return last_renewal(now) + kLeasePeriod;
}

void NodeHeartbeat::renew(Api& api, Time now) {
  if (connected_) patch_lease(api, false, now);
}

Time NodeHeartbeat::last_renewal(Time now) const {
  const Time until = connected_ ? now : stopped_;
  return origin_ + kLeasePeriod * ((until - origin_).ns / kLeasePeriod.ns);
}

void NodeHeartbeat::patch_lease(Api& api, bool goes_on, Time renewed) const {
  std::string patch = R"({"spec":{"renewTime":")" + api::format_micro_time(renewed) + R"("})";
  if (!options_.write_every_lease)
    patch += str_cat(R"(,"metadata":{"annotations":{")", kLazyLease, R"(":")",
                     lazy_lease_text(goes_on ? kLeasePeriod : Duration{}), R"("}})");
  patch += '}';
  api.call({}, patch_request(kind_of<coordinationv1::Lease>(), kLeaseNamespace, node_,
                             PatchKind::kMerge, patch));
}

}  // namespace orrery::kubelet
