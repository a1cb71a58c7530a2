#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace orrery {

/// Port: signatures of service account tokens (JWS over RS256 or ES256). Implemented by
/// realmode/crypto over OpenSSL and by tests. Calls answer at once and change nothing.
class TokenSigner {
 public:
  /// A public key as JSON Web Key (RFC 7517). Numbers are base64url without padding.
  struct PublicKey {
    std::string key_id;
    std::string algorithm;  // RS256 or ES256
    std::string n, e;       // RSA: modulus and exponent
    std::string x, y;       // EC P-256: the point
  };

  virtual ~TokenSigner() = default;
  /// Of the key that signs; "" if there is none.
  virtual std::string algorithm() const = 0;
  virtual std::string key_id() const = 0;
  /// The signature's bytes as JWS wants them (ES256: r and s, 32 bytes each).
  virtual Result<std::string> sign(std::string_view text) const = 0;
  /// True if one of the keys that are accepted for `algorithm` (all of them if `key_id` is "")
  /// has made `signature` over `text`.
  virtual bool verify(std::string_view algorithm, std::string_view key_id, std::string_view text,
                      std::string_view signature) const = 0;
  /// All accepted keys, in the order of the files given.
  virtual std::vector<PublicKey> public_keys() const = 0;
};

}  // namespace orrery
