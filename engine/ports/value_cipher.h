#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace orrery {

/// Port: the ciphers under which stored values may be written. Implemented by realmode/crypto over
/// OpenSSL and libsodium. Calls answer at once, change nothing and may come from any thread.
class ValueCipher {
 public:
  enum class Algorithm : uint8_t {
    kAesGcm,  // 12 random bytes, the text, a tag of 16; `context` is authenticated with it
    kAesCbc,  // 16 random bytes, the text with PKCS #7 padding; `context` is not used
    kSecretbox,  // 24 random bytes, a tag of 16, the text: XSalsa20 and Poly1305; `context` is not used
  };

  virtual ~ValueCipher() = default;
  /// `key`: 16, 24 or 32 bytes; 32 for kSecretbox.
  virtual std::string seal(Algorithm algorithm, std::string_view key, std::string_view text,
                           std::string_view context) const = 0;
  /// The text again. BadRequest, with the words of Kubernetes v1.32, if `sealed` was not made with
  /// this key and context.
  virtual Result<std::string> open(Algorithm algorithm, std::string_view key,
                                   std::string_view sealed, std::string_view context) const = 0;
};

}  // namespace orrery
