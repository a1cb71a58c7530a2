#include "engine/sched/scheduling_queue.h"

namespace orrery::sched {
namespace {

constexpr Duration kUnschedulableMax = Duration::minutes(5);
constexpr Duration kBackoffPeriod = Duration::seconds(1);
constexpr Duration kUnschedulablePeriod = Duration::seconds(30);

// The first tick of a loop that began at `start` that is not before `at`.
Time next_tick(Time start, Duration period, Time at) {
  const int64_t since = at.ns - start.ns;
  const int64_t ticks = since <= 0 ? 0 : (since + period.ns - 1) / period.ns;
  return start + period * ticks;
}

}  // namespace

Duration SchedulingQueue::backoff_of(int32_t attempts) const {
  if (attempts == 0) return {};
  Duration d = initial_backoff_;
  for (int32_t i = 1; i < attempts && d < max_backoff_; ++i) d = d * 2;
  return d < max_backoff_ ? d : max_backoff_;
}

void SchedulingQueue::insert(const Str& key, Entry entry, Where where, Time now) {
  entry.where = where;
  ++sequence_;
  if (where == Where::kActive) {
    entry.active_key = {entry.pod.info.cls->priority, entry.pod.timestamp, sequence_};
    active_.emplace(entry.active_key, key);
  } else if (where == Where::kBackoff) {
    entry.order = {entry.pod.timestamp + backoff_of(entry.pod.attempts), sequence_};
    backoff_.emplace(entry.order, key);
  } else {
    entry.order = {now, sequence_};
    unschedulable_.emplace(entry.order, key);
  }
  pods_[key] = std::move(entry);
}

void SchedulingQueue::take_out(const Str&, Entry& entry) {
  if (entry.where == Where::kActive) active_.erase(entry.active_key);
  else if (entry.where == Where::kBackoff) backoff_.erase(entry.order);
  else unschedulable_.erase(entry.order);
}

void SchedulingQueue::add(const PodInfo& pod, bool gated, Time now) {
  Entry entry;
  entry.pod.info = pod;
  entry.pod.added = entry.pod.timestamp = now;
  entry.pod.gated = gated;
  insert(api::object_key(pod.object.meta()), std::move(entry), gated ? Where::kUnschedulable : Where::kActive, now);
}

void SchedulingQueue::update(const PodInfo& pod, bool gated, bool helps, Time now) {
  const Str key = api::object_key(pod.object.meta());
  const auto it = pods_.find(key);
  if (it == pods_.end()) return add(pod, gated, now);
  const bool was_gated = it->second.pod.gated;
  const bool reorder = it->second.pod.info.cls->priority != pod.cls->priority;
  it->second.pod.info = pod;
  it->second.pod.gated = gated;
  if (was_gated && !gated) it->second.pod.added = now;
  if (it->second.where == Where::kUnschedulable && !gated && (was_gated || helps)) return requeue(key, now);
  if (it->second.where == Where::kActive && (reorder || gated)) {
    Entry entry = it->second;
    take_out(key, it->second);
    insert(key, std::move(entry), gated ? Where::kUnschedulable : Where::kActive, now);
  }
}

void SchedulingQueue::remove(const Str& key) {
  const auto it = pods_.find(key);
  if (it == pods_.end()) return;
  take_out(key, it->second);
  pods_.erase(it);
}

bool SchedulingQueue::pop(Time now, QueuedPod* out) {
  if (active_.empty()) return false;
  const Str key = active_.begin()->second;
  Entry& entry = pods_.at(key);
  *out = std::move(entry.pod);
  take_out(key, entry);
  pods_.erase(key);
  ++out->attempts;
  if (out->attempts == 1) out->initial_attempt = now;
  out->rejected_by.clear();
  return true;
}

void SchedulingQueue::add_unschedulable(QueuedPod pod, Time now) {
  const Str key = api::object_key(pod.info.object.meta());
  Entry entry;
  entry.pod = std::move(pod);
  entry.pod.timestamp = now;
  const Where where = entry.pod.rejected_by.empty() ? Where::kBackoff : Where::kUnschedulable;
  insert(key, std::move(entry), where, now);
}

// To the active queue, or to back off first.
void SchedulingQueue::requeue(const Str& key, Time now) {
  Entry entry = pods_.at(key);
  take_out(key, pods_.at(key));
  const bool backs_off = entry.pod.timestamp + backoff_of(entry.pod.attempts) > now;
  insert(key, std::move(entry), backs_off ? Where::kBackoff : Where::kActive, now);
}

void SchedulingQueue::flush(Time now) {
  while (!backoff_.empty() && backoff_.begin()->first.first <= now) {
    const Str key = backoff_.begin()->second;
    Entry entry = pods_.at(key);
    take_out(key, pods_.at(key));
    insert(key, std::move(entry), Where::kActive, now);
  }
  std::vector<Str> old;
  for (const auto& [order, key] : unschedulable_) {
    if (order.first + kUnschedulableMax >= now) break;
    if (!pods_.at(key).pod.gated) old.push_back(key);
  }
  for (const Str& key : old) requeue(key, now);
}

Time SchedulingQueue::next_flush(Time start) const {
  Time next = Time::max();
  if (!backoff_.empty()) next = next_tick(start, kBackoffPeriod, backoff_.begin()->first.first);
  for (const auto& [order, key] : unschedulable_) {
    if (pods_.at(key).pod.gated) continue;
    const Time due = next_tick(start, kUnschedulablePeriod, order.first + kUnschedulableMax + Duration::nanos(1));
    if (due < next) next = due;
    break;
  }
  return next;
}

}  // namespace orrery::sched
