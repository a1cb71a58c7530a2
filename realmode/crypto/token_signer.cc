#include "realmode/crypto/token_signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "engine/runtime/json_web_token.h"
#include "realmode/crypto/openssl.h"

namespace orrery::realmode {
namespace {

using BignumPtr = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using MdContextPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

constexpr int kCoordinateBytes = 32;  // of P-256
constexpr unsigned kRsaBits = 2048;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string number_of(const EVP_PKEY* key, const char* name, int width) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
  const BignumPtr number(raw);
  std::string bytes(static_cast<size_t>(std::max(width, BN_num_bytes(number.get()))), '\0');
  BN_bn2binpad(number.get(), bytes_of(bytes), static_cast<int>(bytes.size()));
  return base64url_encode(bytes);
}

// "" if no token algorithm goes with the key.
std::string algorithm_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA")) return "RS256";
  char group[64] = {};
  size_t length = 0;
  if (EVP_PKEY_is_a(key, "EC") &&
      EVP_PKEY_get_group_name(key, group, sizeof(group), &length) == 1 &&
      std::string_view(group, length) == "prime256v1")
    return "ES256";
  return "";
}

std::string key_id_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_Digest(der, static_cast<size_t>(size), bytes_of(digest), &length, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  digest.resize(length);
  return base64url_encode(digest);
}

// ASN.1 form to r and s of 32 bytes each, and back; "" if it is no signature.
std::string flat_signature(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  const EcdsaSigPtr pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!pair) return {};
  std::string flat(2 * kCoordinateBytes, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes_of(flat), kCoordinateBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes_of(flat) + kCoordinateBytes, kCoordinateBytes);
  return flat;
}

std::string der_signature(std::string_view flat) {
  if (flat.size() != 2 * kCoordinateBytes) return {};
  const EcdsaSigPtr pair(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(flat), kCoordinateBytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(flat) + kCoordinateBytes, kCoordinateBytes, nullptr);
  if (ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

// The next PEM block of the text as a key; null at the end, or if it is none.
KeyPtr key_of_block(std::string_view block) {
  if (EVP_PKEY* key = PEM_read_bio_PUBKEY(bio_of(block).get(), nullptr, nullptr, nullptr))
    return KeyPtr(key);
  if (EVP_PKEY* key = PEM_read_bio_PrivateKey(bio_of(block).get(), nullptr, nullptr, nullptr))
    return KeyPtr(key);
  const X509Ptr certificate(PEM_read_bio_X509(bio_of(block).get(), nullptr, nullptr, nullptr));
  return KeyPtr(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
}

std::vector<std::string_view> pem_blocks(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ";
  std::vector<std::string_view> blocks;
  for (size_t start = text.find(kBegin); start != text.npos;) {
    const size_t end = text.find(kEnd, start);
    if (end == text.npos) break;
    const size_t stop = std::min(text.find('\n', end), text.size());
    const std::string_view block = text.substr(start, stop - start);
    if (block.find("EC PARAMETERS") == block.npos) blocks.push_back(block);
    start = text.find(kBegin, stop);
  }
  return blocks;
}

}  // namespace

struct OpensslTokenSigner::Key {
  KeyPtr pkey;
  std::string algorithm;
  std::string key_id;

  static Result<Key> of(KeyPtr pkey) {
    if (!pkey) return bad_request("no key found in PEM text");
    Key key{std::move(pkey), {}, {}};
    key.algorithm = algorithm_of(key.pkey.get());
    key.key_id = key_id_of(key.pkey.get());
    if (key.algorithm.empty()) return bad_request("service account keys must be RSA or EC P-256");
    return key;
  }

  bool verifies(std::string_view text, std::string_view signature) const {
    const std::string der =
        algorithm == "ES256" ? der_signature(signature) : std::string(signature);
    const MdContextPtr context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, pkey.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(der), der.size(), bytes_of(text),
                            text.size()) == 1;
  }
};

OpensslTokenSigner::OpensslTokenSigner() = default;
OpensslTokenSigner::~OpensslTokenSigner() = default;

Result<std::unique_ptr<OpensslTokenSigner>> OpensslTokenSigner::make(
    std::string_view signing_key_pem, const std::vector<std::string>& verification_pems) {
  std::unique_ptr<OpensslTokenSigner> signer(new OpensslTokenSigner());
  if (!signing_key_pem.empty()) {
    KeyPtr pkey(PEM_read_bio_PrivateKey(bio_of(signing_key_pem).get(), nullptr, nullptr, nullptr));
    auto key = Key::of(std::move(pkey));
    if (!key.is_ok()) return key.status().with_context("service account signing key");
    signer->signing_ = std::make_unique<Key>(std::move(*key));
  }
  for (const std::string& text : verification_pems) {
    const auto blocks = pem_blocks(text);
    if (blocks.empty()) return bad_request("service account key: no PEM block");
    for (const std::string_view block : blocks) {
      auto key = Key::of(key_of_block(block));
      if (!key.is_ok()) return key.status().with_context("service account key");
      signer->accepted_.push_back(std::move(*key));
    }
  }
  if (signer->accepted_.empty() && signer->signing_) {
    EVP_PKEY_up_ref(signer->signing_->pkey.get());
    signer->accepted_.push_back({KeyPtr(signer->signing_->pkey.get()), signer->signing_->algorithm,
                                 signer->signing_->key_id});
  }
  return signer;
}

std::string OpensslTokenSigner::algorithm() const { return signing_ ? signing_->algorithm : ""; }
std::string OpensslTokenSigner::key_id() const { return signing_ ? signing_->key_id : ""; }

Result<std::string> OpensslTokenSigner::sign(std::string_view text) const {
  if (!signing_) return internal_error("there is no key to sign with");
  const MdContextPtr context(EVP_MD_CTX_new());
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, signing_->pkey.get()) !=
          1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1)
    return internal_error("signing failed");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(text), text.size()) != 1)
    return internal_error("signing failed");
  signature.resize(size);
  return signing_->algorithm == "ES256" ? flat_signature(signature) : signature;
}

bool OpensslTokenSigner::verify(std::string_view algorithm, std::string_view key_id,
                                std::string_view text, std::string_view signature) const {
  return std::any_of(accepted_.begin(), accepted_.end(), [&](const Key& key) {
    return key.algorithm == algorithm && (key_id.empty() || key.key_id == key_id) &&
           key.verifies(text, signature);
  });
}

std::vector<TokenSigner::PublicKey> OpensslTokenSigner::public_keys() const {
  std::vector<PublicKey> keys;
  for (const Key& key : accepted_) {
    PublicKey out{key.key_id, key.algorithm, {}, {}, {}, {}};
    const EVP_PKEY* pkey = key.pkey.get();
    if (key.algorithm == "RS256") {
      out.n = number_of(pkey, OSSL_PKEY_PARAM_RSA_N, 0);
      out.e = number_of(pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    } else {
      out.x = number_of(pkey, OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateBytes);
      out.y = number_of(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateBytes);
    }
    keys.push_back(std::move(out));
  }
  return keys;
}

Result<std::string> make_rsa_key_pem() {
  const KeyPtr key(EVP_RSA_gen(kRsaBits));
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!key ||
      PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return internal_error("making an RSA key failed");
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

}  // namespace orrery::realmode
