// Leases, and what goes with them when they expire.
#include <set>

#include "sim/store/sim_store.h"

namespace orrery::sim {

void SimStore::arm_lease(int64_t id, Lease& lease) {
  if (lease.timer) timers_->cancel(lease.timer);
  lease.timer = timers_->arm(lane_, timers_->now() + lease.ttl,
                             {EventKind::kTimer, 0, static_cast<uint64_t>(id), 0});
}

void SimStore::lease_grant(Ticket ticket, Duration ttl) {
  if (failed(ticket)) return;
  StoreOutcome outcome;
  outcome.lease = next_lease_++;
  Lease& lease = leases_[outcome.lease];
  lease.ttl = ttl;
  arm_lease(outcome.lease, lease);
  answer(ticket, std::move(outcome));
}

void SimStore::lease_keep_alive(Ticket ticket, int64_t id) {
  with_lease(ticket, id, [&](Lease& lease) { arm_lease(id, lease); });
}

void SimStore::lease_revoke(Ticket ticket, int64_t id) {
  with_lease(ticket, id, [&](Lease& lease) {
    timers_->cancel(lease.timer);
    expire(id);
  });
}

template <typename Change>
void SimStore::with_lease(Ticket ticket, int64_t id, Change change) {
  if (failed(ticket)) return;
  StoreOutcome outcome;
  outcome.lease = id;
  const auto it = leases_.find(id);
  if (it == leases_.end()) {
    outcome.status = not_found("requested lease not found");
  } else {
    change(it->second);
  }
  answer(ticket, std::move(outcome));
}

void SimStore::handle(const Ctx&, const Event& event) {
  if (event.kind == EventKind::kTimer) expire(static_cast<int64_t>(event.a));
}

// The keys that still hang on the lease go in one revision each, in key order.
void SimStore::expire(int64_t id) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return;
  std::set<Str> keys;
  for (uint32_t index : it->second.records)
    if (records_[index].current.version > 0 && records_[index].current.lease == id)
      keys.insert(records_[index].key);
  leases_.erase(it);
  for (const Str& key : keys) {
    RangeRequest one;
    one.key = key;
    erase(one, revision_ + 1);
    ++revision_;
  }
  trim_history();
}

}  // namespace orrery::sim
