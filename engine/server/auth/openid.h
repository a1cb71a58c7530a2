#pragma once

#include <string>
#include <string_view>

#include "engine/ports/token_signer.h"

namespace orrery::server {

/// What others need to check service account tokens. Source: Kubernetes v1.32
/// pkg/serviceaccount/openidmetadata.go. Both are served with Cache-Control "public, max-age=3600".

/// The document at /.well-known/openid-configuration (application/json). `jwks_uri`:
/// --service-account-jwks-uri, or https://ADDRESS/openid/v1/jwks.
std::string openid_configuration(std::string_view issuer, std::string_view jwks_uri,
                                 const TokenSigner& signer);
/// The document at /openid/v1/jwks (application/jwk-set+json).
std::string openid_keys(const TokenSigner& signer);

}  // namespace orrery::server
