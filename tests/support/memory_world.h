#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "engine/ports/component.h"
#include "tests/support/controller_world.h"

namespace orrery::test {

/// A world for one controller, in which time passes when the test says so: objects in memory, each
/// write visible at once, timers that run in order. The events that the controller reports are
/// kept; the Event objects that it would write are not.
class MemoryWorld final : public ControllerWorld {
 public:
  void put(api::Object object);
  /// In the API, but the controller's caches do not hear of it.
  void put_unseen(const api::Object& object);
  /// Called with each object whose status the controller writes.
  void watch_status_writes(std::function<void(const api::Object&)> see) { see_status_ = see; }
  void remove(const api::KindDesc& kind, const Str& ns, const Str& name);
  template <typename T>
  T get(const Str& ns, const Str& name) const {
    return objects_.at({T::descriptor().kind, ns, name}).template get<T>();
  }
  const api::Object* find(const api::KindDesc& kind, const Str& ns, const Str& name) const;
  template <typename Fn>
  void for_each(const api::KindDesc& kind, Fn fn) const {
    for (const auto& [key, object] : objects_)
      if (std::get<0>(key) == &kind) fn(object);
  }

  /// From hold() to release() the controller hears of nothing.
  void hold() { settling_ = true; }
  void release();
  /// Runs timers that are due before `at` (with `including`: or at it), then the clock is there.
  void run_until(Time at, bool including);
  /// Deletions so far: key -> when. Pods with a node are gone at once, as if their grace were 0.
  const std::map<Str, Time>& deleted() const { return deleted_; }
  std::vector<Str> take_deletions() { return std::exchange(deletions_, {}); }
  /// "Type Reason Message" of events since the last take.
  std::vector<std::string> take_events() { return std::exchange(events_, {}); }

  // Timers
  TimerId arm(LaneId, Time at, const Event& event) override;
  bool cancel(TimerId timer) override;
  // Api
  void call(Ticket ticket, ApiRequest request) override;
  WatchId watch(LaneId lane, const WatchSpec& spec) override;
  // SyncObserver
  void on_event(const SyncEvent& event) override;
  void on_requeue(const Str&, Duration) override {}
  void on_finished(const Str&, const Status&) override {}

  void set_now(Time now) { now_ = now; }

 private:
  using Key = std::tuple<const api::KindDesc*, Str, Str>;
  struct Timer {
    Time at;
    uint64_t id;
    Event event;
    bool operator<(const Timer& other) const {
      return std::tie(at, id) < std::tie(other.at, other.id);
    }
  };
  void deliver(const api::KindDesc& kind, const WatchEvent& event);
  void settle() override;
  ApiResponse answer(const ApiRequest& request);
  ApiResponse patched(const ApiRequest& request, const api::Object& stored);
  ApiResponse updated(const ApiRequest& request, const api::Object& stored);

  bool settling_ = false;
  int64_t revision_ = 0;
  std::map<Key, api::Object> objects_;
  std::set<Timer> timers_;
  uint64_t last_timer_ = 0;
  std::map<Str, Time> deleted_;
  std::vector<Str> deletions_;
  std::vector<std::string> events_;
  std::function<void(const api::Object&)> see_status_;
};

}  // namespace orrery::test
