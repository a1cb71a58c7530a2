#include "engine/server/auth/openid.h"

#include <set>

#include "engine/api/json_value.h"

namespace orrery::server {

using api::Json;

std::string openid_configuration(std::string_view issuer, std::string_view jwks_uri,
                                 const TokenSigner& signer) {
  std::set<std::string> algorithms;
  for (const TokenSigner::PublicKey& key : signer.public_keys()) algorithms.insert(key.algorithm);
  Json document = Json::object();
  document.set("issuer", issuer);
  document.set("jwks_uri", jwks_uri);
  document.set("response_types_supported", Json::array()).push_back("id_token");
  document.set("subject_types_supported", Json::array()).push_back("public");
  Json& supported = document.set("id_token_signing_alg_values_supported", Json::array());
  for (const std::string& algorithm : algorithms) supported.push_back(algorithm);
  return document.dump();
}

std::string openid_keys(const TokenSigner& signer) {
  Json document = Json::object();
  Json& keys = document.set("keys", Json::array());
  for (const TokenSigner::PublicKey& key : signer.public_keys()) {
    Json& one = keys.push_back(Json::object());
    const bool elliptic = key.n.empty();
    one.set("use", "sig");
    one.set("kty", elliptic ? "EC" : "RSA");
    one.set("kid", key.key_id);
    if (elliptic) one.set("crv", "P-256");
    one.set("alg", key.algorithm);
    if (elliptic) {
      one.set("x", key.x);
      one.set("y", key.y);
    } else {
      one.set("n", key.n);
      one.set("e", key.e);
    }
  }
  return document.dump();
}

}  // namespace orrery::server
