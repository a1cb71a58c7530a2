#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/server/encryption/encryption_config.h"

namespace orrery::server {

/// Values on their way into the store and out of it. An encrypted value is
/// `k8s:enc:aesgcm:v1:KEYNAME:` and what the cipher has made of it; AES-GCM authenticates the key
/// of the store with it, so that values cannot be exchanged. A real kube-apiserver reads ours and
/// the reverse. Source: Kubernetes v1.32 apiserver/pkg/storage/value and its encrypt/{aes,secretbox}.
class ValueTransformer {
 public:
  /// `cipher` outlives this; it may be null if the configuration has no rules.
  ValueTransformer(EncryptionConfig config, const ValueCipher* cipher);

  /// The key of the store decides which rule holds for a value.
  std::string to_storage(std::string_view key, std::string_view value) const;
  /// BadRequest with Kubernetes' words: "no matching prefix found", ...
  Result<std::string> from_storage(std::string_view key, std::string_view stored) const;
  /// Whether values under this key may differ from what is stored.
  bool encrypts(std::string_view key) const { return find(key) != nullptr; }
  /// Something that may be an encrypted value.
  static bool is_sealed(std::string_view stored) { return stored.starts_with("k8s:enc:"); }

 private:
  using Providers = std::vector<EncryptionProvider>;
  /// Null: values are what is stored.
  const Providers* find(std::string_view key) const;

  std::map<std::string, Providers, std::less<>> by_resource_;        // "secrets", "*.apps", "*.*"
  std::vector<std::pair<std::string_view, std::string>> resources_;  // storage prefix -> "pods"
  const ValueCipher* cipher_;
};

}  // namespace orrery::server
