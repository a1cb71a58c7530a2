#include "engine/control/resource_quota/resource_quota_controller.h"

#include <algorithm>

#include "engine/api/pod_resources.h"
#include "engine/api/quota.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr size_t kQuotas = 0, kByNamespace = 0;
/// kube-controller-manager's --resource-quota-sync-period.
constexpr Duration kSyncPeriod = Duration::seconds(300);

bool same_amounts(const api::ResourceList& a, const api::ResourceList& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& one) {
           const auto& [name, amount] = one;
           const api::Quantity* other = b.find(name);
           return other && *other == amount;
         });
}

/// A change that may have made the use smaller. What makes it larger is charged by admission.
bool may_use_less(const api::Object& object) {
  return !object.is<corev1::Pod>() || api::is_terminal(object.get<corev1::Pod>());
}

ApiRequest cached_list(const api::KindDesc& kind, const Str& ns) {
  ApiRequest request = list_request(kind, ns);
  request.resource_version = "0";
  return request;
}

}  // namespace

ResourceQuotaController::ResourceQuotaController(const Env& env, const ResourceQuotaOptions& options)
    : Reconciler(env, "resourcequota-controller", options) {
  add_informer({&kind_of<corev1::ResourceQuota>(), {}, {}, {}}, {index_by_namespace});
}

// With the first quota also begins what mends a status that somebody else has written, and what time
// alone ends: a pod whose deletion is overdue counts no more.
void ResourceQuotaController::begin(Time now) {
  if (!watches_.empty()) return;
  env().timers->arm(lane(), now + kSyncPeriod, {EventKind::kTimer, kFirstTimerArg, 0, 0});
  WatchSpec all_that_goes;
  watches_.push_back(env().api->watch(lane(), all_that_goes));
  for (const api::KindDesc* kind : {&kind_of<corev1::Pod>(), &kind_of<corev1::Service>(),
                                    &kind_of<corev1::PersistentVolumeClaim>()}) {
    WatchSpec changes;
    changes.kind = kind;
    watches_.push_back(env().api->watch(lane(), changes));
  }
}

void ResourceQuotaController::on_event(const Ctx& ctx, const Event&) {
  std::vector<Str> keys;
  informer(kQuotas).for_each([&](const api::Object& quota) { keys.push_back(api::object_key(quota.meta())); });
  std::sort(keys.begin(), keys.end());
  for (const Str& key : keys) enqueue(key);
  env().timers->arm(lane(), ctx.now + kSyncPeriod, {EventKind::kTimer, kFirstTimerArg, 0, 0});
}

void ResourceQuotaController::on_change(const Ctx& ctx, size_t, const Change& change) {
  begin(ctx.now);
  const auto& quota = change.newest().get<corev1::ResourceQuota>();
  if (change.before && change.after &&
      same_amounts(change.before.get<corev1::ResourceQuota>().spec->hard, quota.spec->hard))
    return;
  enqueue(api::object_key(change.newest().meta()));
}

void ResourceQuotaController::on_own_watch(const Ctx&, WatchId watch) {
  const bool of_all_kinds = watch == watches_.front();
  arrived_.clear();
  env().api->drain(watch, arrived_);
  for (const WatchEvent& event : arrived_) {
    if (of_all_kinds ? event.type == WatchEventType::kDeleted
                     : event.type == WatchEventType::kModified && may_use_less(event.object))
      enqueue_counting(event.object);
  }
  orrery::forget(arrived_);
}

void ResourceQuotaController::enqueue_counting(const api::Object& object) {
  std::vector<Str> keys;
  informer(kQuotas).for_each_in(kByNamespace, object.meta().namespace_, [&](const api::Object& quota) {
    const auto& hard = quota.get<corev1::ResourceQuota>().status->hard;
    if (!api::quota_names_of(*object.kind(), hard).empty())
      keys.push_back(api::object_key(quota.meta()));
  });
  std::sort(keys.begin(), keys.end());
  for (const Str& key : keys) enqueue(key);
}

ResourceQuotaInputs ResourceQuotaController::gather(const Ctx& ctx, const Str& key) {
  ResourceQuotaInputs in;
  const api::Object* quota = informer(kQuotas).find(key.view());
  if (!quota) return in;
  in.now = ctx.now;
  in.quota = *quota;
  const auto& hard = quota->get<corev1::ResourceQuota>().spec->hard;
  for (const api::KindDesc* kind : env().api->served_kinds())
    if (kind->namespaced && !api::quota_names_of(*kind, hard).empty()) in.counted.push_back(kind);
  return in;
}

Status ResourceQuotaController::sync(const ResourceQuotaInputs& in, WriteLog& log) {
  if (!in.quota) return Status();
  const Str& ns = in.quota.meta().namespace_;
  const auto lists = log.batch(in.counted.size(), [&](size_t i) { return cached_list(*in.counted[i], ns); });
  if (log.pending()) return Status();
  std::vector<api::Object> objects;
  for (const ApiResponse& list : lists) {
    ORRERY_TRY(list.status);
    objects.insert(objects.end(), list.items.begin(), list.items.end());
  }
  api::Object fresh = in.quota;
  auto& quota = fresh.mut<corev1::ResourceQuota>();
  const api::ResourceList used = api::quota_used(*quota.spec, in.counted, objects, in.now);
  if (same_amounts(quota.spec->hard, quota.status->hard) && same_amounts(used, quota.status->used))
    return Status();
  quota.status.mut().hard = quota.spec->hard;
  quota.status.mut().used = used;
  const Status& written = log.call_last([&] { return update_request(fresh, "status"); }).status;
  return written.code() == Code::kNotFound && !log.pending() ? Status() : written;
}

}  // namespace orrery::control
