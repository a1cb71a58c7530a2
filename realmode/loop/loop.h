#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/ports/lanes.h"
#include "realmode/loop/steady_time.h"

namespace orrery::realmode {

/// Lanes and timers under the wall clock. Every function may be called from any thread: adapters
/// (sockets, gRPC, files) post from theirs, and never run a handler there.
///
/// One worker runs all lanes, events in the order in which they were posted. That is a promise, not
/// an economy: components of one process call each other's ports directly (a controller calls
/// Server::call), so lanes that share a port must share a worker. A process that wants more cores
/// makes more loops and joins them by posting.
///
/// now() is nanoseconds since 1970 and never goes back (SteadyTime over CLOCK_BOOTTIME: a suspended
/// machine's timers are due when it wakes).
class Loop final : public Lanes, public Timers {
 public:
  Loop();
  /// Stops and joins the worker of start(); no handler runs afterwards.
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Lanes
  LaneId open(std::string_view name, LaneHandler* handler) override;
  /// Waits until the lane's running handler, if any, has returned (unless called from a handler).
  void close(LaneId lane) override;
  void post(LaneId lane, const Event& event) override;
  void charge(LaneId, Duration) override {}

  // Timers
  Time now() const override;
  TimerId arm(LaneId lane, Time at, const Event& event) override;
  bool cancel(TimerId timer) override;

  /// The calling thread becomes the worker until stop(); returns at once if that came before.
  void run();
  /// A thread of the loop's own becomes the worker.
  void start();
  /// The worker returns after the handler that it is in; what is pending waits for the next run()
  /// or start(). From a handler, or from the thread that called start(), which then waits for it.
  void stop();
  /// Runs the next event on the calling thread, waiting for one until `limit`; false if none came.
  /// Not while run() or start() has a worker.
  bool step(Time limit);

 private:
  struct Lane {
    std::string name;
    LaneHandler* handler = nullptr;  // nullptr: closed
  };
  struct Pending {
    LaneId lane;
    Event event;
    uint64_t timer = 0;  // 0: posted
  };
  struct Armed {
    Time at;
    LaneId lane;
    Event event;
  };
  bool next(std::unique_lock<std::mutex>& lock, Time limit, Pending* pending);
  void move_due_timers();
  void execute(std::unique_lock<std::mutex>& lock, const Pending& pending);

  mutable std::mutex clock_mutex_;
  mutable SteadyTime time_;

  mutable std::mutex mutex_;  // all below
  std::condition_variable wake_;
  std::condition_variable idle_;  // a handler has returned
  std::vector<Lane> lanes_;
  std::deque<Pending> ready_;
  std::unordered_map<uint64_t, Armed> timers_;    // until they run or are cancelled
  std::set<std::pair<Time, uint64_t>> schedule_;  // of those not in ready_ yet
  uint64_t next_timer_ = 1;
  LaneId running_;
  std::thread::id worker_;  // of the running handler
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace orrery::realmode
