#include "engine/control/endpoint_slices/endpoint_slice_controller.h"

#include "engine/api/names.h"
#include "engine/control/common/pod_control.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using discoveryv1::EndpointSlice;

constexpr size_t kServices = 0, kPods = 1, kSlices = 2, kNodes = 3;
constexpr size_t kFirstIndex = 0;
constexpr std::string_view kOurs = "endpointslice.kubernetes.io/managed-by=endpointslice-controller.k8s.io";

// What hints are made of.
bool same_capacity(const Change& change) {
  if (!change.before || !change.after) return false;
  return zone_shares({change.before}) == zone_shares({change.after}) && change.before.meta().labels == change.after.meta().labels &&
         change.before.get<corev1::Node>().status->allocatable.get("cpu") == change.after.get<corev1::Node>().status->allocatable.get("cpu");
}

}  // namespace

Status sync_slices(const SliceInputs& in, WriteLog& log, const std::function<void(const SlicePlan&)>& planned,
                   const std::function<void(const EndpointSlice&)>& written) {
  const SlicePlan plan = plan_slices(in);
  log.once([&] { planned(plan); });
  const auto& meta = in.service.meta();
  const std::string service = str_cat("EndpointSlice for Service ", meta.namespace_, "/", meta.name, ": ");
  for (const bool creates : {true, false}) {
    for (const EndpointSlice& slice : creates ? plan.create : plan.update) {
      const ApiResponse& answer = log.call([&] {
        const api::Object object = api::Object::of(slice);
        return creates ? create_request(object) : update_request(object);
      });
      if (log.pending()) return answer.status;
      if (creates && namespace_terminating(answer)) return Status();
      const std::string_view what = creates ? std::string_view("create ") : std::string_view("update ");
      if (!answer.status.is_ok())
        return Status(answer.status.code(), str_cat("failed to ", what, slice.metadata->name, creates ? "" : " ", service, answer.status.message()));
      log.once([&] {
        if (answer.object) written(answer.object.get<EndpointSlice>());
      });
    }
  }
  for (const Str& name : plan.remove) {
    const ApiResponse& answer = log.call([&] { return delete_request(kind_of<EndpointSlice>(), meta.namespace_, name); });
    if (log.pending()) return answer.status;
    if (!answer.status.is_ok() && answer.status.code() != Code::kNotFound)
      return Status(answer.status.code(), str_cat("failed to delete ", name, " ", service, answer.status.message()));
  }
  for (const HintEvent& event : plan.events) log.event(in.service, event.type, event.reason, event.message);
  return plan.errors.empty() ? Status() : Status(Code::kInternal, api::aggregate(plan.errors));
}

EndpointSliceController::EndpointSliceController(const Env& env, const EndpointSliceOptions& options)
    : Reconciler(env, "endpointslice-controller", options, "endpoint-slice-controller"),
      endpoints_max_(options.endpoints_max) {
  add_informer({&kind_of<corev1::Service>(), {}, {}, {}}, {index_by_namespace});
  add_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_namespace});
  add_informer({&kind_of<EndpointSlice>(), {}, Str(kOurs), {}}, {service_of_slice});
  add_informer({&kind_of<corev1::Node>(), {}, {}, {}});
}

void EndpointSliceController::on_change(const Ctx&, size_t number, const Change& change) {
  const api::Object& newest = change.newest();
  if (number == kServices) return enqueue(api::object_key(newest.meta()));
  if (number == kPods) {
    for (const Str& key : services_of_change(change, informer(kServices), kFirstIndex)) enqueue(key);
    return;
  }
  if (number == kNodes) {
    // Pods whose nodes were not known are tried again by themselves.
    if (same_capacity(change)) return;
    for (const Str& key : hinted_) enqueue(key);
    return;
  }
  const Str key = service_of_slice(newest);
  if (key.empty()) return;
  if (!change.after) tracker_.removed(key, newest.meta().name);
  // Foreign changes are put right; our own lead to a sync that changes nothing.
  enqueue(key);
}

SliceInputs EndpointSliceController::gather(const Ctx&, const Str& key) {
  SliceInputs in;
  const api::Object* object = informer(kServices).find(key.view());
  if (!object) {
    triggers_.forget(key);
    tracker_.forget(key);
    hinted_.erase(key);
    return in;
  }
  in.service = *object;
  const auto& service = object->get<corev1::Service>();
  if (service.spec->type == "ExternalName" || service.spec->selector.is_nil()) return in;
  in.pods = pods_of(service, informer(kPods), kFirstIndex);
  informer(kSlices).for_each_in(kFirstIndex, key, [&](const api::Object& slice) {
    if (!slice.meta().deletion_timestamp) in.slices.push_back(slice.get<EndpointSlice>());
  });
  std::sort(in.slices.begin(), in.slices.end(),
            [](const EndpointSlice& a, const EndpointSlice& b) { return a.metadata->name < b.metadata->name; });
  std::set<Str> names;
  for (const api::Object& pod : in.pods) names.insert(pod.get<corev1::Pod>().spec->node_name);
  for (const Str& name : names)
    if (const api::Object* node = informer(kNodes).find({}, name)) in.nodes.push_back(*node);
  if (wants_topology_hints(service)) {
    std::vector<api::Object> all;
    informer(kNodes).for_each([&](const api::Object& node) { all.push_back(node); });
    in.shares = zone_shares(all);
  }
  in.endpoints_max = endpoints_max_;
  in.had_hints = hinted_.contains(key);
  in.trigger = triggers_.next(key, service, in.pods);
  in.stale = tracker_.is_stale(key, in.slices);
  return in;
}

Status EndpointSliceController::sync(const SliceInputs& in, WriteLog& log) {
  if (!in.service) return Status();
  const auto& service = in.service.get<corev1::Service>();
  if (service.spec->type == "ExternalName" || service.spec->selector.is_nil()) return Status();
  if (in.stale) return Status(Code::kInternal, "EndpointSlice informer cache is out of date");
  const Str key = api::object_key(in.service.meta());
  return sync_slices(
      in, log,
      [&](const SlicePlan& plan) {
        if (plan.hints) hinted_.insert(key);
        else hinted_.erase(key);
        for (const Str& name : plan.remove) tracker_.removed(key, name);
      },
      [&](const EndpointSlice& slice) { tracker_.written(key, slice); });
}

}  // namespace orrery::control
