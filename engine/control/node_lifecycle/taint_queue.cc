#include "engine/control/node_lifecycle/taint_queue.h"

#include <algorithm>

namespace orrery::control {

TaintQueue::Limiter::Limiter(double nodes_per_second) : rate(nodes_per_second) {
  // Rates are single-precision numbers there.
  if (rate > 0)
    bucket =
        TokenBucket(duration_from_seconds(1.0 / static_cast<double>(static_cast<float>(rate))), 1);
}

void TaintQueue::insert(const Entry& entry) {
  const auto at = std::upper_bound(waiting_.begin(), waiting_.end(), entry,
                                   [](const Entry& a, const Entry& b) { return a.due < b.due; });
  waiting_.insert(at, entry);
}

void TaintQueue::add(const Str& node, Time now) {
  const auto at = std::lower_bound(known_.begin(), known_.end(), node);
  if (at != known_.end() && *at == node) return;
  known_.insert(at, node);
  insert({node, now});
}

void TaintQueue::remove(const Str& node) {
  const auto at = std::lower_bound(known_.begin(), known_.end(), node);
  if (at == known_.end() || *at != node) return;
  known_.erase(at);
  std::erase_if(waiting_, [&](const Entry& entry) { return entry.node == node; });
}

Time TaintQueue::due(Time now) const {
  if (waiting_.empty() || limiter_.rate <= 0) return Time::max();
  TokenBucket later = limiter_.bucket;
  return std::max(waiting_.front().due, now + later.reserve(now));
}

void TaintQueue::set_rate(double rate, Time now) {
  // A limiter that lets nothing pass calls its rate 1 there, so this one alone does not replace it.
  const double present = limiter_.rate > 0 ? limiter_.rate : 1;
  if (static_cast<float>(present) == static_cast<float>(rate)) return;
  Limiter fresh(rate);
  // Who waited for the old one waits for the new one too.
  if (rate > 0 && !limiter_.try_accept(now)) fresh.try_accept(now);
  limiter_ = fresh;
}

}  // namespace orrery::control
