#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/http.h"

namespace orrery::realmode {

/// HttpClient over libcurl: HTTPS only, TLS 1.2 or newer, HTTP/1.1. The peer must prove its host
/// name or IP address with a certificate of the call's bundle (then of no other authority) or of
/// the system's. Connections are kept for later calls with the same bundle. Redirects are not
/// followed, proxies of the environment are not used, answers above kAnswerBytesMax fail. One
/// thread serves all calls.
class CurlHttpClient final : public HttpClient {
 public:
  static constexpr size_t kAnswerBytesMax = 3 << 20;
  static constexpr long kConnectionsMax = 256;  // at a time; further calls wait
  static constexpr long kConnectionsPerHostMax = 64;

  explicit CurlHttpClient(Lanes* lanes);
  /// Calls under way end without an outcome.
  ~CurlHttpClient() override;

  void call(Ticket ticket, HttpCall call) override;
  HttpCallOutcome take(uint64_t handle) override;

 private:
  struct Transfer;
  void run();
  void begin_new();
  void finish(void* easy, int code);

  Lanes* lanes_;
  void* multi_;       // CURLM
  std::mutex mutex_;  // the next three
  bool stopping_ = false;
  std::vector<std::unique_ptr<Transfer>> fresh_;
  Slab<HttpCallOutcome> outcomes_;
  std::unordered_map<void*, std::unique_ptr<Transfer>>
      transfers_;  // by easy handle; the thread's own
  std::thread thread_;
};

}  // namespace orrery::realmode
