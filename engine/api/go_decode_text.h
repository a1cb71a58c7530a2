#pragma once

#include <string>
#include <string_view>

namespace orrery::api {

/// What Go's decoders say of values that they cannot take: texts that the API server repeats.

/// How a value is decoded into its Go type.
enum class GoTarget : uint8_t { kStruct, kSlice, kMap, kScalar, kUnmarshaler };

/// A value that does not fit.
struct GoMismatch {
  GoTarget target = GoTarget::kScalar;
  std::string found;             // as encoding/json says it: "string", "number", "number 1.5", "array"
  std::string_view go_type;      // that it should have: "map[string]string"
  std::string_view struct_name;  // innermost struct whose field is read; "" and no fields: none
  std::string fields;            // names of the fields on the way: "metadata.labels"
};

/// "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string".
std::string go_json_mismatch(const GoMismatch& mismatch);

/// The same by the converter that strategic merge patches go through: "cannot restore slice from
/// string". Source: Kubernetes v1.32 apimachinery/pkg/runtime/converter.go.
std::string go_converter_mismatch(const GoMismatch& mismatch);

/// A number that no float holds, read into a value of any type, or into a field of that type.
std::string go_json_number_error(std::string_view number, std::string_view field = {});

/// What time.Parse says of a text that is no RFC 3339 time (`micro`: with six decimals).
std::string go_time_error(std::string_view text, bool micro);

/// "illegal base64 data at input byte N", for a text that is none.
std::string go_base64_error(std::string_view text);

}  // namespace orrery::api
