#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "engine/base/check.h"

namespace orrery::sim {

/// A monotone priority queue: nothing is pushed before the time last popped. Entries of equal time
/// leave in the order in which they came (redistribution keeps order within a bucket and fills only
/// empty ones). Push O(1); pop amortised one move of 16 bytes per digit in which the pending times
/// differ (about 4 with 10^6 pending); no allocation in steady state, memory in proportion to the
/// most entries ever pending. Source of the structure: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster
/// algorithms for the shortest path problem", J. ACM 1990 (radix heap; here a bucket per digit).
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
    place(entry);
    ++size_;
  }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  /// Takes the first entry if its time is at most `limit`. `soon(entry)` is called with entries
  /// that leave before long, so that what they refer to can be fetched.
  template <typename Soon>
  bool pop(int64_t limit, Entry* out, const Soon& soon) {
    if (due_.head == kNone && !refill(limit, soon)) return false;
    if (last_ > limit) return false;
    const Block& block = blocks_[due_.head];
    *out = block.entries[due_begin_++];
    --size_;
    if (due_begin_ == block.count) drop_due_block();
    return true;
  }
  /// Empties the queue's notion of time as well: pushes may start at `time` again.
  void reset_if_empty(int64_t time) {
    if (size_ == 0) last_ = time;
  }

 private:
  static constexpr int kDigitBits = 6;
  static constexpr size_t kDigits = size_t{1} << kDigitBits;
  static constexpr size_t kLevels = (64 + kDigitBits - 1) / kDigitBits;
  static constexpr uint32_t kBlockEntries = 63;  // a kilobyte a block
  static constexpr size_t kSoon = 512;           // entries that leave soon: a cache holds them
  static constexpr uint64_t kSign = uint64_t{1} << 63;
  static constexpr uint32_t kNone = UINT32_MAX;
  struct alignas(64) Block {
    uint32_t next;
    uint32_t count;
    std::array<Entry, kBlockEntries> entries;
  };
  struct Bucket {
    uint32_t head = kNone;
    uint32_t tail = kNone;
  };
  struct Span {
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    size_t entries = 0;
  };

  // A bucket holds the times whose highest digit that differs from last_ is at its level.
  void place(const Entry& entry) {
    const uint64_t difference = static_cast<uint64_t>(entry.time) ^ static_cast<uint64_t>(last_);
    if (difference == 0) return append(&due_, entry);
    const auto level = static_cast<size_t>(63 - std::countl_zero(difference)) / kDigitBits;
    const uint64_t ascending = static_cast<uint64_t>(entry.time) ^ kSign;
    const size_t digit = (ascending >> (level * kDigitBits)) % kDigits;
    append(&buckets_[level][digit], entry);
    filled_[level] |= uint64_t{1} << digit;
    filled_levels_ |= 1u << level;
  }
  void append(Bucket* bucket, const Entry& entry) {
    if (bucket->tail == kNone || blocks_[bucket->tail].count == kBlockEntries) extend(bucket);
    Block& block = blocks_[bucket->tail];
    block.entries[block.count++] = entry;
  }
  void extend(Bucket* bucket) {
    uint32_t fresh = free_;
    if (fresh == kNone) {
      fresh = static_cast<uint32_t>(blocks_.size());
      blocks_.emplace_back();
    } else {
      free_ = blocks_[fresh].next;
    }
    blocks_[fresh].next = kNone;
    blocks_[fresh].count = 0;
    if (bucket->tail == kNone) {
      bucket->head = fresh;
    } else {
      blocks_[bucket->tail].next = fresh;
    }
    bucket->tail = fresh;
  }
  void free_block(uint32_t block) {
    blocks_[block].next = free_;
    free_ = block;
  }
  void drop_due_block() {
    const uint32_t done = due_.head;
    due_.head = blocks_[done].next;
    if (due_.head == kNone) due_.tail = kNone;
    due_begin_ = 0;
    free_block(done);
  }
  Span span_of(const Bucket& bucket) const {
    Span span;
    for (uint32_t i = bucket.head; i != kNone; i = blocks_[i].next) {
      const Block& block = blocks_[i];
      span.entries += block.count;
      for (uint32_t k = 0; k < block.count; ++k) {
        const int64_t time = block.entries[k].time;
        span.first = time < span.first ? time : span.first;
        span.last = time > span.last ? time : span.last;
      }
    }
    return span;
  }
  // Makes the earliest entries due; false if they are later than `limit`.
  template <typename Soon>
  bool refill(int64_t limit, const Soon& soon) {
    if (size_ == 0) return false;
    const auto level = static_cast<size_t>(std::countr_zero(filled_levels_));
    const auto digit = static_cast<size_t>(std::countr_zero(filled_[level]));
    Bucket* from = &buckets_[level][digit];
    const Span span = span_of(*from);
    if (span.first > limit) return false;
    last_ = span.first;
    const Bucket taken = *from;
    *from = Bucket{};
    filled_[level] &= filled_[level] - 1;
    if (filled_[level] == 0) filled_levels_ &= filled_levels_ - 1;
    if (span.first == span.last) {
      due_ = taken;
    } else {
      redistribute(taken, span.entries <= kSoon, soon);
    }
    return true;
  }
  // Each block is free before its entries find their places, which may use it again.
  template <typename Soon>
  void redistribute(const Bucket& bucket, bool call_soon, const Soon& soon) {
    for (uint32_t i = bucket.head; i != kNone;) {
      const Block block = blocks_[i];
      free_block(i);
      i = block.next;
      for (uint32_t k = 0; k < block.count; ++k) {
        if (call_soon) soon(block.entries[k]);
        place(block.entries[k]);
      }
    }
  }

  std::vector<Block> blocks_;
  uint32_t free_ = kNone;
  Bucket due_;  // the entries at last_, from due_begin_ of the first block on
  uint32_t due_begin_ = 0;
  uint32_t filled_levels_ = 0;
  std::array<uint64_t, kLevels> filled_{};
  std::array<std::array<Bucket, kDigits>, kLevels> buckets_;
  size_t size_ = 0;
  int64_t last_ = INT64_MIN / 2;
};

}  // namespace orrery::sim
