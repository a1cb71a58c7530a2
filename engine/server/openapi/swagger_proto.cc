#include "engine/server/openapi/swagger_proto.h"

#include "engine/api/yaml.h"
#include "engine/base/check.h"
#include "engine/server/json_proto.h"

namespace orrery::server {
namespace {

using api::Json;

// Values of any kind are told in YAML.
void put_any(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_field(2, api::dump_yaml(value)));
}

// With what is said beyond OpenAPI ("x-kubernetes-...") as field `extensions`.
std::string message(std::span<const ProtoField> fields, uint32_t extensions, const Json& value) {
  std::string out = proto_message(fields, value);
  for (const auto& member : value.members()) {
    if (!member.key.view().starts_with("x-")) continue;
    std::string named = proto_field(1, member.key);
    put_any(named, 2, member.value);
    put_bytes(out, extensions, named);
  }
  return out;
}

void put_schema(std::string& out, uint32_t number, const Json& value);

// "string" and ["string"] are the same.
void put_type(std::string& out, uint32_t number, const Json& value) {
  std::string types;
  put_text(types, 1, value);
  put_each<put_text>(types, 1, value);
  put_bytes(out, number, types);
}

// A schema, or whether there may be any.
void put_additional(std::string& out, uint32_t number, const Json& value) {
  if (value.is_object()) return put_within<1, put_schema>(out, number, value);
  put_bytes(out, number, {value.is_true() ? "\x10\x01" : "\x10\x00", 2});
}

constexpr ProtoField kSchema[] = {{"$ref", 1, put_text},
                                  {"format", 2, put_text},
                                  {"title", 3, put_text},
                                  {"description", 4, put_text},
                                  {"default", 5, put_any},
                                  {"multipleOf", 6, put_number},
                                  {"maximum", 7, put_number},
                                  {"exclusiveMaximum", 8, put_flag},
                                  {"minimum", 9, put_number},
                                  {"exclusiveMinimum", 10, put_flag},
                                  {"maxLength", 11, put_count},
                                  {"minLength", 12, put_count},
                                  {"pattern", 13, put_text},
                                  {"maxItems", 14, put_count},
                                  {"minItems", 15, put_count},
                                  {"uniqueItems", 16, put_flag},
                                  {"maxProperties", 17, put_count},
                                  {"minProperties", 18, put_count},
                                  {"required", 19, put_each<put_text>},
                                  {"enum", 20, put_each<put_any>},
                                  {"additionalProperties", 21, put_additional},
                                  {"type", 22, put_type},
                                  {"items", 23, put_within<1, put_schema>},
                                  {"properties", 25, put_within<1, put_named<put_schema>>}};

void put_schema(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, message(kSchema, 31, value));
}

constexpr ProtoField kBody[] = {{"description", 1, put_text},
                                {"name", 2, put_text},
                                {"in", 3, put_text},
                                {"required", 4, put_flag},
                                {"schema", 5, put_schema}};
constexpr ProtoField kInQuery[] = {{"required", 1, put_flag},    {"in", 2, put_text},
                                   {"description", 3, put_text}, {"name", 4, put_text},
                                   {"type", 6, put_text},        {"format", 7, put_text},
                                   {"uniqueItems", 20, put_flag}};
constexpr ProtoField kInPath[] = {{"required", 1, put_flag},    {"in", 2, put_text},
                                  {"description", 3, put_text}, {"name", 4, put_text},
                                  {"type", 5, put_text},        {"format", 6, put_text},
                                  {"uniqueItems", 19, put_flag}};

void put_parameter(std::string& out, uint32_t number, const Json& value) {
  const std::string_view in = value["in"].text();
  if (in == "body") return put_bytes(out, number, proto_field(1, message(kBody, 6, value)));
  const std::string other = in == "path" ? proto_field(4, message(kInPath, 22, value))
                                         : proto_field(3, message(kInQuery, 23, value));
  put_bytes(out, number, proto_field(2, other));
}

constexpr ProtoField kReference[] = {{"$ref", 1, put_text}, {"description", 2, put_text}};

// A parameter, or where it is.
void put_parameters_item(std::string& out, uint32_t number, const Json& value) {
  if (value.find("$ref"))
    return put_bytes(out, number, proto_field(2, message(kReference, 0, value)));
  put_within<1, put_parameter>(out, number, value);
}

constexpr ProtoField kResponse[] = {{"description", 1, put_text},
                                    {"schema", 2, put_within<1, put_schema>}};

void put_response(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_field(1, message(kResponse, 5, value)));
}

constexpr ProtoField kOperation[] = {{"tags", 1, put_each<put_text>},
                                     {"summary", 2, put_text},
                                     {"description", 3, put_text},
                                     {"operationId", 5, put_text},
                                     {"produces", 6, put_each<put_text>},
                                     {"consumes", 7, put_each<put_text>},
                                     {"parameters", 8, put_each<put_parameters_item>},
                                     {"responses", 9, put_within<1, put_named<put_response>>},
                                     {"schemes", 10, put_each<put_text>},
                                     {"deprecated", 11, put_flag}};

void put_operation(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, message(kOperation, 13, value));
}

constexpr ProtoField kPath[] = {
    {"get", 2, put_operation},     {"put", 3, put_operation},
    {"post", 4, put_operation},    {"delete", 5, put_operation},
    {"options", 6, put_operation}, {"head", 7, put_operation},
    {"patch", 8, put_operation},   {"parameters", 9, put_each<put_parameters_item>}};

void put_path(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, message(kPath, 10, value));
}

constexpr ProtoField kInfo[] = {
    {"title", 1, put_text}, {"version", 2, put_text}, {"description", 3, put_text}};

void put_info(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, message(kInfo, 7, value));
}

constexpr ProtoField kApiKey[] = {{"type", 1, put_text},
                                  {"name", 2, put_text},
                                  {"in", 3, put_text},
                                  {"description", 4, put_text}};

void put_security(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_field(2, message(kApiKey, 5, value)));
}

constexpr ProtoField kDocument[] = {
    {"swagger", 1, put_text},
    {"info", 2, put_info},
    {"paths", 8, put_within<2, put_named<put_path>>},
    {"definitions", 9, put_within<1, put_named<put_schema>>},
    {"parameters", 10, put_within<1, put_named<put_parameter>>},
    {"security", 12, put_each<put_within<1, put_named<put_within<1, put_each<put_text>>>>>},
    {"securityDefinitions", 13, put_within<1, put_named<put_security>>}};

}  // namespace

std::string swagger_proto(std::string_view json) {
  const auto document = Json::parse(json);
  CHECK(document.is_ok()) << document.status().message();
  return message(kDocument, 16, *document);
}

}  // namespace orrery::server
