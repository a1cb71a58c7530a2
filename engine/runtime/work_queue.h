#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/ports/lanes.h"
#include "engine/runtime/backoff.h"
#include "engine/runtime/key_table.h"

namespace orrery {

/// When a failed key may be tried again: the longer of the key's own exponential delay and an
/// overall bucket. Defaults: Kubernetes v1.32 client-go, DefaultTypedControllerRateLimiter.
struct RetryLimits {
  ExponentialBackoff per_key{Duration::millis(5), Duration::seconds(1000)};
  TokenBucket overall{Duration::millis(100), 100};
};

/// A Kubernetes-style work queue, the theory of level-triggered controllers:
///
///          add            get             done
///   (none) ---> dirty ---------> processing ---> (none)
///                          add |            ^ done: dirty again, at the back
///                              v            |
///                       processing+dirty ---+
///
/// A key is in the queue at most once however often it is added, is never processed twice at the
/// same time, and is not lost if it is added while it is processed. First in, first out.
///
/// Plain copyable state; the timers port is passed in. Delayed adds arrive as kTimer events with
/// arg = `timer_arg`: give them to on_timer(). No allocation in steady state.
template <typename Key>
class WorkQueue {
 public:
  explicit WorkQueue(uint32_t timer_arg = 0, RetryLimits limits = {})
      : timer_arg_(timer_arg), limits_(limits) {}

  void add(const Key& key) { add_slot(slot_of(key)); }

  /// Adds `key` after `delay`. Of several pending delays the earliest counts.
  void add_after(Timers& timers, LaneId lane, const Key& key, Duration delay) {
    if (delay <= Duration{}) return add(key);
    const Time at = timers.now() + delay;
    const uint32_t slot = slot_of(key);
    Item& item = items_[slot];
    if (item.timer) {
      if (item.due <= at) return;
      timers.cancel(item.timer);
    }
    item.due = at;
    item.wait = ++last_wait_;
    item.timer = timers.arm(lane, at, {EventKind::kTimer, timer_arg_, slot, item.wait});
  }
  /// Adds a failed key after its back-off.
  void add_rate_limited(Timers& timers, LaneId lane, const Key& key) {
    const uint32_t slot = slot_of(key);
    const Duration own = limits_.per_key.delay(items_[slot].failures++);
    add_after(timers, lane, key, std::max(own, limits_.overall.reserve(timers.now())));
  }
  /// The key has succeeded, or is given up: its back-off starts anew.
  void forget(const Key& key) {
    const uint32_t slot = table_.find(key);
    if (slot == Table::kNone) return;
    items_[slot].failures = 0;
    release_if_idle(slot);
  }
  uint32_t failures(const Key& key) const {
    const uint32_t slot = table_.find(key);
    return slot == Table::kNone ? 0 : items_[slot].failures;
  }

  bool empty() const { return queued_ == 0; }
  size_t size() const { return queued_; }
  /// The next key; it is processing until done(). Requires !empty().
  Key get() {
    CHECK(queued_ > 0) << "get from an empty queue";
    const uint32_t slot = ring_[head_];
    head_ = (head_ + 1) & (ring_.size() - 1);
    --queued_;
    items_[slot].dirty = false;
    items_[slot].processing = true;
    return table_.key(slot);
  }
  void done(const Key& key) {
    const uint32_t slot = table_.find(key);
    CHECK(slot != Table::kNone && items_[slot].processing) << "done without get";
    items_[slot].processing = false;
    if (items_[slot].dirty) {
      push(slot);
    } else {
      release_if_idle(slot);
    }
  }
  bool processing(const Key& key) const {
    const uint32_t slot = table_.find(key);
    return slot != Table::kNone && items_[slot].processing;
  }
  /// For kTimer events with arg = timer_arg.
  void on_timer(const Event& event) {
    const auto slot = static_cast<uint32_t>(event.a);
    // A timer that was cancelled too late still arrives.
    if (!table_.contains(slot) || !items_[slot].timer || items_[slot].wait != event.b) return;
    items_[slot].timer = TimerId{};
    add_slot(slot);
  }

 private:
  using Table = KeyTable<Key>;
  struct Item {
    Time due;
    TimerId timer;  // of the earliest pending add_after
    uint64_t wait = 0;
    uint32_t failures = 0;
    bool dirty = false;
    bool processing = false;
  };

  uint32_t slot_of(const Key& key) {
    const auto [slot, fresh] = table_.insert(key);
    if (slot >= items_.size()) items_.resize(slot + 1);
    if (fresh) items_[slot] = Item{};
    return slot;
  }
  void add_slot(uint32_t slot) {
    if (items_[slot].dirty) return;
    items_[slot].dirty = true;
    if (!items_[slot].processing) push(slot);
  }
  void push(uint32_t slot) {
    if (queued_ == ring_.size()) grow_ring();
    ring_[(head_ + queued_) & (ring_.size() - 1)] = slot;
    ++queued_;
  }
  void grow_ring() {
    std::vector<uint32_t> larger(ring_.empty() ? 16 : ring_.size() * 2);
    for (size_t i = 0; i < queued_; ++i) larger[i] = ring_[(head_ + i) & (ring_.size() - 1)];
    ring_ = std::move(larger);
    head_ = 0;
  }
  void release_if_idle(uint32_t slot) {
    const Item& item = items_[slot];
    if (!item.dirty && !item.processing && !item.timer && item.failures == 0) table_.erase(slot);
  }

  uint32_t timer_arg_;
  RetryLimits limits_;
  Table table_;
  std::vector<Item> items_;     // by slot
  std::vector<uint32_t> ring_;  // slots that wait; size a power of two
  size_t head_ = 0;
  size_t queued_ = 0;
  uint64_t last_wait_ = 0;
};

}  // namespace orrery
