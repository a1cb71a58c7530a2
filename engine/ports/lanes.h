#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "engine/base/rng.h"
#include "engine/base/time.h"

namespace orrery {

/// A lane: a named single-threaded logical executor. All events of a lane run one after the other,
/// in the order in which they were posted for equal times.
struct LaneId {
  uint32_t value = UINT32_MAX;
  bool valid() const { return value != UINT32_MAX; }
  auto operator<=>(const LaneId&) const = default;
};

/// Where the outcome of an asynchronous call goes: an event of kind kDone with a = op on `lane`.
struct Ticket {
  LaneId lane;
  uint64_t op = 0;
};

enum class EventKind : uint32_t {
  kStart,  // once, when the component joins its world
  kTimer,  // a, b, arg as given to Timers::arm
  kDone,   // outcome of a call: a = the ticket's op, b = handle of the outcome in the port called
  kWatch,  // a watch has events to drain: a = the watch's id
  kWork,   // posted by the component to itself or by its work queue
  kUser,   // meaning agreed between poster and lane
};

/// Plain data, copied by value; what is larger stays with the port that posts it, under a handle.
struct Event {
  EventKind kind = EventKind::kUser;
  uint32_t arg = 0;
  uint64_t a = 0;
  uint64_t b = 0;
};

/// What a handler may know about the world besides its own state: frozen while the handler runs.
struct Ctx {
  Time now;
};

/// A component's entry point. Handlers run to completion: they never block, lock or sleep.
class LaneHandler {
 public:
  virtual ~LaneHandler() = default;
  virtual void handle(const Ctx& ctx, const Event& event) = 0;
};

/// Port: lanes. Simulated by sim::Kernel, real by realmode::Loop.
class Lanes {
 public:
  virtual ~Lanes() = default;
  /// A new lane; `handler` outlives it. Names need not be unique; they appear in traces only.
  virtual LaneId open(std::string_view name, LaneHandler* handler) = 0;
  /// No event reaches the handler any more; pending ones are dropped.
  virtual void close(LaneId lane) = 0;
  /// Runs after everything posted before it for the same lane. Callable from any handler.
  virtual void post(LaneId lane, const Event& event) = 0;
  /// The running handler has cost `cost` of modelled time: the lane's further events wait until
  /// now + cost. Real lanes ignore it (their cost is real).
  virtual void charge(LaneId lane, Duration cost) = 0;
};

struct TimerId {
  uint64_t value = 0;  // 0: none
  explicit operator bool() const { return value != 0; }
};

/// Port: timers.
class Timers {
 public:
  virtual ~Timers() = default;
  virtual Time now() const = 0;
  /// Posts `event` to `lane` at `at` (at once if that is past). The id stays unique for ever.
  virtual TimerId arm(LaneId lane, Time at, const Event& event) = 0;
  /// False if it has run already or is unknown; the event then is, or was, delivered.
  virtual bool cancel(TimerId timer) = 0;
};

}  // namespace orrery
