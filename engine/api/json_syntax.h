#pragma once

#include <string>
#include <string_view>

namespace orrery::api {

/// What is wrong with a JSON text, in the words of Go's encoding/json, which the API's messages
/// repeat: "invalid character 'x' looking for beginning of value". "" if nothing is.
std::string json_syntax_error(std::string_view text);

}  // namespace orrery::api
