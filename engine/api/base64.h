#pragma once

#include <string>
#include <string_view>

namespace orrery::api {

/// Base64 of bytes, and back (standard alphabet, padded); false if it is none.
std::string base64_encode(std::string_view bytes);
bool base64_decode(std::string_view text, std::string* bytes);

}  // namespace orrery::api
