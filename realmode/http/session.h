#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "engine/ports/http.h"
#include "realmode/http/limits.h"
#include "realmode/http/output_queue.h"

namespace orrery::realmode {

/// Milliseconds of the I/O thread's steady clock.
using Millis = int64_t;
inline constexpr Millis kNever = std::numeric_limits<Millis>::max();
inline Millis to_millis(Duration duration) { return duration.ns / 1'000'000; }

/// Bytes kept free at the front of a stream's piece, so that its chunk size can be put before it
/// without moving it.
inline constexpr size_t kPieceHeadroom = 10;
/// What a session appends to a piece.
inline constexpr size_t kPieceTail = 2;

/// What a session sees of its connection and of the server. I/O thread only.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual const HttpLimits& limits() const = 0;
  virtual Millis now() const = 0;
  /// Where the session puts what is to be sent; the connection sends it after every call.
  virtual OutputQueue& output() = 0;
  /// A whole request: the exchange's id. Address and certificate are filled in by the host.
  virtual uint64_t announce(HttpRequest request, int32_t stream) = 0;
  /// The peer does not want the answer any more.
  virtual void gone(uint64_t exchange) = 0;
  /// The stream has `bytes` left that wait to be sent.
  virtual void queued(uint64_t exchange, size_t bytes) = 0;
  /// The answer is complete, the exchange's id means nothing any more.
  virtual void finished(uint64_t exchange) = 0;
  /// True if another server answers the exchange: what waits for the peer is bounded, and it may take
  /// its time.
  virtual bool forwarded(uint64_t exchange) const = 0;
  /// What the peer has sent through a tunnel; asked for only while tunnel_wants_input().
  virtual void tunnelled(uint64_t exchange, std::string_view bytes) = 0;
  virtual bool tunnel_wants_input(uint64_t exchange) const = 0;
  /// Request bodies in reception: false if all connections together hold too much.
  virtual bool reserve_body(size_t bytes) = 0;
  virtual void release_body(size_t bytes) = 0;
};

/// One protocol on one connection: turns bytes into exchanges and answers into bytes. Streams are
/// the protocol's own numbers (HTTP/1: 0).
class Session {
 public:
  virtual ~Session() = default;
  virtual void on_bytes(std::string_view bytes) = 0;
  /// The peer will send no more.
  virtual void on_end() = 0;
  /// Adds what can be sent now to the output; called again whenever the output has run low.
  virtual void produce() {}
  /// The output has been sent down to output().bytes().
  virtual void on_sent() {}

  virtual void respond(int32_t stream, HttpResponse response) = 0;
  /// With code 101 the connection becomes a tunnel (HTTP/1.1 only).
  virtual void begin_stream(int32_t stream, HttpResponse head) = 0;
  /// `piece` has kPieceHeadroom unused bytes in front.
  virtual void write(int32_t stream, std::string piece) = 0;
  virtual void end_stream(int32_t stream) = 0;
  /// Ends a stream at once without a proper end, so that the peer knows that something is missing.
  virtual void cut(int32_t stream) = 0;

  /// The server is going down: no new exchanges, streams end, the rest is still answered.
  virtual void shut_down() = 0;
  /// Called from time to time; enforces the session's own time limits.
  virtual void on_tick() = 0;
  /// False: reading would only pile up input.
  virtual bool wants_input() const = 0;
  /// Nothing is left to do once the output has been sent.
  virtual bool over() const = 0;
  /// Output may wait for the peer for as long as it likes.
  virtual bool patient() const { return false; }
  /// over(), and the peer may still be sending: it gets time to read the answer.
  virtual bool lingers() const { return false; }
  /// The connection has broken: every exchange is gone.
  virtual void abandon() = 0;
};

}  // namespace orrery::realmode
