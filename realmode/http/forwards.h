#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "realmode/http/forward.h"
#include "realmode/http/resolver.h"

namespace orrery::realmode {

/// The forwards under way. I/O thread only.
class Forwards {
 public:
  /// `unverified` and `kubelets`: see HttpForward::Peer.
  Forwards(ForwardHost* host, std::unique_ptr<TlsClient> unverified,
           std::unique_ptr<TlsClient> kubelets);

  void begin(uint64_t exchange, HttpForward what);
  bool contains(uint64_t exchange) const { return forwards_.count(exchange) > 0; }
  bool wants_input(uint64_t exchange) const { return forwards_.at(exchange)->wants_input(); }
  void take_input(uint64_t exchange, std::string_view bytes);
  void client_has(uint64_t exchange, size_t bytes);
  void client_gone(uint64_t exchange);
  /// ForwardHost::over: it is deleted by the next reap().
  void over(uint64_t exchange, Forward* forward);
  void resolve(Forward* forward, const std::string& host);
  const TlsClient& tls_client(HttpForward::Peer peer) const;

  void take_addresses();
  void tick();
  void reap();

 private:
  ForwardHost* host_;
  std::unique_ptr<TlsClient> unverified_, kubelets_;
  std::unordered_map<uint64_t, std::unique_ptr<Forward>> forwards_;
  std::vector<std::unique_ptr<Forward>> dead_;
  std::unordered_map<Forward*, std::unique_ptr<Forward>> orphans_;  // their clients have gone
  Resolver resolver_;  // last: it ends before what it wakes
};

}  // namespace orrery::realmode
