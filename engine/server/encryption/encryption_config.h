#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/value_cipher.h"

namespace orrery::server {

/// A named key of a provider.
struct EncryptionKey {
  std::string name;
  std::string secret;  // raw bytes: 16, 24 or 32; for secretbox 32
};

/// How values may be written. No keys: as they are (identity).
struct EncryptionProvider {
  ValueCipher::Algorithm algorithm = ValueCipher::Algorithm::kAesGcm;
  std::vector<EncryptionKey> keys;
  bool is_identity() const { return keys.empty(); }
};

/// The first key of the first provider writes; all of them read.
struct EncryptionRule {
  /// "secrets", "deployments.apps", "*.apps" (a group), "*." (the core group), "*.*" (all).
  std::vector<std::string> resources;
  std::vector<EncryptionProvider> providers;
};

/// No rules: every value is written as it is.
struct EncryptionConfig {
  std::vector<EncryptionRule> rules;
};

/// Reads an EncryptionConfiguration of apiserver.config.k8s.io/v1 (YAML or JSON). Invalid, with
/// file, line and field, for what kube-apiserver v1.32 refuses and for the provider kms, which is
/// not there.
/// Source: Kubernetes v1.32 apiserver/pkg/apis/apiserver/validation/validation_encryption.go.
Result<EncryptionConfig> parse_encryption_config(std::string_view text, const std::string& file);

}  // namespace orrery::server
