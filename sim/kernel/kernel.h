#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/ports/lanes.h"
#include "sim/kernel/radix_queue.h"

namespace orrery::sim {

/// Virtual time: runs all lanes of one world on the calling thread, in exact (time, sequence)
/// order. Time moves only between events. Plain data throughout, so a copy of the kernel, with
/// its lanes rebound to copies of the components, goes on to the same digest.
///
/// Cost (10^6 pending events, hold model): see kernel_hold in tests/bench.
class Kernel final : public Lanes, public Timers {
 public:
  explicit Kernel(Time start = Time{0});
  Kernel(Kernel&&) = default;
  /// A copy in mid-run. No lane of it may run before rebind() gave it its handler.
  Kernel fork() const;

  // Lanes
  LaneId open(std::string_view name, LaneHandler* handler) override;
  void close(LaneId lane) override;
  void post(LaneId lane, const Event& event) override;
  void charge(LaneId lane, Duration cost) override;

  // Timers
  Time now() const override { return now_; }
  TimerId arm(LaneId lane, Time at, const Event& event) override;
  bool cancel(TimerId timer) override;

  void rebind(LaneId lane, LaneHandler* handler);
  const std::string& lane_name(LaneId lane) const { return lanes_[lane.value].name; }

  /// Runs one event that is due at or before `limit`; false if there is none.
  bool step(Time limit = Time::max());
  /// Runs everything due at or before `limit`, then sets now to `limit`.
  void run_until(Time limit);
  /// Runs until nothing is pending.
  void run();

  uint64_t events_executed() const { return executed_; }
  size_t pending() const { return pending_; }
  /// Hash over (time, lane, kind, arg, a, b) of all events executed so far, in order.
  uint64_t digest() const { return digest_; }

  /// Events of equal time run in a seeded random order across lanes; each lane keeps its own
  /// order. Exposes components that depend on an order they were never promised. Set before the
  /// first event.
  void set_tie_shuffle(uint64_t seed);

 private:
  struct alignas(32) Slot {  // half a cache line
    Event event;
    LaneId lane;
    uint32_t generation = 1;
  };
  // A slot as it was when queued: a later generation means that the event was cancelled.
  struct Handle {
    uint32_t slot;
    uint32_t generation;
  };
  struct Fifo {
    std::vector<Handle> items;
    size_t head = 0;
    bool empty() const { return head == items.size(); }
    void push(Handle handle) {
      if (empty()) {
        items.clear();
        head = 0;
      }
      items.push_back(handle);
    }
    Handle pop() { return items[head++]; }
  };
  struct Lane {
    std::string name;
    LaneHandler* handler = nullptr;
    Time busy_until{INT64_MIN};
    bool open = true;
    bool wake_pending = false;
    Fifo waiting;  // until busy_until has passed
    Fifo ready;    // tie shuffle: due now, until the lane is drawn
  };
  Kernel(const Kernel&) = default;

  uint32_t allocate(LaneId lane, const Event& event);
  void release(uint32_t slot);
  void schedule(uint32_t slot, Time at);
  bool pop_due(Time limit, uint32_t* slot);
  bool pop_shuffled(Time limit, uint32_t* slot);
  bool pop_waiting(LaneId lane, uint32_t* slot);
  bool live(Handle handle) const { return slots_[handle.slot].generation == handle.generation; }
  void wake_at(LaneId lane, Time at);
  bool defer_if_busy(uint32_t slot);
  void execute(uint32_t slot);

  Time now_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<Lane> lanes_;
  RadixQueue later_;
  size_t pending_ = 0;
  uint64_t executed_ = 0;
  uint64_t digest_ = 0x6f72726572795f31ULL;
  std::optional<RngStream> shuffle_;
  std::vector<uint32_t> ready_lanes_;  // tie shuffle: lanes with due events
};

}  // namespace orrery::sim
