// What a delete says in its query or body.
#include <algorithm>
#include <array>

#include "engine/api/codec_proto.h"
#include "engine/api/names.h"
#include "engine/server/decoding.h"
#include "engine/server/rest/body.h"
#include "engine/server/rest/list_options.h"
#include "engine/server/rest/query_values.h"
#include "engine/server/rest/rest.h"

namespace orrery::server {
namespace {

void read_delete_query(const Query& query, metav1::DeleteOptions& options) {
  if (query.has("gracePeriodSeconds")) options.grace_period_seconds = parse_integer(query.get("gracePeriodSeconds"));
  if (query.has("propagationPolicy")) options.propagation_policy = Opt<Str>(Str(query.get("propagationPolicy")));
  if (query.has("orphanDependents")) options.orphan_dependents = Opt<bool>(query.flag("orphanDependents"));
  for (const std::string& value : query.all("dryRun")) options.dry_run.push_back(Str(value));
}

FieldErrors check_delete_options(const metav1::DeleteOptions& options) {
  FieldErrors errors;
  if (options.propagation_policy && options.orphan_dependents) {
    errors.push_back(FieldError::invalid("propagationPolicy", api::quoted(*options.propagation_policy),
                                         "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (options.propagation_policy) {
    const Str& policy = *options.propagation_policy;
    if (policy != "Foreground" && policy != "Background" && policy != "Orphan")
      errors.push_back({"propagationPolicy", "FieldValueNotSupported",
                        str_cat("Unsupported value: ", api::quoted(policy),
                                ": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"")});
  }
  std::vector<std::string> dry_run;
  for (const Str& value : options.dry_run) dry_run.push_back(value.str());
  check_dry_run(dry_run, errors);
  return errors;
}

// Kinds of meta.k8s.io that upstream knows where it reads these options: in any version, or in v1.
constexpr std::array<std::string_view, 4> kUnversioned = {"CreateOptions", "UpdateOptions", "Status", "APIVersions"};
constexpr std::array<std::string_view, 6> kOfV1 = {"PatchOptions", "ListOptions", "GetOptions", "WatchEvent", "Table", "PartialObjectMetadata"};
constexpr std::string_view kMetaV1 = "meta.k8s.io/v1";

// DeleteOptions belong to every group and version; nothing else is one.
Status check_type_names(const TypeNames& names, const api::KindDesc& kind, std::string_view body) {
  const std::string_view version = names.api_version.empty() || names.api_version == "/" ? kMetaV1 : std::string_view(names.api_version);
  const size_t slash = version.find('/');
  if (slash != version.rfind('/')) return bad_request(str_cat("unexpected GroupVersion string: ", version));
  if (version.ends_with('/')) return bad_request(str_cat("Object 'apiVersion' is missing in '", body, "'"));
  if (names.kind == kind.kind) return Status::ok();
  const auto is_one_of = [&](const auto& kinds) { return std::find(kinds.begin(), kinds.end(), names.kind) != kinds.end(); };
  if (is_one_of(kUnversioned) || (version == kMetaV1 && is_one_of(kOfV1)))
    return bad_request(str_cat("converting (v1.", names.kind, ") to (v1.", kind.kind, "): unknown conversion"));
  return bad_request(str_cat("no kind ", api::quoted(names.kind), " is registered for version ",
                             api::quoted(version.substr(version[0] == '/' ? 1 : 0)), " in scheme \"pkg/apis/meta/internalversion/scheme/register.go:27\""));
}

Result<metav1::DeleteOptions> decode_options(std::string_view body, Format format) {
  const api::KindDesc& kind = *metav1::DeleteOptions::descriptor().kind;
  if (format == Format::kProto) {
    if (!body.starts_with(kProtoMagic)) return bad_request(std::string(kNoProtoMagic));
    ORRERY_ASSIGN(const api::ProtoEnvelope sent, api::open_proto(body));
    const TypeNames names{std::string(sent.api_version), std::string(sent.kind.empty() ? kind.kind : sent.kind)};
    ORRERY_TRY(check_type_names(names, kind, body));
    metav1::DeleteOptions options;
    ORRERY_TRY(api::decode_proto_message(sent.message, metav1::DeleteOptions::descriptor(), &options));
    return options;
  }
  std::vector<std::string> ignored;
  api::NumberTexts numbers;
  ORRERY_ASSIGN(const api::Json json, parse_body(body, format, numbers, ignored));
  TypeNames names{std::string(json["apiVersion"].text()), std::string(json["kind"].text())};
  if (names.kind.empty()) names.kind = kind.kind;
  ORRERY_TRY(check_type_names(names, kind, body));
  api::DecodeOptions decoding;
  decoding.wording = api::DecodeWording::kGoJson;
  metav1::DeleteOptions options;
  ORRERY_TRY(api::from_json(json, metav1::DeleteOptions::descriptor(), &options, decoding, numbers));
  return options;
}

}  // namespace

// What cannot be read is an error without a reason of its own, unlike that of other bodies.
// Source: Kubernetes v1.32 apiserver/pkg/endpoints/handlers/delete.go.
ApiResponse Rest::read_delete(Exchange& exchange, const HttpRequest& http, ApiRequest& request) const {
  metav1::DeleteOptions options;
  ApiResponse failure;
  if (http.body.empty()) {
    failure = check_integers(exchange.query, {"gracePeriodSeconds"});
    if (!failure.status.is_ok()) return failure;
    read_delete_query(exchange.query, options);
  } else {
    const auto format = body_format(find_header(http.headers, "content-type"));
    if (!format) {
      failure.status = unknown_body_format();
      return failure;
    }
    auto read = decode_options(http.body, *format);
    if (!read.is_ok()) {
      failure.status = internal_error(read.status().message());
      failure.unclassified = true;
      return failure;
    }
    options = std::move(*read);
  }
  failure = invalid_options("DeleteOptions", check_delete_options(options));
  if (!failure.status.is_ok()) return failure;
  request.dry_run = !options.dry_run.empty();
  request.delete_options.grace_seconds = options.grace_period_seconds;
  if (options.propagation_policy) request.delete_options.propagation_policy = *options.propagation_policy;
  if (options.orphan_dependents) {
    request.delete_options.propagation_policy = *options.orphan_dependents ? Str("Orphan") : Str("Background");
    exchange.orphan_asked_false = !*options.orphan_dependents;
  }
  if (options.preconditions) {
    request.delete_options.uid = options.preconditions->uid;
    request.delete_options.resource_version = options.preconditions->resource_version;
  }
  return {};
}

}  // namespace orrery::server
