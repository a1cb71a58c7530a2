#pragma once

#include <map>
#include <utility>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/base/rng.h"
#include "engine/runtime/api_requests.h"
#include "sim/kernel/kernel.h"

namespace orrery::test {

/// Nodes reduced to one line: every new pod becomes Running and Ready after `delay` and up to
/// `spread` more, each at a time of its own. Pods stay unassigned, so a deletion is final at once.
class InstantKubelets final : public LaneHandler {
 public:
  InstantKubelets(sim::Kernel& kernel, Api& api, Duration delay, Duration spread)
      : kernel_(&kernel), api_(&api), delay_(delay), spread_(spread) {
    lane_ = kernel.open("kubelets", this);
    watch_ = api.watch(lane_, {&kind_of<corev1::Pod>(), {}, {}, {}});
  }
  /// A copy for another world.
  InstantKubelets(const InstantKubelets& other, sim::Kernel& kernel, Api& api)
      : InstantKubelets(other) {
    kernel_ = &kernel;
    api_ = &api;
    kernel.rebind(lane_, this);
  }

  void handle(const Ctx& ctx, const Event& event) override {
    if (event.kind == EventKind::kDone) {
      const Code code = api_->take(event.b).status.code();
      if (code == Code::kOk || code == Code::kNotFound) {
        waiting_.erase(event.a);
      } else {
        kernel_->arm(lane_, ctx.now + Duration::millis(100), {EventKind::kTimer, 0, event.a, 0});
      }
    } else if (event.kind == EventKind::kTimer) {
      start(ctx, event.a);
    } else if (event.kind == EventKind::kWatch) {
      std::vector<WatchEvent> events;
      api_->drain(watch_, events);
      for (const WatchEvent& e : events)
        if (e.type == WatchEventType::kAdded) expect(ctx, e.object);
    }
  }

 private:
  InstantKubelets(const InstantKubelets&) = default;

  void expect(const Ctx& ctx, const api::Object& pod) {
    waiting_[++last_] = pod;
    const auto more = static_cast<int64_t>(rng_.below(static_cast<uint64_t>(spread_.ns) + 1));
    kernel_->arm(lane_, ctx.now + delay_ + Duration{more}, {EventKind::kTimer, 0, last_, 0});
  }
  void start(const Ctx& ctx, uint64_t number) {
    api::Object pod = waiting_[number];
    pod.mut_meta().resource_version = Str();
    auto& status = pod.mut<corev1::Pod>().status.mut();
    status.phase = running_;
    corev1::PodCondition ready;
    ready.type = ready_;
    ready.status = true_;
    ready.last_transition_time = api::Timestamp::whole_seconds(ctx.now);
    status.conditions.push_back(ready);
    api_->call({lane_, number}, update_request(std::move(pod), "status"));
  }

  sim::Kernel* kernel_;
  Api* api_;
  LaneId lane_;
  WatchId watch_;
  Duration delay_, spread_;
  RngStream rng_{1, "starts"};
  std::map<uint64_t, api::Object> waiting_;
  uint64_t last_ = 0;
  Str running_ = "Running", ready_ = "Ready", true_ = "True";
};

}  // namespace orrery::test
