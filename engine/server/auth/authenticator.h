#pragma once

#include <string_view>

#include "engine/base/time.h"
#include "engine/ports/api.h"
#include "engine/ports/http.h"
#include "engine/ports/token_signer.h"
#include "engine/server/auth/object_reader.h"
#include "engine/server/auth/service_account_token.h"

namespace orrery::server {

struct AuthenticatorOptions {
  bool anonymous = false;           // --anonymous-auth
  bool bootstrap_tokens = false;    // --enable-bootstrap-token-auth
  bool client_certificates = true;  // trust HttpRequest's verified subject (--client-ca-file)
  Map<ApiUser> static_tokens;       // --token-auth-file: token -> user
  List<Str> issuers;                // --service-account-issuer; the first one issues
  List<Str> api_audiences;          // --api-audiences; nil: the issuers
};

/// Who a credential belongs to, with the audiences it was accepted for.
struct Authentication {
  ApiUser user;         // with the group system:authenticated or system:unauthenticated
  List<Str> audiences;  // of tokens: those asked for that the token has
};

/// Who asks. Order as in Kubernetes v1.32: client certificate, bearer token (static, service
/// account, bootstrap), anonymous. Wrong credentials are never anonymous.
class Authenticator {
 public:
  /// `signer` may be null (no service account tokens). Pointers outlive this.
  Authenticator(AuthenticatorOptions options, const TokenSigner* signer,
                const ObjectReader* objects);

  /// Unauthorized "Unauthorized" if the credentials are wrong, or absent with anonymous off. The
  /// token may also come as websocket protocol (base64url.bearer.authorization.k8s.io.TOKEN).
  Result<Authentication> authenticate(const HttpRequest& request, Time now) const;
  /// A token for TokenReview; nil `audiences` means the server's own. The failure's message is
  /// what status.error says, e.g. "invalid bearer token".
  Result<Authentication> authenticate_token(std::string_view token, const List<Str>& audiences,
                                            Time now) const;
  const AuthenticatorOptions& options() const { return options_; }

 private:
  Result<Authentication> by_token(std::string_view token, const List<Str>& audiences,
                                  Time now) const;

  AuthenticatorOptions options_;
  const TokenSigner* signer_;
  const ObjectReader* objects_;
};

/// The user of a service account: system:serviceaccount:NS:NAME with its groups.
ApiUser service_account_user(std::string_view ns, std::string_view name, std::string_view uid);

}  // namespace orrery::server
