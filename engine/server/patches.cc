// What patches decide: the patched object, which then goes the way of an update.
#include <algorithm>
#include <utility>

#include "engine/api/codec_json.h"
#include "engine/api/custom_object.h"
#include "engine/api/go_decode_text.h"
#include "engine/api/go_format.h"
#include "engine/api/names.h"
#include "engine/api/patch.h"
#include "engine/api/yaml.h"
#include "engine/server/auth/attributes.h"
#include "engine/server/custom/custom_managers.h"
#include "engine/server/custom/custom_rules.h"
#include "engine/server/decoding.h"
#include "engine/server/defaulting.h"
#include "engine/server/errors.h"
#include "engine/server/object_name.h"
#include "engine/server/patched_text.h"
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

// A strategic patch is shown itself, as a Go map; of the others, what they make of the object.
// Custom resources are maps to upstream, whose members come in order of name.
std::string shown(const api::KindDesc& object, PatchKind kind, const api::Json& patch, const api::Json& patched,
                  const api::NumberTexts& numbers) {
  if (api::is_custom(object)) return patched.dump_sorted();
  return kind == PatchKind::kStrategic ? api::go_text(patch) : patched_text(kind, patch, patched, numbers);
}

std::string wrong_document(const api::Json& patch, std::string_view go_type) {
  api::GoMismatch wrong;
  wrong.found = go_json_type(patch);
  wrong.go_type = go_type;
  return api::go_json_mismatch(wrong);
}

constexpr std::string_view kGoMap = "map[string]interface {}";

// What is wrong with an operation of a JSON patch, as upstream reads them strictly.
std::string operation_error(const api::Json& operation, const api::NumberTexts& numbers) {
  if (operation.is_null()) return {};
  if (!operation.is_object()) return wrong_document(operation, "handlers.jsonPatchOp");
  if (const std::string_view number = numbers.beyond_floats(operation["value"]); !number.empty())
    return api::go_json_number_error(number, "jsonPatchOp.value");
  for (const api::Json::Member& member : operation.members()) {
    const bool text = member.key == "op" || member.key == "from" || member.key == "path";
    if (!text || member.value.is_string() || member.value.is_null()) continue;
    api::GoMismatch wrong;
    wrong.found = go_json_type(member.value);
    wrong.go_type = "string";
    wrong.struct_name = "jsonPatchOp";
    wrong.fields = member.key.str();
    return api::go_json_mismatch(wrong);
  }
  return {};
}

void find_unknown(const api::Json& operations, std::vector<std::string>& strict) {
  constexpr std::string_view kNames[] = {"op", "from", "path", "value"};
  for (size_t i = 0; i < operations.size(); ++i)
    for (const api::Json::Member& member : operations[i].members())
      if (std::find(std::begin(kNames), std::end(kNames), member.key.view()) == std::end(kNames))
        strict.push_back(str_cat("json patch unknown field \"[", uint64_t{i}, "].", member.key, "\""));
}

// Source: Kubernetes v1.32 apiserver/pkg/endpoints/handlers/patch.go, applyJSPatch.
Status check_operations(const api::Json& patch, const api::NumberTexts& numbers, FieldValidation validation,
                        std::vector<std::string>& strict) {
  if (patch.is_null()) return Status::ok();
  const bool lenient = validation == FieldValidation::kIgnore;
  constexpr std::string_view kContext = "error decoding patch: ";
  if (!patch.is_array())
    return bad_request(lenient ? wrong_document(patch, "jsonpatch.Patch") : str_cat(kContext, wrong_document(patch, "[]handlers.jsonPatchOp")));
  for (const api::Json& operation : patch.items())
    if (const std::string wrong = operation_error(operation, numbers); !lenient && !wrong.empty()) return bad_request(str_cat(kContext, wrong));
  constexpr size_t kOperationsMax = 10'000;  // as kube-apiserver (maxJSONPatchOperations)
  if (patch.size() > kOperationsMax)
    return Status(Code::kRequestTooLarge, str_cat("Request entity too large: The allowed maximum operations in a JSON patch is ",
                                                  uint64_t{kOperationsMax}, ", got ", uint64_t{patch.size()}));
  find_unknown(patch, strict);
  return Status::ok();
}

// The patch itself; `strict` gets the members that are unknown or stand there twice.
Result<api::Json> parse_patch(const ApiRequest& request, api::NumberTexts& numbers, std::vector<std::string>& strict) {
  const bool strategic = request.patch_kind == PatchKind::kStrategic, list = request.patch_kind == PatchKind::kJson;
  const std::string_view context = strategic ? "" : "error decoding patch: ";
  std::vector<std::string> duplicates;
  auto patch = parse_json(request.patch, numbers, &duplicates);
  if (!patch.is_ok()) return bad_request(str_cat(context, patch.status().message()));
  if (list) ORRERY_TRY(check_operations(*patch, numbers, request.field_validation, strict));
  else if (const std::string_view number = numbers.beyond_floats(*patch); !number.empty())
    return bad_request(str_cat(context, api::go_json_number_error(number)));
  else if (!patch->is_null() && !patch->is_object()) return bad_request(str_cat(context, wrong_document(*patch, kGoMap)));
  for (const std::string& path : duplicates) strict.push_back(str_cat(list ? "json patch " : "", "duplicate field \"", path, "\""));
  return patch;
}

// An object that a patch has made must still be the one that the request names.
Status check_identity(const ApiRequest& request, const api::KindDesc& kind, api::Object& fresh) {
  const auto& meta = fresh.meta();
  if (!kind.namespaced && !meta.namespace_.empty()) fresh.mut_meta().namespace_ = Str();
  if (kind.namespaced && !meta.namespace_.empty() && meta.namespace_ != request.ns)
    return bad_request("the namespace of the provided object does not match the namespace sent on the request");
  return check_object_name(fresh.meta().name, request.name);
}

// The document of an apply patch; `repeated` gets its repeated keys as one error.
Result<api::Json> parse_apply(const ApiRequest& request, std::string& repeated) {
  constexpr std::string_view kContext = "error converting YAML to JSON: ";
  std::vector<std::string> duplicates;
  auto config = api::parse_yaml_body(request.patch, &duplicates);
  if (!config.is_ok()) return bad_request(str_cat("error decoding YAML: ", kContext, config.status().message()));
  if (!config->is_object() && !config->is_null())
    return bad_request(str_cat("error decoding YAML: error unmarshaling JSON: while decoding JSON: ", wrong_document(*config, kGoMap)));
  if (!duplicates.empty()) repeated = str_cat(kContext, yaml_strict_error(duplicates));
  return config;
}

// A custom resource stays what it is; the failure calls it what it calls itself.
ApiResponse check_type(const TypeNames& names, const api::KindDesc& kind, std::string_view name) {
  const FieldErrors errors = check_custom_type(names.api_version, names.kind, kind);
  if (errors.empty()) return {};
  const size_t slash = names.api_version.find('/');
  const std::string group = slash == std::string::npos ? "" : names.api_version.substr(0, slash);
  return response_of(invalid_refusal(group, names.kind, name, errors));
}

}  // namespace

Result<api::Json> Server::patched_document(const ApiRequest& request, const api::TypeDesc& type, const api::Json& document,
                                           const api::Json& patch, ApiResponse& failure) const {
  auto patched = api::apply_patch(request.patch_kind, type, document, patch);
  if (patched.is_ok()) return patched;
  failure.status = patched.status();
  failure.unclassified = failure.status.code() == Code::kInternal;
  if (failure.status.code() == Code::kInvalid) {
    failure.status = invalid("the server rejected our request due to an error in our request");
    failure.details.mut();
  }
  return failure.status;
}

Result<api::Object> Server::patched_object(const ApiRequest& request, const api::Object& current, ApiResponse& failure,
                                           std::vector<std::string>& strict) const {
  api::NumberTexts numbers;
  auto patch = parse_patch(request, numbers, strict);
  if (!patch.is_ok()) return failure.status = patch.status();
  api::Json document = api::to_json(current);
  document.set("apiVersion", current.kind()->api_version);
  document.set("kind", current.kind()->kind);
  auto patched = patched_document(request, *current.type(), document, *patch, failure);
  if (!patched.is_ok()) return patched.status();
  Result<api::Object> fresh = api::Object::make(*current.type());
  if (request.patch_kind == PatchKind::kStrategic) {
    api::DecodeOptions options;
    options.strict = request.field_validation != FieldValidation::kIgnore;
    options.strict_errors = &strict;
    options.wording = api::DecodeWording::kGoConverter;
    const Status decoded = api::from_json(*patched, *current.type(), fresh->mut_data(), options);
    if (!decoded.is_ok()) fresh = decoded;
  } else {
    const api::KindDesc& kind = *current.kind();
    fresh = decode_document(*patched, numbers, {}, type_names(*patched, kind), kind, request.field_validation, strict);
  }
  if (!fresh.is_ok()) {
    failure = invalid_patch(shown(*current.kind(), request.patch_kind, *patch, *patched, numbers), fresh.status().message());
  } else if (request.field_validation == FieldValidation::kStrict && !strict.empty()) {
    failure = invalid_patch(shown(*current.kind(), request.patch_kind, *patch, *patched, numbers), str_cat("strict decoding error: ", api::join(strict, ", ")));
    return failure.status;
  } else if (api::is_custom(*current.kind())) {
    failure = check_type(type_names(*patched, *current.kind()), *current.kind(), request.name);
    if (!failure.status.is_ok()) return failure.status;
  }
  return fresh;
}

Server::Plan Server::plan_patch(InFlight& flight, const api::Object& old, Time now) {
  const ApiRequest& request = flight.request;
  Plan plan;
  const bool scales = request.subresource == "scale";
  if (request.patch_kind == PatchKind::kStrategic && api::is_custom(*request.kind) && !scales) {
    plan.response.status = Status(Code::kUnsupportedMediaType, "custom resources know no strategic merge patch");
    return plan;
  }
  const api::Object current = scales ? scale_of(old) : convert(old, *request.kind);
  std::vector<std::string> strict;
  auto patched = patched_object(request, current, plan.response, strict);
  if (!patched.is_ok()) return plan;
  api::Object fresh = std::move(*patched);
  *static_cast<metav1::TypeMeta*>(fresh.mut_data()) = {};
  plan.response.status = check_identity(request, *request.kind, fresh);
  if (!plan.response.status.is_ok()) return plan;
  if (scales) {
    ApiRequest& mine = flight.request;
    const api::Object body = std::exchange(mine.object, fresh);
    plan = plan_scale(flight, old, now);
    mine.object = body;
  } else {
    if (fresh.meta().resource_version == old.meta().resource_version) fresh.mut_meta().resource_version = Str();
    plan = plan_update(flight, old, convert(fresh, *old.kind()), now);
  }
  if (request.field_validation == FieldValidation::kWarn) add_strict_warnings(strict, plan.response.warnings);
  return plan;
}

Server::Plan Server::plan_apply_scale(InFlight& flight, const api::Object& old, const api::Json& config, Time now) {
  Plan plan;
  const api::Object live = managed_scale_of(old);
  plan.response = managed::apply(live, *live.kind(), config, flight.request.force, field_write(flight, now), nullptr);
  if (!plan.response.status.is_ok()) return plan;
  *static_cast<metav1::TypeMeta*>(plan.response.object.mut_data()) = {};
  const api::Object body = std::exchange(flight.request.object, plan.response.object);
  plan = plan_scale(flight, old, now);
  flight.request.object = body;
  return plan;
}

// From the applied object on, with the checks of what is new or of what is there.
void Server::complete_apply(InFlight& flight, const api::Object& old, api::Object fresh, Plan& plan, Time now) {
  const ApiRequest& request = flight.request;
  const api::KindDesc& stored = api::is_custom(*request.kind) ? *request.kind : storage_kind(*request.kind);
  if (!old && !fresh.meta().uid.empty()) {
    plan.response.status = conflict_error(*request.kind, request.name,
                                          str_cat("uid mismatch: the provided object specified uid ", fresh.meta().uid,
                                                  ", and no existing object was found"));
    return;
  }
  plan.response.status = check_identity(request, stored, fresh);
  if (!plan.response.status.is_ok()) return;
  if (!old) {
    auto& meta = fresh.mut_meta();
    if (meta.name.empty()) meta.name = request.name;
    if (stored.namespaced && meta.namespace_.empty()) meta.namespace_ = request.ns;
    return complete_create(flight, std::move(fresh), plan, now);
  }
  plan.response = check_version(request, fresh.meta(), old.meta());
  if (plan.response.status.is_ok()) complete_update(flight, old, std::move(fresh), plan, now);
}

Server::Plan Server::plan_apply(InFlight& flight, const api::Object& old, Time now) {
  const ApiRequest& request = flight.request;
  Plan plan;
  std::string repeated;
  auto config = parse_apply(request, repeated);
  if (!config.is_ok()) {
    plan.response.status = config.status();
    return plan;
  }
  if (request.subresource == "scale") return plan_apply_scale(flight, old, *config, now);
  const api::KindDesc& stored = api::is_custom(*request.kind) ? *request.kind : storage_kind(*request.kind);
  const auto set_defaults = [](api::Object& object) { apply_defaults(object); };
  const api::Object live = old ? convert(old, *request.kind) : api::Object();
  const managed::FieldWrite write = field_write(flight, now);
  ApiResponse applied = api::is_custom(*request.kind)
                            ? apply_custom(live, *request.kind, *config, request.force, write)
                            : managed::apply(live, *request.kind, *config, request.force, write, set_defaults);
  if (!applied.status.is_ok()) {
    plan.response = std::move(applied);
    return plan;
  }
  if (!repeated.empty() && request.field_validation == FieldValidation::kStrict) {
    plan.response.status = bad_request(str_cat("error strict decoding YAML: ", repeated));
    return plan;
  }
  api::Object fresh = convert(applied.object, stored);
  *static_cast<metav1::TypeMeta*>(fresh.mut_data()) = {};
  complete_apply(flight, old, std::move(fresh), plan, now);
  if (!repeated.empty() && request.field_validation == FieldValidation::kWarn) add_strict_warnings({repeated}, plan.response.warnings);
  return plan;
}

}  // namespace orrery::server
