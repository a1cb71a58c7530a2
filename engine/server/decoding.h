#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/number_texts.h"
#include "engine/api/object.h"
#include "engine/ports/api.h"

namespace orrery::server {

/// Documents into objects, in the API server's way and words (request bodies and patched objects).

/// What a document says of itself.
struct TypeNames {
  std::string api_version, kind;
};
/// With what it leaves out taken from `kind`.
TypeNames type_names(const api::Json& document, const api::KindDesc& kind);

/// The object of a document, which must be of the type of `kind` or of one that converts to it; it
/// is decoded as what it says that it is, so its faults come before that of being another type.
/// `text`, if not empty, is the document's JSON, from which it is decoded (to see members that stand
/// there twice); `numbers` are those of `document`. `strict` gets unknown and repeated fields unless `validation` ignores them.
Result<api::Object> decode_document(const api::Json& document, const api::NumberTexts& numbers, std::string_view text,
                                    const TypeNames& names, const api::KindDesc& kind, FieldValidation validation,
                                    std::vector<std::string>& strict);

/// The Go package of a group's internal types: "core", "apps".
std::string_view internal_package(const api::KindDesc& kind);

/// "converting (v1.Secret) to (core.ConfigMap): unknown conversion".
std::string unknown_conversion(const api::KindDesc& from, const api::KindDesc& to);

/// "yaml: unmarshal errors:\n  line 5: key ...": the repeated keys of a YAML document as one error.
std::string yaml_strict_error(const std::vector<std::string>& duplicates);
/// A warning for each strict error, and for each line of one of YAML.
void add_strict_warnings(const std::vector<std::string>& strict, std::vector<Str>& warnings);

/// A JSON text as a tree, with the texts of its numbers if not all are plain integers.
Result<api::Json> parse_json(std::string_view text, api::NumberTexts& numbers, std::vector<std::string>* duplicates);

/// What encoding/json calls a value: "string", "number", "bool", "array", "object", "null".
std::string_view go_json_type(const api::Json& value);

}  // namespace orrery::server
