#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/api/object.h"
#include "engine/base/str_pool.h"

namespace orrery::api {

/// How a value that does not fit its field is reported: by the path of the field, or in the words
/// of Go's encoding/json or of Kubernetes' converter of unstructured objects.
enum class DecodeWording : uint8_t { kPath, kGoJson, kGoConverter };

struct DecodeOptions {
  /// Unknown and duplicate fields are an error that names them all (Kubernetes' strict decoding).
  bool strict = false;
  /// Shares equal texts; nullptr: none.
  StrPool* pool = nullptr;
  /// With `strict`: these errors go here, one text each, and decoding succeeds.
  std::vector<std::string>* strict_errors = nullptr;
  DecodeWording wording = DecodeWording::kPath;
};

/// JSON text or tree -> object. The kind is found by apiVersion and kind. Errors (BadRequest) name
/// the field path, what was found and what is allowed, unless the options ask for other words.
Result<Object> decode_json(std::string_view text, const DecodeOptions& options = {});
Result<Object> object_from_json(const Json& json, const DecodeOptions& options = {});
/// Into a zero struct of a known type.
Status decode_json_into(std::string_view text, const TypeDesc& type, void* object,
                        const DecodeOptions& options = {});
Status from_json(const Json& json, const TypeDesc& type, void* object, const DecodeOptions& options = {});
template <typename T>
Result<T> struct_from_json(const Json& json, const DecodeOptions& options = {}) {
  T value;
  ORRERY_TRY(from_json(json, T::descriptor(), &value, options));
  return value;
}

/// Object -> text, byte for byte as Kubernetes' API server writes it: fields in schema order, maps
/// sorted, omitempty by the tables, Go's escapes, no white space. A union type (is_union) is written
/// as its list, else as its struct, else as its flag, and read by the form of the JSON value.
std::string encode_json(const Object& object);
std::string encode_json(const TypeDesc& type, const void* object);
template <typename T>
std::string encode_json_struct(const T& value) {
  return encode_json(T::descriptor(), &value);
}
Json to_json(const Object& object);
Json to_json(const TypeDesc& type, const void* object);

}  // namespace orrery::api
