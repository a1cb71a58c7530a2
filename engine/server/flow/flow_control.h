#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/gen/flowcontrolv1.h"
#include "engine/ports/api.h"
#include "engine/server/flow/fair_queues.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// API priority and fairness: which requests run, which wait, which are refused. FlowSchemas say to
/// which priority level a request belongs; a level has seats, and fair queues for what finds none.
///
/// A level's nominal seats are its share of all seats; the part that it lends others may use while
/// it does not (at most as much as they may borrow), the rest is always kept for it. Where
/// Kubernetes moves seats every ten seconds after what was asked for, here the first who asks has a
/// free one. Source: Kubernetes v1.32 apiserver/pkg/util/flowcontrol.
class FlowControl {
 public:
  struct Options {
    int seats = 600;  // --max-requests-inflight + --max-mutating-requests-inflight
    Duration wait_max = Duration::seconds(15);  // in a queue: a quarter of --request-timeout
  };
  enum class Verdict : uint8_t { kRun, kWait, kRefused };

  struct Level;
  struct Schema;
  /// What one request holds, from arrive() to leave(). Kept by whoever keeps the request.
  struct Ticket {
    enum class State : uint8_t { kNone, kWaiting, kRunning };
    State state = State::kNone;
    int seats = 0;
    uint32_t queue = 0;
    uint64_t id = 0;
    Level* level = nullptr;
    Schema* schema = nullptr;
    Time started;
    Str schema_uid, level_uid;  // for the headers of the answer
  };

  explicit FlowControl(Options options);
  ~FlowControl();
  FlowControl(FlowControl&&) noexcept;

  static bool watches(const api::KindDesc& kind);
  /// FlowSchemas and PriorityLevelConfigurations; `fresh` null: deleted.
  void on_change(const api::KindDesc& kind, const api::Object& old, const api::Object& fresh);

  /// A request has come; it wants `seats` (1 or more; a level with fewer gives all that it has).
  /// The ticket tells its schema and level whatever the verdict. kWait: next() will name `id`.
  Verdict arrive(uint64_t id, const RequestInfo& request, const ApiUser& user, int seats, Time now,
                 Ticket& ticket);
  /// The request is over, whether it has run, waits or was refused; twice is no harm.
  void leave(Ticket& ticket, Time now);
  /// A waiting request that may run now: it has its seats, and begin() is to be called with its
  /// ticket. nullopt: nobody who waits can run.
  std::optional<uint64_t> next(Time now);
  void begin(Ticket& ticket, Time now);
  /// True if somebody waits.
  bool anyone_waits() const { return waiting_ > 0; }
  /// When the first of those who wait has waited long enough; nullopt if nobody waits.
  std::optional<Time> patience_ends();
  /// One who has waited too long: no longer in a queue, to be refused. nullopt: nobody.
  std::optional<uint64_t> out_of_patience(Time now);

  /// apiserver_flowcontrol_... as Prometheus text.
  std::string metrics() const;

 private:
  struct Deadline {
    Time at;
    uint64_t id;
  };
  void rebuild();
  void share_out(int shares);
  Schema* classify(const RequestInfo& request, const ApiUser& user);
  bool fits(const Level& level, int seats) const;
  static void hold(Ticket& ticket);
  void take(Level& level, int seats);
  void give_back(Level& level, int seats);

  Options options_;
  std::map<Str, api::Object> schema_objects_, level_objects_;
  bool stale_ = true;  // the objects have changed since rebuild()
  std::map<Str, std::unique_ptr<Level>> levels_;
  std::map<Str, std::unique_ptr<Schema>> schemas_;
  std::vector<Schema*> in_order_;  // as they are tried
  /// Seats that are used or kept for their level; with those that may be lent, never above
  /// options_.seats.
  int reserved_ = 0;
  int total_ = 0;
  size_t waiting_ = 0;
  std::map<uint64_t, Ticket*> tickets_;  // of those who wait
  std::deque<Deadline> deadlines_;       // of those who wait or have waited, in order
};

}  // namespace orrery::server
