#pragma once

#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/base/status.h"

namespace orrery::sim {

/// One --set: "trace=PATH" for a parameter, "scheduler.tieBreak=first" for a field.
struct Override {
  std::string path;
  std::string value;
};
Result<Override> parse_override(std::string_view text);

/// Changes the document of a scenario. Files that are named are relative to where the user is. Errors
/// name the option and what there is.
Status apply_override(api::Json& scenario, const Override& given);

/// Puts the values of the document's `parameters` where $NAME stands for them.
Status substitute_parameters(api::Json& scenario, const std::string& file);

}  // namespace orrery::sim
