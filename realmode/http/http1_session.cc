#include "realmode/http/http1_session.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "realmode/http/response_head.h"

namespace orrery::realmode {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Puts the chunk's size into the headroom and its end behind; where the chunk begins.
size_t frame_chunk(std::string& piece) {
  char digits[16];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof(digits), piece.size() - kPieceHeadroom, 16);
  const auto count = static_cast<size_t>(end - digits);
  const size_t begin = kPieceHeadroom - 2 - count;
  std::memcpy(piece.data() + begin, digits, count);
  std::memcpy(piece.data() + begin + count, "\r\n", 2);
  piece += "\r\n";
  return begin;
}

}  // namespace

Http1Session::Http1Session(SessionHost* host)
    : host_(host),
      parser_(host->limits()),
      deadline_(host->now() + to_millis(host->limits().head_timeout)) {}

void Http1Session::on_bytes(std::string_view bytes) {
  if (state_ == State::kOver) return;
  if (state_ == State::kTunnel) return host_->tunnelled(exchange_, bytes);
  const bool was_idle = ahead_.empty() && parser_.idle();
  ahead_ += bytes;
  if (state_ != State::kReading) return;
  if (was_idle) deadline_ = host_->now() + to_millis(host_->limits().head_timeout);
  read_on();
}

void Http1Session::read_on() {
  const bool in_head = !parser_.head_done();
  ahead_.erase(0, parser_.feed(ahead_));
  if (parser_.failed()) return refuse(parser_.error_code(), parser_.error());
  if (!parser_.head_done()) return;
  if (in_head) deadline_ = host_->now() + to_millis(host_->limits().body_timeout);
  check_body();
  if (state_ == State::kReading && parser_.done()) announce();
}

void Http1Session::check_body() {
  if (const size_t got = parser_.body_bytes(); got > reserved_) {
    if (!host_->reserve_body(got - reserved_))
      return refuse(503, "too many request bodies at once");
    reserved_ = got;
  }
  if (parser_.expects_continue() && !continued_ && !parser_.done() && parser_.body_bytes() == 0) {
    continued_ = true;
    host_->output().append(kContinue);
  }
}

void Http1Session::release_body() {
  if (reserved_ > 0) host_->release_body(reserved_);
  reserved_ = 0;
}

void Http1Session::announce() {
  release_body();
  http11_ = parser_.http11();
  keep_alive_ = keep_alive_ && parser_.keep_alive();
  head_only_ = parser_.request().method == "HEAD";
  websocket_key_ = find_header(parser_.request().headers, "sec-websocket-key");
  state_ = State::kWaiting;
  deadline_ = kNever;
  exchange_ = host_->announce(parser_.take(), 0);
}

void Http1Session::refuse(int code, std::string_view why) {
  release_body();
  const HttpResponse answer = refusal(code, why, host_->limits().body_bytes);
  host_->output().push(http1_head(answer, Framing::kLength, answer.body.size(), false));
  host_->output().append(answer.body);
  state_ = State::kOver;
  lingers_ = true;
}

void Http1Session::on_end() {
  // As net/http of Go: who closes his side has lost interest in the answer.
  abandon();
}

void Http1Session::respond(int32_t, HttpResponse response) {
  if (state_ != State::kWaiting) return;
  std::string head = http1_head(response, Framing::kLength, response.body.size(), keep_alive_);
  const bool with_body = !head_only_ && !code_without_body(response.code);
  if (with_body && response.body.size() <= 8192) head += response.body;
  const bool apart = with_body && response.body.size() > 8192;
  host_->output().push(std::move(head));
  if (apart) host_->output().push(std::move(response.body));
  finish_exchange();
}

void Http1Session::begin_stream(int32_t, HttpResponse head) {
  if (state_ != State::kWaiting) return;
  patient_ = head.code == 101 || host_->forwarded(exchange_);
  if (head.code == 101) return begin_tunnel(std::move(head));
  if (!http11_) keep_alive_ = false;
  const Framing framing = http11_ ? Framing::kChunked : Framing::kUntilClose;
  host_->output().push(http1_head(head, framing, 0, keep_alive_));
  state_ = State::kStreaming;
  if (!head.body.empty()) write(0, std::string(kPieceHeadroom, ' ') + head.body);
  if (shutting_down_ && !patient_) shut_down();
}

void Http1Session::begin_tunnel(HttpResponse head) {
  const bool websocket = http_list_has(find_header(head.headers, "upgrade"), "websocket");
  if (websocket && !websocket_key_.empty() &&
      find_header(head.headers, "sec-websocket-accept").empty())
    head.headers.emplace_back("sec-websocket-accept", websocket_accept(websocket_key_));
  host_->output().push(switching_head(head));
  host_->output().append(head.body);
  state_ = State::kTunnel;
  keep_alive_ = false;
  if (shutting_down_) return shut_down();
  const std::string ahead = std::exchange(ahead_, {});
  if (!ahead.empty()) host_->tunnelled(exchange_, ahead);
}

void Http1Session::write(int32_t, std::string piece) {
  if (state_ == State::kTunnel) return host_->output().push(std::move(piece), kPieceHeadroom);
  if (state_ != State::kStreaming || head_only_ || piece.size() == kPieceHeadroom) return;
  size_t begin = kPieceHeadroom;
  if (http11_) begin = frame_chunk(piece);
  host_->output().push(std::move(piece), begin);
}

void Http1Session::on_sent() {
  if (state_ == State::kStreaming || state_ == State::kTunnel)
    host_->queued(exchange_, host_->output().bytes());
}

void Http1Session::end_stream(int32_t) {
  if (state_ == State::kWaiting) return respond(0, HttpResponse());
  if (state_ == State::kTunnel) return finish_exchange();
  if (state_ != State::kStreaming) return;
  if (http11_ && !head_only_) host_->output().append(kLastChunk);
  finish_exchange();
}

void Http1Session::cut(int32_t) { abandon(); }

void Http1Session::finish_exchange() {
  host_->finished(exchange_);
  exchange_ = 0;
  continued_ = patient_ = false;
  if (!keep_alive_) {
    state_ = State::kOver;
    lingers_ = true;
    return;
  }
  parser_.reset();
  state_ = State::kReading;
  deadline_ = host_->now() + to_millis(ahead_.empty() ? host_->limits().idle_timeout
                                                      : host_->limits().head_timeout);
  if (!ahead_.empty()) read_on();
}

// Streams that begin after it, but answers of other servers, end as they begin.
void Http1Session::shut_down() {
  shutting_down_ = true;
  keep_alive_ = false;
  if (state_ == State::kReading && parser_.idle()) state_ = State::kOver;
  if (state_ == State::kStreaming || state_ == State::kTunnel) {
    host_->gone(exchange_);
    end_stream(0);
  }
}

void Http1Session::on_tick() {
  if (state_ != State::kReading || host_->now() < deadline_) return;
  // An idle connection is closed without a word, a request that does not come to its end with one.
  if (parser_.idle()) {
    state_ = State::kOver;
  } else {
    refuse(408, "the request took too long");
  }
}

bool Http1Session::wants_input() const {
  if (state_ == State::kTunnel) return host_->tunnel_wants_input(exchange_);
  return state_ == State::kReading || ahead_.size() < host_->limits().pipelined_bytes;
}

void Http1Session::abandon() {
  release_body();
  state_ = State::kOver;
  lingers_ = false;
  host_->output().clear();
  if (exchange_ != 0) host_->gone(std::exchange(exchange_, 0));
}

}  // namespace orrery::realmode
