#include "tests/support/controller_world.h"

namespace orrery::test {

void ControllerWorld::attach(Controller& controller) {
  controller_ = &controller;
  controller.set_observer(this);
  controller.handle(Ctx{now_}, {EventKind::kStart, 0, 0, 0});
  for (size_t i = 0; i < watches_.size(); ++i) {
    watches_[i].pending.push_back({WatchEventType::kSynced, {}, Status()});
    controller.handle(Ctx{now_}, {EventKind::kWatch, 0, i + 1, 0});
  }
  settle();
}

WatchId ControllerWorld::watch(LaneId, const WatchSpec& spec) {
  watches_.push_back({spec.kind, {}});
  return WatchId{watches_.size()};
}

void ControllerWorld::drain(WatchId watch, std::vector<WatchEvent>& out) {
  for (WatchEvent& event : watches_[watch.value - 1].pending) out.push_back(std::move(event));
  watches_[watch.value - 1].pending.clear();
}

}  // namespace orrery::test
