// What each kind of request says in its query and body.
#include "engine/api/codec_json.h"
#include "engine/api/gen/authenticationv1.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/custom_object.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/names.h"
#include "engine/api/yaml.h"
#include "engine/server/errors.h"
#include "engine/server/object_name.h"
#include "engine/server/rest/body.h"
#include "engine/server/rest/list_options.h"
#include "engine/server/rest/query_values.h"
#include "engine/server/print/table.h"
#include "engine/server/rest/rest.h"

namespace orrery::server {
namespace {

constexpr size_t kManagerBytesMax = 128;

ApiResponse failed(Status status) {
  ApiResponse response;
  response.status = std::move(status);
  return response;
}

std::string_view options_type(std::string_view verb) {
  if (verb == "create") return "CreateOptions";
  if (verb == "update") return "UpdateOptions";
  if (verb == "patch") return "PatchOptions";
  return "DeleteOptions";
}

void check_manager(const std::string& manager, FieldErrors& errors) {
  if (manager.size() > kManagerBytesMax)
    errors.push_back({"fieldManager", "FieldValueTooLong", "Too long: may not be more than 128 bytes"});
  for (size_t i = 0; i < manager.size(); ++i) {
    const auto c = static_cast<unsigned char>(manager[i]);
    if (c >= 0x20 && c != 0x7f) continue;
    static constexpr char kHex[] = "0123456789ABCDEF";
    const std::string point = {kHex[c >> 4], kHex[c & 15]};
    errors.push_back(FieldError::invalid("fieldManager", api::quoted(manager),
                                         str_cat("invalid character U+00", point, " (at position ", i, ")")));
    return;
  }
}

std::string manager_of_agent(std::string_view agent) {
  std::string manager;
  for (char c : agent.substr(0, std::min(agent.find('/'), agent.size()))) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) break;
    manager += c;
  }
  if (manager.size() > kManagerBytesMax) manager.resize(kManagerBytesMax);
  return manager;
}

// The kind that the body of a create or update must be of.
const api::KindDesc& body_kind(const api::KindDesc& kind, std::string_view subresource) {
  if (subresource == "binding") return *corev1::Binding::descriptor().kind;
  if (subresource == "eviction") return *policyv1::Eviction::descriptor().kind;
  if (subresource == "token") return *authenticationv1::TokenRequest::descriptor().kind;
  if (subresource == "scale") return *autoscalingv1::Scale::descriptor().kind;
  return kind;
}

ApiResponse check_name_in_body(const RequestInfo& info, const api::KindDesc& kind, const Str& name) {
  if (name.view() == info.name) return {};
  return failed(bad_request(str_cat("name in URL does not match name in ", kind.kind, " object")));
}

std::optional<PatchKind> patch_kind(std::string_view content_type) {
  const std::string type = bare_media_type(content_type);
  if (type == "application/json-patch+json") return PatchKind::kJson;
  if (type == "application/merge-patch+json") return PatchKind::kMerge;
  if (type == "application/strategic-merge-patch+json") return PatchKind::kStrategic;
  if (type == "application/apply-patch+yaml") return PatchKind::kApply;
  return std::nullopt;
}

}  // namespace

ApiResponse Rest::read_options(const Exchange& exchange, ApiRequest& request) const {
  const Query& query = exchange.query;
  const std::string& verb = exchange.info.verb;
  if (exchange.representation.transform == Transform::kTable) {
    const auto include = parse_include_object(query.get("includeObject"));
    if (!include.is_ok())
      return failed(bad_request(str_cat("Unable to convert to Table as requested: includeObject: Invalid value: ",
                                        api::quoted(query.get("includeObject")), ": must be 'Metadata', 'Object', 'None', or empty")));
  }
  if (verb == "get") request.resource_version = Str(query.get("resourceVersion"));
  if (verb == "get" && query.flag("export"))
    return failed(bad_request("the export parameter, deprecated since v1.14, is no longer supported"));
  if (verb != "create" && verb != "update" && verb != "patch") return {};
  FieldErrors errors;
  const bool apply = request.patch_kind == PatchKind::kApply && verb == "patch";
  const std::string& validation = query.get("fieldValidation");
  const std::string& manager = query.get("fieldManager");
  if (verb == "patch") {
    if (apply && manager.empty())
      errors.push_back(FieldError::required("fieldManager", "is required for apply patch"));
    if (!apply && query.has("force"))
      errors.push_back(FieldError::forbidden("force", "may not be specified for non-apply patch"));
  }
  check_manager(manager, errors);
  check_dry_run(query.all("dryRun"), errors);
  if (!validation.empty() && validation != "Ignore" && validation != "Warn" && validation != "Strict")
    errors.push_back(FieldError::not_supported("fieldValidation", validation, {"", "Ignore", "Warn", "Strict"}));
  request.dry_run = query.has("dryRun");
  request.force = query.flag("force");
  request.field_manager = Str(manager);
  request.names_manager = !manager.empty();
  request.field_validation = validation == "Strict"   ? FieldValidation::kStrict
                             : validation == "Ignore" ? FieldValidation::kIgnore
                                                      : FieldValidation::kWarn;
  return invalid_options(options_type(verb), errors);
}

ApiResponse Rest::read_write(Exchange& exchange, const HttpRequest& http, ApiRequest& request) const {
  if (request.field_manager.empty()) request.field_manager = Str(manager_of_agent(find_header(http.headers, "user-agent")));
  const auto format = body_format(find_header(http.headers, "content-type"));
  if (!format) return failed(unknown_body_format());
  const api::KindDesc& kind = body_kind(*exchange.kind, exchange.info.subresource);
  auto object = decode_body(http.body, *format, kind, request.field_validation, exchange.warnings);
  if (!object.is_ok()) return failed(object.status());
  request.object = std::move(*object);
  if (!request.object.has_meta()) return {};
  const auto& meta = request.object.meta();
  if (exchange.info.parts.front() == "bindings") request.object.mut_meta().uid = Str();
  if (exchange.info.subresource == "binding" || exchange.info.subresource == "eviction")
    return check_name_in_body(exchange.info, kind, meta.name);
  if (!request.ns.empty() && !meta.namespace_.empty() && meta.namespace_ != request.ns && exchange.kind->namespaced)
    return failed(bad_request("the namespace of the provided object does not match the namespace sent on the request"));
  return exchange.info.verb == "update" ? failed(check_object_name(meta.name, request.name)) : ApiResponse();
}

ApiResponse Rest::unknown_patch(const HttpRequest& http, const RequestInfo& info, const api::KindDesc& kind) {
  const auto patch = patch_kind(find_header(http.headers, "content-type"));
  const bool custom = api::is_custom(kind);
  if (custom && (!patch || *patch == PatchKind::kStrategic))
    return failed(Status(Code::kUnsupportedMediaType,
                         "the body of the request was in an unknown format - accepted media types include: "
                         "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"));
  if (custom && info.name.empty()) return failed(bad_request("name must be provided"));
  if (patch) return {};
  if (http.body.empty()) return with_empty_details(Status(Code::kNotAcceptable, "406: Not Acceptable\n\nAvailable representations: "));
  return with_empty_details(Status(Code::kUnsupportedMediaType, "415: Unsupported Media Type"));
}

ApiResponse Rest::read_patch(Exchange& exchange, const HttpRequest& http, ApiRequest& request) const {
  request.patch_kind = *patch_kind(find_header(http.headers, "content-type"));
  ApiResponse failure = read_options(exchange, request);
  if (!failure.status.is_ok()) return failure;
  if (request.field_manager.empty()) request.field_manager = Str(manager_of_agent(find_header(http.headers, "user-agent")));
  request.patch = Str(http.body);
  return {};
}

ApiResponse Rest::read_list(const Exchange& exchange, ApiRequest& request) const {
  const Query& query = exchange.query;
  ApiResponse failure = check_integers(query, {"limit", "timeoutSeconds"});
  if (failure.status.is_ok()) failure = invalid_options("ListOptions", check_list_options(query, exchange.info.verb == "watch"));
  if (!failure.status.is_ok()) return failure;
  request.label_selector = Str(query.get("labelSelector"));
  request.field_selector = Str(query.get("fieldSelector"));
  request.resource_version = Str(query.get("resourceVersion"));
  request.resource_version_match = Str(query.get("resourceVersionMatch"));
  request.continue_token = Str(query.get("continue"));
  if (query.has("limit")) {
    request.limit = parse_integer(query.get("limit")).value_or(0);
  }
  return {};
}

}  // namespace orrery::server
