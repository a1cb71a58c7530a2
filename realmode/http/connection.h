#pragma once

#include <memory>
#include <string>
#include <vector>

#include "realmode/http/channel.h"
#include "realmode/http/poller.h"
#include "realmode/http/session.h"

namespace orrery::realmode {

class Connection;

/// What connections share: the server's side of SessionHost. I/O thread only.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual const HttpLimits& limits() const = 0;
  virtual Millis now() const = 0;
  virtual Poller& poller() = 0;
  virtual char* scratch() = 0;  // kScratchBytes to read into
  /// To be deleted soon, but not within this call.
  virtual void closed(Connection* connection) = 0;
  virtual uint64_t announce(Connection* connection, HttpRequest request, int32_t stream) = 0;
  virtual void gone(uint64_t exchange) = 0;
  virtual void queued(uint64_t exchange, size_t bytes) = 0;
  virtual void finished(uint64_t exchange) = 0;
  virtual bool forwarded(uint64_t exchange) const = 0;
  virtual void tunnelled(uint64_t exchange, std::string_view bytes) = 0;
  virtual bool tunnel_wants_input(uint64_t exchange) const = 0;
  virtual bool reserve_body(size_t bytes) = 0;
  virtual void release_body(size_t bytes) = 0;
  static constexpr size_t kScratchBytes = 64 << 10;
};

/// One peer: socket, TLS, the protocol spoken, and what waits to be sent. I/O thread only.
///
///   kHandshake -> kOpen -> kLingering -> kClosed
class Connection final : public SessionHost, public Pollable {
 public:
  Connection(ConnectionOwner* owner, int fd, const TlsServer* tls, std::string remote_address);
  ~Connection() override;

  void on_ready(const Poller::Ready& ready) override;
  void on_tick();
  /// Sends what the session has, as far as the peer takes it.
  void flush();
  void shut_down();
  Session* session() { return session_.get(); }
  bool closed() const { return state_ == State::kClosed; }
  /// Waits in the owner's list for a flush.
  bool listed = false;

  // SessionHost
  const HttpLimits& limits() const override { return owner_->limits(); }
  Millis now() const override { return owner_->now(); }
  OutputQueue& output() override { return output_; }
  uint64_t announce(HttpRequest request, int32_t stream) override;
  void gone(uint64_t exchange) override { owner_->gone(exchange); }
  void queued(uint64_t exchange, size_t bytes) override { owner_->queued(exchange, bytes); }
  void finished(uint64_t exchange) override { owner_->finished(exchange); }
  bool forwarded(uint64_t exchange) const override { return owner_->forwarded(exchange); }
  void tunnelled(uint64_t exchange, std::string_view bytes) override {
    owner_->tunnelled(exchange, bytes);
  }
  bool tunnel_wants_input(uint64_t exchange) const override {
    return owner_->tunnel_wants_input(exchange);
  }
  bool reserve_body(size_t bytes) override { return owner_->reserve_body(bytes); }
  void release_body(size_t bytes) override { owner_->release_body(bytes); }

 private:
  enum class State : uint8_t { kHandshake, kOpen, kLingering, kClosed };
  void shake();
  void open_session(std::string_view first_bytes);
  bool wants_input() const;
  void read_on();
  void take(std::string_view bytes);
  bool send_output();
  void finish();
  void discard();
  void close();
  void update_interest();

  ConnectionOwner* owner_;
  Channel channel_;
  std::string remote_address_;
  CertificateSubject subject_;
  State state_ = State::kHandshake;
  std::unique_ptr<Session> session_;
  std::string first_;  // plain connections: bytes until the protocol is clear
  OutputQueue output_;
  bool blocked_ = false;  // the socket takes no more
  bool reading_ = true;   // as the poller knows it
  bool writing_ = false;
  bool more_input_ = false;  // bytes that the poller does not see
  Millis deadline_;          // of handshake or lingering
  Millis write_deadline_ = kNever;
};

}  // namespace orrery::realmode
