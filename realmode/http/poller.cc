#include "realmode/http/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "engine/base/check.h"

namespace orrery::realmode {
namespace {

constexpr int kReadyMax = 256;

epoll_event interest(Pollable* who, bool read, bool write, bool end) {
  epoll_event event{};
  event.events = (read || end ? EPOLLRDHUP : 0u) | (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u);
  event.data.ptr = who;
  return event;
}

}  // namespace

Poller::Poller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(epoll_ >= 0 && event_ >= 0) << "no descriptors left";
  watch(event_, nullptr, true, false);
}

Poller::~Poller() {
  ::close(event_);
  ::close(epoll_);
}

void Poller::watch(int fd, Pollable* who, bool read, bool write, bool end) {
  epoll_event event = interest(who, read, write, end);
  CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) << "descriptor " << fd;
}

void Poller::change(int fd, Pollable* who, bool read, bool write, bool end) {
  epoll_event event = interest(who, read, write, end);
  CHECK(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) << "descriptor " << fd;
}

void Poller::forget(int fd) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void Poller::wait(int timeout_ms, std::vector<Ready>& out) {
  out.clear();
  std::array<epoll_event, kReadyMax> events;
  const int count = ::epoll_wait(epoll_, events.data(), kReadyMax, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const uint32_t what = events[i].events;
    if (events[i].data.ptr == nullptr) {
      // In this order: whoever finds woken_ still set has left his message before the store, and
      // the caller looks for messages after it.
      uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t got = ::read(event_, &ignored, sizeof(ignored));
      woken_.store(false, std::memory_order_seq_cst);
    }
    out.push_back({static_cast<Pollable*>(events[i].data.ptr), (what & (EPOLLIN | EPOLLRDHUP)) != 0, (what & EPOLLOUT) != 0,
                   (what & EPOLLRDHUP) != 0, (what & (EPOLLHUP | EPOLLERR)) != 0});
  }
}

void Poller::wake() {
  if (woken_.exchange(true, std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof(one));
}

}  // namespace orrery::realmode
