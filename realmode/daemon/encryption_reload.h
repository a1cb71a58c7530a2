#pragma once

#include <memory>
#include <string>

#include "engine/ports/lanes.h"
#include "engine/server/encryption/encrypted_store.h"

namespace orrery::realmode {

/// Looks once a minute whether the file of --encryption-provider-config has changed, and lets the
/// store write and read by what it says now. A file that cannot be used changes nothing and is
/// told of once. A lane of its own, on the worker of the lanes that use the store.
/// Source: Kubernetes v1.32 apiserver/pkg/server/options/encryptionconfig/controller.
class EncryptionReload final : public LaneHandler {
 public:
  /// All that is given outlives this; the file has been read already.
  EncryptionReload(Lanes* lanes, Timers* timers, std::string path, server::EncryptedStore* store,
                   const ValueCipher* cipher);
  void handle(const Ctx& ctx, const Event& event) override;

 private:
  void look();

  Timers* timers_;
  std::string path_;
  server::EncryptedStore* store_;
  const ValueCipher* cipher_;
  LaneId lane_;
  std::string text_;  // that is in use, or cannot be used
  std::unique_ptr<server::ValueTransformer> transformer_;
};

}  // namespace orrery::realmode
