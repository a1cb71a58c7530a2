#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace orrery::realmode {

class Pollable;

/// epoll, and a way for other threads to wake its waiter.
class Poller {
 public:
  struct Ready {
    Pollable* who;  // nullptr: a wake
    bool readable;
    bool writable;
    bool ended;   // the peer has closed its side; reported even to those who do not read
    bool broken;  // nothing more will come or go
  };

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Level-triggered; `who` comes back in Ready. watch() the first time, change() afterwards. Without
  /// `end` the peer's end is not reported unless `read`.
  void watch(int fd, Pollable* who, bool read, bool write, bool end = true);
  void change(int fd, Pollable* who, bool read, bool write, bool end = true);
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

/// Whose descriptor is waited for.
class Pollable {
 public:
  virtual void on_ready(const Poller::Ready& ready) = 0;

 protected:
  ~Pollable() = default;
};

}  // namespace orrery::realmode
