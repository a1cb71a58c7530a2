#pragma once

#include <string>

#include "realmode/http/http1_parser.h"
#include "realmode/http/session.h"

namespace orrery::realmode {

/// HTTP/1.1 (and 1.0) on a connection: one exchange at a time, in order; what the peer sends ahead
/// waits, up to HttpLimits::pipelined_bytes.
///
///   kReading -> kWaiting (announced) -> kReading | kStreaming -> kReading
///                                    -> kTunnel -> kOver;  kOver from anywhere
class Http1Session final : public Session {
 public:
  explicit Http1Session(SessionHost* host);
  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_sent() override;
  void respond(int32_t stream, HttpResponse response) override;
  void begin_stream(int32_t stream, HttpResponse head) override;
  void write(int32_t stream, std::string piece) override;
  void end_stream(int32_t stream) override;
  void cut(int32_t stream) override;
  void shut_down() override;
  void on_tick() override;
  bool wants_input() const override;
  bool over() const override { return state_ == State::kOver; }
  bool patient() const override { return patient_; }
  bool lingers() const override { return lingers_; }
  void abandon() override;

 private:
  enum class State : uint8_t { kReading, kWaiting, kStreaming, kTunnel, kOver };
  void read_on();
  void check_body();
  void announce();
  void refuse(int code, std::string_view why);
  void begin_tunnel(HttpResponse head);
  void finish_exchange();
  void release_body();

  SessionHost* host_;
  Http1Parser parser_;
  State state_ = State::kReading;
  std::string ahead_;  // bytes of later requests
  uint64_t exchange_ = 0;
  bool head_only_ = false;  // HEAD
  bool http11_ = true;
  bool keep_alive_ = true;
  bool continued_ = false;  // 100 Continue has been sent
  bool lingers_ = false;
  bool patient_ = false;
  bool shutting_down_ = false;
  std::string websocket_key_;  // of the request
  size_t reserved_ = 0;
  Millis deadline_;
};

}  // namespace orrery::realmode
