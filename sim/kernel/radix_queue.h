#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "engine/base/check.h"

namespace orrery::sim {

/// A monotone priority queue: nothing is pushed before the time last popped. Entries of equal time
/// leave in the order in which they came (redistribution keeps order within a bucket and fills only
/// empty ones). Push O(1), pop amortised O(64) moves of 16 bytes, no allocation in steady state.
/// Source of the structure: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest
/// path problem", J. ACM 1990 (radix heap, one bucket per bit).
class RadixQueue {
 public:
  struct Entry {
    int64_t time;
    uint32_t slot;
    uint32_t generation;
  };

  /// Requires entry.time >= the time last popped.
  void push(const Entry& entry) {
    CHECK(entry.time >= last_) << "push of " << entry.time << " after " << last_;
    buckets_[bucket_of(entry.time)].push_back(entry);
    ++size_;
  }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  /// Takes the first entry if its time is at most `limit`.
  bool pop(int64_t limit, Entry* out) {
    if (head_ == buckets_[0].size() && !refill(limit)) return false;
    if (last_ > limit) return false;
    *out = buckets_[0][head_++];
    --size_;
    if (head_ == drop_at_) drop_done();
    return true;
  }
  /// Empties the queue's notion of time as well: pushes may start at `time` again.
  void reset_if_empty(int64_t time) {
    if (size_ == 0) last_ = time;
  }

 private:
  size_t bucket_of(int64_t time) const {
    const uint64_t difference = static_cast<uint64_t>(time) ^ static_cast<uint64_t>(last_);
    return static_cast<size_t>(64 - std::countl_zero(difference));
  }
  // While time stands still, what has left bucket 0 must not pile up: once a stretch of it is done and
  // no more than that is left, the rest moves to the front.
  void drop_done() {
    auto& now = buckets_[0];
    if (now.size() - head_ > head_) {
      drop_at_ = 2 * head_;
      return;
    }
    now.erase(now.begin(), now.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
    drop_at_ = kStretch;
  }
  // Moves the earliest entries into bucket 0; false if they are later than `limit`.
  bool refill(int64_t limit) {
    buckets_[0].clear();
    head_ = 0;
    drop_at_ = kStretch;
    if (size_ == 0) return false;
    size_t i = 1;
    while (buckets_[i].empty()) ++i;
    auto& from = buckets_[i];
    int64_t first = from.front().time;
    for (const Entry& entry : from) first = entry.time < first ? entry.time : first;
    if (first > limit) return false;
    last_ = first;
    for (const Entry& entry : from) buckets_[bucket_of(entry.time)].push_back(entry);
    from.clear();
    return true;
  }

  std::array<std::vector<Entry>, 65> buckets_;
  static constexpr size_t kStretch = 4096;
  size_t head_ = 0;            // bucket 0 is a FIFO of the entries at last_
  size_t drop_at_ = kStretch;  // the head at which drop_done() looks
  size_t size_ = 0;
  int64_t last_ = INT64_MIN / 2;
};

}  // namespace orrery::sim
