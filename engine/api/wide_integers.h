#pragma once

#include <string>
#include <string_view>

#include "engine/api/json_value.h"

namespace orrery::api {

/// The JSON text with an exponent at each integer that 64 bits do not hold: readers of whole numbers
/// then take it for a float, as Go's encoding/json does where no type is given.
std::string with_wide_integers(std::string_view json);

/// Integers beyond int64 become floats, as Go decodes where no type is given: they keep about 16 digits.
void widen_integers(Json& value);

}  // namespace orrery::api
