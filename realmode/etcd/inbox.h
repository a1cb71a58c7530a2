#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "engine/ports/lanes.h"

namespace orrery::realmode {

/// Where the threads of gRPC leave work for the store's lane, and the count of operations that gRPC
/// still has in hand. Every function may be called from any thread, run() from the lane only.
class Inbox {
 public:
  using Task = std::function<void()>;
  explicit Inbox(Lanes* lanes) : lanes_(lanes) {}
  void set_lane(LaneId lane) { lane_ = lane; }

  /// Runs `task` on the lane, after those pushed before it. Dropped after close().
  void push(Task task);
  void run();

  /// Around each operation of gRPC: its last callback ends with end() and touches nothing after.
  void begin();
  void end();
  /// Drops what is there and what comes; returns when no operation is under way.
  void close();

 private:
  Lanes* lanes_;
  LaneId lane_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<Task> tasks_;
  int under_way_ = 0;
  bool closed_ = false;
};

}  // namespace orrery::realmode
