#pragma once

#include <string>
#include <vector>

#include "engine/base/slab.h"
#include "engine/runtime/controller.h"

namespace orrery::test {

/// What the worlds of one controller have in common: its lane, its clock and its watches.
class ControllerWorld : public Lanes, public Timers, public Api, public SyncObserver {
 public:
  Env env() { return {this, this, this, Rng(1)}; }
  /// Starts the controller; its caches are synced. To be called once.
  void attach(Controller& controller);

  // Lanes: what is posted waits for settle().
  LaneId open(std::string_view, LaneHandler*) override { return LaneId{0}; }
  void close(LaneId) override {}
  void post(LaneId, const Event& event) override { posted_.push_back(event); }
  void charge(LaneId, Duration) override {}
  // Timers
  Time now() const override { return now_; }
  // Api
  ApiResponse take(uint64_t handle) override { return outcomes_.take(handle); }
  WatchId watch(LaneId lane, const WatchSpec& spec) override;
  void drain(WatchId watch, std::vector<WatchEvent>& out) override;
  void unwatch(WatchId) override {}
  const api::KindDesc* find_kind(std::string_view version, std::string_view kind) const override {
    return api::find_kind(version, kind);
  }
  std::vector<const api::KindDesc*> served_kinds() const override { return {}; }
  api::Object cached(const api::KindDesc&, const Str&, const Str&) const override { return {}; }

 protected:
  struct Watch {
    const api::KindDesc* kind;
    std::vector<WatchEvent> pending;
  };
  /// Handles what is posted.
  virtual void settle() = 0;

  Controller* controller_ = nullptr;
  Time now_;
  std::vector<Watch> watches_;
  std::vector<Event> posted_;
  Slab<ApiResponse> outcomes_;
};

}  // namespace orrery::test
