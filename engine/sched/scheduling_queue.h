#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "engine/base/time.h"
#include "engine/sched/pod_info.h"

namespace orrery::sched {

/// A pod that waits to be scheduled.
struct QueuedPod {
  PodInfo info;
  Time added;                 // when it came, or when its gates were lifted
  Time timestamp;             // when it came into the queue it is in
  Time initial_attempt;       // of the first attempt; Time{} before it
  int32_t attempts = 0;
  bool gated = false;
  std::vector<uint16_t> rejected_by;  // plugins, of the last attempt
};

/// The three queues: active (by priority, then time), backing off (by expiry), unschedulable (with
/// gated pods). Pure: time is an argument. Source: Kubernetes v1.32 backend/queue.
class SchedulingQueue {
 public:
  SchedulingQueue() = default;
  SchedulingQueue(Duration initial_backoff, Duration max_backoff) : initial_backoff_(initial_backoff), max_backoff_(max_backoff) {}

  /// A new pod: active, or unschedulable while it is gated.
  void add(const PodInfo& pod, bool gated, Time now);
  /// The pod has changed; `gated` as PreEnqueue says now. `helps`: the change may make it schedulable.
  void update(const PodInfo& pod, bool gated, bool helps, Time now);
  void remove(const Str& key);
  /// The next pod to schedule, out of the queue; false if nothing is active.
  bool pop(Time now, QueuedPod* out);
  /// Back after a failed attempt: to the unschedulable pods if plugins rejected it, else to back off.
  void add_unschedulable(QueuedPod pod, Time now);

  /// Moves those unschedulable pods for which `helps(pod)` holds to the active or backoff queue.
  template <typename Helps>
  void move(Time now, Helps helps) {
    std::vector<Str> keys;
    for (const auto& [order, key] : unschedulable_)
      if (const QueuedPod& pod = pods_.at(key).pod; !pod.gated && helps(pod)) keys.push_back(key);
    for (const Str& key : keys) requeue(key, now);
  }
  /// What is due by time: backoffs that have ended, pods unschedulable for more than 5 minutes.
  void flush(Time now);
  /// When flush() has something to do next; Time::max() if never. Whole seconds after the start for
  /// backoff, 30 s steps for unschedulable pods: the periods of the reference's loops.
  Time next_flush(Time start) const;

  size_t active() const { return active_.size(); }
  size_t backing_off() const { return backoff_.size(); }
  size_t unschedulable() const { return unschedulable_.size(); }
  bool contains(const Str& key) const { return pods_.contains(key); }
  Duration backoff_of(int32_t attempts) const;

 private:
  enum class Where : uint8_t { kActive, kBackoff, kUnschedulable };
  struct ActiveKey {
    int32_t priority;
    Time timestamp;
    uint64_t sequence;
    bool operator<(const ActiveKey& o) const {
      if (priority != o.priority) return priority > o.priority;
      if (timestamp != o.timestamp) return timestamp < o.timestamp;
      return sequence < o.sequence;
    }
  };
  struct Entry {
    QueuedPod pod;
    Where where = Where::kActive;
    ActiveKey active_key{};
    std::pair<Time, uint64_t> order{};  // in backoff_ (expiry) or unschedulable_ (since)
  };
  void insert(const Str& key, Entry entry, Where where, Time now);
  void take_out(const Str& key, Entry& entry);
  void requeue(const Str& key, Time now);

  Duration initial_backoff_ = Duration::seconds(1);
  Duration max_backoff_ = Duration::seconds(10);
  uint64_t sequence_ = 0;
  std::unordered_map<Str, Entry> pods_;
  std::map<ActiveKey, Str> active_;
  std::map<std::pair<Time, uint64_t>, Str> backoff_;
  std::map<std::pair<Time, uint64_t>, Str> unschedulable_;
};

}  // namespace orrery::sched
