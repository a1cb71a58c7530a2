#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "tests/support/controller_world.h"
#include "tests/support/recorded_store.h"

namespace orrery::test {

/// Plays recorded sequences ({"key", "steps": [{now, set, del, inject}]}) to a real controller:
/// each step brings its caches up to date, then runs exactly one sync of the key. The harness is
/// the controller's world: nothing runs by itself, delayed re-queues are only recorded.
class ControllerHarness final : public ControllerWorld {
 public:
  /// What the step did, in the form of the recordings: writes, events, requeueAfter, error.
  api::Json run_step(const api::Json& step, const Str& key,
                     const std::function<void()>& caches_caught_up);

  int64_t newest_known_version() const { return store_.newest_known_version(); }

  // Timers
  TimerId arm(LaneId, Time, const Event&) override { return TimerId{++timers_}; }
  bool cancel(TimerId) override { return true; }
  // Api
  void call(Ticket ticket, ApiRequest request) override;
  // SyncObserver
  void on_event(const SyncEvent& event) override;
  void on_requeue(const Str&, Duration delay) override { requeues_.push_back(delay); }
  void on_finished(const Str&, const Status& status) override { outcome_ = status; }

 private:
  void deliver(const api::KindDesc* kind, WatchEvent event);
  /// Handles what is posted, except work: only the harness starts syncs.
  void settle() override;

  RecordedStore store_;
  std::vector<api::Json> events_;
  std::vector<Duration> requeues_;
  Status outcome_;
  uint64_t timers_ = 0;
};

/// "" if the recorded case ends as it should, else the first difference. `make` builds the
/// controller in the given world; `caught_up` is told before each sync that the caches have seen
/// all that the controller expects. The syncs are of `key`, by default of the recording's.
struct ControllerUnderTest {
  std::unique_ptr<Controller> controller;
  std::function<void()> caught_up = [] {};
};
std::string play_recorded(const api::Json& recorded,
                          const std::function<ControllerUnderTest(const Env&)>& make,
                          const Str& key = Str());

}  // namespace orrery::test
