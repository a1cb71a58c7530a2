#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/ports/token_signer.h"

namespace orrery {

/// base64url without padding (RFC 7515).
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

/// The claims as a compact JWS (RFC 7515) by the signer's key.
Result<Str> signed_token(const api::Json& claims, const TokenSigner& signer);

}  // namespace orrery
