#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/cow.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/ports/api.h"
#include "engine/ports/token_signer.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::server {

/// An object that a token names.
struct TokenRef {
  Str name, uid;
  bool empty() const { return name.empty() && uid.empty(); }
};

/// The claims of a service account token. Times are seconds since 1970. Source: Kubernetes v1.32
/// pkg/serviceaccount/claims.go.
struct TokenClaims {
  Str issuer, subject, id;
  List<Str> audiences;
  int64_t issued_at = 0, not_before = 0, expires_at = 0;
  // The private claim kubernetes.io.
  Str ns;
  TokenRef service_account, pod, secret, node;
  int64_t warn_after = 0;  // 0: none
};

/// The token as a compact JWS.
Result<Str> issue_token(const TokenClaims& claims, const TokenSigner& signer);

/// True if the text has the shape of a JWT whose issuer is one of `issuers` (its signature may be
/// anything): only then is a token a matter of service accounts.
bool is_service_account_token(std::string_view token, const List<Str>& issuers);

/// Checks signature, times, audiences, and that the service account and the objects the token is
/// bound to still exist with the same uid. Unauthorized with the cause otherwise.
struct VerifiedToken {
  ApiUser user;  // without system:authenticated
  List<Str> audiences;
};
Result<VerifiedToken> verify_token(std::string_view token, const List<Str>& audiences,
                                   const TokenSigner& signer, const ObjectReader& objects,
                                   Time now);

/// The issuer of tokens that live as long as the Secret that has them.
inline constexpr std::string_view kLegacyIssuer = "kubernetes/serviceaccount";

/// Checks the signature of a token of kLegacyIssuer, that its Secret still has it, and its service
/// account. Source: Kubernetes v1.32 pkg/serviceaccount/legacy.go.
Result<ApiUser> verify_legacy_token(std::string_view token, const TokenSigner& signer,
                                    const ObjectReader& objects, Time now);

}  // namespace orrery::server
