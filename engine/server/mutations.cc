// What each mutating request decides about the object it is aimed at.
#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/label_selector.h"
#include "engine/api/patch.h"
#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/server/defaulting.h"
#include "engine/server/errors.h"
#include "engine/server/object_rules.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

const Str kOrphanFinalizer = Str::literal("orphan");
const Str kForegroundFinalizer = Str::literal("foregroundDeletion");

bool has_finalizer(const metav1::ObjectMeta& meta, const Str& name) {
  for (const Str& f : meta.finalizers)
    if (f == name) return true;
  return false;
}

}  // namespace

void Server::execute(uint64_t id, Time now) {
  InFlight& flight = flights_.at(id);
  const ApiRequest& request = flight.request;
  const bool creates = request.verb == ApiVerb::kCreate && request.subresource.empty();
  if (creates) {
    Plan plan = plan_create(flight, now);
    return submit(id, std::move(plan), 0);
  }
  const api::KindDesc& kind = storage_kind(*request.kind);
  const auto* entry = caches_[kind.id].find(store_key(kind, request.ns, request.name));
  if (!entry) {
    ApiResponse response;
    response.status = not_found_error(*request.kind, request.name);
    return finish(id, std::move(response));
  }
  const int64_t revision = entry->revision;
  Plan plan = plan_change(flight, entry->object, now);
  submit(id, std::move(plan), revision);
}

Str Server::new_uid() {
  static constexpr char kHex[] = "0123456789abcdef";
  char text[36];
  uint64_t high = uids_.next(), low = uids_.next();
  high = (high & ~uint64_t{0xf000}) | 0x4000;                            // version 4
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);              // variant 1
  for (int i = 0, at = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text[at++] = '-';
    const uint64_t word = i < 16 ? high : low;
    text[at++] = kHex[word >> (60 - 4 * (i % 16)) & 15];
  }
  return Str(std::string_view(text, 36));
}

Str Server::generated_name(const Str& prefix) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  constexpr size_t kPrefixMax = 58;
  std::string name(prefix.view().substr(0, kPrefixMax));
  for (int i = 0; i < 5; ++i) name += kAlphabet[names_.below(kAlphabet.size())];
  return Str(name);
}

Server::Plan Server::plan_create(InFlight& flight, Time now) {
  const ApiRequest& request = flight.request;
  const api::KindDesc& kind = *request.kind;
  Plan plan;
  plan.object = request.object;
  const bool generated = request.object.meta().name.empty() && !request.object.meta().generate_name.empty();
  // A clash of a generated name draws another one; a given name is taken.
  if (flight.attempts > (generated ? 7 : 0)) {
    plan.response.status = already_exists_error(kind, flight.written.meta().name);
    return plan;
  }
  if (!request.object.meta().resource_version.empty()) {
    plan.response.status = bad_request("resourceVersion should not be set on objects to be created");
    return plan;
  }
  auto& meta = plan.object.mut_meta();
  if (generated) meta.name = generated_name(meta.generate_name);
  if (kind.namespaced && meta.namespace_.empty()) meta.namespace_ = request.ns;
  meta.uid = new_uid();
  meta.creation_timestamp = api::Timestamp::whole_seconds(now);
  meta.deletion_timestamp.reset();
  meta.deletion_grace_period_seconds.reset();
  prepare_for_create(plan.object);
  apply_defaults(plan.object);
  if (plan.object.is<corev1::Pod>()) admit_new_pod(plan.object.mut<corev1::Pod>());
  default_after_create(plan.object);
  const FieldErrors errors = validate_create(plan.object);
  if (!errors.empty()) {
    plan.response = invalid_response(kind, plan.object.meta().name, errors);
    return plan;
  }
  plan.write = true;
  return plan;
}

Server::Plan Server::plan_change(InFlight& flight, const api::Object& old, Time now) {
  const ApiRequest& request = flight.request;
  if (request.verb == ApiVerb::kDelete) return plan_delete(request, old, now);
  if (request.subresource == "binding") return plan_binding(request, old, now);
  if (request.subresource == "eviction") return plan_eviction(request, old, now);
  if (request.verb == ApiVerb::kPatch) return plan_patch(request, old, now);
  if (request.verb == ApiVerb::kUpdate) return plan_update(request, old, request.object, now);
  Plan plan;
  plan.response.status = Status(Code::kMethodNotAllowed, "the server does not allow this method on the requested resource");
  return plan;
}

Server::Plan Server::plan_update(const ApiRequest& request, const api::Object& old, api::Object fresh, Time) const {
  const api::KindDesc& kind = *request.kind;
  Plan plan;
  const auto& sent = fresh.meta();
  if (!sent.resource_version.empty() && sent.resource_version != old.meta().resource_version) {
    plan.response.status = stale_error(kind, request.name);
    return plan;
  }
  if (!sent.uid.empty() && sent.uid != old.meta().uid) {
    plan.response.status = conflict_error(kind, request.name, str_cat("Precondition failed: UID in precondition: ", sent.uid,
                                                                      ", UID in object meta: ", old.meta().uid));
    return plan;
  }
  fresh.mut_meta().resource_version = old.meta().resource_version;
  prepare_for_update(fresh, old, request.subresource);
  if (request.subresource.empty()) {
    apply_defaults(fresh);
    const FieldErrors errors = validate_update(fresh, old);
    if (!errors.empty()) {
      plan.response = invalid_response(kind, request.name, errors);
      return plan;
    }
  }
  if (api::semantic_equal(fresh, old)) {
    plan.response.object = old;
    return plan;
  }
  plan.write = true;
  const auto& meta = fresh.meta();
  const bool gone = meta.deletion_timestamp && meta.finalizers.empty() && meta.deletion_grace_period_seconds.value_or(0) == 0;
  if (gone) {
    plan.response.object = fresh;
  } else {
    plan.object = std::move(fresh);
  }
  return plan;
}

Server::Plan Server::plan_patch(const ApiRequest& request, const api::Object& old, Time now) const {
  Plan plan;
  const auto fail = [&](Status status) {
    plan.response.status = std::move(status);
    return plan;
  };
  const auto patch = api::Json::parse(request.patch);
  if (!patch.is_ok()) return fail(patch.status());
  const api::Object current = convert(old, *request.kind);
  const api::Json document = api::to_json(current);
  auto patched = api::apply_patch(request.patch_kind, *current.type(), document, *patch);
  if (!patched.is_ok()) return fail(patched.status());
  api::Object fresh = api::Object::make(*current.type());
  const Status decoded = api::from_json(*patched, *current.type(), fresh.mut_data());
  if (!decoded.is_ok()) return fail(decoded);
  return plan_update(request, old, convert(fresh, *old.kind()), now);
}

namespace {

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

Server::Plan Server::plan_delete(const ApiRequest& request, const api::Object& old, Time now) const {
  Plan plan;
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
  if (grace == 0 && meta.finalizers.empty()) {
    plan.write = true;  // the object goes now
    return plan;
  }
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

Server::Plan Server::plan_binding(const ApiRequest& request, const api::Object& old, Time now) const {
  Plan plan;
  const auto& binding = request.object.get<corev1::Binding>();
  const auto& pod = old.get<corev1::Pod>();
  const auto conflict = [&](std::string why) {
    plan.response.status = conflict_error(*request.kind, str_cat(request.ns, "/", request.name), why);
    plan.response.status = Status(Code::kConflict, str_cat("Operation cannot be fulfilled on pods/binding \"", request.name, "\": ", why));
    return plan;
  };
  const Str& uid = binding.metadata->uid;
  if (!uid.empty() && uid != old.meta().uid)
    return conflict(str_cat("Precondition failed: UID in precondition: ", uid, ", UID in object meta: ", old.meta().uid));
  if (pod.metadata->deletion_timestamp)
    return conflict(str_cat("pod ", request.name, " is being deleted, cannot be assigned to a host"));
  if (!pod.spec->node_name.empty())
    return conflict(str_cat("pod ", request.name, " is already assigned to node \"", pod.spec->node_name, "\""));
  if (!pod.spec->scheduling_gates.empty())
    return conflict(str_cat("pod ", request.name, " has non-empty .spec.schedulingGates"));
  plan.object = old;
  auto& fresh = plan.object.mut<corev1::Pod>();
  fresh.spec.mut().node_name = binding.target.name;
  for (const auto& [key, value] : binding.metadata->annotations) fresh.metadata.mut().annotations.set(key, value);
  corev1::PodCondition scheduled;
  scheduled.type = "PodScheduled";
  scheduled.status = "True";
  scheduled.last_transition_time = api::Timestamp::whole_seconds(now);
  api::set_condition(fresh.status.mut(), std::move(scheduled));
  plan.write = true;
  return plan;
}

Server::Plan Server::plan_eviction(const ApiRequest& request, const api::Object& old, Time now) const {
  const auto& pod = old.get<corev1::Pod>();
  ApiRequest deletion = request;
  const auto& eviction = request.object.get<policyv1::Eviction>();
  if (eviction.delete_options) {
    deletion.delete_options.grace_seconds = eviction.delete_options->grace_period_seconds;
    deletion.delete_options.propagation_policy = eviction.delete_options->propagation_policy.value_or(Str());
  }
  const bool free_to_go = api::is_terminal(pod) || pod.status->phase == "Pending" || pod.metadata->deletion_timestamp;
  static const api::KindDesc& kBudgets = *policyv1::PodDisruptionBudget::descriptor().kind;
  std::vector<api::Object> budgets;
  if (!free_to_go) {
    Selection in_namespace;
    in_namespace.ns = request.ns;
    for (const api::Object& budget : caches_[kBudgets.id].list(in_namespace)) {
      const auto& spec = budget.get<policyv1::PodDisruptionBudget>().spec;
      const auto selector = api::Selector::of(spec->selector.get());
      if (selector.is_ok() && selector->matches(pod.metadata->labels)) budgets.push_back(budget);
    }
  }
  if (budgets.empty()) return plan_delete(deletion, old, now);
  Plan plan;
  if (budgets.size() > 1) {
    plan.response.status = internal_error("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    return plan;
  }
  const auto& budget = budgets[0].get<policyv1::PodDisruptionBudget>();
  if (budget.status->disruptions_allowed <= 0 || budget.status->observed_generation < budget.metadata->generation) {
    plan.response.status = Status(Code::kTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.");
    plan.response.causes.push_back({"DisruptionBudget", Str(str_cat("The disruption budget ", budget.metadata->name, " needs ",
                                    int{budget.status->desired_healthy}, " healthy pods and has ", int{budget.status->current_healthy}, " currently")), ""});
    return plan;
  }
  plan = plan_delete(deletion, old, now);
  // The budget is charged in the same transaction.
  StoreOp charge;
  charge.range.key = store_key(kBudgets, request.ns, budget.metadata->name);
  charge.value.object = budgets[0];
  auto& charged = charge.value.object.mut<policyv1::PodDisruptionBudget>();
  charged.metadata.mut().resource_version = Str();
  --charged.status.mut().disruptions_allowed;
  charged.status.mut().disrupted_pods.set(request.name, api::Timestamp::whole_seconds(now));
  plan.compares.push_back({charge.range.key, StoreCompare::Target::kModRevision, StoreCompare::Op::kEqual,
                           caches_[kBudgets.id].find(charge.range.key)->revision});
  plan.more.push_back(std::move(charge));
  return plan;
}

}  // namespace orrery::server
