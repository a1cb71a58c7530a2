// What a delete decides: the object goes, or is marked and waits for its grace and its finalizers.
#include "engine/api/gen/corev1.h"
#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

const Str kOrphanFinalizer = Str::literal("orphan");
const Str kForegroundFinalizer = Str::literal("foregroundDeletion");

bool has_finalizer(const metav1::ObjectMeta& meta, const Str& name) {
  for (const Str& f : meta.finalizers)
    if (f == name) return true;
  return false;
}

// The grace of a deletion in seconds: what is asked for, else the pod's own; pods that run nothing
// go at once.
int64_t grace_of(const ApiRequest& request, const api::Object& old) {
  const auto* pod = old.as<corev1::Pod>();
  if (!pod) return 0;
  if (pod->spec->node_name.empty() || api::is_terminal(*pod)) return 0;
  if (request.delete_options.grace_seconds) return std::max<int64_t>(0, *request.delete_options.grace_seconds);
  return std::max<int64_t>(1, pod->spec->termination_grace_period_seconds.value_or(30));
}

void add_propagation_finalizer(const Str& policy, metav1::ObjectMeta& meta) {
  const auto drop = [&](const Str& name) { meta.finalizers.erase_if([&](const Str& f) { return f == name; }); };
  if (policy == "Foreground") {
    drop(kOrphanFinalizer);
    if (!has_finalizer(meta, kForegroundFinalizer)) meta.finalizers.push_back(kForegroundFinalizer);
  } else if (policy == "Orphan") {
    drop(kForegroundFinalizer);
    if (!has_finalizer(meta, kOrphanFinalizer)) meta.finalizers.push_back(kOrphanFinalizer);
  } else if (policy == "Background") {
    drop(kOrphanFinalizer);
    drop(kForegroundFinalizer);
  }
}

}  // namespace

bool holds_namespace(const api::Object& object) {
  const auto* ns = object.as<corev1::Namespace>();
  return ns && !ns->spec->finalizers.empty();
}

Server::Plan Server::plan_delete(InFlight& flight, const api::Object& old, Time now) {
  Plan plan;
  flight.next_answer = 0;
  AdmissionRequest admission = admission_request(flight.request, AdmissionRequest::Operation::kDelete, {}, old);
  if (!admit(flight, admission, true, plan, now) || !admit(flight, admission, false, plan, now)) return plan;
  return decide_delete(flight.request, old, std::move(plan), now);
}

Server::Plan Server::decide_delete(const ApiRequest& request, const api::Object& old, Plan plan, Time now) const {
  const auto& options = request.delete_options;
  const auto& before = old.meta();
  if (!options.uid.empty() && options.uid != before.uid) {
    plan.response.status = conflict_error(*request.kind, request.name,
                                          str_cat("Precondition failed: UID in precondition: ", options.uid,
                                                  ", UID in object meta: ", before.uid));
    return plan;
  }
  if (!options.resource_version.empty() && options.resource_version != before.resource_version) {
    plan.response.status = conflict_error(*request.kind, request.name,
                                          str_cat("Precondition failed: ResourceVersion in precondition: ", options.resource_version,
                                                  ", ResourceVersion in object meta: ", before.resource_version));
    return plan;
  }
  api::Object fresh = old;
  auto& meta = fresh.mut_meta();
  add_propagation_finalizer(options.propagation_policy, meta);
  const int64_t grace = grace_of(request, old);
  plan.response.object = old;
  if (grace == 0 && meta.finalizers.empty() && !holds_namespace(fresh)) {
    plan.write = true;  // the object goes now
    plan.response.gone = true;
    return plan;
  }
  if (fresh.is<corev1::Namespace>()) fresh.mut<corev1::Namespace>().status.mut().phase = "Terminating";
  const bool deleting = static_cast<bool>(before.deletion_timestamp);
  if (deleting && before.deletion_grace_period_seconds.value_or(0) <= grace) {
    if (api::semantic_equal(fresh, old)) return plan;
  } else {
    meta.deletion_timestamp = api::Timestamp::whole_seconds(now + Duration::seconds(grace));
    meta.deletion_grace_period_seconds = grace;
    if (meta.generation > 0 && !deleting) ++meta.generation;
  }
  plan.write = true;
  plan.response.object = api::Object();
  plan.object = std::move(fresh);
  return plan;
}

}  // namespace orrery::server
