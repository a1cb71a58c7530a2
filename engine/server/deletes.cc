// What a delete decides: the object goes, or is marked and waits for its grace and its finalizers.
#include <optional>

#include "engine/api/gen/apiextensionsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/server/custom/definition_upkeep.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

const Str kOrphanFinalizer = Str::literal("orphan");
const Str kForegroundFinalizer = Str::literal("foregroundDeletion");

std::optional<int64_t> asked_grace(const ApiRequest& request) {
  const auto& asked = request.delete_options.grace_seconds;
  return asked ? std::optional<int64_t>(*asked < 0 ? 1 : *asked) : std::nullopt;
}

// A pod whose grace is running. Source: Kubernetes v1.32 registry/rest/delete.go, BeforeDelete.
bool is_going(const api::Object& object) {
  const auto& meta = object.meta();
  return object.is<corev1::Pod>() && meta.deletion_timestamp && meta.deletion_grace_period_seconds.value_or(0) > 0;
}

// It can only be made to go sooner: anything else, a policy too, changes nothing. A namespace that is
// going stays until its content has gone.
bool goes_as_decided(const ApiRequest& request, const api::Object& old) {
  if (holds_namespace(old)) return static_cast<bool>(old.meta().deletion_timestamp);
  const auto asked = asked_grace(request);
  return is_going(old) && (!asked || *asked >= *old.meta().deletion_grace_period_seconds);
}

// The grace of a deletion in seconds: what is asked for, else the pod's own; pods that run nothing
// go at once.
int64_t grace_of(const ApiRequest& request, const api::Object& old) {
  const auto* pod = old.as<corev1::Pod>();
  if (!pod) return 0;
  const auto asked = asked_grace(request);
  if (is_going(old)) return *asked;
  if (pod->spec->node_name.empty() || api::is_terminal(*pod)) return 0;
  return asked ? *asked : std::max<int64_t>(1, pod->spec->termination_grace_period_seconds.value_or(30));
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
  const api::KindDesc& kind = storage_kind(*request.kind);
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

// What is asked for, else what the finalizers say already, else what the kind does: jobs and
// replication controllers leave their pods behind.
// Source: Kubernetes v1.32 registry/generic/registry/store.go (shouldOrphanDependents) and the
// strategies' DefaultGarbageCollectionPolicy.
Str policy_of(const Str& asked, const api::Object& old) {
  if (old.is<corev1::Event>()) return "Background";  // nothing depends on events, whatever is asked
  if (!asked.empty()) return asked;
  if (api::has_finalizer(old.meta(), kOrphanFinalizer)) return "Orphan";
  if (api::has_finalizer(old.meta(), kForegroundFinalizer)) return "Foreground";
  return old.is<batchv1::Job>() || old.is<corev1::ReplicationController>() ? Str("Orphan") : Str();
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

void warn_of_orphans(const ApiRequest& request, ApiResponse& response) {
  const bool deletes = request.verb == ApiVerb::kDelete || request.verb == ApiVerb::kDeleteCollection;
  if (!deletes || request.kind->type != &batchv1::Job::descriptor() || !request.delete_options.propagation_policy.empty()) return;
  response.warnings.push_back(
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
      "propagationPolicy=Orphan to suppress this warning");
}

bool holds_namespace(const api::Object& object) {
  const auto* ns = object.as<corev1::Namespace>();
  return ns && !ns->spec->finalizers.empty();
}

Server::Plan Server::plan_delete(InFlight& flight, const api::Object& old, Time now) {
  Plan plan;
  AdmissionRequest admission = admission_request(flight.request, AdmissionRequest::Operation::kDelete, {}, old);
  if (flight.outside->collection != 0) admission.name = Str();  // as upstream: the request names none
  if (!admit(flight, admission, true, plan, now) || !admit(flight, admission, false, plan, now)) return plan;
  if (!flight.proceeds) return decide_delete(flight.request, old, std::move(plan), now);
  ApiRequest marked = flight.request;
  marked.delete_options.resource_version.reset();  // the mark has made another version
  return decide_delete(marked, old, std::move(plan), now);
}

Server::Plan Server::decide_delete(const ApiRequest& request, const api::Object& old, Plan plan, Time now) const {
  const auto& options = request.delete_options;
  const auto& before = old.meta();
  if (Refusal refusal = check_preconditions(request, old); !refusal.is_ok()) {
    plan.response = response_of(refusal);
    return plan;
  }
  if (goes_as_decided(request, old)) {
    plan.response.object = old;
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
  add_propagation_finalizer(policy_of(options.propagation_policy, old), meta);
  if (old.is<corev1::Namespace>() && !before.deletion_timestamp) {
    meta.deletion_timestamp = api::Timestamp::whole_seconds(now);
    fresh.mut<corev1::Namespace>().status.mut().phase = "Terminating";
    plan.write = true;
    plan.object = std::move(fresh);
    return plan;
  }
  const int64_t grace = grace_of(request, old);
  plan.response.object = old;
  if (grace == 0 && meta.finalizers.empty()) {
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
  const bool deleting = static_cast<bool>(before.deletion_timestamp);
  if (deleting && before.deletion_grace_period_seconds && *before.deletion_grace_period_seconds <= grace) {
    if (api::semantic_equal(fresh, old)) return plan;
  } else {
    const Time since = is_going(old) ? before.deletion_timestamp->time() - Duration::seconds(*before.deletion_grace_period_seconds) : now;
    if (!deleting || is_going(old)) meta.deletion_timestamp = api::Timestamp::whole_seconds(since + Duration::seconds(grace));
    meta.deletion_grace_period_seconds = grace;
    if (meta.generation > 0 && !deleting) ++meta.generation;
  }
  plan.write = true;
  plan.response.object = api::Object();
  plan.object = std::move(fresh);
  return plan;
}

}  // namespace orrery::server
