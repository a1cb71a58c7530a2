#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace orrery::realmode {

/// epoll, and a way for other threads to wake its waiter.
class Poller {
 public:
  struct Ready {
    void* who;  // nullptr: a wake
    bool readable;
    bool writable;
    bool ended;   // the peer has closed its side; reported even to those who do not read
    bool broken;  // nothing more will come or go
  };

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Level-triggered; `who` comes back in Ready. watch() the first time, change() afterwards.
  void watch(int fd, void* who, bool read, bool write);
  void change(int fd, void* who, bool read, bool write);
  void forget(int fd);
  /// Waits at most `timeout_ms` (-1: for ever).
  void wait(int timeout_ms, std::vector<Ready>& out);
  /// From any thread: wait() returns soon, also if it is called later. Cheap if already woken.
  void wake();

 private:
  int epoll_;
  int event_;
  std::atomic<bool> woken_{false};
};

}  // namespace orrery::realmode
