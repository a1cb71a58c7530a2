#include "realmode/http/connection.h"

#include <algorithm>
#include <utility>

#include "realmode/http/http1_session.h"
#include "realmode/http/http2_session.h"

namespace orrery::realmode {
namespace {

constexpr int kDiscardsInARow = 8;

}  // namespace

Connection::Connection(ConnectionOwner* owner, int fd, const TlsServer* tls,
                       std::string remote_address)
    : owner_(owner),
      channel_(fd, tls),
      remote_address_(std::move(remote_address)),
      deadline_(owner->now() + to_millis(owner->limits().handshake_timeout)) {
  owner_->poller().watch(fd, this, true, false);
}

Connection::~Connection() {
  if (session_ != nullptr) session_->abandon();
}

void Connection::on_ready(const Poller::Ready& ready) {
  if (state_ == State::kHandshake) shake();
  if (state_ == State::kOpen && ready.writable) blocked_ = false;
  if (state_ == State::kOpen && ready.readable) read_on();
  // The end behind input that nobody wants to read would be reported for ever.
  if (state_ == State::kOpen && (ready.broken || (ready.ended && !wants_input()))) close();
  if (state_ == State::kLingering) discard();
  flush();
}

void Connection::shake() {
  const IoResult result = channel_.handshake();
  if (result == IoResult::kOk) {
    subject_ = channel_.subject();
    state_ = State::kOpen;
    deadline_ = kNever;
    if (channel_.protocol() == "h2") {
      session_ = std::make_unique<Http2Session>(this);
    } else if (channel_.secure()) {
      session_ = std::make_unique<Http1Session>(this);
    } else {
      deadline_ = now() + to_millis(limits().head_timeout);
    }
    more_input_ = channel_.secure();
    if (more_input_) read_on();
  } else if (result != IoResult::kBlocked) {
    close();
  }
}

void Connection::open_session(std::string_view bytes) {
  // Without TLS, HTTP/2 is known by its first bytes ("prior knowledge").
  first_ += bytes;
  const size_t seen = std::min(first_.size(), kHttp2Preface.size());
  const bool maybe = std::string_view(first_).substr(0, seen) == kHttp2Preface.substr(0, seen);
  if (maybe && seen < kHttp2Preface.size()) return;
  if (maybe) {
    session_ = std::make_unique<Http2Session>(this);
  } else {
    session_ = std::make_unique<Http1Session>(this);
  }
  deadline_ = kNever;
  const std::string all = std::move(first_);
  session_->on_bytes(all);
}

void Connection::take(std::string_view bytes) {
  if (session_ == nullptr) return open_session(bytes);
  session_->on_bytes(bytes);
}

bool Connection::wants_input() const {
  return session_ == nullptr || (!session_->over() && session_->wants_input());
}

void Connection::read_on() {
  // Bounded by the session: it stops wanting input after a request, or ends the connection.
  more_input_ = false;
  while (state_ == State::kOpen) {
    if (!wants_input()) {
      more_input_ = true;
      return;
    }
    size_t got = 0;
    switch (channel_.read(owner_->scratch(), ConnectionOwner::kScratchBytes, &got, &more_input_)) {
      case IoResult::kOk:
        take({owner_->scratch(), got});
        if (!more_input_) return;
        break;
      case IoResult::kBlocked:
        return;
      case IoResult::kEnd:
        if (session_ == nullptr) return close();
        session_->on_end();
        return;
      case IoResult::kFailed:
        return close();
    }
  }
}

bool Connection::send_output() {
  const bool was_empty = output_.empty();
  while (!output_.empty() && !blocked_) {
    size_t sent = 0;
    switch (channel_.write(output_.front(), &sent)) {
      case IoResult::kOk:
        output_.pop(sent);
        write_deadline_ = now() + to_millis(limits().write_timeout);
        break;
      case IoResult::kBlocked:
        blocked_ = true;
        if (write_deadline_ == kNever) write_deadline_ = now() + to_millis(limits().write_timeout);
        break;
      default:
        close();
        return false;
    }
  }
  if (output_.empty()) write_deadline_ = kNever;
  if (!was_empty) session_->on_sent();
  return true;
}

void Connection::flush() {
  if (state_ == State::kOpen && session_ != nullptr) {
    do {
      session_->produce();
      if (!send_output()) return;
      // Reading may have stopped because of what has now been sent, or by its own bound.
      if (more_input_ && wants_input()) read_on();
      if (state_ != State::kOpen) return;
      session_->produce();
    } while (!output_.empty() && !blocked_);
    if (session_->over() && output_.empty()) finish();
  }
  update_interest();
}

void Connection::finish() {
  if (!session_->lingers()) return close();
  channel_.finish_sending();
  state_ = State::kLingering;
  deadline_ = now() + to_millis(limits().linger_timeout);
  discard();
}

void Connection::discard() {
  // Closing with unread input would reset the connection and could take the answer with it.
  for (int i = 0; i < kDiscardsInARow; ++i) {
    size_t got = 0;
    bool more = false;
    const IoResult result =
        channel_.read(owner_->scratch(), ConnectionOwner::kScratchBytes, &got, &more);
    if (result == IoResult::kBlocked) return;
    if (result != IoResult::kOk) return close();
  }
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  if (!output_.empty()) channel_.reset_on_close();
  if (session_ != nullptr) session_->abandon();
  output_.clear();
  owner_->poller().forget(channel_.fd());
  owner_->closed(this);
}

void Connection::on_tick() {
  const bool patient = session_ != nullptr && session_->patient();
  if (now() >= deadline_ || (now() >= write_deadline_ && !patient)) close();
  if (state_ == State::kOpen && session_ != nullptr) session_->on_tick();
  flush();
}

void Connection::shut_down() {
  if (state_ == State::kHandshake || session_ == nullptr) return close();
  if (state_ == State::kOpen) session_->shut_down();
  flush();
}

void Connection::update_interest() {
  if (state_ == State::kClosed) return;
  const bool open = state_ == State::kOpen;
  const bool read = !open || wants_input();
  const bool write =
      open ? !output_.empty() && blocked_ : state_ == State::kHandshake && channel_.wants_write();
  if (read != reading_ || write != writing_)
    owner_->poller().change(channel_.fd(), this, read, write);
  reading_ = read;
  writing_ = write;
}

uint64_t Connection::announce(HttpRequest request, int32_t stream) {
  request.remote_address = remote_address_;
  request.certificate_common_name = subject_.common_name;
  request.certificate_organizations = subject_.organizations;
  return owner_->announce(this, std::move(request), stream);
}

}  // namespace orrery::realmode
