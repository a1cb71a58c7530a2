#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/codec_json.h"
#include "engine/api/json_value.h"

namespace orrery::api {

/// YAML text -> one JSON tree for each document, every node with its line. Plain scalars are read
/// as Kubernetes' YAML reader does (true/false, null, integers, floats; all else text). Errors name
/// file and line: broken syntax, duplicate keys, keys that are no text, aliases that expand without
/// bound, nesting deeper than 100. Empty documents are left out.
Result<std::vector<Json>> parse_yaml(std::string_view text, std::string_view file);
/// For files of exactly one document.
Result<Json> parse_yaml_document(std::string_view text, std::string_view file);

/// The body of a request, as the API server reads YAML: y and n are booleans too, keys that are
/// booleans or numbers become their JSON text (y: 1 is {"true": 1}), only the first document counts
/// (none is null), the last of equal keys wins and each one more is told in `duplicates`, if given:
/// `line 5: key "data" already set in map`. Errors are in the words of gopkg.in/yaml.v2: "yaml: line
/// 2: did not find expected key".
Result<Json> parse_yaml_body(std::string_view text, std::vector<std::string>* duplicates = nullptr);

/// A failure that begins with "line N: ", told with the file before it: "file:N: ...".
Status located(std::string_view file, const Status& status);

/// What a plain (unquoted) scalar stands for.
Json resolve_plain(std::string_view text);

/// As block YAML that every YAML 1.1 reader reads back as the same value: keys sorted, texts of
/// several lines as literal blocks, quotes only where needed, ends with a line break.
std::string dump_yaml(const Json& json);
std::string encode_yaml(const Object& object);

/// An object of a manifest and where it stands.
struct LocatedObject {
  Object object;
  std::string file;
  uint32_t line = 0;
};
/// Manifests: several documents, `kind: List` taken apart. Decoding is strict.
Result<std::vector<LocatedObject>> decode_manifests(std::string_view text, std::string_view file, StrPool* pool = nullptr);

}  // namespace orrery::api
