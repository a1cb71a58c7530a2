#include "engine/server/rest/body.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"
#include "engine/api/custom_object.h"
#include "engine/api/go_decode_text.h"
#include "engine/api/names.h"
#include "engine/api/yaml.h"
#include "engine/server/decoding.h"
#include "engine/server/storage.h"

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

Status cannot_be_handled(const TypeNames& found, const api::KindDesc& kind, std::string_view why) {
  const std::string_view version = std::string_view(found.api_version).substr(found.api_version.find('/') + 1);
  return bad_request(str_cat(found.kind, " in version ", api::quoted(version), " cannot be handled as a ", kind.kind, ": ", why));
}

// An eviction is taken in both of its versions, which are alike.
// Source: Kubernetes v1.32 pkg/registry/core/pod/storage/eviction.go, AcceptsGroupVersion.
bool is_accepted_alias(const TypeNames& names, const api::KindDesc& kind) {
  return kind.kind == "Eviction" && names.kind == "Eviction" && names.api_version == "policy/v1beta1";
}

Status check_version(const TypeNames& found, const api::KindDesc& kind) {
  if (found.api_version == kind.api_version) return Status::ok();
  return bad_request(str_cat("the API version in the data (", found.api_version, ") does not match the expected API version (",
                             kind.api_version, ")"));
}

// A custom kind is known to no scheme: another version has no schema, and so knows no field.
Status check_custom_version(const api::Json& json, const TypeNames& found, const api::KindDesc& kind, FieldValidation validation,
                            std::vector<Str>& warnings) {
  Status status = check_version(found, kind);
  if (status.is_ok() || validation != FieldValidation::kWarn) return status;
  std::vector<std::string> unknown;
  for (const api::Json::Member& member : json.members())
    if (member.key != "apiVersion" && member.key != "kind" && member.key != "metadata")
      unknown.push_back(str_cat("unknown field ", api::quoted(member.key)));
  std::sort(unknown.begin(), unknown.end());
  add_strict_warnings(unknown, warnings);
  return status;
}

Status strict_failure(const TypeNames& found, const api::KindDesc& kind, const std::vector<std::string>& errors) {
  return cannot_be_handled(found, kind, str_cat("strict decoding error: ", api::join(errors, ", ")));
}

Result<api::Object> decode_proto_body(std::string_view body, const api::KindDesc& kind) {
  if (!body.starts_with(kProtoMagic)) return unrecognized_body(kind, kNoProtoMagic, body);
  auto object = api::decode_proto(body);
  if (!object.is_ok()) return unrecognized_body(kind, object.status().message(), body);
  const TypeNames found{std::string(object->kind()->api_version), std::string(object->kind()->kind)};
  if (&storage_kind(*object->kind()) != &storage_kind(kind))
    return cannot_be_handled(found, kind, unknown_conversion(*object->kind(), kind));
  ORRERY_TRY(check_version(found, kind));
  return object;
}

// What is wrong with a value that says of itself what it is, as Go reads {apiVersion, kind}.
std::string type_names_error(const api::Json& json) {
  api::GoMismatch wrong;
  if (!json.is_object() && !json.is_null()) {
    wrong.found = go_json_type(json);
    wrong.go_type = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
    return api::go_json_mismatch(wrong);
  }
  for (const std::string_view name : {"apiVersion", "kind"}) {
    const api::Json& value = json[name];
    if (value.is_string() || value.is_null()) continue;
    wrong.found = go_json_type(value);
    wrong.go_type = "string";
    wrong.fields = name;
    return api::go_json_mismatch(wrong);
  }
  return {};
}

}  // namespace

Status unrecognized_body(const api::KindDesc& kind, std::string_view why, std::string_view body) {
  return bad_request(str_cat("the object provided is unrecognized (must be of type ", kind.kind, "): ", why, " (",
                             excerpt(body), ")"));
}

Result<api::Json> parse_body(std::string_view body, Format format, api::NumberTexts& numbers, std::vector<std::string>& duplicates) {
  constexpr std::string_view kNoTypeNames = "couldn't get version/kind; json parse error: ";
  const bool yaml = format == Format::kYaml;
  auto json = yaml ? api::parse_yaml_body(body, &duplicates) : parse_json(body, numbers, &duplicates);
  if (!json.is_ok()) return yaml ? json.status() : bad_request(str_cat(kNoTypeNames, json.status().message()));
  if (const std::string wrong = type_names_error(*json); !wrong.empty()) return bad_request(str_cat(kNoTypeNames, wrong));
  return json;
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
  const bool yaml = format == Format::kYaml;
  std::vector<std::string> duplicates, strict;
  api::NumberTexts numbers;
  const auto json = parse_body(body, format, numbers, duplicates);
  if (!json.is_ok()) return unrecognized_body(kind, json.status().message(), body);
  TypeNames found = type_names(*json, kind);
  if (api::is_custom(kind)) {  // upstream knows none that could be meant
    if ((*json)["kind"].text().empty()) return unrecognized_body(kind, str_cat("Object 'Kind' is missing in '", body, "'"), body);
    found.api_version = (*json)["apiVersion"].text();
  }
  if (is_accepted_alias(found, kind)) found.api_version = kind.api_version;
  const std::string wrong_kind = api::is_custom(kind) && found.kind != kind.kind ? found.kind : "";
  if (const std::string_view number = numbers.beyond_floats(*json); api::is_custom(kind) && !number.empty())
    return cannot_be_handled(found, kind, api::go_json_number_error(number));
  if (api::is_custom(kind)) ORRERY_TRY(check_custom_version(*json, found, kind, validation, warnings));
  // Only the text tells which members stand there twice.
  const bool from_text = !yaml && !duplicates.empty();
  if (yaml && !duplicates.empty()) strict.push_back(yaml_strict_error(duplicates));
  auto decoded = decode_document(*json, numbers, from_text ? body : std::string_view(), found, kind, validation, strict);
  if (!decoded.is_ok()) return cannot_be_handled(found, kind, decoded.status().message());
  if (validation == FieldValidation::kStrict && !strict.empty()) return strict_failure(found, kind, strict);
  ORRERY_TRY(check_version(found, kind));
  if (validation == FieldValidation::kWarn) add_strict_warnings(strict, warnings);
  clear_type_meta(*decoded);
  if (!wrong_kind.empty()) static_cast<metav1::TypeMeta*>(decoded->mut_data())->kind = Str(wrong_kind);  // validation tells
  return decoded;
}

}  // namespace orrery::server
