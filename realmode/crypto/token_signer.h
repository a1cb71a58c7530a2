#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ports/token_signer.h"

namespace orrery::realmode {

/// TokenSigner over OpenSSL 3: RSA keys sign RS256, P-256 keys ES256. Key ids are those of
/// Kubernetes: base64url of the SHA-256 of the public key in DER form.
class OpensslTokenSigner final : public TokenSigner {
 public:
  /// `signing_key_pem`: a private key, "" to verify only. `verification_pems`: texts of one or more
  /// public keys, certificates or private keys each; none of them: the signing key's own public key
  /// is accepted. BadRequest if a text holds no key or one of another kind.
  static Result<std::unique_ptr<OpensslTokenSigner>> make(
      std::string_view signing_key_pem, const std::vector<std::string>& verification_pems);
  ~OpensslTokenSigner() override;

  std::string algorithm() const override;
  std::string key_id() const override;
  Result<std::string> sign(std::string_view text) const override;
  bool verify(std::string_view algorithm, std::string_view key_id, std::string_view text,
              std::string_view signature) const override;
  std::vector<PublicKey> public_keys() const override;

 private:
  struct Key;
  OpensslTokenSigner();

  std::unique_ptr<Key> signing_;
  std::vector<Key> accepted_;
};

/// A fresh RSA private key of 2,048 bits as PEM (PKCS#8).
Result<std::string> make_rsa_key_pem();

}  // namespace orrery::realmode
