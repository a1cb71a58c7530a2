#include "realmode/loop/loop.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "engine/base/check.h"

namespace orrery::realmode {
namespace {

int64_t read_clock(clockid_t id) {
  timespec spec{};
  CHECK(clock_gettime(id, &spec) == 0) << "clock " << id;
  return int64_t{spec.tv_sec} * 1'000'000'000 + spec.tv_nsec;
}

}  // namespace

Loop::Loop() : time_(read_clock(CLOCK_BOOTTIME), read_clock(CLOCK_REALTIME)) {}

Loop::~Loop() {
  stop();
  CHECK(!thread_.joinable()) << "a loop ends in its own handler";
}

LaneId Loop::open(std::string_view name, LaneHandler* handler) {
  CHECK(handler) << name;
  const std::lock_guard lock(mutex_);
  lanes_.push_back({std::string(name), handler});
  return LaneId{static_cast<uint32_t>(lanes_.size() - 1)};
}

void Loop::close(LaneId lane) {
  std::unique_lock lock(mutex_);
  CHECK(lane.value < lanes_.size()) << lane.value;
  lanes_[lane.value].handler = nullptr;
  if (worker_ != std::this_thread::get_id()) idle_.wait(lock, [&] { return running_ != lane; });
}

void Loop::post(LaneId lane, const Event& event) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(lane.value < lanes_.size()) << lane.value;
    ready_.push_back({lane, event, 0});
  }
  wake_.notify_one();
}

Time Loop::now() const {
  const std::lock_guard lock(clock_mutex_);
  return time_.at(read_clock(CLOCK_BOOTTIME), read_clock(CLOCK_REALTIME));
}

TimerId Loop::arm(LaneId lane, Time at, const Event& event) {
  const bool due = at <= now();
  uint64_t id;
  {
    const std::lock_guard lock(mutex_);
    CHECK(lane.value < lanes_.size()) << lane.value;
    id = next_timer_++;
    timers_.emplace(id, Armed{at, lane, event});
    if (due) {
      ready_.push_back({lane, event, id});
    } else {
      schedule_.emplace(at, id);
    }
  }
  wake_.notify_one();
  return TimerId{id};
}

bool Loop::cancel(TimerId timer) {
  const std::lock_guard lock(mutex_);
  const auto found = timers_.find(timer.value);
  if (found == timers_.end()) return false;
  schedule_.erase({found->second.at, timer.value});
  timers_.erase(found);
  return true;
}

void Loop::run() {
  std::unique_lock lock(mutex_);
  Pending pending;
  while (!stopping_) {
    if (next(lock, Time::max(), &pending)) execute(lock, pending);
  }
  stopping_ = false;
}

void Loop::start() {
  CHECK(!thread_.joinable()) << "started twice";
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { run(); });
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (worker_ == std::this_thread::get_id()) return;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Loop::step(Time limit) {
  std::unique_lock lock(mutex_);
  Pending pending;
  if (!next(lock, limit, &pending)) return false;
  execute(lock, pending);
  return true;
}

void Loop::move_due_timers() {
  if (schedule_.empty()) return;
  const Time at = now();
  while (!schedule_.empty() && schedule_.begin()->first <= at) {
    const uint64_t id = schedule_.begin()->second;
    const Armed& armed = timers_.at(id);
    ready_.push_back({armed.lane, armed.event, id});
    schedule_.erase(schedule_.begin());
  }
}

bool Loop::next(std::unique_lock<std::mutex>& lock, Time limit, Pending* pending) {
  while (!stopping_) {
    move_due_timers();
    while (!ready_.empty()) {
      *pending = ready_.front();
      ready_.pop_front();
      if (pending->timer != 0 && timers_.erase(pending->timer) == 0) continue;  // cancelled
      if (lanes_[pending->lane.value].handler) return true;
    }
    const Time until = schedule_.empty() ? limit : std::min(limit, schedule_.begin()->first);
    if (until == Time::max()) {
      wake_.wait(lock);
      continue;
    }
    const Duration left = until - now();
    if (left.ns > 0) {
      wake_.wait_for(lock, std::chrono::nanoseconds(left.ns));
    } else if (until == limit) {
      return false;
    }
  }
  return false;
}

void Loop::execute(std::unique_lock<std::mutex>& lock, const Pending& pending) {
  LaneHandler* handler = lanes_[pending.lane.value].handler;
  running_ = pending.lane;
  worker_ = std::this_thread::get_id();
  lock.unlock();
  handler->handle(Ctx{now()}, pending.event);
  lock.lock();
  running_ = LaneId{};
  worker_ = std::thread::id();
  idle_.notify_all();
}

}  // namespace orrery::realmode
