#pragma once

#include "engine/ports/value_cipher.h"

namespace orrery::realmode {

/// ValueCipher over OpenSSL 3 and, for secretbox, libsodium, with the system's random numbers.
class LibraryValueCipher final : public ValueCipher {
 public:
  std::string seal(Algorithm algorithm, std::string_view key, std::string_view text,
                   std::string_view context) const override;
  Result<std::string> open(Algorithm algorithm, std::string_view key, std::string_view sealed,
                           std::string_view context) const override;
};

}  // namespace orrery::realmode
