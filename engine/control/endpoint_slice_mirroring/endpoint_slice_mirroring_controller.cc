#include "engine/control/endpoint_slice_mirroring/endpoint_slice_mirroring_controller.h"

#include <algorithm>
#include <string>

#include "engine/control/common/pod_control.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using discoveryv1::EndpointSlice;

void tell_what_is_missing(const MirrorInputs& in, const MirrorPlan& plan, WriteLog& log) {
  if (plan.invalid > 0)
    log.event(in.endpoints, "Warning", "InvalidIPAddress",
              str_cat("Skipped ", plan.invalid,
                      " invalid IP addresses when mirroring to EndpointSlices"));
  if (plan.skipped > plan.invalid)
    log.event(in.endpoints, "Warning", "TooManyAddressesToMirror",
              str_cat("A max of ", in.addresses_max,
                      " addresses can be mirrored to EndpointSlices per Endpoints subset. ",
                      plan.skipped, " addresses were skipped"));
}

Status failed(const Status& status, std::string_view what, const MirrorInputs& in) {
  return status.with_context(
      str_cat("failed to ", what, " EndpointSlice for Endpoints ", in.ns, '/', in.name));
}

/// There is nothing to mirror: as many slices as possible go.
Status remove_all(const MirrorInputs& in, const MirrorPlan& plan, WriteLog& log,
                  const std::function<void(const Str&)>& removed) {
  std::vector<Status> failures;
  for (const Str& name : plan.remove) {
    const Status& status =
        log.call([&] { return delete_request(kind_of<EndpointSlice>(), in.ns, name); }).status;
    if (!status) failures.push_back(status);
    log.once([&] { removed(name); });
  }
  if (failures.empty()) return Status();
  return failures.front().with_context(str_cat("error(s) deleting ", failures.size(), "/",
                                               plan.remove.size(), " EndpointSlices for ", in.ns,
                                               '/', in.name, " Endpoints, including"));
}

}  // namespace

Status sync_mirror(const MirrorInputs& in, WriteLog& log,
                   const std::function<void(const EndpointSlice&)>& written,
                   const std::function<void(const Str&)>& removed) {
  const MirrorPlan plan = plan_mirror(in);
  if (!in.endpoints) return remove_all(in, plan, log, removed);
  tell_what_is_missing(in, plan, log);
  for (const EndpointSlice& slice : plan.create) {
    const ApiResponse& made = log.call([&] { return create_request(api::Object::of(slice)); });
    if (namespace_terminating(made)) return Status();
    if (!made.status) return failed(made.status, "create", in);
    log.once([&] { written(made.object.get<EndpointSlice>()); });
  }
  for (const EndpointSlice& slice : plan.update) {
    const ApiResponse& updated = log.call([&] { return update_request(api::Object::of(slice)); });
    if (!updated.status)
      return failed(updated.status, str_cat("update ", slice.metadata->name), in);
    log.once([&] { written(updated.object.get<EndpointSlice>()); });
  }
  for (const Str& name : plan.remove) {
    const Status& status =
        log.call([&] { return delete_request(kind_of<EndpointSlice>(), in.ns, name); }).status;
    if (!status) return failed(status, str_cat("delete ", name), in);
    log.once([&] { removed(name); });
  }
  return Status();
}

EndpointSliceMirroringController::EndpointSliceMirroringController(
    const Env& env, const EndpointSliceMirroringOptions& options)
    : Reconciler(env, "endpointslicemirroring-controller", options,
                 "endpoint-slice-mirroring-controller"),
      addresses_max_(options.addresses_max) {
  add_informer({&kind_of<corev1::Endpoints>(), {}, {}, {}});
  add_informer({&kind_of<corev1::Service>(), {}, {}, {}});
  add_informer({&kind_of<EndpointSlice>(), {}, str_cat(kManagedBy, '=', kMirroringController), {}},
               {service_of_slice});
}

void EndpointSliceMirroringController::on_change(const Ctx&, size_t number, const Change& change) {
  const api::Object& newest = change.newest();
  if (number == kSlices) {
    const Str key = service_of_slice(newest);
    if (key.empty()) return;
    if (!change.after) tracker_.removed(key, newest.meta().name);
    return enqueue(key);
  }
  if (number == kEndpoints) {
    if (!should_mirror(newest) && !(change.before && should_mirror(change.before))) return;
  } else if (change.before && change.after) {
    const auto selects = [](const api::Object& service) {
      return !service.get<corev1::Service>().spec->selector.is_nil();
    };
    if (selects(change.before) == selects(change.after)) return;
  }
  enqueue(api::object_key(newest.meta()));
}

MirrorInputs EndpointSliceMirroringController::gather(const Ctx&, const Str& key) {
  MirrorInputs in;
  const std::string_view text = key;
  in.ns = text.substr(0, text.find('/'));
  in.name = text.substr(text.find('/') + 1);
  in.addresses_max = addresses_max_;
  const api::Object* endpoints = informer(kEndpoints).find(key.view());
  const auto* service = informer(kServices).get<corev1::Service>(in.ns, in.name);
  if (endpoints && should_mirror(*endpoints) && service && service->spec->selector.is_nil())
    in.endpoints = *endpoints;
  informer(kSlices).for_each_in(kSlicesByService, key, [&](const api::Object& slice) {
    in.slices.push_back(slice.get<EndpointSlice>());
  });
  std::sort(in.slices.begin(), in.slices.end(), [](const EndpointSlice& a, const EndpointSlice& b) {
    return a.metadata->name < b.metadata->name;
  });
  if (in.endpoints) {
    in.stale = tracker_.is_stale(key, in.slices);
  } else {
    tracker_.forget(key);
  }
  return in;
}

Status EndpointSliceMirroringController::sync(const MirrorInputs& in, WriteLog& log) {
  if (in.stale) return Status(Code::kInternal, "EndpointSlice informer cache is out of date");
  const Str key = api::object_key(in.ns, in.name);
  return sync_mirror(
      in, log, [&](const EndpointSlice& slice) { tracker_.written(key, slice); },
      [&](const Str& name) { tracker_.removed(key, name); });
}

void EndpointSliceMirroringController::on_finished(const Ctx&, const Str& key,
                                                   const Status& status) {
  if (status || failures(key) >= kRetriesMax) return forget(key);
  enqueue_rate_limited(key);
}

}  // namespace orrery::control
