// Configuration files of the API server: each is read or refused with a place.
#include <cstdint>
#include <string_view>

#include "engine/base/check.h"
#include "engine/server/admission/settings.h"
#include "engine/server/audit/audit_policy.h"
#include "engine/server/encryption/encryption_config.h"
#include "engine/server/encryption/value_transformer.h"
#include "realmode/crypto/value_cipher.h"
#include "realmode/daemon/token_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto refused = [](const Status& status) { CHECK(status.message().find(": ") != std::string::npos) << status.message(); };
  if (const auto config = server::parse_encryption_config(text, "file"); config.is_ok()) {
    const realmode::LibraryValueCipher cipher;
    const server::ValueTransformer transformer(*config, &cipher);
    for (const char* key : {"/registry/secrets/a/b", "/registry/x.example/things/a/b", "/registry/deployments/a/b"}) {
      const std::string stored = transformer.to_storage(key, text);
      if (const auto back = transformer.from_storage(key, stored); back.is_ok()) CHECK(*back == text);
    }
  } else {
    refused(config.status());
  }
  if (const auto policy = server::AuditPolicy::parse(text, "file"); policy.is_ok()) {
    static_cast<void>(policy->decide({}));
  } else {
    refused(policy.status());
  }
  const auto same = [&](const std::string&) -> Result<std::string> { return std::string(text); };
  if (const auto settings = server::parse_admission_config(text, "file", same); !settings.is_ok()) refused(settings.status());
  static_cast<void>(server::parse_webhook_kubeconfig(text, "file", same).is_ok());
  static_cast<void>(realmode::parse_token_file(text).is_ok());
  return 0;
}
