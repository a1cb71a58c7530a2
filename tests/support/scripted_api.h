#pragma once

#include <functional>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/api.h"

namespace orrery::test {

/// An Api whose answers the test writes: calls are recorded and answered by `answer` (success
/// with the request's object by default); watch events are what the test delivers.
class ScriptedApi : public Api {
 public:
  explicit ScriptedApi(Lanes* lanes) : lanes_(lanes) {}
  /// For a copy: the lanes of its world.
  void rebind(Lanes* lanes) { lanes_ = lanes; }

  void call(Ticket ticket, ApiRequest request) override {
    calls.push_back(request);
    ApiResponse response = answer(std::move(request));
    const uint64_t handle = outcomes_.put(std::move(response));
    lanes_->post(ticket.lane, {EventKind::kDone, 0, ticket.op, handle});
  }
  ApiResponse take(uint64_t handle) override { return outcomes_.take(handle); }
  WatchId watch(LaneId lane, const WatchSpec& spec) override {
    watches_.push_back({lane, spec, {}});
    return WatchId{watches_.size()};
  }
  void drain(WatchId watch, std::vector<WatchEvent>& out) override {
    auto& pending = watches_[watch.value - 1].pending;
    out.insert(out.end(), pending.begin(), pending.end());
    pending.clear();
  }
  void unwatch(WatchId watch) override { watches_[watch.value - 1].spec.kind = nullptr; }
  const api::KindDesc* find_kind(std::string_view version, std::string_view kind) const override {
    return api::find_kind(version, kind);
  }
  std::vector<const api::KindDesc*> served_kinds() const override { return {}; }
  api::Object cached(const api::KindDesc&, const Str&, const Str&) const override { return {}; }

  /// To the newest watch of the event's kind.
  void deliver(WatchEventType type, const api::Object& object) {
    deliver_to(object.kind(), {type, object, Status()});
  }
  void deliver_to(const api::KindDesc* kind, WatchEvent event) {
    for (size_t i = watches_.size(); i > 0; --i) {
      Watch& watch = watches_[i - 1];
      if (watch.spec.kind != kind) continue;
      watch.pending.push_back(std::move(event));
      if (watch.pending.size() == 1) lanes_->post(watch.lane, {EventKind::kWatch, 0, i, 0});
      return;
    }
  }
  /// kSynced to all watches.
  void sync_all() {
    for (const Watch& watch : std::vector<Watch>(watches_))
      deliver_to(watch.spec.kind, {WatchEventType::kSynced, {}, Status()});
  }
  size_t watches() const { return watches_.size(); }

  std::vector<ApiRequest> calls;
  std::function<ApiResponse(ApiRequest)> answer = [](ApiRequest request) {
    ApiResponse response;
    response.object = std::move(request.object);
    return response;
  };

 private:
  struct Watch {
    LaneId lane;
    WatchSpec spec;
    std::vector<WatchEvent> pending;
  };
  Lanes* lanes_;
  Slab<ApiResponse> outcomes_;
  std::vector<Watch> watches_;
};

}  // namespace orrery::test
