#include "engine/server/rest/body.h"

#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"
#include "engine/api/custom_object.h"
#include "engine/api/yaml.h"
#include "engine/server/custom/custom_schema.h"

namespace orrery::server {
namespace {

constexpr size_t kExcerptBytes = 30;

// How a message shows the data that could not be read: text if it is printable from its first
// byte '{' on, else hexadecimal, cut after some bytes.
std::string excerpt(std::string_view body) {
  if (body.empty()) return "<empty>";
  const std::string_view head = body.substr(0, kExcerptBytes);
  std::string out;
  if (body.front() == '{') {
    out = head;
  } else {
    static constexpr char kHex[] = "0123456789abcdef";
    for (unsigned char c : head) out += {kHex[c >> 4], kHex[c & 15]};
  }
  return body.size() > kExcerptBytes ? out + " ..." : out;
}

// What the body says of itself.
struct TypeNames {
  std::string api_version, kind;
};

Status check_type(const TypeNames& found, const api::KindDesc& kind) {
  if (!api::is_custom(kind) && !found.kind.empty() && !found.api_version.empty() && !api::find_kind(found.api_version, found.kind) &&
      (found.kind != kind.kind || found.api_version != kind.api_version))
    return bad_request(str_cat("no kind \"", found.kind, "\" is registered for version \"", found.api_version,
                               "\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""));
  if (!found.api_version.empty() && found.api_version != kind.api_version)
    return bad_request(str_cat("the API version in the data (", found.api_version,
                               ") does not match the expected API version (", kind.api_version, ")"));
  if (!found.kind.empty() && found.kind != kind.kind)
    return bad_request(str_cat("the object provided is unrecognized (must be of type ", kind.kind, ")"));
  return Status::ok();
}

Status strict_failure(const api::KindDesc& kind, const std::vector<std::string>& errors) {
  std::string message = str_cat(kind.kind, " in version \"", kind.version, "\" cannot be handled as a ", kind.kind,
                                ": strict decoding error: ");
  for (size_t i = 0; i < errors.size(); ++i) message += (i ? ", " : "") + errors[i];
  return bad_request(std::move(message));
}

Result<api::Object> from_document(const api::Json& json, const api::KindDesc& kind, const api::DecodeOptions& options) {
  TypeNames found;
  if (json["apiVersion"].is_string()) found.api_version = json["apiVersion"].as_string().str();
  if (json["kind"].is_string()) found.kind = json["kind"].as_string().str();
  ORRERY_TRY(check_type(found, kind));
  api::Object object = api::Object::make(*kind.type);
  const Status status = api::from_json(json, *kind.type, object.mut_data(), options);
  if (!status.is_ok())
    return bad_request(str_cat(kind.kind, " in version \"", kind.version, "\" cannot be handled as a ", kind.kind, ": ",
                               status.message()));
  if (api::is_custom(kind)) {
    std::vector<std::string> unknown;
    normalize_custom(object, unknown);
    if (options.strict) options.strict_errors->insert(options.strict_errors->end(), unknown.begin(), unknown.end());
  }
  return object;
}

Result<api::Object> decode_proto_body(std::string_view body, const api::KindDesc& kind) {
  auto object = api::decode_proto(body);
  if (!object.is_ok()) return unrecognized_body(kind, object.status().message(), body);
  ORRERY_TRY(check_type({std::string(object->kind()->api_version), std::string(object->kind()->kind)}, kind));
  return object;
}

}  // namespace

Status unrecognized_body(const api::KindDesc& kind, std::string_view why, std::string_view body) {
  return bad_request(str_cat("the object provided is unrecognized (must be of type ", kind.kind, "): ", why, " (",
                             excerpt(body), ")"));
}

void clear_type_meta(api::Object& object) {
  auto* type_meta = static_cast<const metav1::TypeMeta*>(object.data());
  if (type_meta->kind.empty() && type_meta->api_version.empty()) return;
  auto* mine = static_cast<metav1::TypeMeta*>(object.mut_data());
  mine->kind = Str();
  mine->api_version = Str();
}

Result<api::Object> decode_body(std::string_view body, Format format, const api::KindDesc& kind,
                                FieldValidation validation, std::vector<Str>& warnings) {
  if (format == Format::kProto) {
    ORRERY_ASSIGN(api::Object object, decode_proto_body(body, kind));
    clear_type_meta(object);
    return object;
  }
  std::vector<std::string> errors, duplicates;
  api::DecodeOptions options;
  options.strict = validation != FieldValidation::kIgnore;
  options.strict_errors = &errors;
  Result<api::Json> json = format == Format::kYaml ? api::parse_yaml_body(body, "body") : api::Json::parse(body, &duplicates);
  if (!json.is_ok()) {
    return unrecognized_body(kind, str_cat(format == Format::kJson ? "couldn't get version/kind; json parse error: " : "",
                                           json.status().message()), body);
  }
  ORRERY_ASSIGN(api::Object object, from_document(*json, kind, options));
  if (validation == FieldValidation::kStrict && !errors.empty()) return strict_failure(kind, errors);
  if (validation == FieldValidation::kWarn)
    for (const std::string& error : errors) warnings.push_back(Str(error));
  clear_type_meta(object);
  return object;
}

}  // namespace orrery::server
