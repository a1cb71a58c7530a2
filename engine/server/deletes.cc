// What a delete decides: the object goes, or is marked and waits for its grace and its finalizers.
#include "engine/api/gen/apiextensionsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/server/custom/definition_upkeep.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

const Str kOrphanFinalizer = Str::literal("orphan");
const Str kForegroundFinalizer = Str::literal("foregroundDeletion");

// The grace of a deletion in seconds: what is asked for, else the pod's own; pods that run nothing
// go at once.
int64_t grace_of(const ApiRequest& request, const api::Object& old) {
  const auto* pod = old.as<corev1::Pod>();
  if (!pod) return 0;
  if (pod->spec->node_name.empty() || api::is_terminal(*pod)) return 0;
  if (request.delete_options.grace_seconds) return *request.delete_options.grace_seconds < 0 ? 1 : *request.delete_options.grace_seconds;
  return std::max<int64_t>(1, pod->spec->termination_grace_period_seconds.value_or(30));
}

// Namespaces and definitions are marked by an update of their own, which has its own words for what does not match.
// Source: Kubernetes v1.32 pkg/registry/core/namespace/storage, apiextensions-apiserver pkg/registry/customresourcedefinition.
std::string unmet_before_mark(const ApiDeleteOptions& options, const metav1::ObjectMeta& record) {
  if (options.uid && *options.uid != record.uid)
    return str_cat("Precondition failed: UID in precondition: ", *options.uid, ", UID in object meta: ", record.uid);
  if (options.resource_version && *options.resource_version != record.resource_version)
    return str_cat("Precondition failed: ResourceVersion in precondition: ", *options.resource_version,
                   ", ResourceVersion in object meta: ", record.resource_version);
  return {};
}

Refusal check_preconditions(const ApiRequest& request, const api::Object& old) {
  const auto& record = old.meta();
  const api::KindDesc& kind = *request.kind;
  if (old.is<corev1::Namespace>() || old.is<apiextensionsv1::CustomResourceDefinition>()) {
    const std::string why = unmet_before_mark(request.delete_options, record);
    if (why.empty()) return {};
    return {conflict_error(kind, record.name, why), Str(kind.group), Str(kind.plural), record.name, {}};
  }
  const std::string why = unmet_precondition(request.delete_options, record);
  if (why.empty()) return {};
  const std::string named = kind.group.empty() ? std::string(kind.kind) : str_cat(kind.kind, ".", kind.group);
  return {Status(Code::kConflict, str_cat("Operation cannot be fulfilled on ", named, " \"", record.name, "\": ", why)),
          Str(kind.group), Str(kind.kind), record.name, {}};
}

void mark_as_going(metav1::ObjectMeta& meta, Time now) {
  if (!meta.deletion_timestamp) meta.deletion_timestamp = api::Timestamp::whole_seconds(now);
  meta.deletion_grace_period_seconds = 0;
  if (meta.generation > 0) ++meta.generation;
}

// Jobs and replication controllers leave their pods behind unless told otherwise.
// Source: Kubernetes v1.32, strategies' DefaultGarbageCollectionPolicy.
Str policy_of(const Str& asked, const api::Object& old, ApiResponse& response) {
  if (!asked.empty()) return asked;
  if (old.is<batchv1::Job>()) {
    response.warnings.push_back(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
        "propagationPolicy=Orphan to suppress this warning");
    return "Orphan";
  }
  return old.is<corev1::ReplicationController>() ? Str("Orphan") : Str();
}

void add_propagation_finalizer(const Str& policy, metav1::ObjectMeta& meta) {
  const auto drop = [&](const Str& name) { meta.finalizers.erase_if([&](const Str& f) { return f == name; }); };
  if (policy == "Foreground") {
    drop(kOrphanFinalizer);
    if (!api::has_finalizer(meta, kForegroundFinalizer)) meta.finalizers.push_back(kForegroundFinalizer);
  } else if (policy == "Orphan") {
    drop(kForegroundFinalizer);
    if (!api::has_finalizer(meta, kOrphanFinalizer)) meta.finalizers.push_back(kOrphanFinalizer);
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
  AdmissionRequest admission = admission_request(flight.request, AdmissionRequest::Operation::kDelete, {}, old);
  if (flight.outside->collection != 0) admission.name = Str();  // as upstream: the request names none
  if (!admit(flight, admission, true, plan, now) || !admit(flight, admission, false, plan, now)) return plan;
  return decide_delete(flight.request, old, std::move(plan), now);
}

Server::Plan Server::decide_delete(const ApiRequest& request, const api::Object& old, Plan plan, Time now) const {
  const auto& options = request.delete_options;
  const auto& before = old.meta();
  if (Refusal refusal = check_preconditions(request, old); !refusal.is_ok()) {
    plan.response = response_of(refusal);
    return plan;
  }
  api::Object fresh = old;
  if (old.is<apiextensionsv1::CustomResourceDefinition>() && !before.deletion_timestamp) {
    begin_termination(fresh.mut<apiextensionsv1::CustomResourceDefinition>(), now);
    plan.write = true;
    plan.object = std::move(fresh);
    return plan;
  }
  auto& meta = fresh.mut_meta();
  add_propagation_finalizer(policy_of(options.propagation_policy, old, plan.response), meta);
  const int64_t grace = grace_of(request, old);
  plan.response.object = old;
  if (grace == 0 && meta.finalizers.empty() && !holds_namespace(fresh)) {
    plan.write = true;  // the object goes now
    plan.response.gone = true;
    const bool marks = old.is<corev1::Pod>() && options_.serves_clients &&
                       (!before.deletion_timestamp || before.deletion_grace_period_seconds.value_or(-1) != 0);
    if (marks) mark_as_going(meta, now);
    plan.response.object = fresh;
    if (marks && !request.dry_run) {
      // Clients are told that a pod is going before it goes.
      plan.object = std::move(fresh);
      plan.again = true;
    }
    return plan;
  }
  if (fresh.is<corev1::Namespace>()) fresh.mut<corev1::Namespace>().status.mut().phase = "Terminating";
  const bool deleting = static_cast<bool>(before.deletion_timestamp);
  if (deleting && before.deletion_grace_period_seconds.value_or(0) <= grace) {
    if (api::semantic_equal(fresh, old)) return plan;
  } else {
    meta.deletion_timestamp = api::Timestamp::whole_seconds(now + Duration::seconds(grace));
    if (!fresh.is<corev1::Namespace>()) fresh.mut_meta().deletion_grace_period_seconds = grace;
    if (meta.generation > 0 && !deleting) ++meta.generation;
  }
  plan.write = true;
  plan.response.object = api::Object();
  plan.object = std::move(fresh);
  return plan;
}

}  // namespace orrery::server
