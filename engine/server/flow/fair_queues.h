#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "engine/base/time.h"

namespace orrery::server {

/// The requests of one priority level that wait, in fair queues: whose flow has had less of the
/// level's seats comes first. Each queue has a virtual time at which its next request would begin
/// if all queues were served at once, in equal parts; the next request is the one that would end
/// first. A served request is guessed to take kGuess and corrected when it ends. Plain copyable
/// state. Source: Kubernetes v1.32 apiserver/pkg/util/flowcontrol/fairqueuing (README.md there
/// derives it).
class FairQueues {
 public:
  struct Shape {
    uint32_t queues = 1;
    uint32_t hand = 1;
    uint32_t length_max = 50;  // waiting requests of one queue
  };
  struct Waiting {
    uint64_t id = 0;
    int seats = 1;
    Time since;
  };

  explicit FairQueues(Shape shape) : shape_(shape), queues_(shape.queues) {}
  const Shape& shape() const { return shape_; }
  /// Queues may be added, not taken away: those who are in them have their numbers.
  void reshape(Shape shape);

  /// Of the queues that the flow may use the one with the least work.
  uint32_t choose(uint64_t flow) const;
  bool is_full(uint32_t queue) const { return queues_[queue].waiting.size() >= shape_.length_max; }
  bool empty() const { return waiting_ == 0; }
  size_t waiting() const { return waiting_; }

  /// Time goes on; `seats` is how many the level has. Before every change.
  void advance(Time now, int seats);
  void wait(uint32_t queue, const Waiting& request);
  /// A request that does not wait has begun.
  void begin(uint32_t queue, int seats);
  /// The one to be served next; nullopt if nobody waits. It stays until pop().
  std::optional<Waiting> front();
  /// It has begun; its queue.
  uint32_t pop();
  /// A served request has ended after `took`.
  void end(uint32_t queue, int seats, Duration took);
  /// A waiting request has gone. False if it does not wait there.
  bool leave(uint32_t queue, uint64_t id);

 private:
  static constexpr Duration kGuess = Duration::millis(3);
  struct Queue {
    std::deque<Waiting> waiting;
    int seats_waiting = 0, seats_in_use = 0;
    int64_t next = 0;  // virtual time, in seat nanoseconds, at which the first one would begin
    int work() const { return seats_waiting + seats_in_use; }
  };
  void add_work(Queue& queue, int seats);
  void drop_work(Queue& queue, int seats);
  void charge(Queue& queue, int seats) { queue.next += kGuess.ns * seats; }

  Shape shape_;
  std::vector<Queue> queues_;
  size_t waiting_ = 0;
  int active_ = 0;  // queues with work
  int work_ = 0;    // seats of all of it
  int64_t virtual_ = 0;
  Time advanced_;
  std::optional<uint32_t> chosen_;      // by front()
  mutable std::vector<uint32_t> hand_;  // kept for its memory
};

}  // namespace orrery::server
