#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/str.h"
#include "engine/base/time.h"
#include "engine/runtime/backoff.h"

namespace orrery::control {

/// Nodes of one zone that wait to be tainted, at most so many a second. A node that was added stays
/// known, and is not added again, until it is removed. Plain copyable state.
/// Kubernetes v1.32 pkg/controller/nodelifecycle/scheduler, RateLimitedTimedQueue.
class TaintQueue {
 public:
  explicit TaintQueue(double rate) : limiter_(rate) {}

  void add(const Str& node, Time now);
  void remove(const Str& node);
  /// fn(node) answers whether it is done with; if not it is asked again after `retry`. Called for
  /// the nodes whose turn it is, as long as the rate allows.
  template <typename Fn>
  void run(Time now, Duration retry, Fn fn) {
    while (!waiting_.empty() && limiter_.try_accept(now) && waiting_.front().due <= now) {
      const Entry first = waiting_.front();
      waiting_.erase(waiting_.begin());
      if (!fn(first.node)) insert({first.node, now + retry + Duration::nanos(1)});
    }
  }
  /// When run() could do something next; Time::max() if never as things are.
  Time due(Time now) const;
  void set_rate(double rate, Time now);
  /// Nodes per second; 0: none.
  double rate() const { return limiter_.rate; }

 private:
  struct Entry {
    Str node;
    Time due;
  };
  struct Limiter {
    explicit Limiter(double nodes_per_second);
    bool try_accept(Time now) { return rate > 0 && bucket.try_take(now); }
    double rate;
    TokenBucket bucket;
  };
  void insert(const Entry& entry);

  std::vector<Entry> waiting_;  // by due, then in order of arrival
  std::vector<Str> known_;      // sorted
  Limiter limiter_;
};

}  // namespace orrery::control
