#include "sim/kernel/kernel.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace orrery::sim {
namespace {

// A queue entry that is no event: the lane's modelled cost has passed. Slots stay below it.
constexpr uint32_t kWakeBase = 0x80000000u;

constexpr uint64_t kPrime1 = 0x9e3779b97f4a7c15ULL;
constexpr uint64_t kPrime2 = 0xc2b2ae3d27d4eb4fULL;

uint64_t digest_step(uint64_t digest, Time now, LaneId lane, const Event& event) {
  const uint64_t where = (uint64_t{lane.value} << 32) | static_cast<uint32_t>(event.kind);
  uint64_t h = digest ^ (static_cast<uint64_t>(now.ns) * kPrime1);
  h = (h << 27 | h >> 37) * kPrime1 + where;
  h ^= (event.a * kPrime2) ^ (uint64_t{event.arg} << 17);
  h = (h << 31 | h >> 33) * kPrime2 + event.b;
  return h ^ (h >> 29);
}

}  // namespace

Kernel::Kernel(Time start) : now_(start) { later_.reset_if_empty(start.ns); }

Kernel Kernel::fork() const {
  Kernel copy(*this);
  for (Lane& lane : copy.lanes_) lane.handler = nullptr;
  return copy;
}

LaneId Kernel::open(std::string_view name, LaneHandler* handler) {
  CHECK(lanes_.size() < kWakeBase);
  Lane lane;
  lane.name = std::string(name);
  lane.handler = handler;
  lanes_.push_back(std::move(lane));
  return LaneId{static_cast<uint32_t>(lanes_.size() - 1)};
}

void Kernel::close(LaneId lane) {
  CHECK(lane.value < lanes_.size());
  lanes_[lane.value].open = false;
  lanes_[lane.value].handler = nullptr;
}

void Kernel::rebind(LaneId lane, LaneHandler* handler) {
  CHECK(lane.value < lanes_.size());
  lanes_[lane.value].handler = handler;
}

uint32_t Kernel::allocate(LaneId lane, const Event& event) {
  CHECK(lane.value < lanes_.size()) << "post to unknown lane " << lane.value;
  uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    CHECK(slot < kWakeBase) << "too many pending events";
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].event = event;
  slots_[slot].lane = lane;
  ++pending_;
  return slot;
}

void Kernel::release(uint32_t slot) {
  ++slots_[slot].generation;
  free_slots_.push_back(slot);
  --pending_;
}

void Kernel::schedule(uint32_t slot, Time at) {
  later_.reset_if_empty(now_.ns);
  later_.push({at < now_ ? now_.ns : at.ns, slot, slots_[slot].generation});
}

void Kernel::post(LaneId lane, const Event& event) { schedule(allocate(lane, event), now_); }

TimerId Kernel::arm(LaneId lane, Time at, const Event& event) {
  const uint32_t slot = allocate(lane, event);
  schedule(slot, at);
  return TimerId{(uint64_t{slots_[slot].generation} << 32) | slot};
}

bool Kernel::cancel(TimerId timer) {
  const auto slot = static_cast<uint32_t>(timer.value);
  const auto generation = static_cast<uint32_t>(timer.value >> 32);
  if (!timer || slot >= slots_.size() || slots_[slot].generation != generation) return false;
  release(slot);
  return true;
}

void Kernel::charge(LaneId lane, Duration cost) {
  CHECK(cost.ns >= 0) << "negative cost";
  Lane& l = lanes_[lane.value];
  const Time from = l.busy_until > now_ ? l.busy_until : now_;
  l.busy_until = from + cost;
}

void Kernel::wake_at(LaneId lane, Time at) {
  Lane& l = lanes_[lane.value];
  if (l.wake_pending) return;
  l.wake_pending = true;
  later_.reset_if_empty(now_.ns);
  later_.push({at.ns, kWakeBase | lane.value, 0});
}

bool Kernel::defer_if_busy(uint32_t slot) {
  const LaneId id = slots_[slot].lane;
  Lane& lane = lanes_[id.value];
  if (lane.busy_until <= now_ && lane.waiting.empty()) return false;
  lane.waiting.push({slot, slots_[slot].generation});
  wake_at(id, lane.busy_until > now_ ? lane.busy_until : now_);
  return true;
}

// The lane's oldest waiting event, if the lane is free; the others wait for the cost of this one,
// which is known only after it has run.
bool Kernel::pop_waiting(LaneId id, uint32_t* slot) {
  Lane& lane = lanes_[id.value];
  lane.wake_pending = false;
  if (lane.busy_until > now_) {
    wake_at(id, lane.busy_until);
    return false;
  }
  bool found = false;
  while (!found && !lane.waiting.empty()) {
    const Handle handle = lane.waiting.pop();
    *slot = handle.slot;
    found = live(handle);
  }
  if (!lane.waiting.empty()) wake_at(id, now_);
  return found;
}

bool Kernel::pop_due(Time limit, uint32_t* slot) {
  RadixQueue::Entry entry;
  const auto fetch = [this](const RadixQueue::Entry& soon) __attribute__((always_inline)) {
    if (soon.slot < kWakeBase) __builtin_prefetch(slots_.data() + soon.slot, 1);
  };
  while (later_.pop(limit.ns, &entry, fetch)) {
    if (entry.slot >= kWakeBase) {
      now_ = Time{entry.time};
      if (pop_waiting(LaneId{entry.slot - kWakeBase}, slot)) return true;
      continue;
    }
    if (!live({entry.slot, entry.generation})) continue;
    now_ = Time{entry.time};
    if (defer_if_busy(entry.slot)) continue;
    *slot = entry.slot;
    return true;
  }
  return false;
}

void Kernel::set_tie_shuffle(uint64_t seed) { shuffle_ = RngStream(seed, "kernel/tie-shuffle"); }

// Everything due at one time stands in its lane's `ready` before the first of it runs; what the
// handlers post for the same time joins them.
bool Kernel::pop_shuffled(Time limit, uint32_t* slot) {
  for (;;) {
    uint32_t due;
    while (pop_due(ready_lanes_.empty() ? limit : now_, &due)) {
      const LaneId id = slots_[due].lane;
      Lane& lane = lanes_[id.value];
      if (lane.ready.empty()) ready_lanes_.push_back(id.value);
      lane.ready.push({due, slots_[due].generation});
    }
    if (ready_lanes_.empty()) return false;
    const size_t pick = shuffle_->below(ready_lanes_.size());
    Lane& lane = lanes_[ready_lanes_[pick]];
    const Handle handle = lane.ready.pop();
    if (lane.ready.empty()) {
      ready_lanes_[pick] = ready_lanes_.back();
      ready_lanes_.pop_back();
    }
    if (!live(handle)) continue;  // cancelled while it was ready
    *slot = handle.slot;
    return true;
  }
}

void Kernel::execute(uint32_t slot) {
  const Slot record = slots_[slot];
  release(slot);
  LaneHandler* handler = lanes_[record.lane.value].handler;
  if (!lanes_[record.lane.value].open) return;
  CHECK(handler != nullptr) << "lane " << lanes_[record.lane.value].name << " has no handler";
  ++executed_;
  digest_ = digest_step(digest_, now_, record.lane, record.event);
  handler->handle(Ctx{now_}, record.event);
}

bool Kernel::step(Time limit) {
  uint32_t slot;
  if (shuffle_ ? !pop_shuffled(limit, &slot) : !pop_due(limit, &slot)) return false;
  execute(slot);
  return true;
}

void Kernel::run_until(Time limit) {
  while (step(limit)) {
  }
  if (now_ < limit) now_ = limit;
}

void Kernel::run() {
  while (step()) {
  }
}

}  // namespace orrery::sim
