#include "engine/server/compactor.h"

namespace orrery::server {
namespace {

const char* const kKey = "compact_rev_key";
// Ops of store calls.
constexpr uint64_t kAgree = 1, kCompact = 2;

}  // namespace

Compactor::Compactor(const Env& env, Store* store, Duration interval)
    : timers_(env.timers), store_(store), interval_(interval), lane_(env.lanes->open("compactor", this)) {
  env.lanes->post(lane_, {EventKind::kStart, 0, 0, 0});
}

void Compactor::handle(const Ctx& ctx, const Event& event) {
  if (event.kind == EventKind::kDone) {
    const StoreOutcome outcome = store_->take(event.b);
    if (event.a == kAgree) on_agreed(outcome);
    return;
  }
  if (event.kind == EventKind::kTimer) agree();
  timers_->arm(lane_, ctx.now + interval_, {EventKind::kTimer, 0, 0, 0});
}

void Compactor::agree() {
  TxnRequest txn;
  txn.compares.push_back({kKey, StoreCompare::Target::kVersion, StoreCompare::Op::kEqual, turn_});
  StoreOp put, read;
  put.range.key = kKey;
  put.value.bytes = Str(str_cat(revision_));
  read.kind = StoreOp::Kind::kRange;
  read.range.key = kKey;
  txn.success.push_back(std::move(put));
  txn.failure.push_back(std::move(read));
  store_->txn({lane_, kAgree}, std::move(txn));
}

void Compactor::on_agreed(const StoreOutcome& outcome) {
  if (!outcome.status.is_ok()) return;
  const int64_t compacted = revision_;
  revision_ = outcome.revision;
  if (outcome.txn.succeeded) {
    ++turn_;
    if (compacted > 0) store_->compact({lane_, kCompact}, compacted);
    return;
  }
  const auto& kvs = outcome.txn.results[0].range.kvs;
  turn_ = kvs.empty() ? 0 : kvs[0].version;
}

}  // namespace orrery::server
