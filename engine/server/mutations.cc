// What each mutating request decides about the object it is aimed at: the order of the stages.
#include "engine/api/custom_object.h"
#include "engine/server/custom/custom_managers.h"
#include "engine/server/errors.h"
#include "engine/server/scale.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

/// How PUT treats a kind that is not the common case.
struct PutRule {
  std::string_view group, kind;
  bool creates;        // what is not there is made
  bool needs_version;  // it must say which version it replaces
};
// Source: Kubernetes v1.32, strategies with AllowCreateOnUpdate and without AllowUnconditionalUpdate.
constexpr PutRule kPutRules[] = {
    {"", "Endpoints", true, false},
    {"", "Event", true, false},
    {"events.k8s.io", "Event", true, false},
    {"", "LimitRange", true, false},
    {"", "Service", true, false},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", false, true},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", false, true},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", false, true},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", false, true},
    {"coordination.k8s.io", "Lease", true, true},
    {"node.k8s.io", "RuntimeClass", true, true},
    {"policy", "PodDisruptionBudget", false, true},
    {"rbac.authorization.k8s.io", "ClusterRole", true, false},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", true, false},
    {"rbac.authorization.k8s.io", "Role", true, false},
    {"rbac.authorization.k8s.io", "RoleBinding", true, false},
    {"storage.k8s.io", "CSIDriver", false, true},
    {"storage.k8s.io", "CSINode", false, true},
    {"storage.k8s.io", "CSIStorageCapacity", false, true},
    {"storage.k8s.io", "VolumeAttachment", false, true},
};

const PutRule* put_rule(const api::KindDesc& kind) {
  for (const PutRule& rule : kPutRules)
    if (rule.kind == kind.kind && rule.group == kind.group) return &rule;
  return nullptr;
}

}  // namespace

bool put_needs_version(const api::KindDesc& kind) {
  if (api::is_custom(kind)) return true;
  const PutRule* rule = put_rule(kind);
  return rule && rule->needs_version;
}

ApiResponse response_of(const Refusal& refusal) {
  ApiResponse response;
  response.status = refusal.status;
  response.causes = refusal.causes;
  if (refusal.whole) {
    response.object = api::Object(refusal.whole);
    response.retry_after_seconds = refusal.whole->details->retry_after_seconds;
    return response;
  }
  const bool names_something = !refusal.group.empty() || !refusal.resource.empty() || !refusal.name.empty();
  // A path that is refused has details too, which name nothing.
  if (!names_something && refusal.status.code() != Code::kForbidden) return response;
  auto& details = response.details.mut();
  details.group = refusal.group;
  details.kind = refusal.resource;
  details.name = refusal.name;
  return response;
}

// Some kinds miss the scale that is read under its own name.
// Source: Kubernetes v1.32, ScaleREST.Get of the workloads.
ApiResponse not_found_response(const ApiRequest& request) {
  ApiResponse response;
  response.status = not_found_error(*request.kind, request.name);
  const api::KindDesc& kind = *request.kind;
  const bool plain = api::is_custom(kind) || kind.kind == "StatefulSet";
  if (request.verb != ApiVerb::kGet || request.subresource != "scale" || plain) return response;
  const std::string_view group = kind.kind == "ReplicationController" ? "autoscaling" : kind.group;
  response.status = orrery::not_found(str_cat(kind.plural, "/scale.", group, " \"", request.name, "\" not found"));
  auto& details = response.details.mut();
  details.name = request.name;
  details.group = Str(group);
  details.kind = Str(str_cat(kind.plural, "/scale"));
  return response;
}

// Of webhooks: they were asked about an object that is not there any more.
void Server::forget_answers(InFlight& flight) {
  if (!flight.outside) return;
  flight.outside.mut().answers.clear();
  flight.outside.mut().call_uids.clear();
}

void Server::execute(uint64_t id, Time now) {
  InFlight& flight = flights_.at(id);
  // What is drawn for a request is drawn again when admission runs again for it.
  if (options_.serves_clients) {
    Outside& outside = flight.outside.mut();
    if (flight.attempts != outside.seeded_attempts) {
      outside.seed = names_.next();
      outside.began = now;
    }
    now = outside.began;
    outside.seeded_attempts = flight.attempts;
    outside.names = RngStream(outside.seed, "request");
  }
  const ApiRequest& request = flight.request;
  const api::KindDesc& kind = storage_kind(*request.kind);
  const bool creates = request.verb == ApiVerb::kCreate && request.subresource.empty();
  if (creates) {
    const Str& name = request.object.meta().name;
    if (readable(store_key(kind, request.ns, name)).status.is_ok()) return submit(id, plan_create(flight, now), 0);
    ApiResponse taken;
    taken.status = already_exists_error(*request.kind, name);
    return finish(id, std::move(taken));
  }
  flight.key = store_key(kind, request.ns, request.name);
  if (ApiResponse problem = readable(flight.key); !problem.status.is_ok()) return finish(id, std::move(problem));
  const auto* entry = caches_[kind.id].find_sharing(flight.key);
  if (!entry) return execute_absent(id, now);
  // The entry may be gone by the time the plan is carried out.
  const int64_t revision = entry->revision;
  if (options_.serves_clients) {
    if (flight.outside->asked_revision != revision) forget_answers(flight);
    flight.outside.mut().asked_revision = revision;
  }
  const bool custom = api::is_custom(kind);
  const api::Object old = custom ? flight.outside.mut().conversions.find(entry->object, *request.kind) : entry->object;
  if (custom && ask_conversion(id, Then::kExecute)) return;
  Plan plan = plan_change(flight, old, now);
  submit(id, std::move(plan), revision);
}

// Some kinds are made by an update of what is not there, all by an apply patch.
// Source: Kubernetes v1.32, strategies with AllowCreateOnUpdate.
void Server::execute_absent(uint64_t id, Time now) {
  InFlight& flight = flights_.at(id);
  const ApiRequest& request = flight.request;
  const bool applies = request.verb == ApiVerb::kPatch && request.patch_kind == PatchKind::kApply;
  const bool updates = request.verb == ApiVerb::kUpdate;
  if (updates && !request.object.meta().uid.empty()) return refuse(id, check_sent(request, request.object.meta(), {}));
  if (request.subresource.empty() && applies) return submit(id, plan_apply(flight, {}, now), 0);
  const PutRule* rule = put_rule(*request.kind);
  if (request.subresource.empty() && updates && rule && rule->creates) return submit(id, plan_create(flight, now), 0);
  ApiResponse absent = not_found_response(request);
  if (request.subresource == "binding")
    if (ApiResponse wrong = check_binding(request); !wrong.status.is_ok()) absent = std::move(wrong);
  refuse(id, std::move(absent));
}

// Bindings and evictions are created, whatever becomes of the pod.
Server::Plan Server::plan_pod_request(InFlight& flight, const api::Object& old, Time now) {
  const bool evicts = flight.request.subresource == "eviction";
  Plan admitted;
  if (!flight.proceeds) {
    AdmissionRequest admission = admission_request(flight.request, AdmissionRequest::Operation::kCreate, flight.request.object, {});
    if (!admit(flight, admission, true, admitted, now) || !admit(flight, admission, false, admitted, now)) return admitted;
  }
  Plan plan = evicts ? plan_eviction(flight, old, now) : plan_binding(flight.request, old, now);
  auto& warnings = plan.response.warnings;
  warnings.insert(warnings.begin(), admitted.response.warnings.begin(), admitted.response.warnings.end());
  return plan;
}

Server::Plan Server::plan_change(InFlight& flight, const api::Object& old, Time now) {
  const ApiRequest& request = flight.request;
  if (request.verb == ApiVerb::kDelete) return plan_delete(flight, old, now);
  if (request.subresource == "binding" || request.subresource == "eviction") return plan_pod_request(flight, old, now);
  if (request.verb == ApiVerb::kPatch && request.patch_kind == PatchKind::kApply) return plan_apply(flight, old, now);
  if (request.verb == ApiVerb::kPatch) return plan_patch(flight, old, now);
  if (request.verb == ApiVerb::kUpdate && request.subresource == "scale") return plan_scale(flight, old, now);
  if (request.verb == ApiVerb::kUpdate) return plan_update(flight, old, request.object, now);
  Plan plan;
  plan.response.status = method_not_allowed();
  return plan;
}

AdmissionRequest Server::admission_request(const ApiRequest& request, AdmissionRequest::Operation operation,
                                           api::Object object, const api::Object& old) const {
  AdmissionRequest out;
  out.operation = operation;
  if (request.identity) out.user = *request.identity;
  out.kind = request.kind;
  out.subresource = request.subresource;
  out.ns = request.ns;
  out.name = request.name;
  out.object = std::move(object);
  out.old = old;
  return out;
}

bool Server::admit(InFlight& flight, AdmissionRequest& request, bool mutating, Plan& plan, Time now) {
  if (!admission_ || !options_.serves_clients) return true;
  Outside& outside = flight.outside.mut();
  if (mutating) {
    outside.next_answer = 0;
    outside.audit_annotations = {};
  }
  AdmissionContext context{*this, authorizer_, now, outside.names, flight.request, flight.request.dry_run,
                           plan.response.warnings, plan.more, plan.compares, outside.answers, outside.call_uids,
                           outside.next_answer, {}, nullptr, flight.proceeds};
  context.annotations = &outside.audit_annotations;
  context.convert = [&](const api::Object& object, const api::KindDesc& kind) {
    api::Object converted = outside.conversions.find(object, kind);
    context.waits = context.waits || !converted;
    return converted;
  };
  const Refusal refusal = mutating ? admission_->mutate(request, context) : admission_->validate(request, context);
  outside.next_answer = context.next_answer;
  if (context.waits) return false;
  if (context.call) {
    plan.call = std::move(context.call);
    return false;
  }
  if (refusal.is_ok()) {
    plan.charges_first = !plan.more.empty();
    return true;
  }
  std::vector<Str> warnings = std::move(plan.response.warnings);
  plan.response = response_of(refusal);
  plan.response.warnings = std::move(warnings);
  return false;
}

// Of custom resources a webhook may have to be asked: the request waits for it, and is decided again.
managed::FieldWrite Server::field_write(InFlight& flight, Time now) const {
  const ApiRequest& request = flight.request;
  managed::FieldWrite write;
  write.manager = request.field_manager.empty() ? request.user : request.field_manager;
  write.subresource = request.subresource;
  write.now = now;
  if (api::is_custom(*request.kind)) {
    write.convert = [&flight](const api::Object& object, std::string_view api_version) -> Result<api::Object> {
      for (const auto& other : custom_version(*object.kind()).resource->versions) {
        if (other->api_version != api_version) continue;
        api::Object converted = flight.outside.mut().conversions.find(object, *other);
        if (converted) return converted;
      }
      return orrery::not_found("no such version");
    };
    return write;
  }
  write.convert = [](const api::Object& object, std::string_view api_version) -> Result<api::Object> {
    const api::KindDesc* kind = api::find_kind(api_version, object.kind()->kind);
    if (!kind || &storage_kind(*kind) != &storage_kind(*object.kind())) return orrery::not_found("no such version");
    return convert(convert(object, storage_kind(*kind)), *kind);
  };
  return write;
}

// Managers own fields of the version in which they write.
void Server::track_managers(InFlight& flight, const api::Object& old, api::Object& fresh, Time now) const {
  const ApiRequest& request = flight.request;
  if (!options_.serves_clients || request.subresource == "ephemeralcontainers") return;
  const managed::FieldWrite write = field_write(flight, now);
  if (api::is_custom(*fresh.kind())) return track_custom_managers(old, fresh, *request.kind, write);
  if (fresh.kind() == request.kind) return managed::update_managed_fields(old, fresh, write);
  api::Object seen = convert(fresh, *request.kind);
  managed::update_managed_fields(old ? convert(old, *request.kind) : api::Object(), seen, write);
  fresh.mut_meta().managed_fields = seen.meta().managed_fields;
}

}  // namespace orrery::server
