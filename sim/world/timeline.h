#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/ports/component.h"

namespace orrery::sim {

/// Watches all kinds and writes down every change of every object with its time: a run event by
/// event. Decides nothing.
class Timeline final : public Component {
 public:
  explicit Timeline(const Env& env);
  std::unique_ptr<Component> clone(const Env& env) const override;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

  /// A JSON object on each line, in the order of the writes: {"t": virtual seconds since the start,
  /// "type": "ADDED" | "MODIFIED" | "DELETED", "object": as the API server shows it}.
  std::string text() const;

 private:
  Lanes* lanes_;
  Api* api_;
  LaneId lane_;
  Time start_;
  std::map<std::pair<int64_t, Str>, std::string> lines_;  // by revision; a transaction may write several
  std::vector<WatchEvent> arrived_;
};

}  // namespace orrery::sim
