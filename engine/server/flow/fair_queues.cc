#include "engine/server/flow/fair_queues.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/server/flow/flow_schema.h"

namespace orrery::server {

void FairQueues::reshape(Shape shape) {
  shape_ = shape;
  if (shape.queues > queues_.size()) queues_.resize(shape.queues);
}

uint32_t FairQueues::choose(uint64_t flow) const {
  if (shape_.queues <= 1) return 0;
  hand_.clear();
  deal_queues(flow, shape_.queues, shape_.hand, hand_);
  return *std::min_element(hand_.begin(), hand_.end(), [this](uint32_t a, uint32_t b) {
    return queues_[a].work() < queues_[b].work();
  });
}

void FairQueues::advance(Time now, int seats) {
  const int64_t passed = (now - advanced_).ns;
  advanced_ = now;
  if (active_ > 0 && passed > 0) virtual_ += passed * std::min(work_, seats) / active_;
}

void FairQueues::add_work(Queue& queue, int seats) {
  if (queue.work() == 0) {
    ++active_;
    queue.next = std::max(queue.next, virtual_);
  }
  work_ += seats;
}

void FairQueues::drop_work(Queue& queue, int seats) {
  work_ -= seats;
  if (queue.work() == 0) --active_;
}

void FairQueues::wait(uint32_t at, const Waiting& request) {
  Queue& queue = queues_[at];
  add_work(queue, request.seats);
  queue.seats_waiting += request.seats;
  queue.waiting.push_back(request);
  ++waiting_;
  chosen_.reset();
}

void FairQueues::begin(uint32_t at, int seats) {
  Queue& queue = queues_[at];
  add_work(queue, seats);
  queue.seats_in_use += seats;
  charge(queue, seats);
}

std::optional<FairQueues::Waiting> FairQueues::front() {
  if (waiting_ == 0) return std::nullopt;
  if (!chosen_) {
    int64_t best = INT64_MAX;
    for (uint32_t i = 0; i < queues_.size(); ++i) {
      const Queue& queue = queues_[i];
      if (queue.waiting.empty()) continue;
      const int64_t end = queue.next + kGuess.ns * queue.waiting.front().seats;
      if (end < best) {
        best = end;
        chosen_ = i;
      }
    }
  }
  return queues_[*chosen_].waiting.front();
}

uint32_t FairQueues::pop() {
  CHECK(chosen_) << "pop without front";
  const uint32_t at = *chosen_;
  chosen_.reset();
  Queue& queue = queues_[at];
  const int seats = queue.waiting.front().seats;
  queue.waiting.pop_front();
  --waiting_;
  queue.seats_waiting -= seats;
  queue.seats_in_use += seats;
  charge(queue, seats);
  return at;
}

void FairQueues::end(uint32_t at, int seats, Duration took) {
  Queue& queue = queues_[at];
  queue.next -= (kGuess.ns - took.ns) * seats;
  queue.seats_in_use -= seats;
  drop_work(queue, seats);
  chosen_.reset();
}

bool FairQueues::leave(uint32_t at, uint64_t id) {
  Queue& queue = queues_[at];
  const auto found = std::find_if(queue.waiting.begin(), queue.waiting.end(),
                                  [&](const Waiting& w) { return w.id == id; });
  if (found == queue.waiting.end()) return false;
  const int seats = found->seats;
  queue.waiting.erase(found);
  --waiting_;
  queue.seats_waiting -= seats;
  drop_work(queue, seats);
  chosen_.reset();
  return true;
}

}  // namespace orrery::server
