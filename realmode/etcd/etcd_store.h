#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/store.h"

namespace orrery::realmode {

class EtcdClient;
class EtcdWatches;

struct EtcdOptions {
  std::vector<std::string> endpoints;  // "http://127.0.0.1:2379", "https://..."
  // PEM files for https://. ca_file "": the system's authorities; cert and key: client certificate.
  std::string ca_file, cert_file, key_file;
  // "": no log-in. The token is renewed when etcd no longer takes it.
  std::string username, password;
  /// Until a call fails with Timeout, its attempts on all members counted.
  Duration timeout = Duration::seconds(10);
  /// Keys fetched at once when a range without limit is read.
  int64_t page = 2000;
  /// Objects to bytes; api::encode_storage unless given.
  std::function<std::string(const api::Object&)> encode;
};

/// A store kept by an etcd cluster (v3 API, etcd 3.4 or newer). Its state is on a lane: port
/// functions are called by the loop's worker only, and gRPC's threads leave their results there.
///
/// Fail-over: a member that cannot be reached, has no leader or does not answer is left for the
/// next one. Reads are tried again until `timeout`. Writes are tried again only if they have surely
/// not been applied; otherwise they end with ServiceUnavailable or Timeout, and whether they took
/// effect is unknown. Watches share one stream; when it breaks they go on elsewhere from the
/// revision after the last one seen, so that none is lost or told twice.
///
/// lease_grant rounds up to seconds. etcd may grant more than asked for (at least 1.5 election
/// time-outs) and ends a lease up to a second late.
class EtcdStore final : public Store, public LaneHandler {
 public:
  /// Does not wait for the cluster. BadRequest if the options are wrong.
  static Result<std::unique_ptr<EtcdStore>> open(Lanes* lanes, Timers* timers, EtcdOptions options);
  /// Outcomes that have not come are dropped. On the loop's worker or after it has stopped.
  ~EtcdStore() override;

  void range(Ticket ticket, RangeRequest request) override;
  void txn(Ticket ticket, TxnRequest request) override;
  void lease_grant(Ticket ticket, Duration ttl) override;
  void lease_keep_alive(Ticket ticket, int64_t lease) override;
  void lease_revoke(Ticket ticket, int64_t lease) override;
  void compact(Ticket ticket, int64_t revision) override;
  StoreOutcome take(uint64_t handle) override { return outcomes_.take(handle); }
  StoreWatchId watch(LaneId lane, StoreWatchRequest request) override;
  void drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) override;
  void unwatch(StoreWatchId watch) override;
  void request_progress(StoreWatchId watch) override;
  void handle(const Ctx& ctx, const Event& event) override;

 private:
  EtcdStore(Lanes* lanes, EtcdOptions options);
  void answer(Ticket ticket, StoreOutcome outcome);

  Lanes* lanes_;
  EtcdOptions options_;
  Slab<StoreOutcome> outcomes_;
  std::unique_ptr<EtcdClient> client_;
  std::unique_ptr<EtcdWatches> watches_;
};

}  // namespace orrery::realmode
