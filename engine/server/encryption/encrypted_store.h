#pragma once

#include "engine/ports/store.h"
#include "engine/server/encryption/value_transformer.h"

namespace orrery::server {

/// A store whose values are written through a ValueTransformer; everything else is passed on. A
/// value that cannot be read comes out as it is stored, with the reason in StoreValue::unreadable.
/// As thread-safe as the store behind it.
class EncryptedStore final : public Store {
 public:
  /// Both outlive this.
  EncryptedStore(Store* store, const ValueTransformer* transformer)
      : store_(store), transformer_(transformer) {}

  /// From now on; outlives this, or the next use(). Not while another call is under way.
  void use(const ValueTransformer* transformer) { transformer_ = transformer; }

  void range(Ticket ticket, RangeRequest request) override {
    store_->range(ticket, std::move(request));
  }
  void txn(Ticket ticket, TxnRequest request) override;
  void lease_grant(Ticket ticket, Duration ttl) override { store_->lease_grant(ticket, ttl); }
  void lease_keep_alive(Ticket ticket, int64_t lease) override {
    store_->lease_keep_alive(ticket, lease);
  }
  void lease_revoke(Ticket ticket, int64_t lease) override { store_->lease_revoke(ticket, lease); }
  void compact(Ticket ticket, int64_t revision) override { store_->compact(ticket, revision); }
  StoreOutcome take(uint64_t handle) override;
  StoreWatchId watch(LaneId lane, StoreWatchRequest request) override {
    return store_->watch(lane, std::move(request));
  }
  void drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) override;
  void unwatch(StoreWatchId watch) override { store_->unwatch(watch); }
  void request_progress(StoreWatchId watch) override { store_->request_progress(watch); }

 private:
  void seal(std::vector<StoreOp>& ops) const;
  void open(KeyValue& kv) const;

  Store* store_;
  const ValueTransformer* transformer_;
};

}  // namespace orrery::server
