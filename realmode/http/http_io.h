#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "realmode/http/compressor.h"
#include "realmode/http/connection.h"
#include "realmode/http/exchanges.h"
#include "realmode/http/forwards.h"
#include "realmode/http/http_server.h"
#include "realmode/http/listener.h"

namespace orrery::realmode {

/// The I/O thread and what it owns.
class HttpServer::Io final : public ConnectionOwner,
                             public ForwardHost,
                             public Pollable,
                             public Exchanges::Waker {
 public:
  /// Who it is to its clients (nullptr: plain), and to other servers.
  struct Tls {
    std::unique_ptr<TlsServer> server;
    std::unique_ptr<TlsClient> unverified, kubelets;
  };
  Io(Options options, Listener listener, Tls tls, Lanes* lanes);
  ~Io() override { stop(Duration()); }

  void start();
  void stop(Duration grace);
  Exchanges& exchanges() { return exchanges_; }
  Compressor& compressor() { return compressor_; }
  const Options& options() const { return options_; }
  const Listener& listener() const { return listener_; }

  // Exchanges::Waker
  void wake() override { poller_.wake(); }

  // ConnectionOwner
  const HttpLimits& limits() const override { return options_.limits; }
  Millis now() const override { return now_; }
  Poller& poller() override { return poller_; }
  char* scratch() override { return scratch_.data(); }
  void closed(Connection* connection) override { closed_.push_back(connection); }
  uint64_t announce(Connection* connection, HttpRequest request, int32_t stream) override;
  void gone(uint64_t exchange) override;
  void finished(uint64_t exchange) override { targets_.erase(exchange); }
  void queued(uint64_t exchange, size_t bytes) override { queued_.push_back({exchange, bytes}); }
  bool forwarded(uint64_t exchange) const override { return forwards_.contains(exchange); }
  void tunnelled(uint64_t exchange, std::string_view bytes) override;
  bool tunnel_wants_input(uint64_t exchange) const override;
  bool reserve_body(size_t bytes) override;
  void release_body(size_t bytes) override { bodies_ -= bytes; }

  // ForwardHost
  const TlsClient& tls_client(HttpForward::Peer peer) const override {
    return forwards_.tls_client(peer);
  }
  void resolve(Forward* forward, const std::string& host) override {
    forwards_.resolve(forward, host);
  }
  void answer_begins(uint64_t exchange, HttpResponse head) override;
  void answer_goes_on(uint64_t exchange, std::string_view bytes) override;
  void answer_ends(uint64_t exchange) override;
  void answer_breaks(uint64_t exchange) override;
  void input_wanted(uint64_t exchange) override;
  void over(Forward* forward, uint64_t exchange, HttpForwardOutcome* outcome) override;

  // Pollable: somebody knocks.
  void on_ready(const Poller::Ready&) override { accept(); }

 private:
  struct Target {
    Connection* connection;
    int32_t stream;
  };
  void run();
  int wait_ms() const;
  void accept();
  void listen(bool on);
  std::optional<Target> find(uint64_t exchange) const;
  /// The connection has something to send, or reads again.
  void list(Connection* connection);
  void flush_listed();
  void run_commands();
  void run_command(HttpCommand& command, const Target& target);
  void allow_pieces();
  void tick();
  void reap();
  bool stopping();

  Options options_;
  Listener listener_;
  std::unique_ptr<TlsServer> tls_;
  Poller poller_;
  Exchanges exchanges_;
  Compressor compressor_;
  std::thread thread_;
  std::atomic<Millis> stop_by_{kNever};

  // The I/O thread's own.
  std::vector<char> scratch_ = std::vector<char>(kScratchBytes);
  Millis now_ = 0;
  Millis next_tick_ = 0;
  bool listening_ = false;
  bool shutting_down_ = false;
  Forwards forwards_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> closed_;
  std::unordered_map<uint64_t, Target> targets_;
  std::vector<HttpCommand> commands_;
  std::vector<Connection*> to_flush_;
  std::vector<Exchanges::Queued> queued_;
  size_t bodies_ = 0;
  Millis pieces_at_ = 0;
  size_t pieces_ = 0;  // of streams that may be sent now
};

}  // namespace orrery::realmode
