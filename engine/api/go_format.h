#pragma once

#include <string>

#include "engine/api/json_value.h"

namespace orrery::api {

/// A JSON value in a message of the API, where Go printed it as an unstructured value: with %v
/// ("map[a:1 b:[x <nil>]]", members sorted) and with %#v ("map[string]interface {}{\"a\":1}").
std::string go_text(const Json& value);
std::string go_syntax(const Json& value);
/// What %T says of it: "string", "map[string]interface {}".
std::string_view go_type(const Json& value);

}  // namespace orrery::api
