#include <benchmark/benchmark.h>

#include <deque>
#include <unordered_set>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/api_requests.h"
#include "engine/runtime/controller.h"
#include "sim/kernel/kernel.h"
#include "tests/support/scripted_api.h"

namespace orrery {
namespace {

constexpr int kKeys = 1000;

std::vector<Str> make_keys() {
  std::vector<Str> keys;
  for (int i = 0; i < kKeys; ++i) keys.push_back(Str(str_cat("default/object-", i)));
  return keys;
}

/// A queue as one would write it first: a deque and two hash sets.
struct PlainQueue {
  std::deque<Str> order;
  std::unordered_set<Str> dirty, processing;
  void add(const Str& key) {
    if (dirty.insert(key).second && !processing.contains(key)) order.push_back(key);
  }
  Str get() {
    Str key = order.front();
    order.pop_front();
    dirty.erase(key);
    processing.insert(key);
    return key;
  }
  void done(const Str& key) {
    processing.erase(key);
    if (dirty.contains(key)) order.push_back(key);
  }
};

/// Each key is added twice, taken and done.
template <typename Queue>
void cycle(benchmark::State& state) {
  const std::vector<Str> keys = make_keys();
  Queue queue;
  for (auto _ : state) {
    for (const Str& key : keys) queue.add(key);
    for (const Str& key : keys) queue.add(key);
    for (int i = 0; i < kKeys; ++i) queue.done(queue.get());
  }
  state.SetItemsProcessed(state.iterations() * kKeys);
}
void work_queue(benchmark::State& state) { cycle<WorkQueue<Str>>(state); }
void work_queue_baseline(benchmark::State& state) { cycle<PlainQueue>(state); }
BENCHMARK(work_queue);
BENCHMARK(work_queue_baseline);

struct Nothing {
  Time now;
  api::Object object;
};

/// A sync that finds nothing to do.
class IdleController final : public Reconciler<IdleController, Nothing> {
 public:
  explicit IdleController(const Env& env) : Reconciler(env, "idle", {}) {
    add_informer({&kind_of<corev1::ConfigMap>(), {}, {}, {}});
  }

 protected:
  void on_change(const Ctx&, size_t, const Change&) override {}
  Nothing gather(const Ctx& ctx, const Str& key) override {
    const api::Object* found = informer(0).find(key);
    return {ctx.now, found ? *found : api::Object()};
  }
  Status sync(const Nothing&, WriteLog&) override { return Status(); }
};

/// Work queue and reconciler on the kernel: events, queue, cache look-up, sync.
void reconcile(benchmark::State& state) {
  const std::vector<Str> keys = make_keys();
  sim::Kernel kernel;
  test::ScriptedApi api(&kernel);
  IdleController controller({&kernel, &kernel, &api, Rng(1)});
  kernel.post(controller.lane(), {EventKind::kStart, 0, 0, 0});
  kernel.run();
  api.sync_all();
  kernel.run();
  for (auto _ : state) {
    for (const Str& key : keys) controller.enqueue(key);
    kernel.run();
  }
  state.SetItemsProcessed(state.iterations() * kKeys);
}
BENCHMARK(reconcile);

}  // namespace
}  // namespace orrery
