#include <benchmark/benchmark.h>

#include <queue>
#include <vector>

#include "sim/kernel/kernel.h"
#include "tests/bench/memory_count.h"

namespace orrery {
namespace {

constexpr size_t kPending = 1'000'000;

/// Cheap pseudo-random delays of up to a virtual second, the same for all queues.
struct Delays {
  uint64_t state = 0x2545f4914f6cdd1dULL;
  int64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<int64_t>(state % 1'000'000'000) + 1;
  }
};

/// The queue that one writes first: a binary heap of the events themselves by (time, sequence).
class PlainKernel {
 public:
  void arm(LaneHandler* handler, Time at, const Event& event) {
    heap_.push({at, sequence_++, handler, event});
  }
  void step() {
    const Item item = heap_.top();
    heap_.pop();
    item.handler->handle(Ctx{item.at}, item.event);
  }

 private:
  struct Item {
    Time at;
    uint64_t sequence;
    LaneHandler* handler;
    Event event;
    bool operator<(const Item& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };
  std::priority_queue<Item> heap_;
  uint64_t sequence_ = 0;
};

/// Hold model: each event, when it runs, is armed again.
struct KernelHold final : LaneHandler {
  KernelHold() : lane(kernel.open("hold", this)) {}
  void arm(Time now) { kernel.arm(lane, now + Duration{delays.next()}, {EventKind::kTimer, 0, 1, 2}); }
  void handle(const Ctx& ctx, const Event&) override { arm(ctx.now); }
  void step() { kernel.step(); }
  Delays delays;
  sim::Kernel kernel;
  LaneId lane;
};

struct PlainHold final : LaneHandler {
  void arm(Time now) { kernel.arm(this, now + Duration{delays.next()}, {EventKind::kTimer, 0, 1, 2}); }
  void handle(const Ctx& ctx, const Event&) override { arm(ctx.now); }
  void step() { kernel.step(); }
  Delays delays;
  PlainKernel kernel;
};

/// Items: events, 10^6 of them pending all the time.
template <typename Hold>
void hold(benchmark::State& state) {
  constexpr size_t kBatch = 10'000;
  Hold hold;
  for (size_t i = 0; i < kPending; ++i) hold.arm(Time{0});
  for (size_t i = 0; i < 3 * kPending; ++i) hold.step();
  const uint64_t before = bench::allocations();
  for (auto _ : state)
    for (size_t i = 0; i < kBatch; ++i) hold.step();
  const auto events = static_cast<double>(state.iterations()) * kBatch;
  state.counters["allocs"] = static_cast<double>(bench::allocations() - before) / events;
  state.SetItemsProcessed(static_cast<int64_t>(events));
}
void kernel_hold(benchmark::State& state) { hold<KernelHold>(state); }
void kernel_hold_baseline(benchmark::State& state) { hold<PlainHold>(state); }
BENCHMARK(kernel_hold)->Unit(benchmark::kMicrosecond);
BENCHMARK(kernel_hold_baseline)->Unit(benchmark::kMicrosecond);

/// Events posted for now, as components do: handed from lane to lane. Items: events.
void kernel_post(benchmark::State& state) {
  struct Relay final : LaneHandler {
    void handle(const Ctx&, const Event& event) override {
      if (event.a > 0) kernel->post(next, {EventKind::kWork, 0, event.a - 1, 0});
    }
    sim::Kernel* kernel = nullptr;
    LaneId next;
  };
  constexpr uint64_t kHops = 1000;
  sim::Kernel kernel;
  Relay relays[2];
  const LaneId lanes[2] = {kernel.open("a", &relays[0]), kernel.open("b", &relays[1])};
  for (int i = 0; i < 2; ++i) {
    relays[i].kernel = &kernel;
    relays[i].next = lanes[1 - i];
  }
  for (auto _ : state) {
    kernel.post(lanes[0], {EventKind::kWork, 0, kHops - 1, 0});
    kernel.run();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kHops));
}
BENCHMARK(kernel_post);

/// A timer armed and cancelled while 10^6 others wait; every 16th time an event runs.
void kernel_arm_cancel(benchmark::State& state) {
  KernelHold hold;
  for (size_t i = 0; i < kPending; ++i) hold.arm(Time{0});
  int turn = 0;
  for (auto _ : state) {
    const Time at = hold.kernel.now() + Duration{hold.delays.next()};
    hold.kernel.cancel(hold.kernel.arm(hold.lane, at, {}));
    if (++turn % 16 == 0) hold.kernel.step();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(kernel_arm_cancel);

}  // namespace
}  // namespace orrery
