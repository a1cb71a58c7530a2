// What a create decides.
#include "engine/api/gen/corev1.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/defaulting.h"
#include "engine/server/errors.h"
#include "engine/server/object_rules.h"
#include "engine/server/server.h"
#include "engine/server/service_update.h"
#include "engine/server/storage.h"

namespace orrery::server {

Str random_uid(RngStream& rng) {
  static constexpr char kHex[] = "0123456789abcdef";
  char text[36];
  uint64_t high = rng.next(), low = rng.next();
  high = (high & ~uint64_t{0xf000}) | 0x4000;                // version 4
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);  // variant 1
  for (int i = 0, at = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text[at++] = '-';
    const uint64_t word = i < 16 ? high : low;
    text[at++] = kHex[word >> (60 - 4 * (i % 16)) & 15];
  }
  return Str(std::string_view(text, 36));
}

Str Server::generated_name(const Str& prefix, RngStream& names) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  constexpr size_t kPrefixMax = 58;
  std::string name(prefix.view().substr(0, kPrefixMax));
  for (int i = 0; i < 5; ++i) name += kAlphabet[names.below(kAlphabet.size())];
  return Str(name);
}

namespace {

// What a request cannot say of a new object.
void wipe_system_fields(api::Object& fresh) {
  auto& meta = fresh.mut_meta();
  meta.uid = Str();
  meta.self_link = Str();
  meta.creation_timestamp = {};
  meta.deletion_timestamp.reset();
  meta.deletion_grace_period_seconds.reset();
}

// A version that is no number counts as none.
bool names_version(std::string_view version) {
  return version.find_first_not_of('0') != std::string_view::npos &&
         version.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Server::Plan Server::plan_create(InFlight& flight, Time now) {
  const ApiRequest& request = flight.request;
  const api::KindDesc& kind = *request.kind;
  Plan plan;
  if (api::is_custom(kind) && custom_version(kind).resource->terminating) {
    plan.response.status = Status(Code::kMethodNotAllowed,
                                  str_cat("create is not supported on resources of kind \"", qualified_resource(kind), "\""));
    return plan;
  }
  // A clash of a generated name draws another one; a given name is taken.
  const bool generated = request.object.meta().name.empty() && !request.object.meta().generate_name.empty();
  if (flight.attempts > (generated ? 7 : 0)) {
    if (flight.answer) plan.response.warnings = flight.answer->warnings;
    refuse_as_taken(kind, request.ns, flight.key.view().substr(flight.key.view().rfind('/') + 1), plan.response);
    return plan;
  }
  api::Object fresh = request.object;
  if (kind.namespaced && fresh.meta().namespace_.empty()) fresh.mut_meta().namespace_ = request.ns;
  if (options_.serves_clients) {
    wipe_system_fields(fresh);
    for (std::string& text : drop_repeated_owners(fresh)) plan.response.warnings.push_back(Str(text));
    apply_defaults(fresh);
    track_managers(flight, {}, fresh, now);
  }
  complete_create(flight, std::move(fresh), plan, now);
  return plan;
}

FieldErrors Server::allocate(api::Object& fresh, const api::Object& old, InFlight& flight) {
  if (!fresh.is<corev1::Service>()) return {};
  const corev1::Service* before = old ? &old.get<corev1::Service>() : nullptr;
  if (!options_.serves_clients) {
    agree_cluster_ips(fresh.mut<corev1::Service>().spec.mut(), before);
    return {};
  }
  TakenByServices taken = taken_by_services();
  // A create of what exists is refused as such, not for its address.
  const api::Object mine = old ? old : find(*fresh.kind(), fresh.meta().namespace_, fresh.meta().name);
  if (mine) taken.remove(mine.get<corev1::Service>());
  return allocate_service(fresh.mut<corev1::Service>(), before, options_.services, std::move(taken),
                          flight.outside.mut().names, flight.request.dry_run);
}

TakenByServices Server::taken_by_services() const {
  TakenByServices taken;
  for (const api::Object& object : list(*corev1::Service::descriptor().kind, "")) taken.add(object.get<corev1::Service>());
  services_.add_taken(taken);
  return taken;
}

void Server::book_service(const Str& key, Plan& plan) const {
  if (!options_.serves_clients) return;
  const auto* entry = caches_[corev1::Service::descriptor().kind->id].find(key);
  services_.book(entry ? &entry->object.get<corev1::Service>() : nullptr,
                 plan.object ? &plan.object.get<corev1::Service>() : nullptr,
                 services_.knows_all() ? TakenByServices() : taken_by_services(), plan.compares, plan.more);
}

void Server::refuse_as_taken(const api::KindDesc& kind, std::string_view ns, std::string_view name, ApiResponse& response) const {
  response.status = already_exists_error(kind, name);
  const api::Object there = find(storage_kind(kind), ns, name);
  if (there && there.meta().deletion_timestamp)
    response.status = Status(response.status.code(), str_cat("object is being deleted: ", response.status.message()));
  auto& details = response.details.mut();
  details.name = Str(name);
  details.group = Str(kind.group);
  details.kind = Str(kind.plural);
}

// From admission on: what a create and an apply patch of something new have in common.
void Server::complete_create(InFlight& flight, api::Object fresh, Plan& plan, Time now) {
  const ApiRequest& request = flight.request;
  AdmissionRequest admission = admission_request(request, AdmissionRequest::Operation::kCreate, std::move(fresh), {});
  if (!admit(flight, admission, true, plan, now)) return;
  fresh = std::move(admission.object);
  auto& meta = fresh.mut_meta();
  if (meta.name.empty() && !meta.generate_name.empty()) meta.name = generated_name(meta.generate_name, options_.serves_clients ? flight.outside.mut().names : names_);
  if (flight.uid.empty()) flight.uid = random_uid(uids_);
  meta.uid = flight.uid;
  meta.creation_timestamp = api::Timestamp::whole_seconds(now);
  meta.deletion_timestamp.reset();
  meta.deletion_grace_period_seconds.reset();
  prepare_for_create(fresh);
  apply_defaults(fresh);
  if (fresh.is<corev1::Pod>() && !options_.serves_clients) admit_new_pod(fresh.mut<corev1::Pod>(), tolerations_);
  default_after_create(fresh);
  FieldErrors errors = allocate(fresh, {}, flight);
  if (errors.empty()) errors = validate_create(fresh, request.kind);
  if (!errors.empty()) {
    std::vector<Str> warnings = std::move(plan.response.warnings);
    plan.response = invalid_response(*request.kind, fresh, errors);
    plan.response.warnings = std::move(warnings);
    return;
  }
  if (options_.serves_clients)
    for (const std::string& text : warnings_for(fresh)) plan.response.warnings.push_back(Str(text));
  admission.object = fresh;
  if (!admit(flight, admission, false, plan, now)) return;
  // The store itself refuses, after everything else has agreed.
  if (request.dry_run && find(storage_kind(*request.kind), request.ns, meta.name))
    return refuse_as_taken(*request.kind, request.ns, meta.name, plan.response);
  if (request.verb == ApiVerb::kCreate && !request.dry_run && names_version(fresh.meta().resource_version)) {
    plan.response.status = Status(Code::kInternal, "resourceVersion should not be set on objects to be created");
    plan.response.unclassified = true;
    return;
  }
  if (!request.dry_run) fresh.mut_meta().resource_version = Str();  // of a dry run it is answered as it came
  plan.object = std::move(fresh);
  plan.response.created = true;
  plan.write = true;
}

}  // namespace orrery::server
