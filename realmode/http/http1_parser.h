#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/ports/http.h"
#include "realmode/http/limits.h"

namespace orrery::realmode {

/// Reads HTTP/1.0 and 1.1 requests (RFC 9112), strictly: whatever two implementations might read
/// differently is an error. Refused are bare CR or LF, folded lines, blanks before the colon,
/// control characters, Content-Length twice or beside Transfer-Encoding, any transfer coding but
/// "chunked", chunk sizes that are not plain hexadecimal, and more or less than one Host.
///
///   kHead -> kBody | kChunkSize <-> kChunkData .. kTrailer -> kDone;  kFailed from anywhere
class Http1Parser {
 public:
  explicit Http1Parser(const HttpLimits& limits) : limits_(limits) {}

  /// Reads on until the request is complete or wrong; the number of bytes used. Bytes after the
  /// end of the request are not touched.
  size_t feed(std::string_view bytes);
  /// Ready for the next request.
  void reset();

  bool idle() const { return state_ == State::kHead && line_.empty() && head_bytes_ == 0; }
  bool head_done() const { return state_ != State::kHead && state_ != State::kFailed; }
  bool done() const { return state_ == State::kDone; }
  bool failed() const { return state_ == State::kFailed; }

  /// failed(): the status to answer with (400, 413, 417, 431, 501, 505), and why.
  int error_code() const { return error_code_; }
  std::string_view error() const { return error_; }

  /// head_done(): what the head says about the exchange.
  bool http11() const { return http11_; }
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }
  size_t body_bytes() const { return request_.body.size(); }
  const HttpRequest& request() const { return request_; }
  /// done(): the request; addresses and certificate are the caller's to fill in.
  HttpRequest take() { return std::move(request_); }

 private:
  enum class State : uint8_t {
    kHead,
    kBody,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailer,
    kDone,
    kFailed
  };
  bool take_line(std::string_view bytes, size_t* used);
  void on_line();
  void on_head_line(std::string_view line);
  void on_request_line(std::string_view line);
  bool set_target(std::string_view target);
  void on_field(std::string_view line);
  void on_framing_field(std::string_view name, std::string_view value);
  void on_head_end();
  void on_chunk_size(std::string_view line);
  size_t take_body(std::string_view bytes);
  void fail(int code, std::string_view why);

  const HttpLimits& limits_;
  State state_ = State::kHead;
  std::string line_;  // of head, chunk size or trailer, as far as it has come
  size_t head_bytes_ = 0;
  bool request_line_ = false;
  HttpRequest request_;
  bool http11_ = true;
  bool keep_alive_ = true;
  bool expects_continue_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  int hosts_ = 0;
  uint64_t left_ = 0;  // of the body or chunk
  int error_code_ = 0;
  std::string_view error_;
};

/// A token of RFC 9110: method and field names.
bool is_http_token(std::string_view text);
/// True if the comma-separated list has the member, whatever its case.
bool http_list_has(std::string_view list, std::string_view member);

}  // namespace orrery::realmode
