#include "realmode/daemon/encryption_reload.h"

#include <cstdio>
#include <utility>

#include "realmode/daemon/files.h"

namespace orrery::realmode {
namespace {

constexpr Duration kPeriod = Duration::seconds(60);

}  // namespace

EncryptionReload::EncryptionReload(Lanes* lanes, Timers* timers, std::string path,
                                   server::EncryptedStore* store, const ValueCipher* cipher)
    : timers_(timers),
      path_(std::move(path)),
      store_(store),
      cipher_(cipher),
      lane_(lanes->open("encryption-reload", this)) {
  if (auto text = read_file(path_); text.is_ok()) text_ = std::move(*text);
  timers_->arm(lane_, timers_->now() + kPeriod, {EventKind::kTimer, 0, 0, 0});
}

void EncryptionReload::handle(const Ctx& ctx, const Event& event) {
  if (event.kind != EventKind::kTimer) return;
  look();
  timers_->arm(lane_, ctx.now + kPeriod, {EventKind::kTimer, 0, 0, 0});
}

void EncryptionReload::look() {
  auto text = read_file(path_);
  if (text.is_ok() && *text == text_) return;
  if (text.is_ok()) text_ = *text;
  auto config = text.is_ok() ? server::parse_encryption_config(*text, path_) : text.status();
  if (!config.is_ok()) {
    std::fprintf(stderr, "orrery: --encryption-provider-config is not reloaded: %s\n",
                 config.status().message().c_str());
    return;
  }
  auto fresh = std::make_unique<server::ValueTransformer>(std::move(*config), cipher_);
  store_->use(fresh.get());
  transformer_ = std::move(fresh);
}

}  // namespace orrery::realmode
