#include "engine/api/pod_util.h"
#include "engine/control/statefulset/set_sync.h"
#include "engine/control/statefulset/stateful_pod.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr int kStatusAttempts = 5;  // client-go, retry.DefaultRetry

/// All replicas have the update revision: it is the current one from now on.
void complete_rolling_update(const appsv1::StatefulSetSpec& spec,
                             appsv1::StatefulSetStatus& status) {
  const int32_t wanted = spec.replicas.value_or(0);
  if (spec.update_strategy.type != "RollingUpdate" || status.updated_replicas != wanted ||
      status.ready_replicas != wanted || status.replicas != wanted)
    return;
  status.current_replicas = status.updated_replicas;
  status.current_revision = status.update_revision;
}

bool says_something_new(const appsv1::StatefulSetStatus& old,
                        const appsv1::StatefulSetStatus& fresh) {
  return fresh.observed_generation > old.observed_generation || fresh.replicas != old.replicas ||
         fresh.current_replicas != old.current_replicas ||
         fresh.ready_replicas != old.ready_replicas ||
         fresh.updated_replicas != old.updated_replicas ||
         fresh.current_revision != old.current_revision ||
         fresh.available_replicas != old.available_replicas ||
         fresh.update_revision != old.update_revision;
}

}  // namespace

void SetSync::count(const std::vector<api::Object>& pods) {
  const Str& current = current_revision_.meta().name;
  const Str& update = update_revision_.meta().name;
  for (const api::Object& object : pods) {
    if (!object) continue;
    const auto& pod = object.get<corev1::Pod>();
    const bool created = is_created(pod);
    const bool ready = is_running_and_ready(pod);
    status_->replicas += created;
    status_->ready_replicas += ready;
    status_->available_replicas +=
        ready && api::is_pod_available(pod, spec().min_ready_seconds, in_.now);
    if (!created || pod.metadata->deletion_timestamp) continue;
    const std::string_view revision = pod_revision(pod);
    status_->current_replicas += current == revision;
    status_->updated_replicas += update == revision;
  }
}

void SetSync::count_replicas() {
  status_->replicas = status_->ready_replicas = status_->available_replicas = 0;
  status_->current_replicas = status_->updated_replicas = 0;
  count(replicas_);
  count(condemned_);
}

Status SetSync::write_status(bool last) {
  complete_rolling_update(spec(), *status_);
  if (!says_something_new(*set().status, *status_)) return Status();
  api::Object object = in_.set;
  const Str ns = object.meta().namespace_, name = object.meta().name;
  for (int attempt = 1;; ++attempt) {
    object.mut<appsv1::StatefulSet>().status.mut() = *status_;
    const auto make = [&] { return update_request(object, "status"); };
    const Status& written = (last ? log_.call_last(make) : log_.call(make)).status;
    if (written.code() != Code::kConflict || attempt == kStatusAttempts) return written;
    const ApiResponse& fresh = log_.call([&] { return get_request(*object.kind(), ns, name); });
    if (!fresh.status) return fresh.status;
    object = fresh.object;
  }
}

}  // namespace orrery::control
