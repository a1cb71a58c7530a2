#pragma once

#include "engine/base/hash.h"
#include "engine/ports/token_signer.h"

namespace orrery::test {

/// Signs with a hash that anybody can compute: for tests of everything around the cryptography.
class PlainSigner : public TokenSigner {
 public:
  explicit PlainSigner(std::string key = "key") : key_(std::move(key)) {}
  std::string algorithm() const override { return "RS256"; }
  std::string key_id() const override { return key_; }
  Result<std::string> sign(std::string_view text) const override {
    return std::to_string(hash_bytes(key_ + std::string(text)));
  }
  bool verify(std::string_view algorithm, std::string_view key_id, std::string_view text,
              std::string_view signature) const override {
    return algorithm == "RS256" && (key_id.empty() || key_id == key_) && *sign(text) == signature;
  }
  std::vector<PublicKey> public_keys() const override {
    return {{key_, "RS256", "AQ", "AQAB", "", ""}};
  }

 private:
  std::string key_;
};

}  // namespace orrery::test
