#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"

namespace orrery::api {

/// Cuts a JSON text into its strings, its numbers and the bytes between.
void each_json_piece(std::string_view json, const std::function<void(std::string_view piece, bool is_number)>& take);

/// Whether the text of a number is an integer of 64 bits, with a sign or without.
bool fits_64_bits(std::string_view number);

/// The JSON text with an exponent at each integer that 64 bits do not hold: readers of whole numbers
/// then take it for a float, as Go's encoding/json does where no type is given.
std::string with_wide_integers(std::string_view json);

/// Integers beyond int64 become floats, as Go decodes where no type is given: they keep about 16 digits.
void widen_integers(Json& value);

}  // namespace orrery::api
