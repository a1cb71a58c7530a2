#include "realmode/http/forward.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/str.h"
#include "realmode/http/connection.h"
#include "realmode/http/response_head.h"

namespace orrery::realmode {
namespace {

/// The socket address of a numeric address; its size, 0 if it is none.
socklen_t socket_address(const std::string& address, int port, sockaddr_storage* out) {
  auto* four = reinterpret_cast<sockaddr_in*>(out);
  if (inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<uint16_t>(port));
    return sizeof(sockaddr_in);
  }
  auto* six = reinterpret_cast<sockaddr_in6*>(out);
  if (inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) != 1) return 0;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(static_cast<uint16_t>(port));
  return sizeof(sockaddr_in6);
}

/// Of this machine, of a link, or of many.
bool is_local(const sockaddr_storage& where) {
  const auto* six = reinterpret_cast<const sockaddr_in6*>(&where);
  const uint8_t* bytes = six->sin6_addr.s6_addr;
  const bool mapped = where.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
  if (where.ss_family == AF_INET6 && !mapped)
    return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr) ||
           IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr) || IN6_IS_ADDR_MULTICAST(&six->sin6_addr);
  const auto* four = reinterpret_cast<const sockaddr_in*>(&where);
  const uint8_t* v4 = mapped ? bytes + 12 : reinterpret_cast<const uint8_t*>(&four->sin_addr);
  return v4[0] == 0 || v4[0] == 127 || v4[0] >= 224 || (v4[0] == 169 && v4[1] == 254);
}

std::string host_and_port(const std::string& host, int port) {
  const bool six = host.find(':') != std::string::npos;
  return str_cat(six ? "[" : "", host, six ? "]" : "", ":", port);
}

/// "connection refused": as Go writes errno.
std::string error_text(int error) {
  char buffer[128];
  std::string text = strerror_r(error, buffer, sizeof(buffer));
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

Forward::Forward(ForwardHost* host, uint64_t exchange, HttpForward what)
    : host_(host),
      exchange_(exchange),
      what_(std::move(what)),
      answer_(what_.method == "HEAD", host->limits().head_bytes),
      relay_(make_relay(what_)),
      deadline_(host->now() + to_millis(host->limits().connect_timeout)) {}

Forward::~Forward() {
  if (watched_) host_->poller().forget(channel_->fd());
}

void Forward::start() {
  sockaddr_storage ignored{};
  if (socket_address(what_.host, what_.port, &ignored) > 0) return connect(what_.host);
  host_->resolve(this, what_.host);
}

void Forward::on_address(const std::string& address, std::string_view error) {
  if (state_ != State::kResolving) return;
  if (address.empty())
    return fail(Code::kServiceUnavailable, str_cat("dial tcp: lookup ", what_.host, ": ", error));
  connect(address);
}

void Forward::connect(const std::string& address) {
  sockaddr_storage where{};
  const socklen_t size = socket_address(address, what_.port, &where);
  address_ = host_and_port(address, what_.port);
  if (what_.public_only && is_local(where)) return fail(Code::kBadRequest, "address not allowed");
  const int fd = ::socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail(Code::kServiceUnavailable, str_cat("dial tcp ", address_, ": ", error_text(errno)));
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  const bool failed = ::connect(fd, reinterpret_cast<sockaddr*>(&where), size) != 0;
  const int error = errno;
  const bool secure = what_.peer != HttpForward::Peer::kPlain;
  const bool verify = what_.peer == HttpForward::Peer::kKubelet;
  ssl_st* session =
      secure ? host_->tls_client(what_.peer).connect(fd, what_.host, verify) : nullptr;
  channel_ = std::make_unique<Channel>(fd, session);
  state_ = State::kConnecting;
  if (failed && error != EINPROGRESS)
    return fail(Code::kServiceUnavailable,
                str_cat("dial tcp ", address_, ": connect: ", error_text(error)));
  update_interest();
}

void Forward::on_ready(const Poller::Ready& ready) {
  if (state_ == State::kConnecting) connected();
  if (state_ == State::kHandshake) shake();
  if (ready.writable) blocked_ = false;
  if (state_ == State::kAnswer || state_ == State::kTunnel) {
    flush();
    // The rest of what a broken connection holds can be had only now.
    if (ready.readable || ready.broken) read_on(ready.broken);
  }
  update_interest();
}

void Forward::connected() {
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(channel_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    return fail(Code::kServiceUnavailable,
                str_cat("dial tcp ", address_, ": connect: ", error_text(error)));
  sockaddr_storage peer{};
  size = sizeof(peer);
  if (::getpeername(channel_->fd(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  state_ = State::kHandshake;
  deadline_ = host_->now() + to_millis(host_->limits().connect_timeout);
}

void Forward::shake() {
  const IoResult result = channel_->handshake();
  if (result == IoResult::kBlocked) return;
  if (result != IoResult::kOk) return fail(Code::kServiceUnavailable, channel_->failure());
  state_ = State::kAnswer;
  deadline_ = kNever;
  output_.push(request_head());
  output_.push(std::move(what_.body));
}

std::string Forward::request_head() const {
  const std::string_view host = find_header(what_.headers, "host");
  std::string out = str_cat(what_.method, " ", what_.target, " HTTP/1.1\r\nHost: ",
                            host.empty() ? host_and_port(what_.host, what_.port) : std::string(host), "\r\n");
  for (const auto& [name, value] : what_.headers) {
    const bool passes = name != "host" && (name == "upgrade" || !is_connection_field(name));
    if (passes) str_append(out, str_cat(name, ": ", value, "\r\n"));
  }
  const bool upgrades = what_.tunnel != HttpForward::Tunnel::kNone;
  if (!what_.body.empty() || what_.method == "POST" || what_.method == "PUT" || what_.method == "PATCH")
    str_append(out, str_cat("Content-Length: ", uint64_t{what_.body.size()}, "\r\n"));
  return str_cat(out, "Connection: ", upgrades ? "Upgrade" : "close", "\r\n\r\n");
}

void Forward::read_on(bool all) {
  bool more = true;
  while (more && (state_ == State::kAnswer || state_ == State::kTunnel) && (all || reads())) {
    size_t got = 0;
    switch (channel_->read(host_->scratch(), ConnectionOwner::kScratchBytes, &got, &more)) {
      case IoResult::kOk:
        take({host_->scratch(), got});
        more = more || all;
        break;
      case IoResult::kBlocked:
        return;
      default:
        return on_server_end();
    }
  }
}

void Forward::take(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::kOver) {
    if (state_ == State::kTunnel) {
      Relay::Out out;
      if (relay_ == nullptr) return give(bytes);
      relay_->from_server(bytes, out);
      return pass(std::move(out));
    }
    std::string body;
    const bool in_head = !answer_.head_done();
    bytes.remove_prefix(answer_.feed(bytes, &body));
    if (answer_.failed())
      return fail(Code::kServiceUnavailable, "malformed HTTP response");
    if (in_head && answer_.head_done()) on_head();
    if (keeps_) {
      kept_.append(body, 0, host_->limits().kept_answer_bytes - kept_.size());
    } else {
      give_body(body);
    }
    if (answer_.done() && state_ != State::kOver) return finish();
  }
}

void Forward::on_head() {
  HttpResponse head = answer_.head();
  if (answer_.state() == Http1Response::State::kSwitched) {
    if (what_.tunnel == HttpForward::Tunnel::kNone)
      return fail(Code::kServiceUnavailable, "unexpected switch of protocols");
    return begin_tunnel(std::move(head));
  }
  keeps_ = what_.keep_failures && (head.code < 200 || head.code > 206);
  if (keeps_) return;
  if (!what_.answer_headers.empty()) head.headers = what_.answer_headers;
  if (!what_.seen_behind.empty()) {
    rewrite_head(links(), &head.headers);
    if (what_.method != "HEAD") page_ = LinkedBody::of(head.headers, links());
  }
  begin_answer(std::move(head));
}

ProxiedLinks Forward::links() const {
  return {what_.seen_behind, host_and_port(what_.host, what_.port), std::string(find_header(what_.headers, "host"))};
}

void Forward::begin_answer(HttpResponse head) {
  begun_ = true;
  host_->answer_begins(exchange_, std::move(head));
}

void Forward::give(std::string_view bytes) {
  if (bytes.empty() || state_ == State::kOver) return;
  client_has_ += bytes.size();
  host_->answer_goes_on(exchange_, bytes);
}

void Forward::give_body(std::string_view bytes) {
  if (page_ == nullptr || bytes.empty()) return give(bytes);
  std::string page;
  if (!page_->feed(bytes, &page)) return fail(Code::kServiceUnavailable, "malformed body");
  give(page);
}

void Forward::begin_tunnel(HttpResponse head) {
  state_ = State::kTunnel;
  if (relay_ != nullptr) {
    head.headers = {{"upgrade", "websocket"}};
    if (!what_.subprotocol.empty())
      head.headers.emplace_back("sec-websocket-protocol", what_.subprotocol);
  }
  begin_answer(std::move(head));
  if (relay_ == nullptr || state_ == State::kOver) return;
  Relay::Out out;
  relay_->begin(out);
  pass(std::move(out));
}

void Forward::pass(Relay::Out out) {
  output_.push(std::move(out.to_server));
  give(out.to_client);
  if (state_ == State::kOver) return;
  if (out.over) return finish();
  flush();
}

void Forward::take_input(std::string_view bytes) {
  if (state_ != State::kTunnel) return;
  if (relay_ == nullptr) {
    output_.append(bytes);
    flush();
  } else {
    Relay::Out out;
    relay_->from_client(bytes, out);
    pass(std::move(out));
  }
  update_interest();
}

bool Forward::wants_input() const {
  return state_ == State::kTunnel && output_.bytes() < host_->limits().forward_queue_bytes;
}

void Forward::client_has(size_t bytes) {
  const bool before = reads();
  client_has_ = bytes;
  if (before || !reads()) return;
  // Bytes that TLS has decrypted already are not reported by the poller.
  read_on(false);
  update_interest();
}

bool Forward::reads() const {
  return !client_gone_ && client_has_ < host_->limits().forward_queue_bytes;
}

void Forward::on_server_end() {
  if (state_ == State::kTunnel) {
    Relay::Out out;
    if (relay_ != nullptr) relay_->server_ended(out);
    give(out.to_client);
    return finish();
  }
  answer_.on_end();
  if (answer_.done()) return finish();
  fail(Code::kServiceUnavailable, "EOF");
}

void Forward::finish() {
  if (state_ == State::kOver) return;
  HttpForwardOutcome outcome;
  if (keeps_) {
    outcome.failure = answer_.head();
    outcome.failure.body = std::move(kept_);
  } else {
    std::string rest;
    if (page_ != nullptr && !page_->end(&rest)) return fail(Code::kServiceUnavailable, "malformed body");
    give(rest);
    outcome.answered = answer_.head().code;
    host_->answer_ends(exchange_);
  }
  end(&outcome);
}

void Forward::fail(Code code, std::string why) {
  if (state_ == State::kOver) return;
  HttpForwardOutcome outcome;
  if (begun_) {
    outcome.answered = answer_.head().code;
    host_->answer_breaks(exchange_);
  } else {
    outcome.status = Status(code, std::move(why));
  }
  end(&outcome);
}

void Forward::end(HttpForwardOutcome* outcome) {
  if (state_ == State::kOver) return;
  state_ = State::kOver;
  if (watched_) host_->poller().forget(channel_->fd());
  watched_ = false;
  host_->over(this, exchange_, client_gone_ ? nullptr : outcome);
}

void Forward::client_gone() {
  if (client_gone_) return;
  client_gone_ = true;
  if (state_ != State::kTunnel || output_.empty()) return end(nullptr);
  deadline_ = host_->now() + to_millis(host_->limits().linger_timeout);
}

void Forward::flush() {
  const bool wanted = wants_input();
  while (!output_.empty() && !blocked_ && state_ != State::kOver) {
    size_t sent = 0;
    const IoResult result = channel_->write(output_.front(), &sent);
    if (result == IoResult::kOk) {
      output_.pop(sent);
    } else if (result == IoResult::kBlocked) {
      blocked_ = true;
    } else {
      // The other server may have answered before it closed: reading will tell.
      output_.clear();
    }
  }
  if (client_gone_ && output_.empty()) return end(nullptr);
  if (!wanted && wants_input()) host_->input_wanted(exchange_);
}

void Forward::on_tick() {
  if (host_->now() < deadline_) return;
  if (client_gone_) return end(nullptr);
  const bool shaking = state_ == State::kHandshake;
  fail(Code::kTimeout, shaking ? "net/http: TLS handshake timeout"
                               : str_cat("dial tcp ", address_.empty() ? what_.host : address_,
                                         ": i/o timeout"));
}

void Forward::update_interest() {
  if (state_ == State::kOver || channel_ == nullptr) return;
  if (state_ == State::kAnswer || state_ == State::kTunnel) flush();
  if (state_ == State::kOver) return;
  bool read = reads(), write = !output_.empty() && blocked_;
  if (state_ == State::kConnecting) read = false, write = true;
  if (state_ == State::kHandshake) read = true, write = channel_->wants_write();
  if (watched_ && read == reading_ && write == writing_) return;
  if (watched_) {
    host_->poller().change(channel_->fd(), this, read, write, false);
  } else {
    host_->poller().watch(channel_->fd(), this, read, write, false);
  }
  watched_ = true;
  reading_ = read;
  writing_ = write;
}

}  // namespace orrery::realmode
