#include "realmode/http/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <csignal>

namespace orrery::realmode {
namespace {

Resolver::Answer look_up(uint64_t id, const std::string& host) {
  Resolver::Answer answer{id, "", ""};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    answer.error = error == EAI_NONAME ? "no such host" : ::gai_strerror(error);
    return answer;
  }
  char text[NI_MAXHOST] = "";
  ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  answer.address = text;
  return answer;
}

}  // namespace

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Resolver::ask(uint64_t id, std::string host) {
  const std::lock_guard lock(mutex_);
  questions_.emplace_back(id, std::move(host));
  if (threads_.empty())
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { run(); });
  wake_.notify_one();
}

std::vector<Resolver::Answer> Resolver::collect() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void Resolver::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
    if (stopping_) return;
    const auto [id, host] = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    Answer answer = look_up(id, host);
    lock.lock();
    answers_.push_back(std::move(answer));
    answered_();
  }
}

}  // namespace orrery::realmode
