#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "engine/ports/http.h"

namespace orrery::realmode {

/// The body in gzip's format, at the level that kube-apiserver v1.32 uses (1: fastest).
std::string gzip(std::string_view body);

/// A thread that compresses large answers, so that neither the lanes nor the sockets wait for it.
class Compressor {
 public:
  using Done = std::function<void(uint64_t exchange, HttpResponse response)>;
  /// `done` is called on the compressor's thread with each answer, in order.
  explicit Compressor(Done done);
  ~Compressor();
  void submit(uint64_t exchange, HttpResponse response);

 private:
  void run();
  Done done_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<uint64_t, HttpResponse>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace orrery::realmode
