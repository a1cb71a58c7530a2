// What the kernel takes for one event of a watch: a send on each of a thousand connections of
// loopback, read at once by another process. No server that gives every stream a connection of its
// own can be below it.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "engine/base/check.h"

namespace orrery {
namespace {

constexpr int kStreams = 1000;

struct Pairs {
  std::vector<int> ours, theirs;
  ~Pairs() {
    for (const std::vector<int>* side : {&ours, &theirs})
      for (const int fd : *side) close(fd);
  }
};

void connect_pairs(Pairs& pairs) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(where);
  auto* address = reinterpret_cast<sockaddr*>(&where);
  CHECK(bind(listener, address, size) == 0 && listen(listener, kStreams) == 0) << "no listener";
  getsockname(listener, address, &size);
  for (int i = 0; i < kStreams; ++i) {
    pairs.theirs.push_back(socket(AF_INET, SOCK_STREAM, 0));
    CHECK(connect(pairs.theirs.back(), address, size) == 0) << "too few descriptors: ulimit -n";
    pairs.ours.push_back(accept(listener, nullptr, nullptr));
    const int one = 1;
    setsockopt(pairs.ours.back(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  }
  close(listener);
}

[[noreturn]] void read_all(const Pairs& pairs) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int poller = epoll_create1(0);
  for (const int fd : pairs.theirs) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
  std::vector<epoll_event> ready(128);
  std::string buffer(64 << 10, ' ');
  while (true) {
    const int count = epoll_wait(poller, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < count; ++i)
      if (recv(ready[static_cast<size_t>(i)].data.fd, buffer.data(), buffer.size(), 0) <= 0)
        _exit(0);
  }
}

/// CPU time of one send of `range` bytes, the kernel's share included.
void send_to_each_of_1000(benchmark::State& state) {
  Pairs pairs;
  connect_pairs(pairs);
  const pid_t reader = fork();
  CHECK(reader >= 0) << "fork";
  if (reader == 0) read_all(pairs);
  const std::string event(static_cast<size_t>(state.range(0)), 'e');
  for (auto _ : state)
    for (const int fd : pairs.ours) CHECK(send(fd, event.data(), event.size(), 0) > 0) << "send";
  state.SetItemsProcessed(state.iterations() * kStreams);
  kill(reader, SIGKILL);
  waitpid(reader, nullptr, 0);
}
BENCHMARK(send_to_each_of_1000)->Arg(2048)->Arg(8192);

}  // namespace
}  // namespace orrery
