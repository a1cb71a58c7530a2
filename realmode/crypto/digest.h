#pragma once

#include <string>
#include <string_view>

namespace orrery::realmode {

/// The SHA-256 of a text in lower-case hexadecimal digits.
std::string sha256_hex(std::string_view text);

}  // namespace orrery::realmode
