#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/ports/http.h"

namespace orrery::realmode {

/// Reads one HTTP/1 answer (RFC 9112) of another server, strictly as Http1Parser does; interim
/// answers but 101 are passed over.
///
///   kHead -> kSwitched | kDone | kCounted | kUntilEnd | kChunkSize <-> kChunkData .. -> kDone
///   kFailed from anywhere
class Http1Response {
 public:
  enum class State : uint8_t {
    kHead,
    kCounted,
    kUntilEnd,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailer,
    kDone,
    kSwitched,  // 101: what follows is not HTTP
    kFailed
  };
  /// `head_only`: the answer to HEAD.
  Http1Response(bool head_only, size_t head_bytes_max)
      : head_only_(head_only), head_bytes_max_(head_bytes_max) {}

  /// Reads on; the number of bytes used. What belongs to the body is put behind `body`. Stops at
  /// the end of the head and at the end of the answer.
  size_t feed(std::string_view bytes, std::string* body);
  /// The peer sends no more.
  void on_end();

  State state() const { return state_; }
  bool head_done() const { return state_ != State::kHead && state_ != State::kFailed; }
  bool done() const { return state_ == State::kDone; }
  bool failed() const { return state_ == State::kFailed; }
  /// head_done(): code and fields, names in lower case.
  const HttpResponse& head() const { return head_; }

 private:
  bool take_line(std::string_view bytes, size_t* used);
  bool on_line(std::string_view line);
  bool on_status_line(std::string_view line);
  bool on_field(std::string_view line);
  bool on_head_end();
  bool on_chunk_size(std::string_view line);
  size_t take_body(std::string_view bytes, std::string* body);

  const bool head_only_;
  const size_t head_bytes_max_;
  State state_ = State::kHead;
  std::string line_;
  size_t head_bytes_ = 0;
  HttpResponse head_{.code = 0, .headers = {}, .body = {}};
  bool chunked_ = false, counted_ = false;
  uint64_t left_ = 0;
};

}  // namespace orrery::realmode
