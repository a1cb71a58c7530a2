#pragma once

#include <memory>
#include <random>
#include <string>
#include <unordered_map>

#include "realmode/http/session.h"

struct nghttp2_session;

namespace orrery::realmode {

/// HTTP/2 on a connection, over nghttp2, which keeps the framing, HPACK, flow control and the rules
/// of RFC 9113; it also ends connections that flood with resets, settings, pings or continuations.
/// Here are the streams' requests and answers, their bounds and time limits.
class Http2Session final : public Session {
 public:
  explicit Http2Session(SessionHost* host);
  ~Http2Session() override;
  void on_bytes(std::string_view bytes) override;
  void on_end() override { over_ = true; }
  void produce() override;
  void respond(int32_t stream, HttpResponse response) override;
  void begin_stream(int32_t stream, HttpResponse head) override;
  void write(int32_t stream, std::string piece) override;
  void end_stream(int32_t stream) override;
  void cut(int32_t stream) override;
  void shut_down() override;
  void on_tick() override;
  bool wants_input() const override;
  bool over() const override;
  void abandon() override;

 private:
  struct Stream {
    HttpRequest request;
    std::string authority;
    size_t head_bytes = 0;
    size_t reserved = 0;
    bool expects_continue = false;
    bool head_only = false;
    bool refused = false;
    uint64_t exchange = 0;
    Millis deadline = kNever;  // of the request's last byte
    OutputQueue body;
    bool open = false;  // more of the body may come
  };
  struct Callbacks;
  friend struct Callbacks;

  Stream* find(int32_t stream);
  int on_field(Stream& stream, std::string_view name, std::string_view value);
  void on_head(int32_t id, Stream& stream, bool complete);
  void on_complete(int32_t id, Stream& stream);
  void on_data(int32_t id, Stream& stream, std::string_view bytes);
  void on_close(int32_t id);
  long read_body(Stream& stream, uint8_t* out, size_t size, uint32_t* flags);
  void refuse(int32_t id, Stream& stream, int code, std::string_view why);
  void submit(int32_t id, Stream& stream, const HttpResponse& head, bool with_body, size_t length);
  void release_body(Stream& stream);
  void perhaps_leave();

  SessionHost* host_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Stream>> streams_;
  Millis idle_since_;
  std::minstd_rand chance_;
  bool in_head_ = false;  // a header block has begun
  Millis head_deadline_ = kNever;
  bool shutting_down_ = false;
  bool leaving_ = false;  // no new streams are wanted; those that there are go on
  bool over_ = false;
};

/// What every HTTP/2 connection begins with (RFC 9113, 3.4).
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace orrery::realmode
