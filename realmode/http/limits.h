#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/time.h"

namespace orrery::realmode {

/// What one peer, and all peers together, may cost. Every bound of the HTTP front is here; tests
/// shorten the times.
struct HttpLimits {
  size_t head_bytes = 64 << 10;       // request line and fields; beyond: 431
  size_t head_fields = 256;           // beyond: 431
  size_t body_bytes = 3 << 20;        // as kube-apiserver v1.32 (MaxRequestBodyBytes); beyond: 413
  size_t bodies_bytes = 256 << 20;    // of all bodies being received together; beyond: 503
  size_t pipelined_bytes = 64 << 10;  // read ahead of an answer; beyond: the peer must wait
  size_t connections = 10'000;        // beyond: closed at once
  size_t stream_queue_bytes = 16 << 20;  // unsent bytes of a stream; beyond: it is cut
  size_t all_queues_bytes = 512 << 20;   // of all streams together; beyond: who writes is cut
  size_t forward_queue_bytes = 256 << 10;  // waiting for either side of a forward; then it is not read
  size_t kept_answer_bytes = 64 << 10;     // HttpForward::keep_failures; the rest is dropped
  size_t gzip_bytes = 128 << 10;         // as kube-apiserver v1.32 (defaultGzipThresholdBytes)
  // Pieces of streams sent in a second, and at once after a pause. A change that thousands watch makes
  // a send for each; beyond the bound streams wait for their turn, and what is written meanwhile goes
  // along. A send costs about 15 us: the bound is a third of a core.
  size_t stream_sends_per_second = 22'000;
  size_t stream_sends_at_once = 2'000;
  double goaway_chance = 0;  // of an HTTP/2 answer to be the last: the peer is to connect again
  uint32_t http2_streams = 250;          // of one connection at a time, as net/http2 of Go
  Duration handshake_timeout = Duration::seconds(10);
  Duration head_timeout = Duration::seconds(10);   // from the first byte of a head to its last
  Duration body_timeout = Duration::seconds(60);   // from the head to the last byte of the body
  Duration idle_timeout = Duration::seconds(90);   // between requests of a connection
  Duration write_timeout = Duration::seconds(30);  // output waits and the peer takes not a byte
  Duration connect_timeout = Duration::seconds(30);  // to another server, each of TCP and TLS
  Duration linger_timeout = Duration::seconds(1);  // for the peer to read an error before the reset
};

}  // namespace orrery::realmode
