#include "engine/control/job/pod_backoff.h"

#include <algorithm>
#include <optional>

#include "engine/api/pod_util.h"
#include "engine/runtime/backoff.h"

namespace orrery::control {
namespace {

constexpr ExponentialBackoff kPodBackoff{Duration::seconds(10), Duration::minutes(10)};

std::optional<Time> last_container_end(const corev1::Pod& pod) {
  std::optional<Time> end;
  for (const auto& status : pod.status->container_statuses) {
    if (!status.state.terminated || status.state.terminated->finished_at.is_zero())
      return std::nullopt;
    end = std::max(end.value_or(Time{INT64_MIN}), status.state.terminated->finished_at.time());
  }
  return end;
}

}  // namespace

Time pod_finish_time(const corev1::Pod& pod) {
  if (const auto end = last_container_end(pod)) return *end;
  const auto* ready = api::pod_condition(pod, "Ready");
  if (ready && ready->status == "False" && !ready->last_transition_time.is_zero())
    return ready->last_transition_time.time();
  const auto& meta = *pod.metadata;
  if (meta.deletion_timestamp)
    return meta.deletion_timestamp->time() -
           Duration::seconds(meta.deletion_grace_period_seconds.value_or(0));
  return meta.creation_timestamp.time();
}

Duration pod_backoff_left(int64_t failures, Time last, Time now) {
  if (failures <= 0) return {};
  const auto doublings = static_cast<uint32_t>(std::min<int64_t>(failures - 1, 63));
  return std::max(Duration{}, kPodBackoff.delay(doublings) - (now - last));
}

FailureRecord FailureRecord::after(std::span<const api::Object> succeeded,
                                   std::span<const api::Object> failed) const {
  FailureRecord record = *this;
  Time last_success{INT64_MIN};
  for (const api::Object& pod : succeeded)
    last_success = std::max(last_success, pod_finish_time(pod.get<corev1::Pod>()));
  if (!succeeded.empty()) record = {};
  Time newest{INT64_MIN};
  int64_t fresh = 0;
  for (const api::Object& pod : failed) {
    const Time end = pod_finish_time(pod.get<corev1::Pod>());
    if (end <= last_success) continue;
    newest = std::max(newest, end);
    ++fresh;
  }
  record.failures += fresh;
  if (fresh > 0) record.last = newest;
  return record;
}

}  // namespace orrery::control
