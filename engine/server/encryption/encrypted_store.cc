#include "engine/server/encryption/encrypted_store.h"

#include "engine/api/storage.h"

namespace orrery::server {

void EncryptedStore::seal(std::vector<StoreOp>& ops) const {
  for (StoreOp& op : ops) {
    if (op.kind != StoreOp::Kind::kPut || !transformer_->encrypts(op.range.key)) continue;
    const StoreValue& value = op.value;
    const std::string plain = value.object ? api::encode_storage(value.object) : value.bytes.str();
    StoreValue sealed;
    sealed.bytes = Str(transformer_->to_storage(op.range.key, plain));
    op.value = std::move(sealed);
  }
}

void EncryptedStore::open(KeyValue& kv) const {
  if (kv.value.object || kv.value.bytes.empty()) return;
  if (!transformer_->encrypts(kv.key) && !ValueTransformer::is_sealed(kv.value.bytes)) return;
  const auto plain = transformer_->from_storage(kv.key, kv.value.bytes);
  if (plain.is_ok()) {
    kv.value.bytes = Str(*plain);
  } else {
    kv.value.unreadable = Str(plain.status().message());
  }
}

void EncryptedStore::txn(Ticket ticket, TxnRequest request) {
  seal(request.success);
  seal(request.failure);
  store_->txn(ticket, std::move(request));
}

StoreOutcome EncryptedStore::take(uint64_t handle) {
  StoreOutcome outcome = store_->take(handle);
  for (KeyValue& kv : outcome.range.kvs) open(kv);
  for (TxnResponse::OpResult& result : outcome.txn.results)
    for (KeyValue& kv : result.range.kvs) open(kv);
  return outcome;
}

void EncryptedStore::drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) {
  const size_t begin = out.size();
  store_->drain(watch, out);
  for (size_t i = begin; i < out.size(); ++i) {
    open(out[i].kv);
    if (out[i].prev) open(out[i].prev.mut());
  }
}

}  // namespace orrery::server
