#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace orrery::realmode {

/// Looks names up as the system does, on threads of its own: a look-up may take seconds. The threads
/// are made with the first name.
class Resolver {
 public:
  static constexpr int kThreads = 4;
  /// What a name stands for: the first address, numeric; "": nothing, and why.
  struct Answer {
    uint64_t id;
    std::string address;
    std::string error;
  };
  /// `answered` is called on a thread of the resolver when there is something to collect.
  explicit Resolver(std::function<void()> answered) : answered_(std::move(answered)) {}
  ~Resolver();

  void ask(uint64_t id, std::string host);
  /// All answers since the last call.
  std::vector<Answer> collect();

 private:
  void run();

  std::function<void()> answered_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<uint64_t, std::string>> questions_;
  std::vector<Answer> answers_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace orrery::realmode
