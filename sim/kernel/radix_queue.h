#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/check.h"

namespace orrery::sim {

/// A monotone priority queue: nothing is pushed before the time last popped. Entries of equal time
/// leave in the order in which they came (redistribution keeps order within a bucket and fills only
/// empty ones). Push O(1); pop amortised one move of 16 bytes per digit in which the pending times
/// differ, down to a bucket of a few entries, which is sorted (3 moves with 10^6 pending); no
/// allocation in steady state, memory in proportion to the most entries ever pending. Source of the
/// structure: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path problem",
/// J. ACM 1990 (radix heap; here a bucket per digit).
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
    if (run_begin_ == run_end_ && due_.entries == 0 && !refill(limit, soon)) return false;
    // What stands in the run came before what is due, if it is of the same time.
    if (run_begin_ != run_end_ && (due_.entries == 0 || run_[run_begin_].time == last_)) {
      if (run_[run_begin_].time > limit) return false;
      *out = run_[run_begin_++];
      last_ = out->time;
    } else {
      if (last_ > limit) return false;
      *out = pop_due();
    }
    --size_;
    return true;
  }
  /// Empties the queue's notion of time as well: pushes may start at `time` again.
  void reset_if_empty(int64_t time) {
    if (size_ > 0) return;
    last_ = base_ = time;
    run_last_ = INT64_MIN;
  }

 private:
  static constexpr int kDigitBits = 6;
  static constexpr size_t kDigits = size_t{1} << kDigitBits;
  static constexpr size_t kLevels = (64 + kDigitBits - 1) / kDigitBits;
  static constexpr uint32_t kBlockEntries = 64;  // a kilobyte a block
  static constexpr uint32_t kSoon = 1024;        // entries that leave soon: a cache holds them
  static constexpr uint32_t kRunEntries = 64;    // at most, when it is made
  static constexpr uint32_t kRunMax = 2 * kRunEntries;
  static constexpr uint64_t kSign = uint64_t{1} << 63;
  static constexpr uint32_t kNone = UINT32_MAX;
  struct alignas(64) Block {
    std::array<Entry, kBlockEntries> entries;
  };
  /// A chain of blocks, full but for the last.
  struct Bucket {
    uint32_t head = kNone;
    uint32_t tail = kNone;
    uint32_t tail_entries = kBlockEntries;
    uint32_t entries = 0;
    int64_t first = INT64_MAX, last = INT64_MIN;  // times
  };

  // A bucket holds the times whose highest digit that differs from base_ is at its level, but for
  // those up to run_last_.
  void place(const Entry& entry) {
    if (entry.time == last_) return append(due_, entry);
    if (entry.time <= run_last_) return insert_in_run(entry);
    const uint64_t difference = static_cast<uint64_t>(entry.time) ^ static_cast<uint64_t>(base_);
    const auto level = static_cast<size_t>(63 - std::countl_zero(difference)) / kDigitBits;
    const uint64_t ascending = static_cast<uint64_t>(entry.time) ^ kSign;
    const size_t digit = (ascending >> (level * kDigitBits)) % kDigits;
    Bucket& bucket = buckets_[level][digit];
    bucket.first = std::min(bucket.first, entry.time);
    bucket.last = std::max(bucket.last, entry.time);
    append(bucket, entry);
    filled_[level] |= uint64_t{1} << digit;
    filled_levels_ |= 1u << level;
  }
  void append(Bucket& bucket, const Entry& entry) {
    if (bucket.tail_entries == kBlockEntries) extend(bucket);
    blocks_[bucket.tail].entries[bucket.tail_entries++] = entry;
    ++bucket.entries;
  }
  void extend(Bucket& bucket) {
    uint32_t fresh = free_;
    if (fresh == kNone) {
      fresh = static_cast<uint32_t>(blocks_.size());
      blocks_.emplace_back();
      next_.push_back(kNone);
    } else {
      free_ = next_[fresh];
    }
    next_[fresh] = kNone;
    if (bucket.tail == kNone) {
      bucket.head = fresh;
    } else {
      next_[bucket.tail] = fresh;
    }
    bucket.tail = fresh;
    bucket.tail_entries = 0;
  }
  /// What follows the block, which is free from now on.
  uint32_t free_block(uint32_t block) {
    const uint32_t next = next_[block];
    next_[block] = free_;
    free_ = block;
    return next;
  }
  Entry pop_due() {
    const Entry entry = blocks_[due_.head].entries[due_begin_++];
    if (--due_.entries > 0 && due_begin_ < kBlockEntries) return entry;
    due_.head = free_block(due_.head);
    due_begin_ = 0;
    if (due_.entries == 0) due_ = Bucket();
    return entry;
  }

  // Behind those of its time.
  void insert_in_run(const Entry& entry) {
    if (run_end_ == kRunMax) {
      make_room_in_run();
      return place(entry);
    }
    uint32_t at = run_end_++;
    for (; at > run_begin_ && run_[at - 1].time > entry.time; --at) run_[at] = run_[at - 1];
    run_[at] = entry;
  }
  // At its end; if all of it is used, the later half moves to the buckets.
  void make_room_in_run() {
    if (run_begin_ == 0) {
      run_last_ = std::max(last_, run_[kRunEntries].time - 1);
      const auto later = std::find_if(run_.begin(), run_.end(), [this](const Entry& e) { return e.time > run_last_; });
      run_end_ = static_cast<uint32_t>(later - run_.begin());
      std::for_each(later, run_.end(), [this](const Entry& e) { place(e); });
      return;
    }
    std::copy(run_.begin() + run_begin_, run_.begin() + run_end_, run_.begin());
    run_end_ -= run_begin_;
    run_begin_ = 0;
  }

  // Makes the earliest entries due, or the run; false if they are later than `limit`.
  template <typename Soon>
  bool refill(int64_t limit, const Soon& soon) {
    if (size_ == 0) return false;
    const auto level = static_cast<size_t>(std::countr_zero(filled_levels_));
    const auto digit = static_cast<size_t>(std::countr_zero(filled_[level]));
    Bucket& from = buckets_[level][digit];
    if (from.first > limit) return false;
    const Bucket taken = std::exchange(from, Bucket());
    filled_[level] &= filled_[level] - 1;
    if (filled_[level] == 0) filled_levels_ &= filled_levels_ - 1;
    if (taken.entries <= kRunEntries) {
      run_begin_ = run_end_ = 0;
      run_last_ = taken.last;
      each(taken, [this](const Entry& entry) { insert_in_run(entry); });
      return true;
    }
    last_ = base_ = taken.first;
    if (taken.first == taken.last) {
      due_ = taken;
    } else if (taken.entries <= kSoon) {
      each(taken, [&](const Entry& entry) { soon(entry), place(entry); });
    } else {
      each(taken, [this](const Entry& entry) { place(entry); });
    }
    return true;
  }
  // fn(entry) for each; the blocks are free then. `fn` may use further ones.
  template <typename Fn>
  void each(const Bucket& bucket, const Fn& fn) {
    for (uint32_t i = bucket.head; i != kNone;) {
      const uint32_t count = i == bucket.tail ? bucket.tail_entries : kBlockEntries;
      fetch(next_[i]);
      for (uint32_t k = 0; k < count; ++k) fn(Entry(blocks_[i].entries[k]));
      i = free_block(i);
    }
  }
  // GCC takes a call for useless if all that is done there is to prefetch.
  [[gnu::always_inline]] void fetch(uint32_t block) const {
    if (block == kNone) return;
    const char* at = reinterpret_cast<const char*>(&blocks_[block]);
    for (size_t line = 0; line < sizeof(Block); line += 64) __builtin_prefetch(at + line);
  }

  std::vector<Block> blocks_;
  std::vector<uint32_t> next_;  // of each block: the one behind it, or the next free one
  uint32_t free_ = kNone;
  Bucket due_;  // the entries at last_, from due_begin_ of the first block on
  uint32_t due_begin_ = 0;
  uint32_t filled_levels_ = 0;
  std::array<uint64_t, kLevels> filled_{};
  std::array<std::array<Bucket, kDigits>, kLevels> buckets_;
  std::array<Entry, kRunMax> run_;  // ascending, from run_begin_ to run_end_
  uint32_t run_begin_ = 0, run_end_ = 0;
  int64_t run_last_ = INT64_MIN;  // all times in the buckets are later
  size_t size_ = 0;
  int64_t last_ = INT64_MIN / 2;  // the time last popped, or that of what is due
  int64_t base_ = INT64_MIN / 2;  // moves when a bucket is redistributed; never after last_
};

}  // namespace orrery::sim
