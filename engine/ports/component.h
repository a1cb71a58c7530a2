#pragma once

#include <memory>

#include "engine/base/rng.h"
#include "engine/ports/api.h"
#include "engine/ports/lanes.h"

namespace orrery {

/// What a component is given when it is made: the ports of its world. Pointers stay valid for the
/// life of the world.
struct Env {
  Lanes* lanes = nullptr;
  Timers* timers = nullptr;
  Api* api = nullptr;
  Rng rng;
};

/// A part of a cluster on one lane: a scheduler, a controller, a kubelet. Its state is plain data;
/// it changes in handle() only.
class Component : public LaneHandler {
 public:
  /// A copy of the state bound to the ports of another world, on the same lane id: the copied
  /// world goes on exactly as this one would. The caller rebinds the lane to the copy.
  virtual std::unique_ptr<Component> clone(const Env& env) const = 0;
  virtual LaneId lane() const = 0;
};

}  // namespace orrery
