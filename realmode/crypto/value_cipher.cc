#include "realmode/crypto/value_cipher.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sodium/crypto_secretbox.h>

#include <memory>

namespace orrery::realmode {
namespace {

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kBlockBytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* out(std::string& text, size_t at = 0) {
  return reinterpret_cast<unsigned char*>(text.data()) + at;
}
int length(std::string_view text) { return static_cast<int>(text.size()); }

const EVP_CIPHER* cipher_of(ValueCipher::Algorithm algorithm, size_t key_bytes) {
  const bool gcm = algorithm == ValueCipher::Algorithm::kAesGcm;
  if (key_bytes == 16) return gcm ? EVP_aes_128_gcm() : EVP_aes_128_cbc();
  if (key_bytes == 24) return gcm ? EVP_aes_192_gcm() : EVP_aes_192_cbc();
  CHECK(key_bytes == 32) << "a key of " << key_bytes << " bytes";
  return gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
}

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  CHECK(RAND_bytes(out(bytes), static_cast<int>(count)) == 1) << "the system has no random numbers";
  return bytes;
}

std::string seal_gcm(const EVP_CIPHER* cipher, std::string_view key, std::string_view text,
                     std::string_view context) {
  const ContextPtr state(EVP_CIPHER_CTX_new());
  std::string sealed = random_bytes(kNonceBytes);
  int written = 0;
  bool good = EVP_EncryptInit_ex(state.get(), cipher, nullptr, in(key), in(sealed)) == 1;
  good =
      good && EVP_EncryptUpdate(state.get(), nullptr, &written, in(context), length(context)) == 1;
  sealed.resize(kNonceBytes + text.size() + kTagBytes);
  good = good && EVP_EncryptUpdate(state.get(), out(sealed, kNonceBytes), &written, in(text),
                                   length(text)) == 1;
  good = good &&
         EVP_EncryptFinal_ex(state.get(), out(sealed, kNonceBytes + text.size()), &written) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(state.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                     out(sealed, kNonceBytes + text.size())) == 1;
  CHECK(good) << "OpenSSL cannot encrypt";
  return sealed;
}

std::string seal_cbc(const EVP_CIPHER* cipher, std::string_view key, std::string_view text) {
  const ContextPtr state(EVP_CIPHER_CTX_new());
  std::string sealed = random_bytes(kBlockBytes);
  int written = 0, last = 0;
  bool good = EVP_EncryptInit_ex(state.get(), cipher, nullptr, in(key), in(sealed)) == 1;
  sealed.resize(kBlockBytes + text.size() + kBlockBytes);
  good = good && EVP_EncryptUpdate(state.get(), out(sealed, kBlockBytes), &written, in(text),
                                   length(text)) == 1;
  good =
      good && EVP_EncryptFinal_ex(
                  state.get(), out(sealed, kBlockBytes + static_cast<size_t>(written)), &last) == 1;
  CHECK(good) << "OpenSSL cannot encrypt";
  sealed.resize(kBlockBytes + static_cast<size_t>(written + last));
  return sealed;
}

Result<std::string> open_gcm(const EVP_CIPHER* cipher, std::string_view key,
                             std::string_view sealed, std::string_view context) {
  if (sealed.size() < kNonceBytes + kTagBytes)
    return bad_request("the stored data was shorter than the required size");
  const ContextPtr state(EVP_CIPHER_CTX_new());
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const std::string_view body = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string text(body.size(), '\0');
  unsigned char nothing[kBlockBytes];
  int written = 0;
  bool good = EVP_DecryptInit_ex(state.get(), cipher, nullptr, in(key), in(sealed)) == 1;
  good =
      good && EVP_DecryptUpdate(state.get(), nullptr, &written, in(context), length(context)) == 1;
  good = good && EVP_DecryptUpdate(state.get(), out(text), &written, in(body), length(body)) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(state.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, out(tag)) == 1;
  good = good && EVP_DecryptFinal_ex(state.get(), nothing, &written) == 1;
  if (!good) return bad_request("cipher: message authentication failed");
  return text;
}

Result<std::string> open_cbc(const EVP_CIPHER* cipher, std::string_view key,
                             std::string_view sealed) {
  if (sealed.size() < kBlockBytes)
    return bad_request("the stored data was shorter than the required size");
  const std::string_view body = sealed.substr(kBlockBytes);
  if (body.size() % kBlockBytes != 0)
    return bad_request("invalid PKCS7 data (empty or not padded)");
  const ContextPtr state(EVP_CIPHER_CTX_new());
  std::string text(body.size() + kBlockBytes, '\0');
  int written = 0, last = 0;
  bool good = EVP_DecryptInit_ex(state.get(), cipher, nullptr, in(key), in(sealed)) == 1;
  good = good && EVP_DecryptUpdate(state.get(), out(text), &written, in(body), length(body)) == 1;
  good =
      good && EVP_DecryptFinal_ex(state.get(), out(text, static_cast<size_t>(written)), &last) == 1;
  if (!good) return bad_request("invalid padding on input");
  text.resize(static_cast<size_t>(written + last));
  return text;
}

constexpr size_t kBoxNonceBytes = crypto_secretbox_NONCEBYTES;
constexpr size_t kBoxTagBytes = crypto_secretbox_MACBYTES;

std::string seal_box(std::string_view key, std::string_view text) {
  CHECK(key.size() == crypto_secretbox_KEYBYTES) << "a key of " << key.size() << " bytes";
  std::string sealed = random_bytes(kBoxNonceBytes);
  sealed.resize(kBoxNonceBytes + kBoxTagBytes + text.size());
  crypto_secretbox_easy(out(sealed, kBoxNonceBytes), in(text), text.size(), in(sealed), in(key));
  return sealed;
}

Result<std::string> open_box(std::string_view key, std::string_view sealed) {
  CHECK(key.size() == crypto_secretbox_KEYBYTES) << "a key of " << key.size() << " bytes";
  if (sealed.size() < kBoxNonceBytes + kBoxTagBytes)
    return bad_request("the stored data was shorter than the required size");
  const std::string_view box = sealed.substr(kBoxNonceBytes);
  std::string text(box.size() - kBoxTagBytes, '\0');
  if (crypto_secretbox_open_easy(out(text), in(box), box.size(), in(sealed), in(key)) != 0)
    return bad_request("output array was not large enough for encryption");
  return text;
}

}  // namespace

std::string LibraryValueCipher::seal(Algorithm algorithm, std::string_view key,
                                     std::string_view text, std::string_view context) const {
  if (algorithm == Algorithm::kSecretbox) return seal_box(key, text);
  const EVP_CIPHER* cipher = cipher_of(algorithm, key.size());
  return algorithm == Algorithm::kAesGcm ? seal_gcm(cipher, key, text, context)
                                         : seal_cbc(cipher, key, text);
}

Result<std::string> LibraryValueCipher::open(Algorithm algorithm, std::string_view key,
                                             std::string_view sealed,
                                             std::string_view context) const {
  if (algorithm == Algorithm::kSecretbox) return open_box(key, sealed);
  const EVP_CIPHER* cipher = cipher_of(algorithm, key.size());
  return algorithm == Algorithm::kAesGcm ? open_gcm(cipher, key, sealed, context)
                                         : open_cbc(cipher, key, sealed);
}

}  // namespace orrery::realmode
