#pragma once

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/ports/token_signer.h"
#include "engine/server/auth/access_review.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::server {

struct TokenRequestOptions {
  Str issuer;                          // --service-account-issuer, the first
  List<Str> audiences;                 // of requests that name none
  bool extend_expiration = true;       // --service-account-extend-token-expiration
  int64_t max_expiration_seconds = 0;  // --service-account-max-token-expiration; 0: no bound
};

/// POST serviceaccounts/NAME/token: the TokenRequest with its token. `ns` and `name` are those of
/// the path, `id` the new token's jti (a UUID). Expiry 10 minutes to 2^32 seconds, 1 hour unless
/// asked for; bound to a Pod, Secret or Node if asked for.
/// Source: Kubernetes v1.32 pkg/registry/core/serviceaccount/storage/token.go.
Review request_token(const api::Object& request, std::string_view ns, std::string_view name, Str id,
                     const TokenRequestOptions& options, const TokenSigner& signer,
                     const ObjectReader& objects, Time now);

/// Defaults of a TokenRequest's spec: expirationSeconds 3600.
void default_token_request(api::Object& request);

}  // namespace orrery::server
