#pragma once

#include <string>
#include <string_view>

namespace orrery::api {

/// A valid JSON text over several lines, two blanks for each level, as Go's MarshalIndent writes it.
std::string indented_json(std::string_view json);

}  // namespace orrery::api
