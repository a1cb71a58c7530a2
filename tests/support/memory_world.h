#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/component.h"
#include "engine/runtime/controller.h"

namespace orrery::test {

/// A world for one controller, in which time passes when the test says so: objects in memory, each
/// write visible at once, timers that run in order. The events that the controller reports are
/// kept; the Event objects that it would write are not.
class MemoryWorld final : public Lanes, public Timers, public Api, public SyncObserver {
 public:
  Env env() { return {this, this, this, Rng(1)}; }
  /// Starts the controller; its caches are synced. To be called once.
  void attach(Controller& controller);

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

  // Lanes
  LaneId open(std::string_view, LaneHandler*) override { return LaneId{0}; }
  void close(LaneId) override {}
  void post(LaneId, const Event& event) override { posted_.push_back(event); }
  void charge(LaneId, Duration) override {}
  // Timers
  Time now() const override { return now_; }
  TimerId arm(LaneId, Time at, const Event& event) override;
  bool cancel(TimerId timer) override;
  // Api
  void call(Ticket ticket, ApiRequest request) override;
  ApiResponse take(uint64_t handle) override { return outcomes_.take(handle); }
  WatchId watch(LaneId lane, const WatchSpec& spec) override;
  void drain(WatchId watch, std::vector<WatchEvent>& out) override;
  void unwatch(WatchId) override {}
  const api::KindDesc* find_kind(std::string_view version, std::string_view kind) const override {
    return api::find_kind(version, kind);
  }
  std::vector<const api::KindDesc*> served_kinds() const override { return {}; }
  api::Object cached(const api::KindDesc&, const Str&, const Str&) const override { return {}; }
  // SyncObserver
  void on_event(const SyncEvent& event) override;
  void on_requeue(const Str&, Duration) override {}
  void on_finished(const Str&, const Status&) override {}

  void set_now(Time now) { now_ = now; }

 private:
  using Key = std::tuple<const api::KindDesc*, Str, Str>;
  struct Watch {
    const api::KindDesc* kind;
    std::vector<WatchEvent> pending;
  };
  struct Timer {
    Time at;
    uint64_t id;
    Event event;
    bool operator<(const Timer& other) const {
      return std::tie(at, id) < std::tie(other.at, other.id);
    }
  };
  void deliver(const api::KindDesc& kind, const WatchEvent& event);
  void settle();
  ApiResponse answer(const ApiRequest& request);
  ApiResponse patched(const ApiRequest& request, const api::Object& stored);
  ApiResponse updated(const ApiRequest& request, const api::Object& stored);

  Controller* controller_ = nullptr;
  Time now_;
  bool settling_ = false;
  int64_t revision_ = 0;
  std::map<Key, api::Object> objects_;
  std::vector<Watch> watches_;
  std::set<Timer> timers_;
  uint64_t last_timer_ = 0;
  std::vector<Event> posted_;
  Slab<ApiResponse> outcomes_;
  std::map<Str, Time> deleted_;
  std::vector<Str> deletions_;
  std::vector<std::string> events_;
  std::function<void(const api::Object&)> see_status_;
};

}  // namespace orrery::test
