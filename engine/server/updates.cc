// What updates decide, of the object itself and of its subresources.
#include <charconv>

#include "engine/api/custom_object.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/names.h"
#include "engine/api/semantic.h"
#include "engine/server/custom/custom_scale.h"
#include "engine/server/defaulting.h"
#include "engine/server/errors.h"
#include "engine/server/object_rules.h"
#include "engine/server/scale.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

// Source: strconv.ParseUint. "": it is a number.
std::string version_error(std::string_view text) {
  const std::string context = str_cat("strconv.ParseUint: parsing ", api::quoted(text), ": ");
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return context + "invalid syntax";
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error != std::errc() ? context + "value out of range" : std::string();
}

ApiResponse scale_conflict(const api::KindDesc& kind, std::string_view name, std::string_view why) {
  const std::string group = kind.group.empty() ? "" : str_cat(".", kind.group);
  ApiResponse response;
  response.status = Status(Code::kConflict, str_cat("Operation cannot be fulfilled on ", kind.plural, "/scale", group, " \"", name, "\": ", why));
  auto& details = response.details.mut();
  details.name = Str(name);
  details.group = Str(kind.group);
  details.kind = Str(str_cat(kind.plural, "/scale"));
  return response;
}

std::string other_uid(const Str& asked, const Str& there) {
  return str_cat("Precondition failed: UID in precondition: ", asked, ", UID in object meta: ", there);
}

}  // namespace

ApiResponse Server::check_version(const ApiRequest& request, const metav1::ObjectMeta& sent, const metav1::ObjectMeta& old) {
  ApiResponse response;
  if (std::string wrong = version_error(sent.resource_version); !wrong.empty()) {
    response.status = Status(Code::kInternal, std::move(wrong));
    response.unclassified = true;
  } else if (!sent.resource_version.empty() && sent.resource_version != "0" && sent.resource_version != old.resource_version) {
    response.status = stale_error(*request.kind, request.name);
  }
  return response;
}

ApiResponse Server::refuse_precondition(const ApiRequest& request, std::string_view why) {
  const std::string key = store_key(storage_kind(*request.kind), request.ns, request.name).str();
  // Dry runs do not get as far as the prefix of the store.
  constexpr std::string_view kPrefix = "/registry";
  ApiResponse response;
  response.status = conflict_error(*request.kind, request.name,
                                   str_cat("StorageError: invalid object, Code: 4, Key: ",
                                           std::string_view(key).substr(request.dry_run ? kPrefix.size() : 0),
                                           ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ", why));
  return response;
}

// A PUT that names a UID wants that very object; of a patch it is a field that must not change.
ApiResponse Server::check_sent(const ApiRequest& request, const metav1::ObjectMeta& sent, const metav1::ObjectMeta& old) {
  if (request.verb == ApiVerb::kUpdate && !sent.uid.empty() && sent.uid != old.uid)
    return refuse_precondition(request, str_cat("UID in precondition: ", sent.uid, ", UID in object meta: ", old.uid));
  return check_version(request, sent, old);
}

Server::Plan Server::plan_update(InFlight& flight, const api::Object& old, api::Object fresh, Time now) {
  Plan plan;
  plan.response = check_sent(flight.request, fresh.meta(), old.meta());
  if (!plan.response.status.is_ok()) return plan;
  const bool versioned = !fresh.meta().resource_version.empty() && fresh.meta().resource_version != "0";
  if (options_.serves_clients) {
    if (!versioned && flight.request.verb == ApiVerb::kUpdate && put_needs_version(*flight.request.kind)) {
      const api::KindDesc& kind = *flight.request.kind;
      const FieldErrors errors = {FieldError::invalid("metadata.resourceVersion", "0x0", "must be specified for an update")};
      plan.response = response_of(invalid_refusal(kind.group, kind.plural, flight.request.name, errors));
      return plan;
    }
    if (fresh.meta().namespace_.empty()) fresh.mut_meta().namespace_ = old.meta().namespace_;
    if (fresh.meta().name.empty()) fresh.mut_meta().name = old.meta().name;
    for (std::string& text : drop_repeated_owners(fresh)) plan.response.warnings.push_back(Str(text));
    apply_defaults(fresh);
    track_managers(flight, old, fresh, now);
  }
  complete_update(flight, old, std::move(fresh), plan, now);
  return plan;
}

// From admission on: what updates and all patches have in common.
void Server::complete_update(InFlight& flight, const api::Object& old, api::Object fresh, Plan& plan, Time now) {
  const ApiRequest& request = flight.request;
  AdmissionRequest admission = admission_request(request, AdmissionRequest::Operation::kUpdate, std::move(fresh), old);
  if (!admit(flight, admission, true, plan, now)) return;
  fresh = std::move(admission.object);
  fresh.mut_meta().resource_version = old.meta().resource_version;
  const std::string_view subresource = request.subresource == "scale" ? std::string_view() : request.subresource.view();
  prepare_for_update(fresh, old, subresource, now);
  if (request.subresource != "status") apply_defaults(fresh);
  FieldErrors errors = request.subresource.empty() ? allocate(fresh, old, flight) : FieldErrors{};
  std::vector<std::string> told;
  if (errors.empty()) errors = validate_update(fresh, old, subresource, request.kind, &told);
  for (const std::string& text : told) plan.response.warnings.push_back(Str(text));
  if (!errors.empty()) {
    std::vector<Str> warnings = std::move(plan.response.warnings);
    plan.response = invalid_response(*request.kind, fresh, errors);
    plan.response.warnings = std::move(warnings);
    return;
  }
  if (options_.serves_clients && request.subresource.empty())
    for (const std::string& text : warnings_for(fresh, old)) plan.response.warnings.push_back(Str(text));
  admission.object = fresh;
  if (!admit(flight, admission, false, plan, now)) return;
  if (options_.serves_clients) managed::keep_times_if_unchanged(old, fresh);
  if (api::semantic_equal(fresh, old)) {
    plan.response.object = old;
    return;
  }
  plan.write = true;
  const auto& meta = fresh.meta();
  const bool gone = meta.deletion_timestamp && meta.finalizers.empty() && meta.deletion_grace_period_seconds.value_or(0) == 0 &&
                    !holds_namespace(fresh);
  if (gone) {
    plan.response.object = fresh;
  } else {
    plan.object = std::move(fresh);
  }
}

// Custom resources find negative replicas later, with whatever else their schema says.
// Source: Kubernetes v1.32, scaleUpdatedObjectInfo of the workloads and of custom resources.
ApiResponse Server::check_scale(const ApiRequest& request, const api::Object& old) {
  const auto& scale = request.object.get<autoscalingv1::Scale>();
  const metav1::ObjectMeta& sent = *scale.metadata;
  const bool put = request.verb == ApiVerb::kUpdate, other = !sent.uid.empty() && sent.uid != old.meta().uid;
  if (put && other) return check_sent(request, sent, old.meta());
  if (api::is_custom(*old.kind())) {
    if (scale.spec->replicas != kNoReplicas) return check_version(request, sent, old.meta());
    ApiResponse response;
    response.status = bad_request(str_cat("the spec replicas field ", api::quoted(custom_replicas_field(old)), " cannot be empty"));
    return response;
  }
  if (scale.spec->replicas < 0)
    return invalid_response(*autoscalingv1::Scale::descriptor().kind, request.name,
                            {FieldError::invalid("spec.replicas", str_cat(int64_t{scale.spec->replicas}),
                                                 "must be greater than or equal to 0")});
  if (other) return scale_conflict(*request.kind, request.name, other_uid(sent.uid, old.meta().uid));
  return check_version(request, sent, old.meta());
}

Server::Plan Server::plan_scale(InFlight& flight, const api::Object& old, Time now) {
  const auto& scale = flight.request.object.get<autoscalingv1::Scale>();
  Plan plan;
  plan.response = check_scale(flight.request, old);
  if (!plan.response.status.is_ok()) return plan;
  api::Object fresh = old;
  set_replicas(fresh, scale.spec->replicas);
  if (options_.serves_clients) {
    api::Object tracked = flight.request.object;
    const bool applied = flight.request.verb == ApiVerb::kPatch && flight.request.patch_kind == PatchKind::kApply;
    if (!applied) managed::update_managed_fields(managed_scale_of(old), tracked, field_write(flight, now));
    set_scale_managers(fresh, tracked, flight.request.kind->api_version);
  }
  complete_update(flight, old, std::move(fresh), plan, now);
  return plan;
}

}  // namespace orrery::server
