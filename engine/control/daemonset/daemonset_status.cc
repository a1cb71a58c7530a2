#include "engine/api/pod_util.h"
#include "engine/control/daemonset/daemonset_sync.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr int kStatusWrites = 2;  // one retry

void put_counts(const appsv1::DaemonSetStatus& counts, appsv1::DaemonSetStatus& status) {
  status.desired_number_scheduled = counts.desired_number_scheduled;
  status.current_number_scheduled = counts.current_number_scheduled;
  status.number_misscheduled = counts.number_misscheduled;
  status.number_ready = counts.number_ready;
  status.updated_number_scheduled = counts.updated_number_scheduled;
  status.number_available = counts.number_available;
  status.number_unavailable = counts.number_unavailable;
}

bool same_counts(const appsv1::DaemonSetStatus& a, const appsv1::DaemonSetStatus& b) {
  return a.desired_number_scheduled == b.desired_number_scheduled &&
         a.current_number_scheduled == b.current_number_scheduled &&
         a.number_misscheduled == b.number_misscheduled && a.number_ready == b.number_ready &&
         a.updated_number_scheduled == b.updated_number_scheduled &&
         a.number_available == b.number_available && a.number_unavailable == b.number_unavailable;
}

}  // namespace

/// Of several pods on a node the oldest counts.
Result<appsv1::DaemonSetStatus> DaemonSetSync::counted_status() {
  ORRERY_TRY(place_pods());
  appsv1::DaemonSetStatus counts;
  for (size_t i = 0; i < nodes().size(); ++i) {
    const bool wanted = should_run(i);
    const auto found = pods_.find(nodes()[i].meta().name);
    if (wanted) ++counts.desired_number_scheduled;
    if (found == pods_.end() || found->second.empty()) continue;
    if (!wanted) {
      ++counts.number_misscheduled;
      continue;
    }
    ++counts.current_number_scheduled;
    sort_by_age(found->second);
    const api::Object& pod = found->second.front();
    if (api::is_pod_ready(pod.get<corev1::Pod>())) {
      ++counts.number_ready;
      if (is_available(pod)) ++counts.number_available;
    }
    if (is_updated(ds(), pod, hash_)) ++counts.updated_number_scheduled;
  }
  counts.number_unavailable = counts.desired_number_scheduled - counts.number_available;
  return counts;
}

Status DaemonSetSync::update_status(bool observed, bool last) {
  ORRERY_ASSIGN(const appsv1::DaemonSetStatus counts, counted_status());
  // minReadySeconds may pass without any change that would cause a sync.
  const int32_t min_ready = ds().spec->min_ready_seconds;
  const bool again = min_ready > 0 && counts.number_ready != counts.number_available;
  if (const Status stored = store_status(counts, observed, last && !again); !stored)
    return stored.with_context("error storing status for daemon set");
  if (again) log_.requeue_after(Duration::seconds(min_ready));
  return Status();
}

Status DaemonSetSync::store_status(const appsv1::DaemonSetStatus& counts, bool observed,
                                   bool last) {
  const auto& meta = in_.ds.meta();
  if (same_counts(*ds().status, counts) && ds().status->observed_generation >= meta.generation)
    return Status();
  api::Object object = in_.ds;
  for (int attempt = 1;; ++attempt) {
    auto& status = object.mut<appsv1::DaemonSet>().status.mut();
    if (observed) status.observed_generation = meta.generation;
    put_counts(counts, status);
    const auto make = [&] { return update_request(object, "status"); };
    const Status written = (last ? log_.call_last(make) : log_.call(make)).status;
    if (written || attempt == kStatusWrites) return written;
    const ApiResponse& fresh =
        log_.call([&] { return get_request(*object.kind(), meta.namespace_, meta.name); });
    if (!fresh.status) return fresh.status;
    object = fresh.object;
  }
}

}  // namespace orrery::control
