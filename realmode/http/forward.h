#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/ports/http.h"
#include "realmode/http/channel.h"
#include "realmode/http/http1_response.h"
#include "realmode/http/output_queue.h"
#include "realmode/http/poller.h"
#include "realmode/http/proxied_links.h"
#include "realmode/http/relay.h"
#include "realmode/http/session.h"

namespace orrery::realmode {

class Forward;

/// What a forward sees of the server: the way to the client. I/O thread only.
class ForwardHost {
 public:
  virtual ~ForwardHost() = default;
  virtual const HttpLimits& limits() const = 0;
  virtual Millis now() const = 0;
  virtual Poller& poller() = 0;
  virtual char* scratch() = 0;  // ConnectionOwner::kScratchBytes
  /// For this kind of peer; not called for plain ones.
  virtual const TlsClient& tls_client(HttpForward::Peer peer) const = 0;
  /// Forward::on_address is called with what the name stands for, not within this call.
  virtual void resolve(Forward* forward, const std::string& host) = 0;
  /// The client's answer; see Session.
  virtual void answer_begins(uint64_t exchange, HttpResponse head) = 0;
  virtual void answer_goes_on(uint64_t exchange, std::string_view bytes) = 0;
  virtual void answer_ends(uint64_t exchange) = 0;
  virtual void answer_breaks(uint64_t exchange) = 0;
  /// The server takes what the client sends again.
  virtual void input_wanted(uint64_t exchange) = 0;
  /// To be deleted soon, but not within this call. With the outcome, unless the client has gone.
  virtual void over(Forward* forward, uint64_t exchange, HttpForwardOutcome* outcome) = 0;
};

/// One exchange handed over to another server: the connection to it, and what passes through.
///
///   kResolving -> kConnecting -> kHandshake -> kAnswer -> kTunnel -> kOver
///                                                      -> kOver
class Forward final : public Pollable {
 public:
  Forward(ForwardHost* host, uint64_t exchange, HttpForward what);
  ~Forward();

  /// Called once; does all it can at once.
  void start();
  /// `address` is numeric; "": the name stands for nothing, `error` says why.
  void on_address(const std::string& address, std::string_view error);
  void on_ready(const Poller::Ready& ready) override;
  void on_tick();

  /// From the client, once the exchange is a tunnel.
  void take_input(std::string_view bytes);
  bool wants_input() const;
  /// So much of what was given to the client waits to be sent.
  void client_has(size_t bytes);
  /// The client is not there any more. What it has sent is still sent on.
  void client_gone();
  uint64_t exchange() const { return exchange_; }

 private:
  enum class State : uint8_t { kResolving, kConnecting, kHandshake, kAnswer, kTunnel, kOver };
  void connect(const std::string& address);
  void connected();
  void shake();
  std::string request_head() const;
  void read_on(bool all);
  void take(std::string_view bytes);
  void on_head();
  void begin_tunnel(HttpResponse head);
  void begin_answer(HttpResponse head);
  void give(std::string_view bytes);
  void give_body(std::string_view bytes);
  ProxiedLinks links() const;
  void pass(Relay::Out out);
  void on_server_end();
  void finish();
  void fail(Code code, std::string why);
  void end(HttpForwardOutcome* outcome);
  void flush();
  void update_interest();
  bool reads() const;

  ForwardHost* host_;
  uint64_t exchange_;
  HttpForward what_;
  State state_ = State::kResolving;
  std::string address_;  // "10.0.0.7:10250"
  std::unique_ptr<Channel> channel_;
  Http1Response answer_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<LinkedBody> page_;  // of an answer whose links are rewritten
  OutputQueue output_;
  std::string kept_;         // of a failure that is left to the engine
  bool keeps_ = false;
  bool watched_ = false;     // the poller knows the descriptor
  bool reading_ = false, writing_ = false;  // as it knows it
  bool blocked_ = false;     // the socket takes no more
  bool begun_ = false;    // the client has a head
  bool client_gone_ = false;
  size_t client_has_ = 0;
  Millis deadline_;
};

}  // namespace orrery::realmode
