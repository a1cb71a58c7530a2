// Stored values that cannot be read: encrypted with a key that is not there, or damaged. What the
// server knows of them is that they exist; nothing may take their place unseen.
#include "engine/server/errors.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {

void Server::take_in(const api::KindDesc& kind, const KeyValue& kv) {
  api::Object object = own_write(kv);
  if (object) {
    object = as_read(object, kind);
  } else {
    object = object_of(kv, kind);
    if (object && !kv.value.object) share_parts(object);
  }
  if (!object && !kv.value.empty()) {
    const Str& why = kv.value.unreadable;
    unreadable_[kv.key] = why.empty() ? Str("the stored value cannot be decoded") : why;
  } else if (!unreadable_.empty()) {
    unreadable_.erase(kv.key);
  }
  publish(kind, kv.key, object, kv.mod_revision);
}

// Texts of Kubernetes v1.32 apiserver/pkg/storage/etcd3.
ApiResponse Server::readable(const Str& key) const {
  if (unreadable_.empty()) return {};
  const auto found = unreadable_.find(key);
  return found == unreadable_.end() ? ApiResponse() : internal_response(found->second);
}

ApiResponse Server::all_readable(std::string_view prefix) const {
  if (unreadable_.empty()) return {};
  const auto found = unreadable_.lower_bound(Str(prefix));
  if (found == unreadable_.end() || !found->first.view().starts_with(prefix)) return {};
  return internal_response(str_cat("unable to transform key \"", found->first, "\": ", found->second));
}

}  // namespace orrery::server
