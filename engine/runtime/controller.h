#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/component.h"
#include "engine/runtime/event_recorder.h"
#include "engine/runtime/informer.h"
#include "engine/runtime/replayed_sync.h"
#include "engine/runtime/work_queue.h"

namespace orrery {

struct ControllerOptions {
  int workers = 5;  // concurrent syncs
  bool events = true;
  RetryLimits retries;
  /// Requests of this controller: `client_burst` at once, then client_qps per second; 0: no limit.
  /// (kube-controller-manager's default is 20, burst 30.)
  double client_qps = 0;
  int client_burst = 0;
  /// Watches of what a controller needs only now and then begin when it is needed first. No
  /// difference in outcome where a world begins empty; a controller that may be restarted among
  /// objects of an earlier life must see all from its start.
  bool lazy_watches = false;
};

/// Sees what the syncs of a controller do (tests, metrics); decides nothing.
class SyncObserver {
 public:
  virtual ~SyncObserver() = default;
  virtual void on_event(const SyncEvent& event) = 0;
  virtual void on_requeue(const Str& key, Duration delay) = 0;
  virtual void on_finished(const Str& key, const Status& status) = 0;
};

/// A controller without its types: one lane, informers, a work queue, up to `workers` syncs in
/// flight, each for another key. Syncs begin when all informers are synced. Derive from
/// Reconciler (below).
class Controller : public Component {
 public:
  void handle(const Ctx& ctx, const Event& event) final;
  LaneId lane() const final { return lane_; }

  void enqueue(const Str& key);
  /// A sync of `key` now, past the queue. Requires a free worker, and `key` not in a sync.
  void sync_now(const Ctx& ctx, const Str& key);
  void set_observer(SyncObserver* observer) { observer_ = observer; }
  size_t syncs_in_flight() const { return workers_.size() - free_workers_.size(); }
  uint64_t syncs_finished() const { return syncs_finished_; }

 protected:
  /// `name` is the lane's, and the user's: "system:serviceaccount:kube-system:NAME". Events name
  /// `event_source`, "" for the same name. Source: Kubernetes v1.32 pkg/controller, v1.EventSource
  /// of each controller's recorder.
  Controller(const Env& env, std::string_view name, const ControllerOptions& options,
             std::string_view event_source);
  Controller(const Controller&) = default;
  /// After copying: the ports of the world that the copy belongs to.
  void rebind(const Env& env);

  /// To be called in the constructor; the answer is the number that on_change() gets.
  size_t add_informer(WatchSpec spec, std::vector<Informer::IndexFn> indexes = {});
  /// With lazy_watches, one that begins when need() asks for it; syncs wait until it is synced
  /// then.
  size_t add_lazy_informer(WatchSpec spec, std::vector<Informer::IndexFn> indexes = {});
  void need(size_t number);
  const Informer& informer(size_t number) const { return informers_[number]; }
  const Env& env() const { return env_; }
  bool all_synced() const;

  void enqueue_after(const Str& key, Duration delay);
  void enqueue_rate_limited(const Str& key);
  uint32_t failures(const Str& key) const { return queue_.failures(key); }
  void forget(const Str& key) { queue_.forget(key); }
  /// A request whose answer nobody waits for.
  void send_and_forget(ApiRequest request);
  void report(Time now, const SyncEvent& event);

  /// First timer argument, and first bit pattern of kUser events, that are free for derived
  /// classes.
  static constexpr uint32_t kFirstTimerArg = 16;

  /// The cache of an informer has changed: enqueue what has to be looked at again.
  virtual void on_change(const Ctx& ctx, size_t informer, const Change& change) = 0;
  virtual void on_start(const Ctx&) {}
  /// A watch that is none of an informer has events to drain.
  virtual void on_own_watch(const Ctx&, WatchId) {}
  /// Timers with arg >= kFirstTimerArg, and kUser events.
  virtual void on_event(const Ctx&, const Event&) {}
  /// A sync has ended. By default: success forgets the key's failures, failure tries it again after
  /// the back-off.
  virtual void on_finished(const Ctx& ctx, const Str& key, const Status& status);

  /// For Reconciler: inputs of the worker's sync are captured, dropped; the sync is run.
  virtual void gather_into(size_t worker, const Ctx& ctx, const Str& key) = 0;
  virtual Status run_sync(size_t worker, WriteLog& log) = 0;
  virtual void drop_inputs(size_t worker) = 0;

 private:
  struct Worker {
    Str key;
    WriteLog log;
    bool from_queue = true;
  };
  struct Held {
    Ticket ticket;
    ApiRequest request;
    bool is_event = false;
  };
  void start_informers();
  void on_watch(const Ctx& ctx, WatchId watch);
  void on_timer(const Ctx& ctx, const Event& event);
  void on_done(const Ctx& ctx, const Event& event);
  void on_work(const Ctx& ctx);
  void begin(const Ctx& ctx, const Str& key, bool from_queue);
  void run(const Ctx& ctx, size_t worker);
  void flush_effects(const Ctx& ctx, size_t worker);
  void finish(const Ctx& ctx, size_t worker, const Status& status);
  /// False: it waits for the client's rate.
  bool send(Ticket ticket, ApiRequest request, bool is_event = false);
  void send_events();
  void schedule_work();

  Env env_;
  LaneId lane_;
  Str user_;
  bool lazy_watches_;
  std::vector<Informer> informers_;
  std::vector<uint32_t> lazy_;  // numbers of lazy informers that nothing has needed yet
  WorkQueue<Str> queue_;
  std::vector<Worker> workers_;
  std::vector<uint32_t> free_workers_;  // the lowest number is used first
  EventRecorder recorder_;
  TokenBucket client_;
  Slab<Held> held_;  // requests that wait for the client's rate
  // Events give way to other requests: one of them waits for the rate, the others for it.
  std::deque<ApiRequest> events_;
  bool event_waits_ = false;
  bool work_posted_ = false;
  uint64_t syncs_finished_ = 0;
  SyncObserver* observer_ = nullptr;
  std::vector<Change> changes_;  // kept for its memory only
};

/// The base of controllers. A sync is `gather` once, then `sync` as often as answers come in (see
/// WriteLog): sequential code, plain state.
///
///     class FooController final : public Reconciler<FooController, FooInputs> {
///      protected:
///       void on_change(const Ctx&, size_t informer, const Change&) override;   // -> enqueue(key)
///       FooInputs gather(const Ctx&, const Str& key) override;                 // from the caches
///       Status sync(const FooInputs&, WriteLog&) override;
///     };
///
/// Inputs: copyable; holds object references and `now`.
template <typename Self, typename Inputs>
class Reconciler : public Controller {
 public:
  std::unique_ptr<Component> clone(const Env& env) const final {
    auto copy = std::make_unique<Self>(static_cast<const Self&>(*this));
    static_cast<Reconciler&>(*copy).rebind(env);
    return copy;
  }

 protected:
  Reconciler(const Env& env, std::string_view name, const ControllerOptions& options,
             std::string_view event_source = {})
      : Controller(env, name, options, event_source),
        inputs_(static_cast<size_t>(options.workers)) {}

  virtual Inputs gather(const Ctx& ctx, const Str& key) = 0;
  virtual Status sync(const Inputs& inputs, WriteLog& log) = 0;

 private:
  void gather_into(size_t worker, const Ctx& ctx, const Str& key) final {
    inputs_[worker] = gather(ctx, key);
  }
  Status run_sync(size_t worker, WriteLog& log) final { return sync(inputs_[worker], log); }
  void drop_inputs(size_t worker) final { inputs_[worker] = Inputs(); }

  std::vector<Inputs> inputs_;
};

}  // namespace orrery
