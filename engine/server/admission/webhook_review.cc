#include "engine/server/admission/webhook_review.h"

#include "engine/api/base64.h"
#include "engine/api/codec_json.h"
#include "engine/api/custom_object.h"
#include "engine/api/names.h"
#include "engine/server/admission/matching.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

using api::Json;
using Operation = AdmissionRequest::Operation;

Json kind_json(std::string_view group, std::string_view version, std::string_view member, std::string_view value) {
  Json out = Json::object();
  out.set("group", group);
  out.set("version", version);
  out.set(member, value);
  return out;
}

Json user_json(const AdmissionRequest& request, const ApiRequest& source) {
  Json out = Json::object();
  out.set("username", !request.user.name.empty() ? request.user.name : !source.user.empty() ? source.user : Str("system:apiserver"));
  if (!request.user.uid.empty()) out.set("uid", request.user.uid);
  for (const Str& group : request.user.groups) {
    if (out["groups"].is_null()) out.set("groups", Json::array());
    out.find("groups")->push_back(group);
  }
  for (const auto& [key, values] : request.user.extra) {
    if (out["extra"].is_null()) out.set("extra", Json::object());
    Json& list = out.find("extra")->set(key, Json::array());
    for (const Str& value : values) list.push_back(value);
  }
  return out;
}

void set_delete_options(const ApiDeleteOptions& options, Json& out) {
  if (options.grace_seconds) out.set("gracePeriodSeconds", *options.grace_seconds);
  if (!options.propagation_policy.empty()) out.set("propagationPolicy", options.propagation_policy);
  if (!options.uid && !options.resource_version) return;
  Json& preconditions = out.set("preconditions", Json::object());
  if (options.uid) preconditions.set("uid", *options.uid);
  if (options.resource_version) preconditions.set("resourceVersion", *options.resource_version);
}

Json options_json(Operation operation, const ApiRequest& source) {
  Json out = Json::object();
  out.set("kind", operation == Operation::kCreate ? "CreateOptions" : operation == Operation::kUpdate ? "UpdateOptions" : "DeleteOptions");
  out.set("apiVersion", "meta.k8s.io/v1");
  if (source.dry_run) out.set("dryRun", Json::array()).push_back("All");
  if (operation == Operation::kDelete) {
    set_delete_options(source.delete_options, out);
  } else if (source.names_manager) {
    out.set("fieldManager", source.field_manager);
  }
  return out;
}

ReviewAnswer unusable(std::string_view what, std::string_view why) {
  ReviewAnswer answer;
  answer.failure = str_cat(what, ": ", why);
  return answer;
}
ReviewAnswer not_called(std::string_view why) { return unusable("failed to call webhook", why); }
ReviewAnswer invalid_answer(std::string_view why) { return unusable("received invalid webhook response", why); }

// What client-go says of an answer that is no success.
std::string http_failure(const HttpResponse& response) {
  std::string text = "unknown";
  if (find_header(response.headers, "content-type").starts_with("text/")) text = response.body;
  constexpr int kServerErrors = 500;
  if (response.code >= kServerErrors)
    return str_cat("an error on the server (", api::quoted(text), ") has prevented the request from succeeding");
  switch (response.code) {
    case 400: return "the server rejected our request for an unknown reason";
    case 401: return "the server has asked for the client to provide credentials";
    case 403: return text;
    case 404: return "the server could not find the requested resource";
    case 405: return "the server does not allow this method on the requested resource";
    case 409: return "the server reported a conflict";
    case 429: return "the server has received too many requests and has asked us to try again later";
    default: return str_cat("the server responded with the status code ", response.code, " but did not return more information");
  }
}

// Why a document is no AdmissionReview of v1; "" if it is one.
std::string check_document(const Result<Json>& document) {
  if (!document.is_ok() || !document->is_object())
    return "couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion "
           "string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
  const Str& version = (*document)["apiVersion"].as_string();
  const Str& kind = (*document)["kind"].as_string();
  if (kind.empty()) return "Object 'Kind' is missing";
  if (kind == "AdmissionReview" && version == "admission.k8s.io/v1beta1")
    return "converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion";
  if (kind != "AdmissionReview" || version != "admission.k8s.io/v1")
    return str_cat("no kind ", api::quoted(kind), " is registered for version ", api::quoted(version),
                   " in scheme \"k8s.io/apiserver/pkg/admission/plugin/webhook\"");
  return {};
}

std::string check_patch(const Json& response, bool mutating) {
  const bool patch = !response["patch"].as_string().empty();
  const bool type = response["patchType"].is_string();
  if (!mutating && patch) return "validating webhook may not return response.patch";
  if (!mutating && type) return "validating webhook may not return response.patchType";
  if (patch && !type) return "webhook returned response.patch but not response.patchType";
  if (!patch && type) return "webhook returned response.patchType but not response.patch";
  return {};
}

}  // namespace

api::Object converted_to(const api::Object& object, const api::KindDesc& kind, const AdmissionContext& context) {
  if (object.kind() == &kind) return object;
  if (api::is_custom(kind) && context.convert) return context.convert(object, kind);
  return convert(convert(object, storage_kind(kind)), kind);
}

Json object_seen_as(const api::Object& object, const api::KindDesc& kind, const AdmissionContext& context) {
  if (!object) return {};
  const bool converts = object.kind() && &storage_kind(*object.kind()) == &storage_kind(kind);
  const api::Object shown = converts ? converted_to(object, kind, context) : object;
  if (!shown) return {};
  Json out = api::to_json(shown);
  if (shown.kind()) {
    out.set("kind", shown.kind()->kind);
    out.set("apiVersion", shown.kind()->api_version);
  }
  return out;
}

api::Object seen_object(const AdmissionRequest& request, const ApiRequest& source) {
  api::Object object = request.object;
  const bool patched = request.operation == Operation::kUpdate && source.verb == ApiVerb::kPatch;
  if (patched && object && object.has_meta() && object.meta().resource_version.empty())
    object.mut_meta().resource_version = request.old.meta().resource_version;
  return object;
}

Json review_attributes(const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind) {
  Json body = Json::object();
  const bool main = request.subresource.empty();
  const api::KindDesc& asked = *request.kind;
  const api::KindDesc* sub = !main && request.object ? request.object.kind() : nullptr;
  const bool own_kind = sub && &storage_kind(*sub) != &storage_kind(asked);
  const api::KindDesc& shown = own_kind ? *sub : kind;
  const api::KindDesc& original = own_kind ? *sub : asked;
  body.set("kind", kind_json(shown.group, shown.version, "kind", shown.kind));
  body.set("resource", kind_json(kind.group, kind.version, "resource", kind.plural));
  if (!main) body.set("subResource", request.subresource);
  body.set("requestKind", kind_json(original.group, original.version, "kind", original.kind));
  body.set("requestResource", kind_json(asked.group, asked.version, "resource", asked.plural));
  if (!main) body.set("requestSubResource", request.subresource);
  if (const Str name = request_name(request); !name.empty()) body.set("name", name);
  if (!request.ns.empty()) body.set("namespace", request.ns);
  body.set("operation", operation_name(request.operation));
  body.set("userInfo", user_json(request, context.source));
  return body;
}

Str request_name(const AdmissionRequest& request) {
  const bool names_itself = request.name.empty() && request.object && request.object.has_meta();
  return names_itself ? request.object.meta().name : request.name;
}

void set_review_options(const AdmissionRequest& request, const AdmissionContext& context, Json& body) {
  body.set("dryRun", context.dry_run);
  body.set("options", options_json(request.operation, context.source));
}

std::string review_request(const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind,
                           std::string_view uid) {
  Json body = Json::object();
  body.set("uid", uid);
  Json attributes = review_attributes(request, context, kind);
  for (Json::Member& member : attributes.members()) body.set(member.key, std::move(member.value));
  body.set("object", object_seen_as(seen_object(request, context.source), kind, context));
  body.set("oldObject", object_seen_as(request.old, kind, context));
  set_review_options(request, context, body);
  Json review = Json::object();
  review.set("kind", "AdmissionReview");
  review.set("apiVersion", "admission.k8s.io/v1");
  review.set("request", std::move(body));
  return review.dump();
}

ReviewAnswer read_review(const HttpCallOutcome& outcome, std::string_view url, std::string_view uid, bool mutating) {
  if (!outcome.status.is_ok()) {
    const bool late = outcome.status.code() == Code::kTimeout;
    return not_called(str_cat("Post ", api::quoted(url), ": ", late ? "context deadline exceeded" : outcome.status.message()));
  }
  constexpr int kOkEnd = 206;
  if (outcome.response.code < 200 || outcome.response.code > kOkEnd) return not_called(http_failure(outcome.response));
  const auto document = Json::parse(outcome.response.body);
  if (std::string wrong = check_document(document); !wrong.empty()) return not_called(wrong);
  const Json& response = (*document)["response"];
  if (!response.is_object()) return invalid_answer("webhook response was absent");
  if (const Str& got = response["uid"].as_string(); got != uid)
    return invalid_answer(str_cat("expected response.uid=", api::quoted(uid), ", got ", api::quoted(got)));
  if (std::string wrong = check_patch(response, mutating); !wrong.empty()) return invalid_answer(wrong);
  ReviewAnswer answer;
  answer.allowed = response["allowed"].as_bool();
  for (const Json& warning : response["warnings"].items()) answer.warnings.push_back(warning.as_string());
  for (const auto& [key, value] : response["auditAnnotations"].members()) answer.annotations.emplace_back(key, value.as_string());
  if (response["status"].is_object()) {
    auto status = api::struct_from_json<metav1::Status>(response["status"]);
    if (status.is_ok()) answer.status = Ref<metav1::Status>::make(std::move(*status));
  }
  const Str& type = response["patchType"].as_string();
  if (!type.empty() && type != "JSONPatch") {
    answer.failure = str_cat("unsupported patch type ", api::quoted(type));
    return answer;
  }
  std::string text;
  if (!type.empty() && api::base64_decode(response["patch"].as_string(), &text)) {
    auto patch = Json::parse(text);
    answer.patch = patch.is_ok() ? std::move(*patch) : Json(false);  // applying it says that it is none
  }
  return answer;
}

Refusal webhook_refusal(std::string_view name, const Ref<metav1::Status>& status) {
  Refusal refusal;
  refusal.whole = status;
  metav1::Status& whole = refusal.whole.mut();
  constexpr int kFirstFailure = 400;
  whole.code = std::max<int32_t>(whole.code, kFirstFailure);
  if (whole.status.empty() || whole.status == "Success") whole.status = "Failure";
  const std::string denied = str_cat("admission webhook ", api::quoted(name), " denied the request");
  const Str& why = whole.message.empty() ? whole.reason : whole.message;
  whole.message = why.empty() ? str_cat(denied, " without explanation") : str_cat(denied, ": ", why);
  refusal.status = Status(Code::kForbidden, whole.message.str());
  return refusal;
}

}  // namespace orrery::server
