#include "realmode/http/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/str.h"
#include "realmode/http/response_head.h"

namespace orrery::realmode {
namespace {

constexpr size_t kOutputHigh = 64 << 10;  // frames are made only as far as they can soon be sent
constexpr int32_t kStreamWindow = 256 << 10;  // as kube-apiserver v1.32 (resourceBody99Percentile)
constexpr int32_t kConnectionWindow = 4 << 20;
// Of streams opened and reset at once by a peer, and per second afterwards (CVE-2023-44487).
// Clients end each watch with a reset, so some are normal.
constexpr uint64_t kResetBurst = 1000;
constexpr uint64_t kResetRate = 100;
constexpr size_t kContinuationsMax = 8;  // CVE-2024-28182
constexpr size_t kSettingsMax = 32;      // entries of a SETTINGS frame
constexpr size_t kUnreadAcksMax =
    1000;  // answers to pings and settings that the peer does not read

std::string_view view(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto* n = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
  auto* v = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
  return {n, v, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

bool valid_value(std::string_view value) {
  return nghttp2_check_header_value(reinterpret_cast<const uint8_t*>(value.data()), value.size()) !=
         0;
}

}  // namespace

struct Http2Session::Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    Http2Session& session = self(user);
    auto stream = std::make_unique<Stream>();
    stream->deadline = session.host_->now() + to_millis(session.host_->limits().body_timeout);
    session.streams_[frame->hd.stream_id] = std::move(stream);
    return 0;
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                    size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                    void* user) {
    Stream* stream = self(user).find(frame->hd.stream_id);
    if (stream == nullptr || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // trailers
    return self(user).on_field(*stream, view(name, name_size), view(value, value_size));
  }
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session& session = self(user);
    session.in_head_ = false;
    const bool complete = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    Stream* stream = session.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) session.on_head(frame->hd.stream_id, *stream, complete);
    if (frame->hd.type == NGHTTP2_DATA && complete)
      session.on_complete(frame->hd.stream_id, *stream);
    return 0;
  }
  static int frame_invalid(nghttp2_session*, const nghttp2_frame*, int, void* user) {
    self(user).in_head_ = false;
    return 0;
  }
  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    if (head->type == NGHTTP2_HEADERS) self(user).in_head_ = true;
    return 0;
  }
  static int data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                  void* user) {
    if (Stream* stream = self(user).find(id)) self(user).on_data(id, *stream, view(bytes, size));
    return 0;
  }
  static int closed(nghttp2_session*, int32_t id, uint32_t, void* user) {
    self(user).on_close(id);
    return 0;
  }
  static ssize_t body(nghttp2_session*, int32_t id, uint8_t* out, size_t size, uint32_t* flags,
                      nghttp2_data_source*, void* user) {
    Stream* stream = self(user).find(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const size_t before = stream->body.bytes();
    const ssize_t got = self(user).read_body(*stream, out, size, flags);
    if (stream->open && before != stream->body.bytes())
      self(user).host_->queued(stream->exchange, stream->body.bytes());
    return got;
  }
  static nghttp2_session* make(Http2Session* session) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, begin_frame);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_received);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, frame_invalid);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, closed);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst, kResetRate);
    nghttp2_option_set_max_continuations(option, kContinuationsMax);
    nghttp2_option_set_max_settings(option, kSettingsMax);
    nghttp2_option_set_max_outbound_ack(option, kUnreadAcksMax);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_session* made = nullptr;
    CHECK(nghttp2_session_server_new2(&made, callbacks, session, option) == 0) << "out of memory";
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return made;
  }
};

Http2Session::Http2Session(SessionHost* host)
    : host_(host),
      session_(Callbacks::make(this)),
      idle_since_(host->now()),
      chance_(static_cast<uint32_t>(std::hash<const void*>()(this)) ^ static_cast<uint32_t>(host->now())) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, host->limits().http2_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(kStreamWindow)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(host->limits().head_bytes)},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

Http2Session::Stream* Http2Session::find(int32_t stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : found->second.get();
}

void Http2Session::on_bytes(std::string_view bytes) {
  if (over_) return;
  const ssize_t used = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  // A peer that breaks the protocol gets the GOAWAY that nghttp2 has queued, if it can.
  if (used < 0) {
    produce();
    over_ = true;
    return;
  }
  if (!in_head_) {
    head_deadline_ = kNever;
  } else if (head_deadline_ == kNever) {
    head_deadline_ = host_->now() + to_millis(host_->limits().head_timeout);
  }
}

void Http2Session::produce() {
  while (host_->output().bytes() < kOutputHigh) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) {
      if (size < 0) over_ = true;
      return;
    }
    host_->output().append(view(bytes, static_cast<size_t>(size)));
  }
}

int Http2Session::on_field(Stream& stream, std::string_view name, std::string_view value) {
  stream.head_bytes += name.size() + value.size() + 32;  // as RFC 9113, 6.5.2 counts
  if (stream.head_bytes > host_->limits().head_bytes ||
      stream.request.headers.size() >= host_->limits().head_fields) {
    stream.refused = true;
    return 0;
  }
  if (name == ":method") {
    stream.request.method = value;
    stream.head_only = value == "HEAD";
  } else if (name == ":path") {
    const size_t question = std::min(value.find('?'), value.size());
    stream.request.path = value.substr(0, question);
    if (question < value.size()) stream.request.query = value.substr(question + 1);
  } else if (name == ":authority") {
    stream.authority = value;
  } else if (!name.empty() && name[0] != ':') {
    if (name == "expect") stream.expects_continue = true;
    stream.request.headers.emplace_back(name, value);
  }
  return 0;
}

void Http2Session::on_head(int32_t id, Stream& stream, bool complete) {
  if (stream.exchange != 0) return;
  HttpRequest& request = stream.request;
  if (stream.refused) return refuse(id, stream, 431, "request head too large");
  // The same forms of a target as in HTTP/1; CONNECT has no path.
  const bool origin = !request.path.empty() && request.path[0] == '/';
  const bool printable = std::all_of(request.path.begin(), request.path.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!printable || !(origin || (request.path == "*" && request.method == "OPTIONS")))
    return refuse(id, stream, 400, "malformed request target");
  if (find_header(request.headers, "host").empty())
    request.headers.emplace_back("host", std::move(stream.authority));
  if (complete) return on_complete(id, stream);
  const std::string_view length = find_header(request.headers, "content-length");
  if (length.size() > 18 ||
      std::strtoull(std::string(length).c_str(), nullptr, 10) > host_->limits().body_bytes)
    return refuse(id, stream, 413, "Request entity too large");
  if (stream.expects_continue) {
    const nghttp2_nv status = field(":status", "100");
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, &status, 1, nullptr);
  }
}

void Http2Session::on_data(int32_t id, Stream& stream, std::string_view bytes) {
  if (stream.refused || stream.exchange != 0) return;
  if (stream.request.body.size() + bytes.size() > host_->limits().body_bytes)
    return refuse(id, stream, 413, "Request entity too large");
  if (!host_->reserve_body(bytes.size()))
    return refuse(id, stream, 503, "too many request bodies at once");
  stream.reserved += bytes.size();
  stream.request.body += bytes;
}

void Http2Session::on_complete(int32_t id, Stream& stream) {
  if (stream.refused || stream.exchange != 0) return;
  release_body(stream);
  stream.deadline = kNever;
  if (shutting_down_) return refuse(id, stream, 503, "the server is shutting down");
  stream.exchange = host_->announce(std::move(stream.request), id);
}

void Http2Session::release_body(Stream& stream) {
  if (stream.reserved > 0) host_->release_body(stream.reserved);
  stream.reserved = 0;
}

void Http2Session::on_close(int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const std::unique_ptr<Stream> stream = std::move(found->second);
  streams_.erase(found);
  release_body(*stream);
  if (stream->exchange != 0) host_->gone(stream->exchange);
  idle_since_ = host_->now();
}

ssize_t Http2Session::read_body(Stream& stream, uint8_t* out, size_t size, uint32_t* flags) {
  size_t copied = 0;
  while (copied < size && !stream.body.empty()) {
    const std::string_view block = stream.body.front();
    const size_t count = std::min(block.size(), size - copied);
    std::memcpy(out + copied, block.data(), count);
    stream.body.pop(count);
    copied += count;
  }
  if (stream.body.empty() && !stream.open) *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (copied == 0 && stream.open) return NGHTTP2_ERR_DEFERRED;
  return static_cast<ssize_t>(copied);
}

void Http2Session::refuse(int32_t id, Stream& stream, int code, std::string_view why) {
  stream.refused = true;
  stream.deadline = host_->now() + to_millis(host_->limits().linger_timeout);  // then it is reset
  release_body(stream);
  stream.request = HttpRequest();
  HttpResponse answer = refusal(code, why, host_->limits().body_bytes);
  const size_t length = answer.body.size();
  stream.body.push(std::move(answer.body));
  submit(id, stream, answer, true, length);
}

void Http2Session::submit(int32_t id, Stream& stream, const HttpResponse& head, bool with_body,
                          size_t length) {
  const std::string status = str_cat(head.code), size = str_cat(uint64_t{length}),
                    date = http_date();
  std::vector<nghttp2_nv> fields = {field(":status", status), field("date", date)};
  for (const auto& [name, value] : head.headers)
    if (!is_connection_field(name) && name != "date" && valid_value(value))
      fields.push_back(field(name, value));
  if (!stream.open && !code_without_body(head.code))
    fields.push_back(field("content-length", size));
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::body;
  nghttp2_submit_response(session_, id, fields.data(), fields.size(),
                          with_body ? &provider : nullptr);
  perhaps_leave();
}

// Whoever balances connections over several servers gets to choose again (--goaway-chance).
// Source: Kubernetes v1.32 apiserver/pkg/server/filters/goaway.go.
void Http2Session::perhaps_leave() {
  if (leaving_ || host_->limits().goaway_chance <= 0) return;
  static constexpr double kRange = static_cast<double>(std::minstd_rand::max()) + 1;
  if (static_cast<double>(chance_()) / kRange >= host_->limits().goaway_chance) return;
  leaving_ = true;
  nghttp2_submit_shutdown_notice(session_);
}

void Http2Session::respond(int32_t id, HttpResponse response) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->exchange == 0) return;
  host_->finished(std::exchange(stream->exchange, 0));
  stream->refused = true;  // nothing more is taken from the peer
  const size_t length = response.body.size();
  const bool with_body = !stream->head_only && !code_without_body(response.code) && length > 0;
  if (with_body) stream->body.push(std::move(response.body));
  submit(id, *stream, response, with_body, length);
}

void Http2Session::begin_stream(int32_t id, HttpResponse head) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->exchange == 0 || stream->open) return;
  stream->open = true;
  stream->body.push(std::move(head.body));
  submit(id, *stream, head, !stream->head_only, 0);
  if (!shutting_down_ || host_->forwarded(stream->exchange)) return;
  host_->gone(stream->exchange);
  end_stream(id);
}

void Http2Session::write(int32_t id, std::string piece) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->open || stream->head_only) return;
  stream->body.push(std::move(piece), kPieceHeadroom);
  nghttp2_session_resume_data(session_, id);
}

void Http2Session::end_stream(int32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  if (!stream->open) return respond(id, HttpResponse());
  stream->open = false;
  host_->finished(std::exchange(stream->exchange, 0));
  nghttp2_session_resume_data(session_, id);
}

void Http2Session::cut(int32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->body.clear();
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
}

void Http2Session::shut_down() {
  shutting_down_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  std::vector<int32_t> open;
  for (const auto& [id, stream] : streams_)
    if (stream->open) open.push_back(id);
  for (const int32_t id : open) {
    host_->gone(streams_[id]->exchange);
    end_stream(id);
  }
}

void Http2Session::on_tick() {
  const Millis now = host_->now();
  if (now >= head_deadline_) {
    over_ = true;
    return;
  }
  for (const auto& [id, stream] : streams_) {
    if (now < stream->deadline) continue;
    stream->deadline = kNever;
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }
  const Duration patience = leaving_ ? host_->limits().linger_timeout : host_->limits().idle_timeout;
  if (streams_.empty() && now - idle_since_ >= to_millis(patience))
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

bool Http2Session::wants_input() const {
  // A peer that does not read our answers is not read from either.
  return host_->output().bytes() < 4 * kOutputHigh;
}

bool Http2Session::over() const {
  if (over_) return true;
  if (shutting_down_ && streams_.empty() && nghttp2_session_want_write(session_) == 0) return true;
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

void Http2Session::abandon() {
  over_ = true;
  for (const auto& [id, stream] : streams_) {
    release_body(*stream);
    if (stream->exchange != 0) host_->gone(std::exchange(stream->exchange, 0));
  }
  streams_.clear();
}

}  // namespace orrery::realmode
