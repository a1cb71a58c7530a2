// What updates and patches decide, of the object itself and of its subresources.
#include "engine/api/codec_json.h"
#include "engine/api/custom_object.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/names.h"
#include "engine/api/patch.h"
#include "engine/api/semantic.h"
#include "engine/api/yaml.h"
#include "engine/server/custom/custom_managers.h"
#include "engine/server/custom/custom_schema.h"
#include "engine/server/defaulting.h"
#include "engine/server/errors.h"
#include "engine/server/object_rules.h"
#include "engine/server/scale.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

// A patch that cannot be applied, as the API server words it.
ApiResponse invalid_patch(std::string_view shown, std::string_view why) {
  ApiResponse response;
  const std::string detail = str_cat("Invalid value: ", api::quoted(shown), ": ", why);
  response.status = invalid(str_cat(" \"\" is invalid: patch: ", detail));
  response.details.mut();
  response.causes.push_back({"FieldValueInvalid", Str(detail), "patch"});
  return response;
}

Status stale_or_other(const ApiRequest& request, const metav1::ObjectMeta& sent, const metav1::ObjectMeta& old) {
  if (!sent.resource_version.empty() && sent.resource_version != "0" && sent.resource_version != old.resource_version)
    return stale_error(*request.kind, request.name);
  if (!sent.uid.empty() && sent.uid != old.uid)
    return conflict_error(*request.kind, request.name,
                          str_cat("Precondition failed: UID in precondition: ", sent.uid, ", UID in object meta: ", old.uid));
  return Status::ok();
}

}  // namespace

Server::Plan Server::plan_update(InFlight& flight, const api::Object& old, api::Object fresh, Time now) {
  Plan plan;
  plan.response.status = stale_or_other(flight.request, fresh.meta(), old.meta());
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
    apply_defaults(fresh);
    track_managers(flight.request, old, fresh, now);
  }
  complete_update(flight, old, std::move(fresh), plan, now);
  return plan;
}

// From admission on: what updates and all patches have in common.
void Server::complete_update(InFlight& flight, const api::Object& old, api::Object fresh, Plan& plan, Time now) {
  const ApiRequest& request = flight.request;
  flight.next_answer = 0;
  AdmissionRequest admission = admission_request(request, AdmissionRequest::Operation::kUpdate, std::move(fresh), old);
  if (!admit(flight, admission, true, plan, now)) return;
  fresh = std::move(admission.object);
  fresh.mut_meta().resource_version = old.meta().resource_version;
  const std::string_view subresource = request.subresource == "scale" ? std::string_view() : request.subresource.view();
  prepare_for_update(fresh, old, subresource, now);
  if (request.subresource != "status") apply_defaults(fresh);
  FieldErrors errors = request.subresource.empty() ? allocate(fresh, old, flight.names) : FieldErrors{};
  if (errors.empty()) errors = validate_update(fresh, old, subresource, request.kind);
  if (!errors.empty()) {
    std::vector<Str> warnings = std::move(plan.response.warnings);
    plan.response = invalid_response(*request.kind, request.name, errors);
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

Server::Plan Server::plan_scale(InFlight& flight, const api::Object& old, Time now) {
  const auto& scale = flight.request.object.get<autoscalingv1::Scale>();
  Plan plan;
  plan.response.status = stale_or_other(flight.request, *scale.metadata, old.meta());
  if (!plan.response.status.is_ok()) return plan;
  if (scale.spec->replicas < 0) {
    plan.response = invalid_response(*autoscalingv1::Scale::descriptor().kind, flight.request.name,
                                     {FieldError::invalid("spec.replicas", str_cat(int64_t{scale.spec->replicas}),
                                                          "must be greater than or equal to 0")});
    return plan;
  }
  api::Object fresh = old;
  set_replicas(fresh, scale.spec->replicas);
  if (options_.serves_clients) {
    api::Object tracked = flight.request.object;
    const bool applied = flight.request.verb == ApiVerb::kPatch && flight.request.patch_kind == PatchKind::kApply;
    if (!applied) managed::update_managed_fields(managed_scale_of(old), tracked, field_write(flight.request, now));
    set_scale_managers(fresh, tracked, flight.request.kind->api_version);
  }
  complete_update(flight, old, std::move(fresh), plan, now);
  return plan;
}

Result<api::Json> Server::patched_document(const ApiRequest& request, const api::TypeDesc& type, const api::Json& document,
                                           ApiResponse& failure) const {
  auto patch = api::Json::parse(request.patch);
  if (!patch.is_ok()) {
    failure.status = bad_request(str_cat("error decoding patch: ", patch.status().message()));
    return failure.status;
  }
  auto patched = api::apply_patch(request.patch_kind, type, document, *patch);
  if (patched.is_ok()) return patched;
  failure.status = patched.status();
  failure.unclassified = failure.status.code() == Code::kInternal;
  if (failure.status.code() == Code::kInvalid) {
    failure.status = invalid("the server rejected our request due to an error in our request");
    failure.details.mut();
  }
  return failure.status;
}

Server::Plan Server::plan_patch(InFlight& flight, const api::Object& old, Time now) {
  const ApiRequest& request = flight.request;
  Plan plan;
  const bool scales = request.subresource == "scale";
  const api::Object current = scales ? scale_of(old) : convert(old, *request.kind);
  api::Json document = api::to_json(current);
  document.set("apiVersion", current.kind()->api_version);
  document.set("kind", current.kind()->kind);
  auto patched = patched_document(request, *current.type(), document, plan.response);
  if (!patched.is_ok()) return plan;
  api::Object fresh = api::Object::make(*current.type());
  std::vector<std::string> strict;
  api::DecodeOptions options;
  options.strict = request.field_validation != FieldValidation::kIgnore;
  options.strict_errors = &strict;
  // Custom resources are maps to upstream, whose members come in order of name.
  const std::string shown = api::is_custom(*current.kind()) ? patched->dump_sorted() : patched->dump();
  const Status decoded = api::from_json(*patched, *current.type(), fresh.mut_data(), options);
  if (!decoded.is_ok()) {
    plan.response = invalid_patch(shown, decoded.message());
    return plan;
  }
  if (api::is_custom(*fresh.kind())) {
    normalize_custom(fresh, strict);
    if (request.field_validation == FieldValidation::kIgnore) strict.clear();
  }
  if (request.field_validation == FieldValidation::kStrict && !strict.empty()) {
    plan.response = invalid_patch(shown, str_cat("strict decoding error: ", api::join(strict, ", ")));
    return plan;
  }
  auto* type_meta = static_cast<metav1::TypeMeta*>(fresh.mut_data());
  *type_meta = {};
  if (scales) {
    ApiRequest& mine = flight.request;
    const api::Object body = std::exchange(mine.object, fresh);
    plan = plan_scale(flight, old, now);
    mine.object = body;
  } else {
    if (fresh.meta().resource_version == old.meta().resource_version) fresh.mut_meta().resource_version = Str();
    plan = plan_update(flight, old, convert(fresh, *old.kind()), now);
  }
  for (const std::string& text : strict) plan.response.warnings.push_back(Str(text));
  return plan;
}

Server::Plan Server::plan_apply_scale(InFlight& flight, const api::Object& old, const api::Json& config, Time now) {
  Plan plan;
  const api::Object live = managed_scale_of(old);
  plan.response = managed::apply(live, *live.kind(), config, flight.request.force, field_write(flight.request, now), nullptr);
  if (!plan.response.status.is_ok()) return plan;
  *static_cast<metav1::TypeMeta*>(plan.response.object.mut_data()) = {};
  const api::Object body = std::exchange(flight.request.object, plan.response.object);
  plan = plan_scale(flight, old, now);
  flight.request.object = body;
  return plan;
}

Server::Plan Server::plan_apply(InFlight& flight, const api::Object& old, Time now) {
  const ApiRequest& request = flight.request;
  Plan plan;
  auto config = api::parse_yaml_body(request.patch, "patch");
  if (!config.is_ok()) {
    plan.response.status = bad_request(str_cat("error decoding YAML: ", config.status().message()));
    return plan;
  }
  if (request.subresource == "scale") return plan_apply_scale(flight, old, *config, now);
  const api::KindDesc& stored = api::is_custom(*request.kind) ? *request.kind : storage_kind(*request.kind);
  const auto set_defaults = [](api::Object& object) { apply_defaults(object); };
  const api::Object live = old ? convert(old, *request.kind) : api::Object();
  const managed::FieldWrite write = field_write(request, now);
  ApiResponse applied = api::is_custom(*request.kind)
                            ? apply_custom(live, *request.kind, *config, request.force, write)
                            : managed::apply(live, *request.kind, *config, request.force, write, set_defaults);
  if (!applied.status.is_ok()) {
    plan.response = std::move(applied);
    return plan;
  }
  api::Object fresh = convert(applied.object, stored);
  *static_cast<metav1::TypeMeta*>(fresh.mut_data()) = {};
  if (!old) {
    auto& meta = fresh.mut_meta();
    if (meta.name.empty()) meta.name = request.name;
    if (stored.namespaced && meta.namespace_.empty()) meta.namespace_ = request.ns;
    complete_create(flight, std::move(fresh), plan, now);
  } else {
    plan.response.status = stale_or_other(request, fresh.meta(), old.meta());
    if (plan.response.status.is_ok()) complete_update(flight, old, std::move(fresh), plan, now);
  }
  return plan;
}

}  // namespace orrery::server
